"""What transcription does, free of any framework: the plan, the units and the join."""
