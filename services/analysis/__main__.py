"""`python -m services.analysis` runs the service."""

from services.analysis.app import main

main()
