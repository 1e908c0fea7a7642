"""Digests that identify a task's pictures and labels: 32 hex digits.

They are computed of the pictures as given, before missing parts are split off and pictures are resized. A digest
depends on the names and the order of the classes, and on the part that each picture is in; not on the order of pictures
within a class or the names of files. A picture counts by the SHA-256 of its file, or of its array where it has no file
of its own: the same pictures as a folder and as an .npz have two digests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

LENGTH = 32  # hex digits


def file_sum(file: IO[bytes]) -> bytes:
    """SHA-256 of an open file; the file is then at its beginning again."""
    found = hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]
    file.seek(0)
    return found


def bytes_sum(content: Any) -> bytes:
    """SHA-256 of the bytes of a picture's file."""
    return hashlib.sha256(content).digest()


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
