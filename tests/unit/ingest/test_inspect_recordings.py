"""What ingest makes of recordings, good ones and bad ones. Everything here runs ffprobe."""

import re
import shutil
import struct
from pathlib import Path

import pytest

from services.ingest.adapters.inspect import inspect_source
from services.ingest.domain import sentences
from services.ingest.domain.values import Inspection, Limits
from shared.errors import InvalidSourceError, SourceTooLargeError
from tests.unit.ingest.conftest import H264_AAC, PICTURE, TONE, Make

pytestmark = pytest.mark.integration


def sources(seconds: float, *inputs: tuple[str, ...]) -> list[str]:
    return [part.format(s=seconds) for source in inputs for part in source]


def inspect(path: Path, limits: Limits | None = None) -> Inspection:
    return inspect_source(path, path.name, limits or Limits())


def refusal(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(InvalidSourceError) as caught:
        inspect(path, limits)
    return caught.value.public_message


def patched(source: Path, output: Path, old: bytes, new: bytes) -> Path:
    data = source.read_bytes()
    assert len(old) == len(new)
    assert old in data
    output.write_bytes(data.replace(old, new))
    return output


def test_a_video(lecture: Path) -> None:
    found = inspect(lecture)
    assert (found.kind, found.media_type, found.path) == ("recording", "video/mp4", lecture)
    assert found.duration_s == pytest.approx(30, abs=0.1)
    assert (found.has_audio, found.has_video, found.width, found.height) == (True, True, 160, 90)
    assert (found.audio_streams, found.video_stream) == ((1,), 0)
    assert found.warnings == ()


def test_the_name_decides_nothing(lecture: Path, tmp_path: Path) -> None:
    copy = shutil.copy(lecture, tmp_path / "notes.pdf")
    assert inspect(Path(copy)).media_type == "video/mp4"


@pytest.mark.parametrize(
    ("name", "codec", "media_type"),
    [
        ("a.mp3", ("-c:a", "libmp3lame"), "audio/mpeg"),
        ("a.mp3", ("-c:a", "libmp3lame", "-write_xing", "0", "-q:a", "9"), "audio/mpeg"),
        ("a.m4a", ("-c:a", "aac"), "audio/mp4"),
        ("a.aac", ("-c:a", "aac"), "audio/aac"),
        ("a.wav", ("-c:a", "pcm_s24le"), "audio/wav"),
        ("a.flac", (), "audio/flac"),
        ("a.ogg", ("-c:a", "libopus"), "audio/ogg"),
        ("a.webm", ("-c:a", "libopus", "-live", "1"), "audio/webm"),
        ("a.wma", ("-c:a", "wmav2"), "audio/x-ms-wma"),
        ("a.ac3", (), "audio/ac3"),
    ],
)
def test_sound_of_every_sort(make: Make, name: str, codec: tuple[str, ...], media_type: str) -> None:
    found = inspect(make(name, *sources(25, TONE), *codec))
    assert found.media_type == media_type
    assert found.duration_s == pytest.approx(25, abs=0.15)
    assert (found.has_audio, found.has_video) == (True, False)


@pytest.mark.parametrize(
    ("name", "codec", "media_type"),
    [
        ("v.mkv", H264_AAC, "video/x-matroska"),
        ("v.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus", "-live", "1"), "video/webm"),
        ("v.mov", H264_AAC, "video/quicktime"),
        ("v.ts", H264_AAC, "video/mp2t"),
        ("v.mpg", ("-r", "25"), "video/mpeg"),
        ("v.avi", (), "video/x-msvideo"),
        ("v.flv", ("-c:v", "flv", "-ar", "44100"), "video/x-flv"),
        ("v.mp4", (*H264_AAC, "-movflags", "frag_keyframe+empty_moov"), "video/mp4"),
    ],
)
def test_video_of_every_sort(make: Make, name: str, codec: tuple[str, ...], media_type: str) -> None:
    found = inspect(make(name, *sources(8, PICTURE, TONE), *codec))
    assert found.media_type == media_type
    assert found.duration_s == pytest.approx(8, abs=0.3)
    assert (found.has_audio, found.has_video) == (True, True)


def test_video_without_sound_is_allowed(make: Make) -> None:
    found = inspect(make("silent.mp4", *sources(3, PICTURE)))
    assert (found.has_audio, found.has_video, found.audio_streams) == (False, True, ())


