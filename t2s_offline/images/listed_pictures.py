"""Pictures that are files: with a table of labels beside them (CSV or JSON lines), or in folders named after classes.

A table has the columns file_name (relative to its folder) and label, and may have split. Paths never leave the folder.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from t2s_offline.errors import BadFile, brief
from t2s_offline.images.hub_layout import SPLITS, TABLES, is_inside, parts_of_splits
from t2s_offline.images.parquet_pictures import LABELS, choose, few
from t2s_offline.images.raw_labels import number_or_name
from t2s_offline.task_places import HubPlace

Listed = dict[str, list[tuple[Path, object]]]  # part -> (file, label)


@dataclass(frozen=True)
class Form:
    """A table: its file, its columns (label empty: the usual names), and the folder that its paths start from."""

    file: str
    name: str = "file_name"
    label: str = ""
    split: str = "split"
    folder: str = ""


#: What the authors of registered tasks publish. KaoKore: status is the label that the paper's table has.
FORMS = {"Kaokore": Form("labels.csv", "image", "status", "set", "images_256")}


def listed_files(folder: Path, parts: Mapping[str, Sequence[str]], beside: Sequence[str], place: HubPlace) -> Listed:
    """The pictures of each part with their labels. parts: paths below `folder` by part; beside: further files, of which
    tables are read. BadFile for a picture without a label, or a table that lacks a column."""
    tables = [path for path in beside if PurePosixPath(path).name in TABLES]
    if not tables:
        return {part: list(_by_folder(folder, files, place)) for part, files in parts.items()}
    label: dict[str, tuple[object, str]] = {}
    for table in tables:
        base = PurePosixPath(table).parent
        for name, value, split in table_rows(folder / table, Form(table, label=place.label)):
            label[(base / name).as_posix()] = value, split
    if place.splits or not any(split for _, split in label.values()):
        return {part: [(folder / f, label[f][0]) for f in files if f in label] for part, files in parts.items()}
    every = [file for files in parts.values() for file in files if file in label]
    return by_split([(folder / file, *label[file]) for file in every], place)


def _by_folder(folder: Path, files: Sequence[str], place: HubPlace) -> Iterator[tuple[Path, object]]:
    for file in files:
        parent = PurePosixPath(file).parent.name
        if parent and parent.lower() not in SPLITS:
            yield folder / file, parent
        elif parent:
            raise BadFile(f"{place}: {file} is in no folder of a class; expected CLASS/{PurePosixPath(file).name}")


def read_table(folder: Path, form: Form) -> Listed:
    """The pictures that a table in a folder lists, by part."""
    base = folder / form.folder
    rows = [(base / name, value, split) for name, value, split in table_rows(folder / form.file, form)]
    return by_split(rows, HubPlace(folder.name))


def by_split(rows: Sequence[tuple[Path, object, str]], place: HubPlace) -> Listed:
    """(file, label, split) rows by part; one part where they name no split."""
    splits = list(dict.fromkeys(split for _, _, split in rows))
    named = parts_of_splits(splits, place)
    return {part: [(file, label) for file, label, own in rows if own == split] for part, split in named.items()}


def table_rows(path: Path, form: Form) -> Iterator[tuple[str, object, str]]:
    """Name of the file, label and split (empty where there is none) of each row of a table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix == ".jsonl":
                rows = [json.loads(line) for line in file if line.strip()]
                columns = list(rows[0]) if rows else []
            else:
                reader = csv.DictReader(file)
                rows, columns = list(reader), list(reader.fieldnames or ())
            label = form.label or choose([c for c in columns if c != form.name], [], LABELS, [])
            if lost := [name or "label" for name in (form.name, label) if name not in columns]:
                raise BadFile(
                    f"{path} has the columns {few(columns)}; expected {lost[0]}; name the label: --label-column NAME"
                )
            for row in rows:
                name, value = str(row.get(form.name) or ""), row.get(label)
                if not is_inside(name) or ".." in PurePosixPath(name).parts:
                    raise BadFile(f"{path} names the file {name[:60]!r}; expected a path within the folder")
                yield name, number_or_name(value) if isinstance(value, str) else value, str(row.get(form.split) or "")
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, AttributeError) as error:
        raise BadFile(f"cannot read {path}: {brief(error, 80)}; expected a table in UTF-8") from error
