"""How a picture track and a document are cut into units of work: evenly, so that no unit is a mere remainder."""

import math
from bisect import bisect_right
from itertools import accumulate, pairwise

from services.ingest.domain.values import PageRange, SlideRange

_ROUNDING = 1e-6


def plan_slide_ranges(duration_s: float, range_s: float = 600.0) -> list[SlideRange]:
    """Even pieces of `duration_s`, each as near to `range_s` as even pieces can be; none for an empty recording."""
    if duration_s <= 0:
        return []
    count = max(1, round(duration_s / range_s))
    edges = [round(duration_s * index / count, 3) for index in range(count)] + [duration_s]
    return [SlideRange(number=index + 1, start_s=edges[index], end_s=edges[index + 1]) for index in range(count)]


def plan_page_ranges(
    page_count: int, pages: int = 16, scanned: frozenset[int] = frozenset(), scans: int = 3
) -> list[PageRange]:
    """Even runs of at most `pages` pages that cover 1 to `page_count`.

    The pages in `scanned` have to be recognised, which takes long: of them alone a run has at most `scans`.
    """
    if not page_count:
        return []
    weights = [pages / min(scans, pages) if page in scanned else 1.0 for page in range(1, page_count + 1)]
    reached = list(accumulate(weights, initial=0.0))
    count = math.ceil(reached[-1] / pages - _ROUNDING)
    edges = [bisect_right(reached, reached[-1] * index / count + _ROUNDING) - 1 for index in range(count + 1)]
    runs = [(first + 1, last) for first, last in pairwise(edges) if first < last]
    return [PageRange(number=index, first=first, last=last) for index, (first, last) in enumerate(runs, 1)]
