"""`python -m tests.coverage`: run the tests with coverage and print the figure of each package; worst first.

Further arguments go to pytest. Figures count lines and branches, child processes included; they also go to
build/coverage.json.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.coverage.packages import by_package, table

BUILD = Path("build")
FILES, FIGURES = BUILD / "coverage-files.json", BUILD / "coverage.json"


def main() -> int:
    """Print the table; pytest's exit status."""
    BUILD.mkdir(exist_ok=True)
    wanted = ["--cov", "--cov-report=", f"--cov-report=json:{FILES}"]
    done = subprocess.run([sys.executable, "-m", "pytest", *wanted, *sys.argv[1:]], check=False)
    figures = by_package(json.loads(FILES.read_text())["files"])
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    sys.stdout.write(table(figures))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
