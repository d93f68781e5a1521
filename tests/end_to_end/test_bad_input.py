"""Whatever is sent ends in a clear answer, and nothing of it leaks."""

import http.client
import io
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from tests.end_to_end.system import SAMPLES, Lectern, publish_submission

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("lectern"), pytest.mark.timeout(300)]

LECTURE = SAMPLES / "lecture.mp4"


def ffmpeg(folder: Path, name: str, *arguments: str) -> bytes:
    path = folder / name
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments, str(path)], check=True)
    return path.read_bytes()


def encrypted(_folder: Path) -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(SAMPLES / "article.pdf") as pdf:
        pdf.save(buffer, encryption=pikepdf.Encryption(owner="o", user="u"))
    return buffer.getvalue()


def no_pages(_folder: Path) -> bytes:
    buffer = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.save(buffer)
    return buffer.getvalue()


REFUSED: dict[str, tuple[str, Callable[[Path], bytes]]] = {
    "a text file named mp4": ("lecture.mp4", lambda _: b"This is no lecture."),
    "an mp4 without its index": ("cut.mp4", lambda _: LECTURE.read_bytes()[-400_000:]),
    "an encrypted PDF": ("secret.pdf", encrypted),
    "a PDF without pages": ("none.pdf", no_pages),
    "a damaged PDF": ("damaged.pdf", lambda _: b"%PDF-1.7\n" + os.urandom(5000)),
    "a playlist": ("list.m3u8", lambda _: b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n"),
    "a concat file": ("list.ffconcat", lambda _: b"ffconcat version 1.0\nfile /etc/passwd\n"),
    "a page of HTML": ("page.html", lambda _: b"<!doctype html><script>alert(1)</script>"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_fails_with_a_sentence(lectern: Lectern, tmp_path: Path, case: str) -> None:
    name, make = REFUSED[case]
    job = lectern.wait(lectern.submit(make(tmp_path), name), within_s=60)
    assert job["status"] == "failed"
    assert job["error"]["stage"] == "ingest"
    message = job["error"]["message"]
    assert message.endswith((".", "?"))
    assert str(lectern.home) not in message
    assert "Error" not in message
    assert "passwd" not in message
    assert job["artifacts"] == []


def test_silence_gives_a_handout_that_says_so(lectern: Lectern, tmp_path: Path) -> None:
    silence = ffmpeg(tmp_path, "s.wav", "-f", "lavfi", "-i", "anoisesrc=d=20:a=0.002")
    job = lectern.wait(lectern.submit(silence, "silence.wav"))
    assert job["status"] == "done"
    assert any("No speech" in warning for warning in job["warnings"])


def test_video_without_sound_gives_its_slides(lectern: Lectern, tmp_path: Path) -> None:
    mute = ffmpeg(tmp_path, "m.mp4", "-i", str(LECTURE), "-t", "40", "-an", "-c", "copy")
    job = lectern.wait(lectern.submit(mute, "mute.mp4"))
    assert job["status"] == "done"
    assert any(artifact["name"] == "slides/002.png" for artifact in job["artifacts"])


def test_a_cut_recording_gives_what_there_is(lectern: Lectern, tmp_path: Path) -> None:
    whole = ffmpeg(tmp_path, "f.mp4", "-i", str(LECTURE), "-t", "60", "-c", "copy", "-movflags", "+faststart")
    job = lectern.wait(lectern.submit(whole[: len(whole) // 2], "cut.mp4"))
    assert job["status"] == "done"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.mp4", "a" * 5000 + ".mp4", "nul\x00.mp4", "..", "\u202egpj.mp4", "con.mp4"]
)
def test_hostile_names_are_only_names(lectern: Lectern, name: str) -> None:
    boundary = "frontier"
    escaped = name.replace('"', "%22")
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{escaped}"\r\n'
        "Content-Type: video/mp4\r\n\r\nno lecture\r\n"
        f"--{boundary}--\r\n"
    ).encode()
    answer = lectern.http.post(
        "/v1/jobs", content=body, headers={"Content-Type": f"multipart/form-data; boundary={boundary}"}
    )
    assert answer.status_code in (202, 400, 422), answer.text
    if answer.status_code == 202:
        shown = lectern.wait(answer.json()["job_id"])["source"]["name"]
        assert 0 < len(shown) <= 200
        assert not set(shown) & set("/\\\x00\u202e")


def test_an_empty_file_is_refused_at_once(lectern: Lectern) -> None:
    answer = lectern.http.post("/v1/jobs", files={"file": ("empty.mp4", b"")})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_upload_that_says_it_is_too_large_is_refused_before_it_is_read(lectern: Lectern) -> None:
    url = lectern.http.base_url
    connection = http.client.HTTPConnection(url.host, url.port, timeout=30)
    connection.putrequest("POST", "/v1/jobs")
    connection.putheader("Authorization", lectern.http.headers["Authorization"])
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(10 << 30))
    connection.endheaders(b"--b\r\n")
    answer = connection.getresponse()
    connection.close()
    assert answer.status == 413


def test_a_sparse_file_in_the_inbox_is_refused_by_its_size(lectern: Lectern) -> None:
    inbox = lectern.home / "objects" / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    with (inbox / "huge.mp4").open("wb") as file:
        file.truncate(10 << 30)
    job_id = publish_submission(lectern, {"key": "inbox/huge.mp4", "name": "huge.mp4"})
    job = lectern.wait(job_id, within_s=60)
    (inbox / "huge.mp4").unlink()
    assert job["status"] == "failed"
    assert "limit" in job["error"]["message"]


@pytest.mark.parametrize("key", ["inbox/../gateway/uploads/x", "gateway/uploads/other-job/source", "/etc/passwd"])
def test_an_event_cannot_name_what_is_not_its_own(lectern: Lectern, key: str) -> None:
    job = lectern.wait(publish_submission(lectern, {"key": key, "name": "x.mp4"}), within_s=60)
    assert job["status"] == "failed"
    assert job["error"]["code"] == "invalid_message"
