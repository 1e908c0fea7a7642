"""Encoded pictures that come one after another, with their labels: from Parquet, from WebDataset's tars, from files.

A stream first gives the labels of all its pictures, without reading these, and then the pictures that are wanted. So
the array of the result is made once, and beside it memory holds a few pictures only. Nothing is written or unpacked.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import numpy as np

from t2s_offline.errors import BadFile, brief
from t2s_offline.images.digests import bytes_sum, part_digest
from t2s_offline.images.hub_layout import PICTURES
from t2s_offline.images.image_files import UNREADABLE, Int64, Pictures, Progress, check_share, decode
from t2s_offline.images.raw_labels import check_text, number_or_name

CHUNK, CHUNK_BYTES = 32, 32 << 20  # most pictures, and bytes of files, that are decoded at a time
LARGEST = 256 << 20  # bytes of a picture's file


class Stream(Protocol):
    """Pictures of one part."""

    def labels(self) -> list[object]:
        """The label of every picture, as the dataset gives it."""

    def pictures(self, wanted_N: Int64) -> Iterator[tuple[str, Any]]:
        """Name and encoded bytes (None where there are none) of the pictures at these ascending places."""


def read_stream(
    stream: Stream, label_N: Int64, classes: tuple[str, ...], size: int, resize: float, what: str,
    progress: Progress | None = None,
) -> Pictures:  # fmt: skip
    """Decode the pictures whose label is not negative, over a pool of threads; the order is kept. `size`, `resize`: see
    `image_files.fit`. BadFile when more than 1 % are no pictures, or a class has none that can be read."""
    wanted_N = np.flatnonzero(label_N >= 0)
    label_N = label_N[wanted_N]
    total = len(wanted_N)
    image_NCHW = np.empty((total, 3, size, size), dtype=np.uint8)
    sums, reasons = [UNREADABLE] * total, [""] * total

    def read(one: tuple[int, str, Any]) -> None:
        at, name, content = one
        try:
            if content is None:
                raise BadFile(f"{what}, {name}: no bytes of a picture")
            sums[at] = bytes_sum(content)
            image_NCHW[at] = decode(io.BytesIO(content), Path(f"{what}, {name}"), size, resize)
        except BadFile as error:
            reasons[at] = str(error)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        waiting: list[tuple[int, str, Any]] = []
        for at, (name, content) in enumerate(stream.pictures(wanted_N)):
            waiting.append((at, name, content))
            if len(waiting) == CHUNK or sum(len(one[2] or b"") for one in waiting) > CHUNK_BYTES or at + 1 == total:
                list(pool.map(read, waiting))
                waiting.clear()
                if progress is not None:
                    progress(at + 1, total)
    digest = part_digest(classes, zip(label_N.tolist(), sums, strict=True))
    bad = tuple(reason for reason in reasons if reason)
    check_share(bad, total, what)
    if bad:
        good = np.array([at for at, reason in enumerate(reasons) if not reason], dtype=np.int64)
        for to, at in enumerate(good):  # in place: a copy would take as much memory again
            image_NCHW[to] = image_NCHW[at]
        image_NCHW, label_N = image_NCHW[: len(good)], label_N[good]
    return Pictures(image_NCHW, label_N, classes, bad, digest)


def stream_digest(stream: Stream, label_N: Int64, classes: tuple[str, ...]) -> str:
    """The digest of the pictures that `read_stream` would return, without decoding them."""
    wanted_N = np.flatnonzero(label_N >= 0)
    found = (
        (int(label), bytes_sum(content) if content is not None else UNREADABLE)
        for label, (_name, content) in zip(label_N[wanted_N], stream.pictures(wanted_N), strict=True)
    )
    return part_digest(classes, found)


class FileStream:
    """Pictures that are files, with their labels."""

    def __init__(self, files: Sequence[tuple[Path, object]]) -> None:
        self.files = files

    def labels(self) -> list[object]:
        return [label for _, label in self.files]

    def pictures(self, wanted_N: Int64) -> Iterator[tuple[str, Any]]:
        for at in wanted_N:
            path = self.files[at][0]
            try:
                content = path.read_bytes() if path.stat().st_size <= LARGEST else None
            except OSError:
                content = None
            yield path.name, content


class TarStream:
    """WebDataset's tars: consecutive members KEY.ENDING are a sample. image, label: the endings, empty for what a
    picture's ending may be, and for cls, else json; `json.KEY` is a value in the sample's JSON (KEY is `label` when it
    is not said)."""

    def __init__(self, files: Sequence[Path], image: str = "", label: str = "") -> None:
        self.files, self.image, self.label = files, image, label
        self.index: list[tuple[int, str, int, int]] = []  # number of the file, name, offset, bytes

    def labels(self) -> list[object]:
        self.index = []
        found: list[object] = []
        for number, path in enumerate(self.files):
            for sample in _samples(path):
                member = self._picture(sample)
                if member is None:
                    continue
                self.index.append((number, member.name, member.offset_data, member.size))
                found.append(self._label(sample, path, PurePosixPath(member.name).name))
        if not found:
            endings = self.image or ", ".join(ending[1:] for ending in PICTURES)
            raise BadFile(f"{self.files[0].name} has no picture; expected members that end in {endings}")
        return found

    def pictures(self, wanted_N: Int64) -> Iterator[tuple[str, Any]]:
        opened = -1
        file = None
        try:
            for at in wanted_N:
                number, name, offset, size = self.index[at]
                if number != opened:
                    if file is not None:
                        file.close()
                    file, opened = self.files[number].open("rb"), number
                assert file is not None
                file.seek(offset)
                content = file.read(size) if size <= LARGEST else None
                yield name, content
        except OSError as error:
            raise BadFile(f"cannot read {self.files[opened]}: {error.strerror}") from error
        finally:
            if file is not None:
                file.close()

    def _picture(self, sample: Mapping[str, tuple[tarfile.TarInfo, bytes | None]]) -> tarfile.TarInfo | None:
        if self.image:
            return sample[self.image][0] if self.image in sample else None
        return next((member for ending, (member, _) in sample.items() if f".{ending.lower()}" in PICTURES), None)

    def _label(self, sample: Mapping[str, tuple[tarfile.TarInfo, bytes | None]], path: Path, name: str) -> object:
        ending, _, key = (self.label or ("cls" if "cls" in sample else "json")).partition(".")
        content = sample[ending][1] if ending in sample else None
        what = f"{path.name}: the label of {name}"
        if content is None:
            there = ", ".join(sorted(sample))
            raise BadFile(f"{what} is not there; expected a member .{ending}, found {there}; name it: --label-column")
        text = check_text(content, what)
        if ending != "json":
            return number_or_name(text)
        try:
            return json.loads(text)[key or "label"]
        except (ValueError, TypeError, KeyError) as error:
            raise BadFile(
                f"{what} is not in its JSON ({brief(error, 60)}); --label-column json.KEY names it"
            ) from error


def _samples(path: Path) -> Iterator[dict[str, tuple[tarfile.TarInfo, bytes | None]]]:
    """The samples of a tar: members by ending, with the contents of small ones that are no pictures."""
    try:
        with tarfile.open(path, "r:") as tar:
            key, sample = "", dict[str, tuple[tarfile.TarInfo, bytes | None]]()
            for member in tar:
                if not member.isreg():
                    continue
                folder, _, base = member.name.rpartition("/")
                stem, _, ending = base.partition(".")
                if (own := f"{folder}/{stem}") != key:
                    if sample:
                        yield sample
                    key, sample = own, {}
                content = None
                if f".{ending.lower()}" not in PICTURES and member.size < 1 << 20:
                    file = tar.extractfile(member)
                    content = file.read() if file is not None else None
                sample[ending] = member, content
                tar.members = []  # type: ignore[attr-defined]  # else it keeps a record of each
            if sample:
                yield sample
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise BadFile(
            f"cannot read {path}: {brief(error, 80)}; expected WebDataset's tar, without compression"
        ) from error