def test_one_frame_is_a_video(make: Make) -> None:
    found = inspect(make("frame.mp4", *sources(1, PICTURE), "-frames:v", "1"))
    assert found.has_video
    assert found.duration_s == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["cover.mp3", "cover.m4a"])
def test_a_cover_is_no_video(make: Make, name: str) -> None:
    cover = make("cover.png", *sources(1, PICTURE), "-frames:v", "1")
    path = make(
        name,
        *sources(3, TONE),
        "-i",
        str(cover),
        "-map",
        "0",
        "-map",
        "1",
        "-c:v",
        "png",
        "-disposition:v",
        "attached_pic",
    )
    found = inspect(path)
    assert (found.has_audio, found.has_video, found.width) == (True, False, None)


@pytest.mark.parametrize("offset", ["100", "-3"])
@pytest.mark.parametrize("name", ["v.ts", "v.mkv", "v.mp4"])
def test_time_stamps_need_not_begin_at_zero(make: Make, name: str, offset: str) -> None:
    path = make(
        name, *sources(25, PICTURE, TONE), *H264_AAC, "-output_ts_offset", offset, "-avoid_negative_ts", "disabled"
    )
    found = inspect(path)
    assert found.duration_s is not None
    assert 21.9 < found.duration_s < 25.3  # an MP4's edit list drops what lies before zero


def test_language_and_title_come_from_metadata(make: Make) -> None:
    tags = ("-metadata", "title=Heat\x07 \u202eengines", "-metadata:s:a", "language=deu")
    found = inspect(make("tags.mkv", *sources(2, TONE), *tags))
    assert (found.title, found.language) == ("Heat engines", "deu")


def test_hostile_metadata_is_harmless(make: Make) -> None:
    found = inspect(
        make("tags.mkv", *sources(2, TONE), "-metadata", f"title={'A' * 100_000}", "-metadata", 'title2="},{')
    )
    assert found.title is not None
    assert len(found.title) <= 200


def test_the_commentary_track_is_not_preferred(make: Make) -> None:
    path = make(
        *("two.mkv", *sources(2, TONE, TONE), "-map", "0", "-map", "1"),
        *("-disposition:a:0", "comment", "-disposition:a:1", "default"),
    )
    assert inspect(path).audio_streams == (1, 0)


def test_an_mp4_without_its_index_is_refused(make: Make, tmp_path: Path) -> None:
    whole = make("late.mp4", *sources(10, PICTURE, TONE), *H264_AAC).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    assert refusal(cut) == sentences.UNFINISHED_MEDIA


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_an_mp4_with_a_cut_tail_is_used_as_far_as_it_goes(lecture: Path, tmp_path: Path, share: float) -> None:
    whole = lecture.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: int(len(whole) * share)])
    found = inspect(cut)
    assert found.duration_s == pytest.approx(30 * share, abs=2)
    assert len(found.warnings) == 1
    assert re.fullmatch(r"The recording ends early: 0:\d\d of 0:30 could be read\.", found.warnings[0])


