"""The whole system with its objects in S3, by settings alone."""

from pathlib import Path

import httpx
import pytest

from tests.conftest import S3
from tests.end_to_end.system import SAMPLES, running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def test_objects_can_live_in_s3(tmp_path: Path, s3: S3) -> None:
    home = tmp_path / "home"
    settings = {
        "LECTERN_STORAGE": "s3",
        "LECTERN_S3_ENDPOINT": s3.endpoint_url,
        "LECTERN_S3_BUCKET": s3.bucket,
        "LECTERN_S3_REGION": s3.region,
        "LECTERN_S3_ACCESS_KEY": s3.access_key,
        "LECTERN_S3_SECRET_KEY": s3.secret_key,
    }
    with running(home, **settings) as system:
        job = system.wait(system.submit(SAMPLES / "article.pdf", "article.pdf"))
        assert job["status"] == "done", job
        assert system.artifact(job["job_id"], "handout.pdf").startswith(b"%PDF")
        part = system.http.get(f"/v1/jobs/{job['job_id']}/artifacts/handout.pdf", headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.content) == (httpx.codes.PARTIAL_CONTENT, b"%PDF")
    assert not (home / "objects").exists()
    assert not [path for path in (home / "scratch").rglob("*") if path.is_file() and path.name != "cleaning"]
