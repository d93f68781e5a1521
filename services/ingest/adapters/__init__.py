"""What touches files and programs: ffmpeg, pdfium, pikepdf, libmagic."""
