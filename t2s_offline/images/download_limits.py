"""How large a download may be, and whether there is room for it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from t2s_offline.errors import BadInput

SIZE_VARIABLE = "T2S_MAX_SIZE"  # most bytes of a download, as "20 GB"; --max-size sets it
MOST = 10 * 10**9
SPARE = 500 * 10**6  # bytes of disk that stay free
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMGT]?)B?")


def bytes_of(text: str) -> int:
    """``20 GB`` as bytes; BadInput for other text."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"size {text[:40]!r}; expected a number of bytes such as 500 MB or 25 GB")
    return int(float(found[1]) * 1000 ** " KMGT".index(found[2].upper() or " "))


def most_bytes() -> int:
    """The largest download that is allowed: T2S_MAX_SIZE, which --max-size sets, else 10 GB."""
    return bytes_of(os.environ[SIZE_VARIABLE]) if os.environ.get(SIZE_VARIABLE) else MOST


def human(size: float) -> str:
    """A number of bytes for people."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def check_room(wanted: int, folder: Path, what: str, most: int | None = None) -> None:
    """BadInput when a download is larger than allowed, or than what is free on the disk of `folder`."""
    most = most_bytes() if most is None else most
    if wanted > most:
        raise BadInput(
            f"{what} is {human(wanted)}; at most {human(most)} is downloaded; to allow it: --max-size "
            f"'{human(wanted * 1.05)}', or {SIZE_VARIABLE}"
        )
    near = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(near).free
    if wanted + SPARE > free:
        raise BadInput(f"{what} needs {human(wanted + SPARE)} at {near}, which has {human(free)} free; make room there")
