"""What it takes to run Lectern: container files, the local supervisor and the bundled sample."""
