"""Contracts and mechanisms that two services or more use; never a business rule."""

__version__ = "0.1.0"  # as in pyproject.toml: containers run from the folder, without the project being installed

# Versions of the contracts, which grow by rules of their own: a reader of 1.x reads every 1.y.
API_VERSION = "1.0.0"
EVENTS_VERSION = "1.0.0"
