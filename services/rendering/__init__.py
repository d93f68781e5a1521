"""Turns a source document and its study guide into files people print, read and play."""
