"""What a handout is and how it is made; no framework is imported here."""
