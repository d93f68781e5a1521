"""Pages of a PDF as blocks with provenance: read by page range, joined for the whole document (PAG-1 to PAG-4)."""
