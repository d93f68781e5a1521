"""The settings and the clean topology of the tests of shared mechanisms."""

from tests.integration.shared.conftest import settings

__all__ = ["settings"]
