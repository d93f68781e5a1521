"""How a picture track and a document are cut into units of work: evenly, so that no unit is a mere remainder."""

import math

from services.ingest.domain.values import PageRange, SlideRange


def plan_slide_ranges(duration_s: float, range_s: float = 600.0) -> list[SlideRange]:
    """Even pieces of `duration_s`, each as near to `range_s` as even pieces can be; none for an empty recording."""
    if duration_s <= 0:
        return []
    count = max(1, round(duration_s / range_s))
    edges = [round(duration_s * index / count, 3) for index in range(count)] + [duration_s]
    return [SlideRange(number=index + 1, start_s=edges[index], end_s=edges[index + 1]) for index in range(count)]


def plan_page_ranges(page_count: int, pages: int = 16) -> list[PageRange]:
    """Even runs of at most `pages` pages that cover 1 to `page_count`."""
    count = math.ceil(page_count / pages)
    edges = [page_count * index // count for index in range(count + 1)] if count else [0]
    return [PageRange(number=index + 1, first=edges[index] + 1, last=edges[index + 1]) for index in range(count)]
