from hypothesis import given
from hypothesis import strategies as st

from deploy.local.backoff import FIRST_S, HEALTHY_AFTER_S, LONGEST_S, PATIENCE, Backoff


def test_delays_double_up_to_the_longest():
    backoff = Backoff()
    assert [backoff.after_death(None) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_minute_of_health_begins_anew():
    backoff = Backoff()
    for _ in range(5):
        backoff.after_death(1.0)
    assert backoff.after_death(HEALTHY_AFTER_S) == FIRST_S


def test_a_short_life_does_not_begin_anew():
    backoff = Backoff()
    backoff.after_death(59.0)
    assert backoff.after_death(59.0) == 2 * FIRST_S


def test_patience_ends_after_starts_that_failed_in_a_row():
    backoff = Backoff()
    for _ in range(PATIENCE - 1):
        backoff.after_death(None)
    assert not backoff.hopeless
    backoff.after_death(None)
    assert backoff.hopeless
    backoff.after_death(0.1)
    assert not backoff.hopeless


@given(st.lists(st.none() | st.floats(0, 1e6)))
def test_a_delay_is_never_out_of_bounds(lives):
    backoff = Backoff()
    assert all(FIRST_S <= backoff.after_death(life) <= LONGEST_S for life in lives)
