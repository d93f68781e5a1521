"""When a program that died is started again."""

FIRST_S = 0.5
LONGEST_S = 30.0
HEALTHY_AFTER_S = 60.0
PATIENCE = 5


class Backoff:
    """Delays that double from FIRST_S to LONGEST_S, and begin anew after a run of HEALTHY_AFTER_S in health."""

    def __init__(self) -> None:
        self._deaths = 0
        self._failed_starts = 0

    @property
    def failed_starts(self) -> int:
        """How many starts in a row never became ready."""
        return self._failed_starts

    @property
    def hopeless(self) -> bool:
        """Whether PATIENCE starts in a row failed."""
        return self._failed_starts >= PATIENCE

    def after_death(self, healthy_s: float | None) -> float:
        """Seconds to wait after a run that was healthy for `healthy_s`; None when it never became ready."""
        self._failed_starts = self._failed_starts + 1 if healthy_s is None else 0
        if healthy_s is not None and healthy_s >= HEALTHY_AFTER_S:
            self._deaths = 0
        self._deaths += 1
        return float(min(LONGEST_S, FIRST_S * 2 ** min(self._deaths - 1, 10)))
