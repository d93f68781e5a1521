"""The README's snippet for other systems, run as it stands there."""

import re
import shutil
from typing import Any

import pytest

from tests.end_to_end.system import ROOT, SAMPLES, Lectern, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("lectern"), pytest.mark.timeout(300)]


def test_another_system_can_submit_by_an_event(lectern: Lectern) -> None:
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)
    inbox = lectern.home / "objects" / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SAMPLES / "article.pdf", inbox / "article.pdf")
    job_id = names["submit"](lectern.state["amqp_url"], "inbox/article.pdf", "Tides.pdf")
    wait_until(lambda: lectern.http.get(f"/v1/jobs/{job_id}").status_code == 200, "the job", 20)
    job = lectern.wait(job_id)
    assert job["status"] == "done"
    assert job["source"]["name"] == "Tides.pdf"
    assert (inbox / "article.pdf").exists()
