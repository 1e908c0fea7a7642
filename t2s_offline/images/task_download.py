"""Download tasks into the folder of tasks, and know what was downloaded.

A task appears under its name when all of it is there: until then its files lie in a hidden folder beside it, and a
further try gets what is missing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from t2s_offline.errors import BadFile, BadInput, brief
from t2s_offline.files import cache_folder, digest
from t2s_offline.images.download_limits import check_room, human
from t2s_offline.images.hub_record import Record, read_record, write_record
from t2s_offline.images.hub_task import open_record
from t2s_offline.images.image_files import Progress
from t2s_offline.images.task_data import MARK, MIN_SIZE, TaskData, complete
from t2s_offline.images.task_files import read_torchvision_task
from t2s_offline.task_places import HubPlace, ManualPlace, TorchvisionPlace, is_place, place_of
from t2s_offline.tasks import DATA_VARIABLE, RECORD, Located, data_folder, present, task, version_of

Told = Callable[[str], None]


def download(name: str, data: Path | None, told: Told, progress: Progress | None = None) -> None:
    """Download a registered task into the folder of tasks, or a place (`hf:…`, `torchvision:…`) into a cache. told: is
    given lines for the person.

    BadInput for one that a person has to get, a download that is too large or fails, or pictures that are those of no
    known version; WrongHash for a file that is not what the hub says.
    """
    if is_place(name):
        place = place_of(name)
        if isinstance(place, HubPlace):
            from t2s_offline.images.hub_download import fetch

            folder, record = fetch(place, progress=progress)
            opened = open_record(folder, record)
            told(f"{name}: {_counts(record, opened.pictures, len(opened.classes))}, in {folder}")
            return
        parent = data_folder(data) or cache_folder() / "torchvision"
        _by_torchvision(Located(place.name, "torchvision", parent / place.name, place=place), place, told)
        return
    wanted, parent_or_none = task(name), data_folder(data)
    if isinstance(wanted.source, ManualPlace):
        step = wanted.source.step.replace("DATA/", f"{parent_or_none or 'DATA'}/")
        raise BadInput(f"task {name} cannot be downloaded by itself: {wanted.source.why}; {step}")
    if wanted.source is None:
        raise BadInput(f"task {name} needs no download; it comes with {wanted.place}")
    if parent_or_none is None:
        raise BadInput(f"no folder to download {name} to; set {DATA_VARIABLE} to one, or give --data DIR")
    there = next((found for found in present(parent_or_none) if found.name == name), None)
    if there is not None:
        told(f"{name} is there already: {there.where}; remove it to download it again")
    elif isinstance(wanted.source, TorchvisionPlace):
        _by_torchvision(Located(name, "torchvision", parent_or_none / name, wanted), wanted.source, told)
    else:
        _by_hub(Located(name, "hub", parent_or_none / name, wanted), wanted.source, told, progress)


def _by_hub(located: Located, place: HubPlace, told: Told, progress: Progress | None) -> None:
    from t2s_offline.images.hub_download import fetch

    assert located.path is not None
    partial = located.path.with_name(f".{located.name}.download")
    if place.megabytes:
        told(f"{located.name}: about {human(place.megabytes * 1e6)} from {place}")
    folder, record = fetch(place, partial, progress)
    opened = open_record(folder, record)
    if located.task is not None:
        version_of(located.task, len(opened.classes), sum(opened.pictures.values()))
    record = replace(record, classes=len(opened.classes), pictures=opened.pictures)
    try:
        shutil.rmtree(folder / ".cache", ignore_errors=True)  # what the download kept of itself
        write_record(folder, record)
        os.replace(folder, located.path)
    except OSError as error:
        raise BadFile(f"cannot write {located.path}: {error.strerror}; it is whole in {folder}") from error
    told(f"{located.name}: {_counts(record, record.pictures, record.classes)}, in {located.path}")


def _by_torchvision(located: Located, place: TorchvisionPlace, told: Told) -> TaskData:
    """Have torchvision download one of its datasets, and check it."""
    assert located.path is not None
    if not (located.path / MARK).is_file():
        check_room((place.megabytes or 0) * 10**6, located.path, str(place))
    try:
        read = read_torchvision_task(place.name, located.path, MIN_SIZE, 1.0, download=True)
        pictures = {part: len(one) for part, one in read.items()}
        loaded = complete(located, read)
        files = sorted(path for path in located.path.rglob("*") if path.is_file() and path.name not in (MARK, RECORD))
        sums = {path.relative_to(located.path).as_posix(): (path.stat().st_size, digest(path)) for path in files}
        record = Record(place, licence=place.licence, files=sums, classes=len(loaded.classes), pictures=pictures)
        write_record(located.path, record)
        (located.path / MARK).touch()  # the download is complete: the task is present
    except OSError as error:
        raise BadFile(f"cannot write {located.path}: {brief(error, 80)}") from error
    told(f"{located.name}: {_counts(record, record.pictures, record.classes)}, in {located.path}")
    return loaded


def _counts(record: Record, pictures: dict[str, int], classes: int) -> str:
    parts = ", ".join(f"{part} {count}" for part, count in pictures.items())
    return f"{classes} classes, pictures: {parts}; {human(record.bytes)}, licence {record.licence}"


def record_of(located: Located) -> Record | None:
    """What was recorded of a download; None for tasks that were not downloaded by this program, or before it did so."""
    if located.kind not in ("hub", "torchvision") or located.path is None or not (located.path / RECORD).is_file():
        return None
    return read_record(located.path)


def origin_of(located: Located) -> str:
    """What a store keeps of where a task came from: the record of a download, else the kind of its files."""
    record = record_of(located)
    return record.text if record is not None else located.kind
