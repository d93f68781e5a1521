"""Tests that share a running system run on one worker; on two, each would start a system of its own."""

import os

import pytest


@pytest.mark.skipif(
    "PYTEST_XDIST_WORKER" not in os.environ,
    reason="with -n 0 there are no workers, and so no scheduler to ignore groups",
)
def test_the_tests_of_a_file_are_a_group_of_the_scheduler(request: pytest.FixtureRequest) -> None:
    # The scheduler knows a test by its id alone. Where the plugin's suffix does not reach the id, groups are ignored
    # without a word, and every fixture of a module or session is made once for each worker.
    assert request.node.nodeid.endswith("@test_groups")


def test_a_test_that_names_no_group_is_in_that_of_its_file(request: pytest.FixtureRequest) -> None:
    mark = request.node.get_closest_marker("xdist_group")
    assert mark is not None
    assert mark.args == ("test_groups",)
