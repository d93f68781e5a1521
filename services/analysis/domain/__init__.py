"""What the analysis service promises, free of frameworks and engines."""
