"""TDW builds: starts a build on a port, watches its process and gets its answers to messages.

The build is the Unity application that draws. It dials the controller (ZeroMQ, REQ to REP) and answers each list of
commands with frames, the last of which is the frame's number. Nothing here waits without an end: no hello, a build that
dies, hangs or asks again and again ends in `BuildLost`, which the caller may answer by starting it anew. Commands and
answers are bytes here. Does not import tdw.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from t2s_offline.errors import BadInput, RenderError

PORT, ADDRESS = 1071, "127.0.0.1"  # TDW's own port; a build elsewhere needs --tdw-address
LOOK = 0.25  # seconds between looks at whether a build that is waited for still lives
RESENDS = 20  # times in a row that a build may ask for the same message again
FREED = 5.0  # seconds for the system to take a port back
FETCHES = 10.0  # times the usual patience for messages that make the build load a bundle
ADDRESS_VARIABLE, PORT_VARIABLE, PORTS_VARIABLE = "T2S_TDW_ADDRESS", "T2S_TDW_PORT", "T2S_TDW_PORTS"
BUILD_VARIABLE, DISPLAY_VARIABLE, TIMEOUT_VARIABLE = "T2S_TDW_BUILD", "T2S_TDW_DISPLAY", "T2S_TDW_TIMEOUT"

# Ends with whoever started it, also when that one is killed: a build left behind would keep its GPU and dial its port.
WATCH = """
"$@" & child=$!
trap 'kill -KILL $child 2>/dev/null' EXIT
trap 'exit 143' TERM INT
while kill -0 $child 2>/dev/null; do
    kill -0 "$OWNER" 2>/dev/null || exit 1
    sleep 0.5 & wait $!
