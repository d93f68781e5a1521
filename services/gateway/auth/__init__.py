"""Who is calling: API keys, sessions of the page, one-time links."""
