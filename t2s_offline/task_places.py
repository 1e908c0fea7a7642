"""Where the pictures of tasks can be downloaded: the paper's twenty as data, and places that a person names.

A place is a dataset on the Hugging Face hub (`hf:OWNER/NAME[@REVISION][:CONFIG]`), a dataset of torchvision
(`torchvision:NAME`), or a step that a person has to do. Facts of the registry were read in the datasets' cards and file
listings; `known` says which of them, since nothing here was downloaded when it was written. No network is used here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from t2s_offline.errors import BadFile, BadInput, check_known

#: What the options --image-column, --label-column and --split of a command set, for its workers too.
IMAGE_VARIABLE, LABEL_VARIABLE, SPLITS_VARIABLE = "T2S_IMAGE_COLUMN", "T2S_LABEL_COLUMN", "T2S_SPLITS"
PARTS = ("train", "val", "test")
NOT_STATED = "not stated"

HUB, TORCHVISION = "hf:", "torchvision:"
_HUB_FORM = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([^:@\s]+))?(?::([^:\s]+))?")


@dataclass(frozen=True)
class HubPlace:
    """A dataset on the Hugging Face hub, and how its rows become a task.

    revision: commit, branch or tag; config: empty for the default one; files: patterns of the files that are needed,
    empty for what the card or the names of the files say; image, label: columns, empty for what the dataset declares;
    splits: (part, split) pairs, empty for the usual names; names: classes in the order of the labels, empty for the
    dataset's; where: (column, values) that rows must have; only: of rows with several labels those count that have one
    label, and one of these classes; drop: classes left out; merge: (class, class that it joins) pairs; licence: as the
    card names it; megabytes: about how large the needed files are; known: which of these facts were seen.
    """

    repo: str
    revision: str = "main"
    config: str = ""
    files: tuple[str, ...] = ()
    image: str = ""
    label: str = ""
    splits: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    where: tuple[str, tuple[str | int, ...]] | None = None
    only: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    merge: tuple[tuple[str, str], ...] = ()
    licence: str = NOT_STATED
    megabytes: int | None = None
    known: str = "id"

    def __str__(self) -> str:
        revision = "" if self.revision == "main" else f"@{self.revision}"
        return f"{HUB}{self.repo}{revision}" + (f":{self.config}" if self.config else "")

    @property
    def task(self) -> str:
        """The name of the task: OWNER--NAME[--CONFIG], which no folder and no task of the registry has."""
        return "--".join(filter(None, (*self.repo.split("/"), self.config)))


@dataclass(frozen=True)
class TorchvisionPlace:
    """A dataset that torchvision downloads. name: of its class; megabytes: about how large the download is."""

    name: str
    licence: str = NOT_STATED
    megabytes: int | None = None

    def __str__(self) -> str:
        return f"{TORCHVISION}{self.name}"

    @property
    def task(self) -> str:
        return self.name


@dataclass(frozen=True)
class ManualPlace:
    """What a person has to do, because no program may or can: step, and why."""

    step: str
    why: str
    licence: str = NOT_STATED

    def __str__(self) -> str:
        return self.step


Place = HubPlace | TorchvisionPlace | ManualPlace

#: How torchvision opens the parts of its datasets: (part, arguments) pairs, in this order. Not CIFAR: it is unpickled.
TORCHVISION_PARTS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    **{name: (("train", {"train": True}), ("test", {"train": False}))
       for name in ("USPS", "MNIST", "FashionMNIST", "KMNIST", "QMNIST")},
    **{name: (("train", {"split": "train"}), ("test", {"split": "test"}))
       for name in ("SVHN", "STL10", "GTSRB", "Food101")},
    **{name: tuple((part, {"split": part}) for part in PARTS) for name in ("DTD", "Flowers102", "FGVCAircraft")},
    "Country211": (("train", {"split": "train"}), ("val", {"split": "valid"}), ("test", {"split": "test"})),
    "RenderedSST2": tuple((part, {"split": part}) for part in PARTS),
    "OxfordIIITPet": (("train", {"split": "trainval"}), ("test", {"split": "test"})),
    "EuroSAT": (("train", {}),),
    "SUN397": (("train", {}),),
    # the authors of Task2Sim measure the evaluation half; `task_files.omniglot_halves` says when the other is read too
    "Omniglot": (("train", {"background": False}),),
}  # fmt: skip

_PACS = HubPlace(
    "flwrlabs/pacs", "394113073258ead631f617d2e13bb377c0715c4b", files=("data/train-*.parquet",), image="image",
    label="label", licence="unknown", megabytes=191, known="columns, files, counts",
)  # fmt: skip

#: Task -> place, in the paper's order.
PLACES: dict[str, Place] = {
    # 55,448 pictures in 39 classes; without those of the background, the 54,305 in 38 classes of the paper
    "CropDisease": HubPlace(
        "Project-AgML/plant_village_classification", image="image", label="label",
        drop=("Background_without_leaves",), known="columns, number of classes",
    ),
    "EuroSAT": TorchvisionPlace("EuroSAT", megabytes=94),
    "SVHN": TorchvisionPlace("SVHN", megabytes=246),
    # BSCD-FSL: pictures with one finding, and one of these seven
    "ChestX": HubPlace(
        "timm/nih-chest-xray-14", "c1bf579641b3256b4d49924436984b82bee5834d", files=("data/*.parquet",), image="image",
        label="label_names",
        only=("Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumothorax"),
        licence="nih-chest-xray-14", megabytes=20000, known="columns, files",
    ),
    "Sketch": HubPlace(
        "clip-benchmark/wds_imagenet_sketch", "751cf0a06276ed52b015c5dfef068f161bd0dfb7",
        files=("test/*.tar", "classnames.txt"), image="jpg", label="cls", megabytes=8500, known="columns, files",
    ),
    "DTD": TorchvisionPlace("DTD", megabytes=625),
    "Flowers102": TorchvisionPlace("Flowers102", megabytes=345),
    "DeepWeeds": HubPlace(
        "Project-AgML/DeepWeeds_classification", files=("data/train-*.parquet",), image="image", label="label",
        licence="cc-by-4.0", megabytes=493, known="columns, files, number of classes",
    ),
    "Resisc45": HubPlace(
        "timm/resisc45", "fe12fc5f1b7606543b0355eda392f1ddc54625c6", files=("data/*.parquet",), image="image",
        label="label", licence="unknown", megabytes=425, known="columns, files, counts",
    ),
    "Omniglot": TorchvisionPlace("Omniglot", megabytes=7),
    # four of six centres are HAM10000, the 10,015 pictures of ISIC 2018; its class akiec is AK and SCC of ISIC 2019
    "ISIC": HubPlace(
        "flwrlabs/fed-isic2019", "d1457caea44f57dfe855bcf67e2ec09bb06781e9", files=("data/*.parquet",), image="image",
        label="label", where=("center", (1, 2, 3, 5)), merge=(("SCC", "AK"),),
        names=("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC"), licence="cc-by-nc-4.0", megabytes=144,
        known="columns, files, number of classes, centres",
    ),
    "Kaokore": ManualPlace(
        "run download.py of github.com/rois-codh/kaokore with --dir DATA/Kaokore",
        "it is a list of addresses: its authors ask for no copies that hold the pictures",
        "CC BY-SA 4.0",
    ),
    "CUB": HubPlace(
        "Donghyun99/CUB-200-2011", "0e344a8256fa95fe1e5c05325d407a94a961dbab", files=("data/*.parquet",),
        image="image", label="label", megabytes=1145, known="columns, files",
    ),
    "PacsC": replace(_PACS, where=("domain", ("cartoon",))),
    "PacsS": replace(_PACS, where=("domain", ("sketch",))),
    "AID": HubPlace("blanchon/AID", licence="unknown", megabytes=2600, known="id, pictures in class folders"),
    "USPS": TorchvisionPlace("USPS", megabytes=9),
    "FMD": HubPlace(
        "mcimpoi/fmd_materials", "faa07433646a6ec5d7eee9b64c6cc5bd0310cfca", files=("data/*.parquet",),
        licence="cc-by-2.0", known="files",
    ),
    "CactusAerial": ManualPlace(
        "get cactus-aerial-photos from Kaggle, which wants an account, and put it at DATA/CactusAerial/CLASS/*.jpg",
        "no other place was found",
    ),
    "ChestXPneumonia": HubPlace(
        "hf-vision/chest-xray-pneumonia", "4f5be13543fe6224375c1be6896b4a60d1280b50", files=("data/*.parquet",),
        image="image", label="label", licence="cc-by-4.0", megabytes=1230, known="columns, files, counts",
    ),
}  # fmt: skip


def is_place(text: str) -> bool:
    """Whether a text names a place of a network, as `place_of` reads it."""
    return text.startswith((HUB, TORCHVISION))


def place_of(text: str) -> HubPlace | TorchvisionPlace:
    """`hf:OWNER/NAME[@REVISION][:CONFIG]` or `torchvision:NAME` as a place, with the columns and splits that the
    environment names (T2S_IMAGE_COLUMN, T2S_LABEL_COLUMN, T2S_SPLITS). BadInput for other text."""
    if text.startswith(TORCHVISION):
        name = check_known("dataset of torchvision", text.removeprefix(TORCHVISION), TORCHVISION_PARTS)
        registered = PLACES.get(name)
        return registered if isinstance(registered, TorchvisionPlace) else TorchvisionPlace(name)
    found = _HUB_FORM.fullmatch(text)
    if found is None or any(step.startswith((".", "-")) for step in found[1].split("/")):
        raise BadInput(f"{text[:120]!r} names no dataset of the hub; expected hf:OWNER/NAME[@REVISION][:CONFIG]")
    return HubPlace(
        found[1], found[2] or "main", found[3] or "", image=os.environ.get(IMAGE_VARIABLE, ""),
        label=os.environ.get(LABEL_VARIABLE, ""), splits=splits_of(os.environ.get(SPLITS_VARIABLE, "")),
    )  # fmt: skip


def splits_of(text: str) -> tuple[tuple[str, str], ...]:
    """``train=NAME,test=NAME`` as (part, split) pairs; BadInput for other text, or no train part."""
    pairs = tuple((part.strip(), name.strip()) for part, _, name in (one.partition("=") for one in text.split(",")))
    if not text:
        return ()
    if any(part not in PARTS or not name for part, name in pairs) or len(dict(pairs)) < len(pairs):
        raise BadInput(f"splits {text[:120]!r}; expected PART=SPLIT with each part once: {', '.join(PARTS)}")
    if "train" not in dict(pairs):
        raise BadInput(f"splits {text[:120]!r} have no train part; expected train=SPLIT, and further parts if any")
    return pairs


def as_json(place: HubPlace | TorchvisionPlace) -> dict[str, Any]:
    """A place for a record file."""
    kind = "hf" if isinstance(place, HubPlace) else "torchvision"
    return {"kind": kind, **asdict(place)}


def from_json(content: Any, what: str) -> HubPlace | TorchvisionPlace:
    """The place of a record file; BadFile, which names `what`, when it is none."""
    kinds = {"hf": HubPlace, "torchvision": TorchvisionPlace}
    try:
        made = kinds[content["kind"]]
        known = {field.name for field in fields(made)}
        values = {key: _tuples(value) for key, value in content.items() if key in known}
        if not all(isinstance(values.get(key, ""), str) for key in ("repo", "name", "revision", "image", "label")):
            raise TypeError("expected text")
        return made(**values)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadFile(f"{what} names no place that this version knows ({error}); download the task again") from error


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        raise TypeError("expected no object within a place")
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value