done
wait $child; code=$?
trap - EXIT
exit $code
"""


class BuildLost(RenderError):
    """A build gave no usable answer; starting it again may help."""


@dataclass(frozen=True)
class Place:
    """Where builds are. `ports`: how many ports from `port` on may be tried, the first free one is taken; `build`:
    command that starts one, empty when others start it; `displays`: X displays, one a port and round again; `patience`:
    seconds for a hello and for an answer."""

    address: str = ADDRESS
    port: int = PORT
    ports: int = 1
    build: str = ""
    displays: tuple[str, ...] = ()
    patience: float = 60.0

    def __post_init__(self) -> None:
        if not (self.port > 0 and self.port + self.ports - 1 < 65536 and self.ports > 0):
            raise BadInput(f"TDW port {self.port} and {self.ports} ports from there on; expected 1 to 65535")
        if not self.patience > 0:
            raise BadInput(f"{self.patience} seconds of patience with TDW; expected more than 0")

    @classmethod
    def from_environment(cls, **given: Any) -> Place:
        """What is given and not None, else what T2S_TDW_ADDRESS, _PORT, _PORTS, _BUILD, _DISPLAY and _TIMEOUT say."""

        def number(variable: str, kind: Callable[[str], Any]) -> Any:
            try:
                return kind(os.environ[variable])
            except ValueError as error:
                raise BadInput(f"{variable}={os.environ[variable]!r}; expected a number") from error

        found: dict[str, Any] = {}
        for name, variable, kind in (
            ("address", ADDRESS_VARIABLE, str), ("port", PORT_VARIABLE, int), ("ports", PORTS_VARIABLE, int),
            ("build", BUILD_VARIABLE, str), ("patience", TIMEOUT_VARIABLE, float),
            ("displays", DISPLAY_VARIABLE, lambda text: tuple(text.split(","))),
        ):  # fmt: skip
            if os.environ.get(variable):
                found[name] = number(variable, kind)
        return cls(**(found | {name: value for name, value in given.items() if value is not None}))


def build_command(build: str) -> list[str]:
    """The words that start a build: a path, or a path and options. BadInput when there is no such program."""
    words = [build] if Path(build).exists() else shlex.split(build)
    program = Path(words[0]) if words else Path()
    if not words or not program.is_file():
        raise BadInput(f"no TDW build at {build!r}; expected the path of TDW.x86_64, with options after it if any")
    if not os.access(program, os.X_OK):
        raise BadInput(f"{program} may not be executed; run: chmod +x {shlex.quote(str(program))}")
    return [str(program.absolute()), *words[1:]]


class Process:
    """A build that this process started. Ends with it."""

    def __init__(self, place: Place, port: int) -> None:
        words = [*build_command(place.build), f"-port={port}", f"-address={dialled(place.address)}"]
        environment = dict(os.environ) | {"OWNER": str(os.getpid())}
        if place.displays:
            environment["DISPLAY"] = place.displays[(port - place.port) % len(place.displays)]
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the build runs
        try:
            self._child = subprocess.Popen(
                ["/bin/sh", "-c", WATCH, "sh", *words],
                stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True, env=environment,
            )  # fmt: skip
        except OSError as error:
            self._log.close()
            raise RenderError(f"the TDW build cannot be started: {error}; check --tdw-build") from error
        self._end = weakref.finalize(self, _end, self._child)

    def ended(self) -> str:
        """How it ended, with its last words; empty while it lives."""
        code = self._child.poll()
        if code is None:
            return ""
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(self._log.tell() - 4000, 0))
        lines = self._log.read().decode("utf-8", "replace").split("\n")
        said = next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
        return f"ended with exit code {code}" + (f", saying {said!r}" if said else "")

    def stop(self) -> None:
        """End it and all that it started."""
        self._end()
        self._log.close()


def dialled(address: str) -> str:
    """The address at which a build on this machine reaches a controller that listens at `address`."""
    return ADDRESS if address in ("*", "0.0.0.0") else address


def _end(child: subprocess.Popen[bytes]) -> None:
    for number, wait in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 10.0)):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(wait)
            return


def _free(address: str, port: int) -> bool:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("" if address == "*" else address, port))
        except OSError:
            return False
    return True


class Link:
    """The controller's end of a port. Frames are bytes; see the module's docstring."""

    def __init__(self, place: Place) -> None:
        import zmq

        self._error = zmq.ZMQError
        self.place = place
        self.process: Process | None = None
        self._socket: Any = zmq.Context.instance().socket(zmq.REP)
        self._socket.setsockopt(zmq.LINGER, 0)
        for self.port in range(place.port, place.port + place.ports):
            try:
                self._socket.bind(f"tcp://{place.address}:{self.port}")
            except zmq.ZMQError as error:
                if error.errno == zmq.EADDRINUSE:
                    continue
                self._socket.close()
                where = f"{place.address}:{self.port}"
                raise RenderError(f"cannot listen at {where}: {error}; expected an address of this machine") from error
            return
        self._socket.close()
        last = f" to {self.port}" if place.ports > 1 else ""
        raise RenderError(
            f"port {place.port}{last} of {place.address} is taken by another controller; "
            f"end it, or give another --tdw-port"
        )

    def open(self) -> None:
        """Start the build if that is for us to do, and wait for its hello."""
        if self.place.build:
            self.process = Process(self.place, self.port)
        self._receive(self.place.patience, "said no hello")

    def talk(self, commands: Sequence[dict[str, Any]]) -> list[bytes]:
        """Send a list of commands; its answer's payloads, without the frame's number. Raises BuildLost."""
        message = json.dumps(list(commands), separators=(",", ":"), allow_nan=False).encode()
        fetching = any("url" in command for command in commands)
        for _ in range(RESENDS):
            try:
                self._socket.send(message)
            except self._error as error:
                raise BuildLost(f"the TDW build takes no message: {error}") from error
            parts = self._receive(self.place.patience * (FETCHES if fetching else 1.0), "gave no answer")
            if any(part[4:8] == b"ftre" for part in parts):
                continue
            if len(parts[-1]) != 4:
                raise BuildLost(f"the TDW build sent a message without a frame number ({len(parts)} parts)")
            return parts[:-1]
        raise BuildLost(f"the TDW build asked {RESENDS} times to be sent the same message")

    def _receive(self, seconds: float, otherwise: str) -> list[bytes]:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._socket.poll(int(1000 * min(left, LOOK)) + 1):
                parts: list[bytes] = self._socket.recv_multipart()
                return parts
            if self.process is not None and (how := self.process.ended()):
                raise BuildLost(f"the TDW build {how}")
        raise BuildLost(f"the TDW build {otherwise} in {seconds:g} s on {self.place.address}:{self.port}")

    def close(self) -> None:
        """Let go of the port and end the build if we started it."""
        if self._socket.closed:
            return
        self._socket.close()
        if self.process is not None:
            self.process.stop()
        # ZeroMQ closes in a thread of its own: whoever opens the port next would find it taken
        end = time.monotonic() + FREED
        while not _free(self.place.address, self.port) and time.monotonic() < end:
            time.sleep(0.01)
