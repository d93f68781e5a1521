"""Turns a source document into a study guide whose every item cites the blocks it comes from."""
