"""A keeper at work in a test."""

import asyncio

from deploy.local.keeper import READY_LIMIT_S, Event, Happening, Keeper
from deploy.local.programs import Program


class Kept:
    """Keeps `program`; what the keeper tells is in `told`."""

    def __init__(self, program: Program, *, ready_limit_s: float = READY_LIMIT_S) -> None:
        self.told: list[Event] = []
        self.keeper = Keeper(program, self.told.append, ready_limit_s=ready_limit_s)

    async def __aenter__(self) -> "Kept":
        self._task = asyncio.create_task(self.keeper.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        if self.keeper.child is not None:
            self.keeper.child.kill()

    async def heard(self, happening: Happening, count: int = 1) -> list[Event]:
        """The events of one kind, once there are `count`. Raises TimeoutError after 20 s."""
        async with asyncio.timeout(20):
            while len(found := [event for event in self.told if event.happening is happening]) < count:
                await asyncio.sleep(0.01)
        return found
