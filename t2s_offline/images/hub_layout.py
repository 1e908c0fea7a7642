"""Which files of a dataset of the hub are which part of a task, by the dataset's card or by their names.

A card (README.md) may list configurations, and for each the files of a split by pattern; without one, splits are words
in the names of files and folders, as `data/train-00000-of-00002.parquet` or `test/0.tar`. Only data files are chosen:
Parquet, WebDataset's tar, or pictures; never a script.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, Literal

from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.task_places import HubPlace

Form = Literal["parquet", "tar", "files"]

PICTURES = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
#: Beside pictures: tables with the columns file_name and label. CLASS_NAMES: a class a line, beside WebDataset's tars.
TABLES, CLASS_NAMES, CARD = ("metadata.csv", "metadata.jsonl"), "classnames.txt", "README.md"
#: Words for a split -> its part.
SPLITS = {
    "train": "train", "training": "train", "validation": "val", "valid": "val", "val": "val", "dev": "val",
    "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip
_WORDS = re.compile(rf"(?:^|[/_. \-])({'|'.join(sorted(SPLITS, key=len, reverse=True))})(?=[/_. \-0-9]|$)")
_SHARD = re.compile(r"-\d+-of-(\d+)[.-]")


@dataclass(frozen=True)
class Layout:
    """form: of the data files; parts: files of each part, sorted; beside: further files that are needed (tables, names
    of classes); splits: what the dataset calls the part; names: the classes that the card lists, by column."""

    form: Form
    parts: dict[str, tuple[str, ...]]
    beside: tuple[str, ...] = ()
    splits: dict[str, str] | None = None
    names: dict[str, tuple[str, ...]] | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that is needed."""
        return tuple(dict.fromkeys((*(file for files in self.parts.values() for file in files), *self.beside)))


def layout(paths: Sequence[str], card: Mapping[str, Any], place: HubPlace) -> Layout:
    """The parts of a dataset whose files these are. card: the metadata of its README.md, empty when it has none.

    BadInput when it has no data files, or its parts cannot be told; UnknownName for a configuration or split that it
    does not have.
    """
    inside = [path for path in paths if is_inside(path)]
    wanted = [path for path in inside if not place.files or any(fnmatchcase(path, one) for one in place.files)]
    form, data = _data(wanted, place)
    found = _by_card(data, card, place) or _by_name(data, place, [*data, *wanted])
    named = parts_of_splits(list(found), place)
    parts = {part: tuple(sorted(found[split])) for part, split in named.items()}
    for files in parts.values():
        check_shards(files, str(place))
    beside = tuple(
        path for path in inside if PurePosixPath(path).name in (*TABLES, CLASS_NAMES) and form != "parquet"
    )  # fmt: skip
    return Layout(form, parts, beside, named, card_names(card, place))


def is_inside(path: str) -> bool:
    """Whether a path of a listing stays in its folder and is not hidden."""
    steps = PurePosixPath(path).parts
    return bool(steps) and not path.startswith("/") and "\\" not in path and not any(s.startswith(".") for s in steps)


def _data(paths: Sequence[str], place: HubPlace) -> tuple[Form, list[str]]:
    """The data files, of the first form that there is."""
    forms: tuple[tuple[Form, tuple[str, ...]], ...] = (
        ("parquet", (".parquet",)),
        ("tar", (".tar",)),
        ("files", PICTURES),
    )
    for form, endings in forms:
        if found := [path for path in paths if path.lower().endswith(endings)]:
            return form, found
    kinds = sorted({PurePosixPath(path).suffix or path for path in paths})[:6]
    advice = f"the hub may have it as Parquet: hf:{place.repo}@refs/convert/parquet"
    if any(kind == ".py" for kind in kinds):
        raise BadInput(f"{place} has a loading script and no data files; scripts are never run; {advice}")
    raise BadInput(
        f"{place} has {'files of ' + ', '.join(kinds) if kinds else 'no files'}; expected Parquet, WebDataset's .tar "
        f"or pictures in class folders; {advice}"
    )


