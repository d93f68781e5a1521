"""Contracts and mechanisms that two services or more use; never a business rule."""

__version__ = "0.1.0"  # as in pyproject.toml: containers run from the folder, without the project being installed
