"""Pictures and labels in Parquet files, as the hub keeps them: a column of {bytes, path}, and one of labels.

Columns and classes are found in the description of the features that the hub's files carry, or by names and types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2s_offline.errors import BadFile, brief
from t2s_offline.images.image_files import Int64
from t2s_offline.images.picture_streams import LARGEST
from t2s_offline.images.raw_labels import LEFT_OUT
from t2s_offline.task_places import HubPlace

BATCH = 16  # rows whose pictures are in memory at a time
BUFFER = 1 << 20  # bytes read at a time
IMAGES = ("image", "img", "picture", "photo", "jpg", "png")
LABELS = ("label", "labels", "class", "fine_label", "target", "category", "class_label", "cls")


@dataclass(frozen=True)
class Columns:
    """image, label: names of the columns; names: classes that the file declares for the label, empty when none."""

    image: str
    label: str
    names: tuple[str, ...] = ()


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise BadFile(f"cannot read {path}: {brief(error, 100)}; expected Parquet; download it again") from error


def columns_of(path: Path, place: HubPlace) -> Columns:
    """The columns of a file that hold pictures and labels; BadFile when they cannot be told, or lack one that the place
    names."""
    with _opened(path) as file:
        schema = file.schema_arrow
    features = _features(schema)
    names = list(schema.names)
    image = place.image or choose(
        names, [n for n in names if _kind(features.get(n)) == "Image"], IMAGES,
        [n for n in names if _holds_bytes(schema.field(n).type)],
    )  # fmt: skip
    others = [name for name in names if name != image]
    label = place.label or choose(others, [n for n in others if _class_names(features.get(n))], LABELS, [])
    for what, name, option in (("pictures", image, "--image-column"), ("labels", label, "--label-column")):
        if name not in names:
            expected = f"expected {name}" if name else f"expected one that is known to hold {what}"
            raise BadFile(f"{place} has the columns {few(names)}; {expected}; name the column of {what}: {option} NAME")
    if not _holds_bytes(schema.field(image).type):
        raise BadFile(f"{place}: column {image} is {schema.field(image).type}; expected the bytes of pictures; "
                      "name another: --image-column NAME")  # fmt: skip
    return Columns(image, label, _class_names(features.get(label)))


def choose(names: Sequence[str], declared: Sequence[str], usual: Sequence[str], fitting: Sequence[str]) -> str:
    """The only declared column, else the usual one among them, else the usual one of all, else the only fitting one."""
    if len(declared) == 1:
        return declared[0]
    among = declared or names
    found = next((name for one in usual for name in among if name.lower() == one), "")
    return found or (fitting[0] if len(fitting) == 1 else "")


def _features(schema: Any) -> Mapping[str, Any]:
    try:
        found = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _kind(feature: Any) -> str:
    return str(feature.get("_type", "")) if isinstance(feature, dict) else ""


def _class_names(feature: Any) -> tuple[str, ...]:
    """The classes of a label, or of a list of labels."""
    if not isinstance(feature, dict):
        return ()
    if _kind(feature) == "ClassLabel" and isinstance(feature.get("names"), list):
        return tuple(map(str, feature["names"]))
    return _class_names(feature.get("feature"))


def _holds_bytes(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return any(kind.field(i).name == "bytes" and _holds_bytes(kind.field(i).type) for i in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


class ParquetStream:
    """The rows of Parquet files, in their order; rows that the place does not count have the label LEFT_OUT."""

    def __init__(self, files: Sequence[Path], columns: Columns, place: HubPlace) -> None:
        self.files, self.columns, self.place = files, columns, place

    def labels(self) -> list[object]:
        where = self.place.where
        found: list[object] = []
        for path in self.files:
            with _opened(path) as file:
                names = file.schema_arrow.names
                wanted = [self.columns.label, *([where[0]] if where else [])]
                if lost := [name for name in (self.columns.image, *wanted) if name not in names]:
                    raise BadFile(
                        f"{self.place}: {path.name} has the columns {few(names)}; expected {lost[0]}; the dataset has "
                        "changed since, or its files differ"
                    )
                table = file.read(columns=wanted)
                labels: list[object] = table.column(self.columns.label).to_pylist()
                if where:
                    counts = set(where[1])
                    rows = table.column(where[0]).to_pylist()
                    labels = [x if row in counts else LEFT_OUT for x, row in zip(labels, rows, strict=True)]
                found += labels
        return found

    def pictures(self, wanted_N: Int64) -> Iterator[tuple[str, Any]]:
        wanted = iter(wanted_N.tolist())
        upcoming = next(wanted, None)
        first = 0
        for path in self.files:
            with _opened(path) as file:
                nested = not _plain(file.schema_arrow.field(self.columns.image).type)
                column = f"{self.columns.image}.bytes" if nested else self.columns.image
                for batch in file.iter_batches(BATCH, columns=[column], use_threads=False):
                    last = first + len(batch)
                    array = batch.column(0).flatten()[0] if nested else batch.column(0)
                    while upcoming is not None and upcoming < last:
                        value = array[upcoming - first]
                        content = memoryview(value.as_buffer()) if value.is_valid else None
                        name = f"{path.name} row {upcoming}"
                        yield name, content if content is None or len(content) <= LARGEST else None
                        upcoming = next(wanted, None)
                    first = last
                    if upcoming is None:
                        return


def _plain(kind: Any) -> bool:
    import pyarrow as pa

    return not pa.types.is_struct(kind)


def few(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
