"""The renderer in a child process."""
