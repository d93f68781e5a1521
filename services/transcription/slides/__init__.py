"""Slides of a recorded lecture: found in the video, read by OCR, joined over units, aligned with the speech."""
