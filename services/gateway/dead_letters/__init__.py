"""Dead letters as an administrator's tool: looked at, replayed, purged (PIP-4)."""
