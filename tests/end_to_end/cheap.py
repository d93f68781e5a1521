"""The product with engines that do what a job's content says: `python -m tests.end_to_end.cheap up HOME`.

`python -m tests.end_to_end.cheap work NAME` is one worker of it.
"""

import asyncio
import sys
from pathlib import Path

from deploy.local.services import SERVICES, ServiceProgram
from deploy.local.supervisor import Options, Supervisor
from tests.chaos.engines import Workshop
from tests.chaos.service import RUNNERS, WORKSHOP_VARIABLE


def workshop(home: Path) -> Workshop:
    """Where the engines of the system at `home` keep their accounts, and where jobs are mended."""
    return Workshop(home.parent / f"{home.name}-workshop")


def _services() -> tuple[ServiceProgram, ...]:
    def cheap(program: ServiceProgram) -> ServiceProgram:
        command = (sys.executable, "-P", "-m", "tests.end_to_end.cheap", "work", program.name)
        return ServiceProgram(program.name, command, program.port_variable)

    return tuple(program if program.front else cheap(program) for program in SERVICES)


async def _up(home: Path) -> None:
    folder = workshop(home)
    folder.prepare()
    environment = {WORKSHOP_VARIABLE: str(folder.folder)}
    options = Options(services=_services(), amqp_url=None, mongo_url=None, environment=environment)
    async with Supervisor(home, options) as system:
        await system.wait()


def main(what: str, name: str) -> None:
    """Run the system, or one worker, until it is told to stop."""
    if what == "up":
        asyncio.run(_up(Path(name)))
    else:
        RUNNERS[name]()


if __name__ == "__main__":
    main(*sys.argv[1:])
