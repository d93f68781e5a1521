"""The engines in child processes."""
