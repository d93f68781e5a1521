"""Contracts and mechanisms that two services or more use; never a business rule."""
