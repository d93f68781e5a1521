"""Other systems find the folder for their sources where objects are files."""

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.settings import SharedSettings
from shared.storage import open_store


async def test_the_inbox_is_there_from_the_first_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for _ in range(2):
        async with open_store(SharedSettings(home=home, storage="local")) as store:
            inbox = home / "objects" / "inbox"
            (inbox / "talk.mp4").write_bytes(b"talk")
            assert await store.read("inbox/talk.mp4") == b"talk"
    assert stat.S_IMODE(inbox.stat().st_mode) == 0o700


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_an_inbox_that_leads_elsewhere_is_left_alone(tmp_path: Path, elsewhere: bool) -> None:
    """As one that is a share that is not mounted just now."""
    inbox, place = tmp_path / "objects" / "inbox", tmp_path / "share"
    inbox.parent.mkdir()
    inbox.symlink_to(place)
    if elsewhere:
        place.mkdir()
    async with open_store(SharedSettings(home=tmp_path, storage="local")):
        assert inbox.readlink() == place
        assert place.exists() is elsewhere


async def test_in_s3_no_folder_of_objects_is_made(tmp_path: Path) -> None:
    secret = SecretStr("s")
    settings = SharedSettings(home=tmp_path, storage="s3", s3_access_key="a", s3_secret_key=secret)
    async with open_store(settings):
        assert not (tmp_path / "objects").exists()
