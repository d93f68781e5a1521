"""`python -m services.rendering` runs the service."""

from services.rendering.app import main

main()
