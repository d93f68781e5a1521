"""The gateway asked whatever its OpenAPI document allows, and much that it does not: equal draws, by schemathesis."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

# Not `unsupported_method`: a body where none is taken is refused before the method is. Another test walks the methods.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "ignored_auth",
)
FOLLOWING = "follow_job"


async def asked(process: Any, folder: Path, *arguments: str) -> tuple[int, str]:
    """The end status and the report of a run with an administrator's key."""
    key = (process.home / "api-key").read_text().strip()
    given = {
        "--header": f"Authorization: Bearer {key}",
        "--checks": ",".join(CHECKS),
        "--phases": "examples,coverage,fuzzing",
        "--max-examples": "5",
        "--seed": "8",
        "--request-timeout": "30",
        "--warnings": "off",
    }
    options = [word for pair in given.items() for word in pair]
    child = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        *("run", f"{process.url}/openapi.json", *options),
        *("--generation-deterministic", "--continue-on-failure", "--no-color", *arguments),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    report, _ = await child.communicate()
    assert child.returncode is not None
    return child.returncode, report.decode()


# Of a job that is under way the events do not end, and there is one as soon as the other operations have been tried.
@pytest.mark.parametrize("chosen", ["--include-operation-id", "--exclude-operation-id"])
async def test_every_operation_answers_as_the_document_says(process: Any, tmp_path: Path, chosen: str) -> None:
    status, report = await asked(process, tmp_path, chosen, FOLLOWING)
    assert status == 0, report[-8000:]
    assert "Selected: 1/18" in report or "Selected: 17/18" in report
    assert '"level": "error"' not in (process.home / "gateway.log").read_text()
