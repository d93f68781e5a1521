"""What ingest knows about sources: limits, facts, plans. No framework, no I/O."""