def _by_card(data: Sequence[str], card: Mapping[str, Any], place: HubPlace) -> dict[str, list[str]]:
    """Files by split, as the card's configuration says; empty when it says nothing."""
    listed = card.get("configs")
    configs = {str(one.get("config_name", "default")): one for one in listed or () if isinstance(one, Mapping)}
    if place.config and place.config not in configs:
        if configs and not any(path.startswith(f"{place.config}/") for path in data):
            raise UnknownName(f"configuration of {place.repo}", place.config, configs)
        return {}
    chosen = [name for name, one in configs.items() if one.get("default") is True or name == "default"]
    name = place.config or next(iter(chosen), next(iter(configs), "") if len(configs) == 1 else "")
    if not name:
        if len(configs) > 1:
            raise BadInput(f"{place} has the configurations {_few(configs)}; name one: hf:{place.repo}:NAME")
        return {}
    entry = configs[name].get("data_files")
    splits: dict[str, list[str]] = {}
    for one in entry if isinstance(entry, list) else [entry]:
        split = str(one.get("split", "train")) if isinstance(one, Mapping) else "train"
        patterns = one.get("path") if isinstance(one, Mapping) else one
        for pattern in patterns if isinstance(patterns, list) else [patterns]:
            if isinstance(pattern, str):
                splits.setdefault(split, []).extend(path for path in data if fnmatchcase(path, pattern))
    return {split: sorted(set(files)) for split, files in splits.items() if files}


def _by_name(data: Sequence[str], place: HubPlace, inside: Sequence[str]) -> dict[str, list[str]]:
    """Files by the word for a split in their names; all are `train` when none has one."""
    if place.config:
        data = [path for path in data if path.startswith(f"{place.config}/")]
        if not data:
            folders = {path.split("/")[0] for path in inside if "/" in path}
            raise UnknownName(f"configuration of {place.repo}", place.config, folders)
    found: dict[str, list[str]] = {}
    for path in data:
        word = split_in(path.removeprefix(f"{place.config}/"))
        found.setdefault(word or "", []).append(path)
    if "" in found and len(found) > 1:
        found.pop("")  # what has no split's name is none of the splits
    return {split or "train": files for split, files in found.items()}


def split_in(path: str) -> str:
    """The first word for a split in a path, "" when there is none."""
    found = _WORDS.search(path.lower())
    return found[1] if found else ""


def parts_of_splits(splits: Sequence[str], place: HubPlace) -> dict[str, str]:
    """Part -> split, train first, by what the place says or by the usual words. A split that is alone is train."""
    if place.splits:
        for _part, split in place.splits:
            if split not in splits:
                raise UnknownName(f"split of {place}", split, splits)
        return dict(place.splits)
    known = {}
    for split in splits:
        if (part := SPLITS.get(split.lower())) and part not in known:
            known[part] = split
    if "train" not in known and len(splits) == 1:
        known = {"train": splits[0]}
    if "train" not in known:
        raise BadInput(f"{place} has the splits {_few(splits)} and none named train; choose: --split train=NAME")
    return {part: known[part] for part in ("train", "val", "test") if part in known}


def check_shards(files: Iterable[str], what: str) -> None:
    """BadInput when files that are numbered ``-00001-of-00005`` are fewer than so many."""
    counted: dict[tuple[str, int], int] = {}
    for file in files:
        if found := _SHARD.search(file):
            one = file[: found.start()], int(found[1])
            counted[one] = counted.get(one, 0) + 1
    for (_start, total), count in counted.items():
        if count < total:
            raise BadInput(f"{what}: {count} of {total} files of a split are there; download it again with a network")


def card_names(card: Mapping[str, Any], place: HubPlace) -> dict[str, tuple[str, ...]]:
    """Column -> the classes that the card lists for it."""
    infos = card.get("dataset_info")
    infos = infos if isinstance(infos, list) else [infos]
    wanted = [one for one in infos if isinstance(one, Mapping) and place.config in ("", one.get("config_name", ""))]
    found: dict[str, tuple[str, ...]] = {}
    for info in wanted[:1]:
        for feature in info.get("features") or ():
            kind = feature.get("dtype") if isinstance(feature, Mapping) else None
            label = kind.get("class_label") if isinstance(kind, Mapping) else None
            names = label.get("names") if isinstance(label, Mapping) else None
            if isinstance(names, Mapping):
                found[str(feature.get("name"))] = tuple(str(name) for _, name in sorted(names.items(), key=_number))
    return found


def _number(item: tuple[Any, Any]) -> int:
    return int(item[0]) if str(item[0]).isdecimal() else 0


def licence(card: Mapping[str, Any]) -> str:
    """The licence that a card states, "" when it states none."""
    stated = card.get("license")
    names = [str(one) for one in stated] if isinstance(stated, list) else [str(stated)] if stated else []
    further = [str(card[key]) for key in ("license_name", "license_link") if card.get(key)]
    return " ".join(", ".join([*names, *further]).split())[:200]


def _few(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
