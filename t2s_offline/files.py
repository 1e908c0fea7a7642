"""Files that appear whole or not at all.

Comes in: a path and its contents, or something that writes them. Goes out: the file, on the disk. Ignores formats; an
OSError is the caller's to put into words.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def is_plain(name: str) -> bool:
    """Whether a name from a table or a specification may be that of a file or folder: one step, visible, not long."""
    fits = name.isprintable() and 0 < len(name.encode()) <= 200
    return fits and name[0] != "." and not set(name) & set("/\\")


def write_whole(path: Path, content: bytes, *, flush: bool = True) -> None:
    """Write bytes to a path: under another name first, then renamed, so that a kill or a full disk leaves no half.

    `flush`: wait until the disk has them; without it they survive a kill, but not yet a power cut.
    """
    write_with(path, lambda partial: partial.write_bytes(content), flush=flush)


def flush_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder; does nothing where a system cannot."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def write_with(path: Path, write: Callable[[Path], object], *, flush: bool = True) -> None:
    """The same for a function that writes to a path of its own."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        if flush:
            with partial.open("rb") as file:
                os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        with suppress(OSError):
            partial.unlink()
