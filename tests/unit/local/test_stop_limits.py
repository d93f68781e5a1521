"""How long each part of a system is waited for at its end follows the setting of the services."""

import pytest

from deploy.local.stop_limits import stop_limits
from shared.settings import SharedSettings


@pytest.mark.parametrize("shutdown_s", [0.2, 4, 30, 600])
def test_services_are_waited_for_as_long_as_they_may_finish_what_they_do(shutdown_s):
    limits = stop_limits({"LECTERN_SHUTDOWN_S": str(shutdown_s)})
    assert limits.workers_s >= shutdown_s + 1
    assert limits.front_s >= shutdown_s / 2 + 1  # the page is given up after half of it


@pytest.mark.parametrize("given", [{}, {"LECTERN_SHUTDOWN_S": ""}, {"LECTERN_SHUTDOWN_S": "soon"}])
def test_by_default_the_end_is_within_fifteen_seconds(given):
    limits = stop_limits(given)
    assert limits.workers_s + limits.front_s + limits.stores_s < 14
    assert limits.workers_s > SharedSettings.model_fields["shutdown_s"].default
