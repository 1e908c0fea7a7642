"""Labels as a dataset gives them (integers, names of classes, lists of them) as indices of one list of classes.

The rules of a place are applied here: rows that count, classes that are left out or join another one. A class without a
picture in any part is none of the task's classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from t2s_offline.errors import BadFile, brief
from t2s_offline.images.image_files import Int64
from t2s_offline.images.task_files import MOST_CLASSES
from t2s_offline.task_places import HubPlace

OUT = -1  # in place of the label of a picture that is left out


class LeftOut:
    """Stands for the label of a row that a place does not count."""


LEFT_OUT = LeftOut()


def resolve(
    raw: Mapping[str, Sequence[object]], names: Sequence[str], place: HubPlace
) -> tuple[tuple[str, ...], dict[str, Int64]]:
    """Classes, and for each part the label of each picture: index into the classes, or OUT.

    raw: labels by part; names: classes that the dataset declares, empty when it declares none. BadFile for a label that
    is neither an integer nor the name of a class, or is out of range.
    """
    single = {part: [_single(value, place, part) for value in labels] for part, labels in raw.items()}
    there = [value for labels in single.values() for value in labels if not isinstance(value, LeftOut)]
    kinds = {type(value) for value in there}
    if len(kinds) > 1:
        raise BadFile(f"{place}: some labels are integers, some are text; expected one of them; try --label-column")
    if not there:
        raise BadFile(f"{place} has no picture that counts as one of the task's; it may have changed since")
    listed = _distinct(place.names or names)
    if kinds == {str}:
        listed = listed or sorted({str(value) for value in there})
        at = {name: label for label, name in enumerate(listed)}
        unknown = next((value for value in there if value not in at), None)
        if unknown is not None:
            raise BadFile(f"{place}: label {str(unknown)[:60]!r} is no class; expected one of {len(listed)} names")
        index = {part: [at.get(str(value), OUT) for value in labels] for part, labels in single.items()}
    else:
        most = max(int(value) for value in there)  # type: ignore[call-overload]
        listed = listed or [str(label) for label in range(min(most, MOST_CLASSES) + 1)]
        if most >= len(listed):
            raise BadFile(f"{place}: label {most} and {len(listed)} classes; expected labels from 0, one a class")
        index = {
            part: [OUT if isinstance(value, LeftOut) else int(value) for value in labels]  # type: ignore[call-overload]
            for part, labels in single.items()
        }
    return _counted(index, listed, place)


def _single(value: object, place: HubPlace, part: str) -> object:
    """A label as an integer or a text, or LEFT_OUT."""
    if isinstance(value, list | tuple):
        if not place.only:
            raise BadFile(f"{place}: a picture has several labels in {part}; expected one; try another --label-column")
        value = value[0] if len(value) == 1 and value[0] in place.only else LEFT_OUT
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer | str | LeftOut):
        said = f"{value!r:.60}" if value is not None else "nothing"
        raise BadFile(f"{place}: a label in {part} is {said}; expected an integer or the name of a class")
    if isinstance(value, int | np.integer):
        if value < 0:
            raise BadFile(
                f"{place}: a label in {part} is {value}: pictures without a label; leave the part out with --split"
            )
        return int(value)
    return value


def _distinct(names: Sequence[str]) -> list[str]:
    """Names of which a later one that is there already also has its number: ImageNet has two cranes."""
    seen: set[str] = set()
    found = []
    for label, name in enumerate(names):
        found.append(f"{name} ({label})" if name in seen else name)
        seen.add(name)
    return found


def _counted(
    index: Mapping[str, Sequence[int]], names: Sequence[str], place: HubPlace
) -> tuple[tuple[str, ...], dict[str, Int64]]:
    """Leave classes out, let classes join others, and number those that have pictures."""
    joins = dict(place.merge)
    known = {name: label for label, name in enumerate(names)}
    to = np.array([OUT if name in place.drop else known.get(joins.get(name, name), OUT) for name in names] + [OUT])
    labels = {part: to[np.array(values, dtype=np.int64)] for part, values in index.items()}
    used = sorted({int(label) for values in labels.values() for label in np.unique(values)} - {OUT})
    again = np.full(len(names) + 1, OUT, dtype=np.int64)
    again[used] = np.arange(len(used))
    return tuple(names[label] for label in used), {part: again[values] for part, values in labels.items()}


def number_or_name(text: str) -> int | str:
    """A label from a text file: an integer where it is one."""
    text = text.strip()
    try:
        return int(text)
    except ValueError:
        return text


def check_text(value: bytes, what: str) -> str:
    """Bytes as UTF-8; BadFile when they are none."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(f"{what} is no text: {brief(error, 60)}; expected UTF-8") from error
