"""A task from a dataset of the hub, downloaded before or now: its parts, its digests, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from t2s_offline.errors import BadFile
from t2s_offline.images.hub_layout import CLASS_NAMES
from t2s_offline.images.hub_record import Record, read_record
from t2s_offline.images.image_files import Int64, Pictures, Progress
from t2s_offline.images.listed_pictures import FORMS, Form, Listed, listed_files, read_table
from t2s_offline.images.parquet_pictures import ParquetStream, columns_of
from t2s_offline.images.picture_streams import FileStream, Stream, TarStream, read_stream, stream_digest
from t2s_offline.images.raw_labels import resolve
from t2s_offline.task_places import HubPlace
from t2s_offline.tasks import TABLE, Located


@dataclass(frozen=True, eq=False)
class Opened:
    """A task whose labels were read. streams, label_N: by part; negative labels are of pictures that are left out;
    text: what is recorded of it."""

    what: str
    classes: tuple[str, ...]
    streams: dict[str, Stream]
    label_N: dict[str, Int64]
    text: str

    @property
    def pictures(self) -> dict[str, int]:
        """How many pictures each part has."""
        return {part: int((labels >= 0).sum()) for part, labels in self.label_N.items()}

    def read(self, size: int, resize: float, progress: Progress | None = None) -> dict[str, Pictures]:
        """The parts as arrays of pictures of `size` pixels; see `image_files.fit`."""
        return {
            part: read_stream(stream, self.label_N[part], self.classes, size, resize, self.what, progress)
            for part, stream in self.streams.items()
        }

    def digests(self) -> dict[str, str]:
        """The digests of the parts, without decoding pictures."""
        return {part: stream_digest(one, self.label_N[part], self.classes) for part, one in self.streams.items()}


def open_located(located: Located) -> Opened:
    """Open a downloaded task, a table of pictures, or one at a place of the hub, which is downloaded into its cache."""
    if located.kind == "table" and located.path is not None:
        return open_table(located)
    if located.path is not None:
        return open_record(located.path, read_record(located.path))
    if not isinstance(located.place, HubPlace):
        raise BadFile(f"task {located.name} has no path and no place; expected one")
    return open_record(*_fetched(located.place))


@lru_cache(maxsize=64)
def _fetched(place: HubPlace) -> tuple[Path, Record]:
    """Once a process: asking the hub what it has takes longer than reading a small task."""
    from t2s_offline.images.hub_download import fetch

    return fetch(place)


def open_record(folder: Path, record: Record) -> Opened:
    """Open the files in a folder as their record says."""
    place = record.place
    if not isinstance(place, HubPlace):
        raise BadFile(f"{folder} was downloaded by torchvision, not from the hub; download it again")
    streams: dict[str, Stream]
    names: tuple[str, ...] = ()
    if record.form == "files":
        streams = _file_streams(listed_files(folder, record.parts, record.beside, place))
    else:
        parts = {part: [folder / file for file in files] for part, files in record.parts.items()}
        if record.form == "tar":
            streams = {part: TarStream(files, place.image, place.label) for part, files in parts.items()}
            names = _class_names(folder, record)
        else:
            columns = columns_of(parts["train"][0], place)
            streams = {part: ParquetStream(files, columns, place) for part, files in parts.items()}
            names = columns.names or record.names.get(columns.label, ())
    made = _opened(str(place), streams, names, place)
    counted = replace(record, classes=len(made.classes), pictures=made.pictures)
    return replace(made, text=counted.text)


def open_table(located: Located) -> Opened:
    """Open a folder with a table of its pictures."""
    assert located.path is not None
    form = FORMS.get(located.name, Form(TABLE))
    if not (located.path / form.file).is_file():
        form = Form(TABLE)
    streams = _file_streams(read_table(located.path, form))
    return replace(_opened(str(located.path), streams, (), HubPlace(located.name)), text="table")


def _opened(what: str, streams: Mapping[str, Stream], names: tuple[str, ...], place: HubPlace) -> Opened:
    raw = {part: stream.labels() for part, stream in streams.items()}
    if empty := [part for part, labels in raw.items() if not labels]:
        raise BadFile(f"{what}: the part {empty[0]} has no pictures; expected some; choose others with --split")
    classes, label_N = resolve(raw, names, place)
    return Opened(what, classes, dict(streams), {part: np.asarray(one) for part, one in label_N.items()}, "")


def _file_streams(listed: Listed) -> dict[str, Stream]:
    return {part: FileStream(files) for part, files in listed.items()}


def _class_names(folder: Path, record: Record) -> tuple[str, ...]:
    """The classes in classnames.txt, else those that the card lists for cls; empty when neither does."""
    for file in record.beside:
        if file.rpartition("/")[2] == CLASS_NAMES:
            lines = (folder / file).read_text("utf-8", "replace").splitlines()
            return tuple(line.strip() for line in lines if line.strip())
    return record.names.get("cls", ())
