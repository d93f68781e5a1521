import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from shared.errors import EngineError, EngineTimeoutError
from shared.media import MediaToolError, media_input, run_media_tool, stream_media_tool

PYTHON = sys.executable


def test_output_comes_back() -> None:
    output = run_media_tool([PYTHON, "-c", "import sys; print('out'); sys.stderr.write('err')"], timeout_s=10)
    assert output.stdout == b"out\n"
    assert output.stderr == "err"


def test_stderr_neither_blocks_nor_fills_memory() -> None:
    output = run_media_tool([PYTHON, "-c", "import sys; sys.stderr.write('x' * 3_000_000 + 'end')"], timeout_s=10)
    assert len(output.stderr) <= 8192
    assert output.stderr.endswith("end")


def test_failure_tells_its_end_inside_only() -> None:
    with pytest.raises(MediaToolError) as caught:
        run_media_tool([PYTHON, "-c", "import sys; sys.exit('/secret/path is broken')"], timeout_s=10)
    assert "/secret/path" in str(caught.value)
    assert "/secret/path" not in caught.value.public_message


@pytest.mark.parametrize("when", ["reading", "waiting"])
def test_a_child_that_hangs_is_killed(tmp_path: Path, when: str) -> None:
    close = "import os; os.close(1); " if when == "waiting" else ""
    mark = tmp_path / "alive"
    program = f"{close}import time, pathlib; time.sleep(1.5); pathlib.Path({str(mark)!r}).touch()"
    started = time.monotonic()
    with pytest.raises(EngineTimeoutError) as caught:
        run_media_tool([PYTHON, "-c", program], timeout_s=0.4)
    assert time.monotonic() - started < 1.2
    assert str(tmp_path) not in caught.value.public_message
    time.sleep(1.5)
    assert not mark.exists()


def test_too_much_output_is_refused() -> None:
    with pytest.raises(MediaToolError):
        run_media_tool([PYTHON, "-c", "print('x' * 100_000)"], timeout_s=10, max_output_bytes=1000)


def test_a_missing_program_is_an_engine_fault() -> None:
    with pytest.raises(EngineError):
        run_media_tool(["no-such-program-here"], timeout_s=1)


def test_a_stream_read_to_its_end_reports_failure() -> None:
    program = "import sys; sys.stdout.write('half'); sys.stdout.flush(); sys.exit(3)"
    with pytest.raises(MediaToolError), stream_media_tool([PYTHON, "-c", program], timeout_s=10) as pipe:
        assert pipe.read() == b"half"


def test_a_stream_left_early_ends_its_child_quietly() -> None:
    started = time.monotonic()
    endless = "import sys\nwhile True: sys.stdout.write('frame\\n')"
    with stream_media_tool([PYTHON, "-c", endless], timeout_s=30) as pipe:
        assert pipe.readline() == b"frame\n"
    assert time.monotonic() - started < 5


def test_a_stream_past_its_time_is_a_timeout_whatever_the_block_made_of_it() -> None:
    with (
        pytest.raises(EngineTimeoutError),
        stream_media_tool([PYTHON, "-c", "import time; time.sleep(9)"], timeout_s=0.3) as pipe,
    ):
        raise ValueError(f"frame of {len(pipe.read())} bytes")


class _Counting(BaseHTTPRequestHandler):
    calls: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.calls.append(self.path)
        self.send_error(404)

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture
def http_server() -> HTTPServer:
    _Counting.calls.clear()
    server = HTTPServer(("127.0.0.1", 0), _Counting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def playlists(target: str) -> dict[str, str]:
    return {
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n",
        "ffconcat": f"ffconcat version 1.0\nfile '{target}'\n",
        "mpd": (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
            'mediaPresentationDuration="PT10S"><Period><AdaptationSet><Representation id="1" bandwidth="1" '
            f'mimeType="video/mp4" codecs="avc1"><BaseURL>{target}</BaseURL>'
            "</Representation></AdaptationSet></Period></MPD>"
        ),
        "smil": f'<smil><body><video src="{target}"/></body></smil>',
        "xspf": f'<playlist version="1"><trackList><track><location>{target}</location></track></trackList></playlist>',
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
        "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{target}"/></svg>',
    }


@pytest.mark.integration
@pytest.mark.parametrize("kind", playlists(""))
@pytest.mark.parametrize("place", ["file", "http"])
def test_ffmpeg_follows_no_playlist(
    tmp_path: Path, lecture: Path, http_server: HTTPServer, kind: str, place: str
) -> None:
    """The target is a good recording: only the whitelists keep ffmpeg from decoding it."""
    target = str(lecture) if place == "file" else f"http://127.0.0.1:{http_server.server_port}/lecture.mp4"
    path = tmp_path / f"playlist.{kind}"
    path.write_text(playlists(target)[kind])
    decoded = tmp_path / "out.wav"
    for command in (["ffprobe", "-v", "debug"], ["ffmpeg", "-v", "debug", "-nostdin"]):
        output = ["-f", "wav", str(decoded)] if command[0] == "ffmpeg" else []
        with pytest.raises(MediaToolError) as caught:
            run_media_tool([*command, *media_input(path), *output], timeout_s=20)
        assert str(lecture) not in caught.value.stderr
    assert not decoded.exists()
    assert _Counting.calls == []


@pytest.mark.integration
@pytest.mark.parametrize("place", ["file", "http"])
def test_without_the_whitelists_a_playlist_would_be_followed(
    tmp_path: Path, lecture: Path, http_server: HTTPServer, place: str
) -> None:
    """Guards the test above: its playlists are such that ffmpeg does open the target."""
    target = str(lecture) if place == "file" else f"http://127.0.0.1:{http_server.server_port}/lecture.mp4"
    path = tmp_path / "playlist.ffconcat"
    path.write_text(playlists(target)["ffconcat"])
    command = [
        "ffprobe",
        "-v",
        "error",
        "-protocol_whitelist",
        "file,http,tcp",
        "-safe",
        "0",
        "-show_format",
        str(path),
    ]
    if place == "file":
        assert b"concat" in run_media_tool(command, timeout_s=20).stdout
    else:
        with pytest.raises(MediaToolError):
            run_media_tool(command, timeout_s=20)
        assert _Counting.calls == ["/lecture.mp4"]


def test_a_name_is_never_an_option() -> None:
    assert media_input(Path("-version"))[-1].startswith("file:/")
