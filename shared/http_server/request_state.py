"""What the server and an application tell each other about a request, in the state of its ASGI scope."""

import asyncio
from collections.abc import Mapping
from typing import Any

_TURN = "turn"


def is_known(scope: Mapping[str, Any] | None) -> bool:
    """Whether the application knows the caller: it keeps who that is in the request's state, as `caller`."""
    return scope is not None and scope.get("state", {}).get("caller") is not None


def note_turn(scope: Mapping[str, Any], turn: asyncio.Future[None]) -> None:
    """Say what the request waits for."""
    scope.setdefault("state", {})[_TURN] = turn  # type: ignore[attr-defined]  # a dict, whatever ASGI's type says


def abandon_turn(scope: Mapping[str, Any] | None) -> None:
    """Cancel what the request waits for: its caller has gone."""
    turn = None if scope is None else scope.get("state", {}).get(_TURN)
    if turn is not None:
        turn.cancel()
