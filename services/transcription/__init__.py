"""Turns units into text with provenance: speech, slides and pages, joined into one source document."""
