"""Requests about one key that come while another is carried out wait, and are then carried out all at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.errors import InvalidMessageError

Request = TypeVar("Request")
Answer = TypeVar("Answer")


@dataclass(eq=False)
class _Place(Generic[Request, Answer]):
    request: Request
    answers: list[Answer] = field(default_factory=list)


@dataclass
class _Line(Generic[Request, Answer]):
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: list[_Place[Request, Answer]] = field(default_factory=list)
    users: int = 0


class Together(Generic[Request, Answer]):
    """Calls `carry_out(key, requests)` for one key at most once at a time; the more wait, the more each call does.

    Whoever's turn it is carries out what waits and gets the error if there is one; the others then have their own
    turn. A request that is cancelled may have been carried out all the same.
    """

    def __init__(self, carry_out: Callable[[str, Sequence[Request]], Awaitable[Answer]]) -> None:
        self._carry_out = carry_out
        self._lines: dict[str, _Line[Request, Answer]] = {}

    async def ask(self, key: str, request: Request) -> Answer:
        """Have `request` carried out, alone or with others; what that call answered."""
        line = self._lines.setdefault(key, _Line())
        place: _Place[Request, Answer] = _Place(request)
        line.waiting.append(place)
        line.users += 1
        try:
            async with line.turn:
                if not place.answers:
                    await self._serve(key, line, place)
        finally:
            line.users -= 1
            if place in line.waiting:
                line.waiting.remove(place)
            if not line.users:
                del self._lines[key]
        return place.answers[0]

    async def _serve(self, key: str, line: _Line[Request, Answer], place: _Place[Request, Answer]) -> None:
        served = list(line.waiting)
        try:
            answer = await self._carry_out(key, [one.request for one in served])
        except InvalidMessageError:
            if len(served) == 1:
                raise
            # Whose fault it is, is not known: nobody is refused for what another asked.
            served = [place]
            answer = await self._carry_out(key, [place.request])
        for one in served:
            one.answers.append(answer)
            if one in line.waiting:
                line.waiting.remove(one)