@pytest.mark.parametrize("name", ["v.mkv", "v.ts", "a.wav"])
def test_other_cut_tails_are_measured(make: Make, tmp_path: Path, name: str) -> None:
    inputs = sources(30, TONE) if name == "a.wav" else sources(30, PICTURE, TONE)
    whole = make(name, *inputs).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(whole[: len(whole) // 2])
    found = inspect(cut)
    assert found.duration_s == pytest.approx(15, abs=3)


def test_an_index_that_claims_less_than_there_is(make: Make, tmp_path: Path) -> None:
    """A Matroska header says 30 s; written over to say 21 s, the packets still tell."""
    path = make("v.mkv", *sources(40, TONE))
    lying = patched(
        path, tmp_path / "v.mkv", b"\x44\x89\x88" + _duration(path), b"\x44\x89\x88" + struct.pack(">d", 21_000)
    )
    assert inspect(lying).duration_s == pytest.approx(40, abs=0.2)


def _duration(path: Path) -> bytes:
    data = path.read_bytes()
    position = data.index(b"\x44\x89\x88") + 3
    return data[position : position + 8]


def test_matroska_does_not_reach_for_its_next_segment(make: Make, lecture: Path, tmp_path: Path) -> None:
    title = str(lecture) + "x"
    path = make("v.mkv", *sources(2, TONE), "-metadata", f"title={title}")
    element = b"\x7b\xa9" + (bytes([0x80 + len(title)]) if len(title) < 127 else b"")
    following = b"\x3e\x83\xbb" + (bytes([0x80 + len(title) - 1]) if element[2:] else b"")
    if not element[2:]:
        pytest.skip("the temporary folder's name is too long for a one-byte length")
    linked = patched(path, tmp_path / "v.mkv", element + title.encode(), following + str(lecture).encode())
    found = inspect(linked)
    assert found.duration_s == pytest.approx(2, abs=0.1)
    assert not found.has_video


def test_external_data_references_are_refused(lecture: Path, tmp_path: Path) -> None:
    external = patched(lecture, tmp_path / "v.mov", b"url \0\0\0\1", b"url \0\0\0\0")
    assert refusal(external) == sentences.EXTERNAL_MEDIA


def test_protected_content_is_refused(lecture: Path, make: Make, tmp_path: Path) -> None:
    key = "00112233445566778899aabbccddeeff"
    encrypted = make(
        *("enc.mp4", "-i", str(lecture), "-c", "copy", "-encryption_scheme", "cenc-aes-ctr"),
        *("-encryption_key", key, "-encryption_kid", key),
    )
    assert refusal(encrypted) == sentences.PROTECTED_MEDIA
    fairplay = patched(lecture, tmp_path / "song.m4p", b"mp4a\0\0\0\0\0\0", b"drms\0\0\0\0\0\0")
    assert refusal(fairplay) == sentences.PROTECTED_MEDIA


def test_neither_sound_nor_pictures(make: Make, tmp_path: Path) -> None:
    (tmp_path / "s.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n")
    assert refusal(make("s.mkv", "-i", str(tmp_path / "s.srt"))) == sentences.NO_TRACKS


def test_zero_duration(make: Make) -> None:
    assert refusal(make("none.wav", *sources(1, TONE), "-t", "0")) == sentences.NOTHING_PLAYS


@pytest.mark.parametrize(("position", "value"), [(22, b"\xff\xff"), (24, b"\xff\xff\xff\x7f")])
def test_absurd_sound_is_refused(make: Make, tmp_path: Path, position: int, value: bytes) -> None:
    data = bytearray(make("a.wav", *sources(1, TONE)).read_bytes())
    data[position : position + len(value)] = value
    (tmp_path / "a.wav").write_bytes(data)
    assert refusal(tmp_path / "a.wav") in {sentences.ODD_SOUND, sentences.DAMAGED_MEDIA}


def test_an_unknown_coding(make: Make, tmp_path: Path) -> None:
    sound = make("a.mkv", *sources(1, TONE), "-c:a", "aac")
    assert refusal(patched(sound, tmp_path / "a.mkv", b"A_AAC", b"A_QQQ")) == sentences.UNKNOWN_CODEC


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(max_duration_s=20), "lasts 0:30; at most 0:20"),
        (Limits(max_pixels=160 * 89), r"too large (160 x 90)"),
        (Limits(max_size_bytes=1000), "at most 1,000 bytes"),
    ],
)
def test_over_a_limit(lecture: Path, limits: Limits, words: str) -> None:
    with pytest.raises(SourceTooLargeError) as caught:
        inspect(lecture, limits)
    assert words in caught.value.public_message


def test_a_gigantic_picture_is_not_even_decoded(make: Make) -> None:
    black = ("-f", "lavfi", "-i", "color=black:s=16000x12000:r=1:d=1")
    path = make("huge.mov", *black, "-frames:v", "1", "-c:v", "png", "-pix_fmt", "gray")
    assert refusal(path).startswith("The pictures of this video are too large (16000 x 12000).")


def test_too_many_tracks(lecture: Path) -> None:
    assert refusal(lecture, Limits(max_streams=1)) == sentences.TOO_MANY_TRACKS


def test_sentences_name_no_path(lecture: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    data = bytearray(lecture.read_bytes())
    data[40:4000] = bytes(3960)
    broken.write_bytes(data)
    assert str(tmp_path) not in refusal(broken)
