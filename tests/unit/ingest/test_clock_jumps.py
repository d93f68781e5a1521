"""Broadcasts joined of parts that count their time anew: their time runs on, in sound, picture and duration."""

from pathlib import Path

import pytest

from services.ingest.adapters.audio import extract_audio
from services.ingest.adapters.inspect import inspect_source
from services.ingest.domain.values import Limits
from shared.media import media_input, run_media_tool
from tests.unit.ingest.conftest import Make

pytestmark = pytest.mark.integration

PART_S = 6
BEEPS = ("-f", "lavfi", "-i", "aevalsrc='0.5*sin(2*PI*440*t)*lt(mod(t,2),0.5)':d=6:s=48000")
PICTURES = ("-f", "lavfi", "-i", "testsrc2=d=6:r=10:s=320x180")
CODED = {
    "ts": ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"),
    "mpg": ("-c:v", "mpeg2video", "-r", "25", "-c:a", "mp2"),
}


def joined(make: Make, form: str, clocks_s: tuple[int, ...], *, sound: bool = True) -> Path:
    inputs = (*PICTURES, *BEEPS) if sound else PICTURES
    parts = [
        make(f"{number}.{form}", *inputs, *CODED[form], "-output_ts_offset", str(clock_s))
        for number, clock_s in enumerate(clocks_s)
    ]
    path = parts[0].with_name(f"joined.{form}")
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("form", ["ts", "mpg"])
@pytest.mark.parametrize("clocks_s", [(0, 0), (0, 3600), (3600, 0), (0, 7200, 3600)])
def test_time_runs_on_where_the_clock_is_set_anew(make: Make, form: str, clocks_s: tuple[int, ...]) -> None:
    path = joined(make, form, clocks_s)
    found = inspect_source(path, path.name, Limits())
    whole_s = PART_S * len(clocks_s)
    assert found.duration_s == pytest.approx(whole_s, abs=0.5)
    assert found.path != path
    assert (found.has_audio, found.has_video, found.warnings) == (True, True, ())
    assert found.media_type == {"ts": "video/mp2t", "mpg": "video/mpeg"}[form]
    facts = extract_audio(found.path, path.with_name("sound.wav"), found.audio_streams, Limits())
    assert facts.duration_s == pytest.approx(whole_s, abs=0.5)
    entries = ["-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0"]
    listed = run_media_tool(["ffprobe", "-v", "error", *entries, *media_input(found.path)], timeout_s=60).stdout
    times_s = sorted(float(line.strip(b",")) for line in listed.split() if b"N/A" not in line)
    assert times_s[-1] - times_s[0] == pytest.approx(whole_s, abs=0.5)


def test_a_steady_clock_is_left_alone_wherever_it_begins(make: Make) -> None:
    path = joined(make, "ts", (5000,))
    found = inspect_source(path, path.name, Limits())
    assert found.path == path
    assert found.duration_s == pytest.approx(PART_S, abs=0.3)


def test_a_gap_that_ffmpeg_does_not_take_for_a_new_clock_is_copied_once(make: Make) -> None:
    parts = [
        make(f"{number}.ts", *BEEPS, "-c:a", "aac", "-output_ts_offset", str(clock_s))
        for number, clock_s in enumerate((0, 16.04))  # ten seconds, and less than a packet, after the first ends
    ]
    path = parts[0].with_name("joined.ts")
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    found = inspect_source(path, path.name, Limits())
    assert [copy.name for copy in path.parent.glob("*.one-clock.ts")] == [found.path.name]
    assert found.duration_s == pytest.approx(16.04 + PART_S, abs=0.5)
