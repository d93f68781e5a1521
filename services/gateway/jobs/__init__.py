"""Jobs: submission, read model, artefacts and live progress."""
