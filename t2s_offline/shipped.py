"""What ships with the package, by name: reward tables and specifications of sweeps.

They are looked for under the working directory, then in the checkout that the package lies in, then where pip put them
(share/t2s-offline of the environment).
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from typing import Literal

Kind = Literal["tables", "sweeps"]

PACKAGE = Path(__file__).parent


def homes(kind: Kind) -> list[Path]:
    """The folders that there are to look in, the first to be preferred."""
    found = Path(), PACKAGE.parent, Path(sysconfig.get_path("data")) / "share" / "t2s-offline"
    return list({home.resolve(): home for place in found if (home := place / kind).is_dir()}.values())


def tables() -> dict[str, Path]:
    """Table folders by name: those in the folder that T2S_TABLES names where it is set, else in `homes`."""
    given = os.environ.get("T2S_TABLES")
    found: dict[str, Path] = {}
    for home in [Path(given)] if given else homes("tables"):
        for path in sorted(home.iterdir()) if home.is_dir() else []:
            if (path / "rewards.parquet").is_file() or (path / "SHA256SUMS").is_file():
                found.setdefault(path.name, path)
    return found


def specifications() -> dict[str, Path]:
    """Specifications of sweeps by name, without their suffix."""
    found: dict[str, Path] = {}
    for home in homes("sweeps"):
        for path in sorted(home.glob("*.toml")):
            found.setdefault(path.stem, path)
    return found


def named(place: str | Path, known: dict[str, Path]) -> Path:
    """The path that a person gave, or what ships under that name where nothing lies at the path."""
    path = Path(place)
    is_name = path.name == str(place) and not path.suffix and not path.exists()
    return known.get(path.name, path) if is_name else path
