"""Every object store: local files, and a real S3 server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.settings import SharedSettings
from shared.storage import ObjectStore, open_store


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.integration)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> SharedSettings:
    if request.param == "local":
        return SharedSettings(home=tmp_path)
    s3 = request.getfixturevalue("s3")
    return SharedSettings(
        home=tmp_path,
        storage="s3",
        s3_endpoint=s3.endpoint_url,
        s3_bucket=s3.bucket,
        s3_region=s3.region,
        s3_access_key=SecretStr(s3.access_key),
        s3_secret_key=SecretStr(s3.secret_key),
    )


@pytest_asyncio.fixture
async def store(settings: SharedSettings) -> AsyncIterator[ObjectStore]:
    async with open_store(settings) as opened:
        yield opened
