"""The HTTP face: submits jobs, keeps the read model of what the workers say, serves files and the web page."""
