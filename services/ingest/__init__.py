"""Takes a source in: finds its real type, checks it against the limits and cuts it into units."""
