"""Runs commands one after another in this process and reports what they did: JSON lines on stdin and stdout.

In: {"arguments": [...], "allowed": [folders]}. Out: exit code, stdout, stderr, seconds of CPU, and `touched`: what the
process did that no command may do on files of strangers, by Python's audit events: programs started, connections,
modules of the trap imported, files written or removed outside the allowed folders, folders of the system listed.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import sys
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

STARTS = {
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "pty.spawn",
    "socket.connect",
    "socket.bind",
}
CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
ROOM = 6 << 30  # bytes a command may grow by before it fails rather than the machine
LONGEST = 25  # seconds of CPU after which a command is given up


class Watch:
    """What an audit hook saw since `allowed` was set; off while it is None."""

    def __init__(self) -> None:
        self.allowed: list[str] | None = None
        self.touched: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.allowed is None:
            return
        if event in STARTS and "uname" not in str(arguments[0]):  # Python's platform module asks it
            self.touched.append(f"{event} {arguments!r:.200}")
        elif event == "import" and arguments[0] == "trap_module":
            self.touched.append("trap_module imported")
        elif event in CHANGES:
            for path in arguments[:2]:
                self._changed(event, path)
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
            self._changed("written", arguments[0])
        elif event in ("os.listdir", "os.scandir") and str(arguments[0]).startswith("/etc"):
            self.touched.append(f"{event} {arguments[0]}")

    def _changed(self, event: str, path: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        place = os.path.realpath(os.fsdecode(path))
        known = (*(self.allowed or ()), "/dev/null", "/dev/shm")
        if not any(place == folder or place.startswith(f"{folder}/") for folder in known):
            self.touched.append(f"{event} {place}")


def perform(arguments: list[str]) -> tuple[int, str, str, str]:
    """Exit code, stdout, stderr and traceback of one command."""
    from t2s_offline.cli import main

    out, err, code, trace = io.StringIO(), io.StringIO(), 0, ""
    sys.argv = ["t2s-offline", *arguments]
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            code, trace = -1, traceback.format_exc()
    return code, out.getvalue(), err.getvalue(), trace


def _late(_signal: int, _frame: object) -> None:
    raise TimeoutError("too long")


def serve() -> None:
    import warnings

    import duckdb  # noqa: F401  what commands import is not counted as their time
    import torch
    import torchvision  # noqa: F401

    torch.set_num_threads(1)
    warnings.simplefilter("error", RuntimeWarning)
    watch = Watch()
    sys.addaudithook(watch)
    signal.signal(signal.SIGVTALRM, _late)
    used = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (used + ROOM, resource.RLIM_INFINITY))
    told = sys.stdout
    print("ready", file=told, flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        begin = time.process_time()
        watch.allowed, watch.touched = case["allowed"], []
        signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
        code, out, err, trace = perform(case["arguments"])
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        watch.allowed = None
        found = {"code": code, "out": out[:300_000], "err": err[:20_000], "trace": trace[-1500:],
                 "seconds": time.process_time() - begin, "touched": watch.touched[:5]}  # fmt: skip
        print(json.dumps(found), file=told, flush=True)


if __name__ == "__main__":
    serve()
