"""What identifies a task's pictures: sums of single pictures come in, one digest of 32 hex digits goes out.

A digest is of pictures and labels as they were given: before parts are carved and pictures resized. The order of
pictures within a class does not matter, names of files neither; names of classes, their order, and which part a picture
is in do. The sum of a picture is that of its file's bytes where it has a file of its own, else that of its array: the
same pictures as a folder and as an .npz have two digests. Ignores where pictures lie and what they are for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

LENGTH = 32  # hex digits


def file_sum(file: IO[bytes]) -> bytes:
    """SHA-256 of an open file, which is left at its beginning."""
    found = hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]
    file.seek(0)
    return found


def array_sum(array: Any, mode: str = "") -> bytes:
    """SHA-256 of an array's mode, shape and bytes in C order."""
    whole = hashlib.sha256(json.dumps([mode, *array.shape]).encode())
    whole.update(array.tobytes())
    return whole.digest()


def part_digest(classes: Sequence[str], pairs: Iterable[tuple[int, bytes]]) -> str:
    """The digest of one part: its classes in order, and (label, sum) of each picture in any order."""
    within: list[list[bytes]] = [[] for _ in classes]
    for label, found in pairs:
        within[label].append(found)
    whole = hashlib.sha256()
    for name, sums in zip(classes, within, strict=True):
        whole.update(json.dumps([name, len(sums)]).encode() + b"\n" + b"".join(sorted(sums)))
    return whole.hexdigest()[:LENGTH]


def joint_digest(parts: Mapping[str, str]) -> str:
    """The digest of a task from those of its parts, by their names."""
    return hashlib.sha256(json.dumps(sorted(parts.items())).encode()).hexdigest()[:LENGTH]
