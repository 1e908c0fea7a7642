"""What is known of a downloaded task: place, revision, hashes of its files, licence, classes and pictures of each part.

The record is a JSON file beside the pictures, written when all of them are there. The store gets a shorter form of it
in the column `source` of `tasks`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from t2s_offline.errors import BadFile
from t2s_offline.files import write_whole
from t2s_offline.images.hub_layout import Form, is_inside
from t2s_offline.task_places import NOT_STATED, PARTS, HubPlace, TorchvisionPlace, as_json, from_json
from t2s_offline.tasks import RECORD

VERSION = 1
MOST_FILES = 32  # whose hashes the store's row lists; of more it has one hash of the list
CARVED = "split off train by the task's name and each picture's position"


@dataclass(frozen=True)
class Record:
    """revision: commit that was downloaded, empty for torchvision; form: of the data files; parts: their paths by part;
    beside: further files; files: path -> (bytes, SHA-256); names: classes that the dataset's card lists, by column;
    classes, pictures: how many the task has, the latter by part."""

    place: HubPlace | TorchvisionPlace
    revision: str = ""
    licence: str = NOT_STATED
    form: Form = "parquet"
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    classes: int = 0
    pictures: dict[str, int] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        return sum(size for size, _ in self.files.values())

    @property
    def carved(self) -> dict[str, str]:
        """The parts that the task gets although the dataset has none of the name, and how."""
        return {part: CARVED for part in PARTS if part not in self.pictures}

    @property
    def text(self) -> str:
        """The record for the store: JSON on one line."""
        listed: Any = {path: sha256 for path, (_, sha256) in sorted(self.files.items())}
        if len(listed) > MOST_FILES:
            whole = hashlib.sha256(json.dumps(listed).encode()).hexdigest()
            listed = {"count": len(listed), "sha256_of_list": whole}
        said = {
            "place": str(self.place), "revision": self.revision, "licence": self.licence, "files": listed,
            "classes": self.classes, "pictures": self.pictures, "carved": self.carved,
        }  # fmt: skip
        return json.dumps({key: value for key, value in said.items() if value}, ensure_ascii=False)


def write_record(folder: Path, record: Record) -> None:
    """Write the record of the pictures in a folder, whole or not at all."""
    content = {"record": VERSION, **asdict(record), "place": as_json(record.place), "carved": record.carved}
    write_whole(folder / RECORD, json.dumps(content, indent=1, ensure_ascii=False).encode())


def read_record(folder: Path) -> Record:
    """The record beside pictures; BadFile when it is none, or names files outside of its folder."""
    path = folder / RECORD
    try:
        content = json.loads(path.read_bytes())
        if content["record"] != VERSION:
            raise ValueError(f"form {content['record']!r}, expected {VERSION}")
        parts = {str(part): _paths(files) for part, files in content["parts"].items()}
        files = {str(name): (int(size), str(sha256)) for name, (size, sha256) in content["files"].items()}
        names = {str(column): tuple(map(str, listed)) for column, listed in content["names"].items()}
        pictures = {str(part): int(count) for part, count in content["pictures"].items()}
        place = from_json(content["place"], str(path))
        if not set(parts) <= set(PARTS) or content["form"] not in ("parquet", "tar", "files"):
            raise ValueError("parts or form that are not known")
        return Record(
            place, str(content["revision"]), str(content["licence"]), content["form"], parts, _paths(content["beside"]),
            files, names, int(content["classes"]), pictures,
        )  # fmt: skip
    except OSError as error:
        raise BadFile(f"cannot read {path}: {error.strerror}; download the task again") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise BadFile(f"{path} is no record of a download ({reason[:80]}); download the task again") from error


def _paths(paths: Any) -> tuple[str, ...]:
    if not all(isinstance(path, str) and is_inside(path) and ".." not in path.split("/") for path in paths):
        raise ValueError("a path outside of the folder")
    return tuple(paths)
