"""A TCP proxy that can cut, refuse, slow down and stall what goes through it."""

import asyncio
import contextlib
from dataclasses import dataclass, field

CHUNK = 65536


@dataclass
class Proxy:
    """Stands on `port` before the server at `target_port`, both on this machine."""

    name: str
    port: int
    target_port: int
    delay_s: float = 0.0
    refusing: bool = False
    stalled: bool = False
    accepted: int = 0
    _server: asyncio.AbstractServer | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self) -> None:
        """Listen."""
        self._flowing.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Stop listening and cut everything."""
        if self._server is not None:
            self._server.close()
        self.heal()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> int:
        """Reset every connection; how many there were."""
        writers = list(self._writers)
        for writer in writers:
            writer.transport.abort()
        return len(writers) // 2

    def refuse(self, *, refusing: bool) -> None:
        """Reset every connection from now on, at its first word; and those that stand."""
        self.refusing = refusing
        if refusing:
            self.cut()

    def stall(self, *, stalled: bool) -> None:
        """Let nothing through, and say nothing either."""
        self.stalled = stalled
        if stalled:
            self._flowing.clear()
        else:
            self._flowing.set()

    def heal(self) -> None:
        """No trouble any more."""
        self.refusing, self.delay_s = False, 0.0
        self.stall(stalled=False)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self.refusing:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        pumps = [asyncio.create_task(self._pump(reader, back)), asyncio.create_task(self._pump(there, writer))]
        try:
            # When one side is gone, the other hears of it at once, as it would without somebody in between.
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            with contextlib.suppress(OSError):
                await writer.drain()
        finally:
            for pump in pumps:
                pump.cancel()
            self._writers -= {writer, back}
            writer.close()
            back.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if self.stalled:
                    await self._flowing.wait()
                writer.write(data)
                await writer.drain()
