"""The `lectern` command: a client of the gateway's HTTP API, and the local launcher."""
