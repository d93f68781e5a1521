"""`python -m services.transcription` runs the service."""

from services.transcription.app import main

main()
