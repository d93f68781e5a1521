"""How figures are named, judged, shown and written, and how memory is read."""

import json

import pytest

from tests.benchmarks import memory
from tests.benchmarks.figures import Figure, Goal, percentile, shown, table, write_json
from tests.benchmarks.lecture import sentences, slides_of


@pytest.mark.parametrize("name", ["audio_10min_ratio", "gateway_peak_mb", "pdf_pages_per_s", "video_10min_realtime_x"])
def test_names_end_in_a_unit(name):
    assert Figure(name, 1.0).name == name


@pytest.mark.parametrize("name", ["speed", "ratio", "Audio_ratio", "audio__s", "audio-10_s"])
def test_a_name_without_a_unit_is_refused(name):
    with pytest.raises(ValueError, match="unit"):
        Figure(name, 1.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="some_ratio is"):
        Figure("some_ratio", value)


def test_goals_point_up_or_down():
    assert Goal(2.0).is_met(2.0)
    assert not Goal(2.0).is_met(2.01)
    assert Goal(20.0, at_least=True).is_met(20.0)
    assert not Goal(20.0, at_least=True).is_met(19.9)


def test_percentiles_lie_between_neighbours():
    values = [4.0, 1.0, 3.0, 2.0, 5.0]
    assert [percentile(values, share) for share in (0, 0.5, 1)] == [1.0, 3.0, 5.0]
    assert percentile(values, 0.875) == 4.5
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_numbers_are_shown_with_three_digits():
    assert [shown(value) for value in (0.1234, 1.0, 12.345, 1234.5)] == ["0.123", "1.00", "12.3", "1234"]


def test_the_table_is_aligned_and_says_what_was_missed():
    lines = table([Figure("a_ratio", 3.0, Goal(2.0), "how"), Figure("longer_name_s", 1.5)]).splitlines()
    assert "MISSED" in lines[1]
    assert lines[1].index("3.00") == lines[2].index("1.50")
    assert lines[1].endswith("how")


def test_the_object_is_flat_and_names_come_once(tmp_path):
    path = tmp_path / "new" / "bench.json"
    write_json([Figure("a_ratio", 3.0), Figure("b_s", 0.5)], path)
    assert json.loads(path.read_text()) == {"a_ratio": 3.0, "b_s": 0.5}
    with pytest.raises(ValueError, match="one name"):
        write_json([Figure("a_ratio", 3.0), Figure("a_ratio", 4.0)], path)


def test_all_below_a_process_are_found():
    assert sorted(memory.descendants(1, {1: [2, 3], 3: [4], 4: [5], 9: [10]})) == [2, 3, 4, 5]


def test_the_set_size_is_read_and_a_process_that_is_gone_has_none(tmp_path):
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "smaps_rollup").write_text("0-1 [rollup]\nRss:  9000 kB\nPss:  2000 kB\nPss_Dirty:  1 kB\n")
    (folder / "stat").write_text("7 (a (strange) name) S 3 7 7 0")
    assert memory.pss_mb(7, tmp_path) == pytest.approx(2.048)
    assert memory.pss_mb(8, tmp_path) == 0.0
    assert memory.children_of(tmp_path) == {3: [7]}


def test_peaks_are_kept_of_each_by_itself():
    peaks = memory.Peaks()
    peaks.see({"ingest": (5.0, 1.0)})
    peaks.see({"ingest": (3.0, 9.0)})
    assert (peaks.own_mb, peaks.engines_mb) == ({"ingest": 5.0}, {"ingest": 9.0})


def test_ten_minutes_of_text_come_without_repeating_and_slides_cover_all_of_it():
    text = sentences()
    assert len(set(text)) == len(text)
    assert sum(len(part.split()) for part in text) > 1800
    slides = slides_of(text, 20)
    assert len({slide["title"] for slide in slides}) == 20
    assert all(1 <= len(slide["lines"]) <= 3 for slide in slides)
