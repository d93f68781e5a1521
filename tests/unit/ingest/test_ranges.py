import itertools

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.ranges import plan_page_ranges, plan_slide_ranges


@given(st.floats(0.01, 40_000), st.floats(10, 3000))
def test_slide_ranges_tile_the_recording(duration_s: float, range_s: float) -> None:
    ranges = plan_slide_ranges(duration_s, range_s)
    assert [piece.number for piece in ranges] == list(range(1, len(ranges) + 1))
    assert ranges[0].start_s == 0
    assert ranges[-1].end_s == duration_s
    assert all(left.end_s == right.start_s for left, right in itertools.pairwise(ranges))
    assert all(piece.end_s - piece.start_s <= 1.5 * range_s + 0.01 for piece in ranges)
    assert len(ranges) == 1 or all(piece.end_s - piece.start_s >= 0.66 * range_s for piece in ranges)


@given(st.integers(1, 5000), st.integers(1, 64))
def test_page_ranges_cover_every_page_once(page_count: int, pages: int) -> None:
    ranges = plan_page_ranges(page_count, pages)
    covered = [page for piece in ranges for page in range(piece.first, piece.last + 1)]
    assert covered == list(range(1, page_count + 1))
    lengths = {piece.last - piece.first + 1 for piece in ranges}
    assert max(lengths) <= pages
    assert max(lengths) - min(lengths) <= 1


@given(st.integers(1, 600), st.integers(1, 64), st.integers(1, 20), st.data())
def test_pages_to_recognise_come_in_short_ranges(page_count: int, pages: int, scans: int, data: st.DataObject) -> None:
    scanned = data.draw(st.frozensets(st.integers(1, page_count)))
    ranges = plan_page_ranges(page_count, pages, scanned, scans)
    covered = [page for piece in ranges for page in range(piece.first, piece.last + 1)]
    assert covered == list(range(1, page_count + 1))
    assert [piece.number for piece in ranges] == list(range(1, len(ranges) + 1))
    for piece in ranges:
        length = piece.last - piece.first + 1
        to_recognise = len(scanned & set(range(piece.first, piece.last + 1)))
        assert length <= pages + 1
        assert to_recognise <= min(scans, pages) + 1


def test_a_scan_is_cut_into_threes_and_text_into_sixteens() -> None:
    scan = plan_page_ranges(12, 16, frozenset(range(1, 13)), 3)
    assert [(piece.first, piece.last) for piece in scan] == [(1, 3), (4, 6), (7, 9), (10, 12)]
    mixed = plan_page_ranges(38, 16, frozenset(range(33, 39)), 3)
    assert [(piece.first, piece.last) for piece in mixed] == [(1, 16), (17, 32), (33, 35), (36, 38)]


def test_nothing_has_no_ranges() -> None:
    assert plan_slide_ranges(0) == []
    assert plan_page_ranges(0) == []
