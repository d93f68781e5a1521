"""Starts services by forking a process that has imported all of them: a tenth of a second instead of two.

`python -m tests.chaos.forkserver SOCKET` connects to SOCKET, says `ready`, and then takes one JSON object a line:
`{"service", "environment", "log"}`. It answers each with `{"started": pid}`, and tells of ends by
`{"ended": pid, "status": status}`. It stays single-threaded, which is what makes forking safe.
"""

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from typing import Any

import aioboto3  # noqa: F401 -- imported for the services, which would do so one by one
import motor.motor_asyncio  # noqa: F401 -- as above

from shared.storage import s3  # noqa: F401 -- as above
from tests.chaos import service

POLL_S = 0.02
# What is otherwise imported when it is first needed: by every process anew, for a quarter of the run's processor time.
LATE = (
    "anyio._backends._asyncio",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
PR_SET_PDEATHSIG = 1


def serve(path: str) -> None:
    """Answer until the other side hangs up."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        for name in LATE:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()
        _tell(line, {"ready": os.getpid()})
        pending = b""
        while True:
            readable, _, _ = select.select([line], [], [], POLL_S)
            _reap(line)
            if readable:
                received = line.recv(65536)
                if not received:
                    return
                *requests, pending = (pending + received).split(b"\n")
                for request in requests:
                    _tell(line, {"started": _start(json.loads(request), line)})


def _tell(line: socket.socket, what: dict[str, Any]) -> None:
    line.sendall(json.dumps(what).encode() + b"\n")


def _reap(line: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell(line, {"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def _start(request: dict[str, Any], line: socket.socket) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        line.close()
        _become(parent, request)
        service.run(request["service"])
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # the last word of this process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _become(parent: int, request: dict[str, Any]) -> None:
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.clear()
    os.environ.update(request["environment"])


if __name__ == "__main__":
    serve(sys.argv[1])
