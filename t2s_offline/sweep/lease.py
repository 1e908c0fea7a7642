"""Claims of units by lease: of the processes that share a file system, one at a time has a unit.

A claim is a file in the unit's folder, made with O_EXCL: its name is a number, one more than that of the claim before,
and the highest number holds. While its owner works it sets the file's time to the file system's now, every BEAT
seconds. A claim whose time is LEASE seconds old has expired, and so has one whose owner is known to be dead, because it
ran on this machine. A released claim has time 0. Whoever finds the highest number expired may make the next one;
O_EXCL lets one of them do so. The highest is never removed, so nobody makes a number again that others have passed.

Times are compared with that of a file made in the same folder, never with a clock of this machine: clocks of nodes may
differ by minutes. A process may be killed at any point; what it leaves expires. Locks (flock, fcntl) are not used: some
network file systems grant them to everybody.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from t2s_offline.errors import StoreError

LEASE = 90.0  # seconds after its last beat at which a claim expires
BEAT = 15.0  # seconds between beats
MOST = 4096  # bytes of a claim that are read


class Lease:
    """A claim that this process holds. `number`: how many claims of the unit there have been, this one included."""

    def __init__(self, path: Path) -> None:
        self.path, self.number = path, int(path.name)

    def beat(self) -> None:
        """Set the claim's time to now."""
        with suppress(OSError):  # a server that does not answer now, and will at a later beat
            os.utime(self.path)  # no time is given: the file system's own

    def release(self) -> None:
        """Let others have the unit. The file stays, with time 0, so that its number is never used again."""
        _BEATING.remove(self)
        with suppress(OSError):
            os.utime(self.path, (0, 0))


class _Beating:
    """A thread that beats for every lease of this process."""

    def __init__(self) -> None:
        self.leases: set[Lease] = set()
        self.lock = threading.Lock()
        self.process = 0

    def add(self, lease: Lease) -> None:
        with self.lock:
            if self.process != os.getpid():  # threads do not survive a fork, and its leases are the parent's
                self.process, self.leases = os.getpid(), set()
                threading.Thread(target=self._run, name="leases", daemon=True).start()
            self.leases.add(lease)

    def remove(self, lease: Lease) -> None:
        with self.lock:
            self.leases.discard(lease)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(BEAT):
            with self.lock:  # a lease that is released meanwhile must not get a new time
                for lease in self.leases:
                    lease.beat()


_BEATING = _Beating()


def claim(folder: Path) -> Lease | None:
    """Claim the unit that this folder stands for; None when another process has it.

    StoreError when nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        last = _last(folder)
        if last and _holds(folder / str(last)):
            return None
        return _take(folder, last + 1)
    except OSError as error:
        raise StoreError(f"cannot write {folder}: {error.strerror}; free some space and sweep again") from error


@contextmanager
def claimed(folder: Path) -> Iterator[bool]:
    """Hold the claim while the body runs; False when another process has it."""
    lease = claim(folder)
    try:
        yield lease is not None
    finally:
        if lease is not None:
            lease.release()


def is_held(folder: Path) -> bool:
    """Whether a process has the unit now. Nothing is claimed."""
    try:
        last = _last(folder)
        return bool(last) and _holds(folder / str(last))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"cannot read {folder}: {error.strerror}; make it readable") from error


def _last(folder: Path) -> int:
    """The highest number in a folder, 0 when there is none."""
    return max((int(name) for name in os.listdir(folder) if name.isdecimal()), default=0)


def _take(folder: Path, number: int) -> Lease | None:
    """Make the claim of that number; None when others were first."""
    path = folder / str(number)
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return None
    try:
        try:
            os.write(file, _owner())
        finally:
            os.close(file)
        if _last(folder) != number:  # this number was free because others had passed it and removed it
            path.unlink(missing_ok=True)
            return None
    except OSError:
        path.unlink(missing_ok=True)
        raise
    for name in os.listdir(folder):
        if name.isdecimal() and int(name) < number:
            (folder / name).unlink(missing_ok=True)
    lease = Lease(path)
    _BEATING.add(lease)
    return lease


def _holds(path: Path) -> bool:
    """Whether a claim holds: it is not released, its owner is not known to be dead, and it has not expired."""
    try:
        with path.open("rb") as file:  # opening asks a network file system's server, which a status alone may not
            made, content = os.fstat(file.fileno()).st_mtime, file.read(MOST)
    except FileNotFoundError:  # others have gone on in this moment
        return True
    if made <= 0 or _is_dead(content):
        return False
    return _now(path.parent) - made < LEASE


def _now(folder: Path) -> float:
    """The time of a folder's file system, which is a server's on a network: that of a file made there just now."""
    path = folder / f".now-{secrets.token_hex(8)}"
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    try:
        return os.fstat(file).st_mtime
    finally:
        os.close(file)
        with suppress(OSError):
            path.unlink()


@cache
def _machine() -> str:
    """This run of this machine, and its space of process numbers; empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _owner() -> bytes:
    """Who has a claim, as JSON: for people the host, for others on this machine the process and when it began."""
    process = os.getpid()
    facts = {"host": platform.node(), "machine": _machine(), "process": process, "began": _began(process)}
    return json.dumps(facts).encode()


def _began(process: int) -> str:
    """When a process began, in ticks since the start of this machine; empty when it is not there, or has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _is_dead(content: bytes) -> bool:
    """Whether the owner ran on this machine and has ended. False when that is not known: the claim then expires."""
    try:
        facts = json.loads(content)
        machine, process, began = facts["machine"], facts["process"], facts["began"]
    except (ValueError, TypeError, KeyError, RecursionError):  # its owner was killed while it wrote
        return False
    if not _machine() or machine != _machine() or not began or type(process) is not int or process < 1:
        return False
    now = _began(process)
    if now:
        return bool(now != began)
    try:
        os.kill(process, 0)  # some systems hide the processes of others
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return Path(f"/proc/{process}/stat").exists()  # a zombie has ended
