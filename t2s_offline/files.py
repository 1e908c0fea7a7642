"""Names, places and writing of files: whole or not at all, and where the user's cache lies.

Nothing here knows a format. An OSError is left to the caller, who can say what was being written.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any


def is_plain(name: str) -> bool:
    """Whether a name from a table or a specification may be that of a file or folder: one step, visible, not long."""
    fits = name.isprintable() and 0 < len(name.encode()) <= 200
    return fits and name[0] != "." and not set(name) & set("/\\")


def as_text(name: str | Path) -> str:
    """A name as text that can be written as UTF-8: bytes of a file's name that are none become question marks."""
    return str(name).encode("utf-8", "replace").decode()


def cache_folder() -> Path:
    """The user's folder for what is computed once: the environment variable T2S_CACHE, else ~/.cache/t2s-offline."""
    return Path(os.environ.get("T2S_CACHE") or Path.home() / ".cache" / "t2s-offline")


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder; does nothing where a system cannot."""
    with suppress(OSError):
        _flush(folder)


def write_whole(path: Path, content: bytes | memoryview, *, flush: bool = True) -> None:
    """Write bytes to a path; see `write_with`."""
    write_with(path, lambda partial: partial.write_bytes(content), flush=flush)


def write_with(path: Path, write: Callable[[Path], object], *, flush: bool = True, replace: bool = True) -> None:
    """Make a file or a folder by a function that is given a path to write to.

    That path is a hidden name in the same folder, and the result is renamed when it is complete: a kill or a full disk
    leaves nothing under `path`, or what was there before. Missing parent folders are made. `flush`: wait until the disk
    has the contents; without it they survive a kill, but not a power cut. `replace`: whether a file that is there
    already is replaced; without it, FileExistsError (files only).
    """
    # random: processes of two machines may have one number and write one file of a shared disk
    partial = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        if flush:
            _flush(partial)
        if replace:
            os.replace(partial, path)
        else:
            os.link(partial, path)
    finally:
        with suppress(OSError):
            _remove(partial)


def write_npz(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays by name as an .npz file, without waiting for the disk: for caches."""
    import numpy as np

    content = io.BytesIO()
    np.savez(content, **arrays)
    write_whole(path, content.getbuffer(), flush=False)


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
