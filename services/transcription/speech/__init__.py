"""Speech: recognised unit by unit (`whisper`), joined into one transcript (`join`)."""
