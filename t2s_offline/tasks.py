"""Downstream tasks: the registry of the paper's twenty and the embedded digits, and where the files of a task are.

For each registered task: its group, its place in the paper's seen/unseen split, and the classes and pictures that it
should have; `task_places.py` has where it can be downloaded. Tasks are found by name in the folder that T2S_DATA names,
by path, or at a place of a network. No picture is read here; `images/task_data.py` does that.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from t2s_offline.errors import BadFile, BadInput, UnknownName
from t2s_offline.files import cache_folder, is_plain
from t2s_offline.task_places import PLACES, HubPlace, ManualPlace, Place, TorchvisionPlace, is_place, place_of

Split = Literal["seen", "unseen"]
Group = Literal["natural", "aerial", "symbolic", "medical", "illustrative", "texture"]
Kind = Literal["embedded", "npz", "folder", "table", "torchvision", "hub"]

DATA_VARIABLE = "T2S_DATA"
#: Set to 1 to take a registered task of other counts than any known version's; `--any-version` sets it.
ANY_VERSION_VARIABLE = "T2S_ANY_VERSION"
NEAR = 0.01  # largest share of a version's pictures that may be missing or too many


@dataclass(frozen=True)
class Version:
    """One published form of a dataset. `classes`, `images`: in all parts together, None where not known."""

    name: str
    classes: int | None
    images: int | None = None

    def __str__(self) -> str:
        images = "" if self.images is None else f" and {self.images} pictures"
        return f"{self.classes} classes{images} ({self.name})"

    def far(self, classes: int, images: int) -> float:
        """Relative difference in the number of pictures; infinite above NEAR, or when the number of classes differs."""
        if self.classes not in (None, classes):
            return float("inf")
        share = abs(images - self.images) / self.images if self.images else 0.0
        return share if share <= NEAR else float("inf")


@dataclass(frozen=True)
class Task:
    """A downstream image classification dataset (paper, section 4.1).

    `classes`, `images`: how many it should have in all, None where not known; `place`: where it was published;
    `called`: name of this version; `others`: further ones that are accepted; `relatives`: a name that tasks of one
    source share, empty where no other task is of it.
    """

    name: str
    group: Group
    split: Split | None
    classes: int | None = None
    images: int | None = None
    place: str = ""
    called: str = "as published"
    others: tuple[Version, ...] = ()
    relatives: str = ""

    @property
    def versions(self) -> tuple[Version, ...]:
        """Every version that is accepted."""
        return Version(self.called, self.classes, self.images), *self.others

    @property
    def source(self) -> Place | None:
        """Where it can be downloaded, or what a person has to do for it; None for what needs no file."""
        return PLACES.get(self.name)

    @property
    def downloads(self) -> bool:
        """Whether it can be downloaded without a person."""
        return isinstance(self.source, HubPlace | TorchvisionPlace)


#: Further versions. "the authors'" is what their code reads (samarth4149/task2sim at 1712475).
_OMNIGLOT = (Version("evaluation half, the authors'", 659, 13180), Version("background half", 964, 19280))
_KAOKORE = (Version("gender and status, the authors'", 8),)
_CUB = (Version("CUB-200 of 2010, as in the authors' file list", 200, 6033),)
_FMD = (Version("2,000, as the published table counts", 10, 2000),)
_CACTUS = (Version("labelled part of aerial-cactus-identification", 2, 17500),)
_PNEUMONIA = (Version("train and test, the authors'", 2, 5840),)

PAPER_TASKS: tuple[Task, ...] = (
    Task("CropDisease", "natural", "seen", 38, 54305, "github.com/spMohanty/PlantVillage-Dataset (raw/color)"),
    Task("EuroSAT", "aerial", "seen", 10, 27000, "github.com/phelber/EuroSAT"),
    Task("SVHN", "symbolic", "seen", 10, 99289, "ufldl.stanford.edu/housenumbers"),
    Task("ChestX", "medical", "seen", 7, 25848, "NIH ChestX-ray8, pictures with one of seven findings (BSCD-FSL)"),
    Task("Sketch", "illustrative", "seen", 1000, 50889, "github.com/HaohanWang/ImageNet-Sketch"),
    Task("DTD", "texture", "seen", 47, 5640, "Describable Textures Dataset, Cimpoi et al. 2014"),
    Task("Flowers102", "natural", "seen", 102, 8189, "robots.ox.ac.uk/~vgg/data/flowers/102"),
    Task("DeepWeeds", "natural", "seen", 9, 17509, "github.com/AlexOlsen/DeepWeeds"),
    Task("Resisc45", "aerial", "seen", 45, 31500, "NWPU-RESISC45, Cheng et al. 2017"),
    Task("Omniglot", "symbolic", "seen", 1623, 32460, "github.com/brendenlake/omniglot", "whole", _OMNIGLOT),
    Task("ISIC", "medical", "seen", 7, 10015, "challenge.isic-archive.com, 2018, task 3, training data"),
    Task("Kaokore", "illustrative", "seen", 4, None, "github.com/rois-codh/kaokore", "status", _KAOKORE),
    Task("CUB", "natural", "unseen", 200, 11788, "Caltech-UCSD Birds-200-2011", "CUB-200-2011", _CUB),
    Task("PacsC", "illustrative", "unseen", 7, 2344, "PACS, Li et al. 2017, cartoon", relatives="pacs"),
    Task("PacsS", "illustrative", "unseen", 7, 3929, "PACS, Li et al. 2017, sketch", relatives="pacs"),
    Task("AID", "aerial", "unseen", 30, 10000, "captain-whu.github.io/AID"),
    Task("USPS", "symbolic", "unseen", 10, 9298, "USPS, Hull 1994", relatives="digits"),
    Task("FMD", "texture", "unseen", 10, 1000, "Flickr Material Database, Sharan et al.", "as published", _FMD),
    Task("CactusAerial", "aerial", "unseen", 2, 21500, "Kaggle, cactus-aerial-photos", "cactus-aerial-photos", _CACTUS),
    Task("ChestXPneumonia", "medical", "unseen", 2, 5856, "Kaggle, chest-xray-pneumonia", "all parts", _PNEUMONIA),
)

#: Name of the probe of the authors' Task2Vec vectors: torchvision's ImageNet ResNet-18, estimated by batches.
PAPER_PROBE = "resnet18-imagenet-task2sim"

#: scikit-learn's real handwritten digits: needs no file.
DIGITS = Task("digits", "symbolic", None, 10, 1797, "scikit-learn", relatives="digits")

_BY_NAME = {task.name: task for task in (*PAPER_TASKS, DIGITS)}

#: Beside the tasks in T2S_DATA: a table with the columns task and relatives; further columns are for people.
LIST = "tasks.csv"

#: In the folder of a downloaded task: where it came from and what is in it; written last.
RECORD = "source.json"

#: In a folder of pictures: a table with the columns file_name, label and, if wanted, split.
TABLE = "metadata.csv"
#: Registered tasks whose authors give such a table another form: its name beside the pictures.
TABLES = {"Kaokore": "labels.csv"}

#: How a folder under T2S_DATA is laid out, shown where one is missing.
LAYOUT = "NAME/CLASS/*.jpg or NAME/{train,val,test}/CLASS/*.jpg; or NAME.npz with x_train, y_train, x_test, y_test"


@dataclass(frozen=True)
class Located:
    """A task and where its pictures are. path: file or folder, None for embedded tasks and those at a place of the hub;
    task: its registry entry; place: where it is fetched from when its pictures are read."""

    name: str
    kind: Kind
    path: Path | None = None
    task: Task | None = None
    place: HubPlace | TorchvisionPlace | None = None

    @property
    def where(self) -> str:
        """Its path or place, for messages."""
        return str(self.path or self.place or self.kind)


def task(name: str) -> Task:
    """The registered task of that name; UnknownName names the nearest ones."""
    if name not in _BY_NAME:
        raise UnknownName("task", name, _BY_NAME)
    return _BY_NAME[name]


def data_folder(given: Path | None = None) -> Path | None:
    """The folder of tasks: the one given, else what T2S_DATA names; BadFile when it is no folder."""
    text = os.environ.get(DATA_VARIABLE)
    folder = given or (Path(text) if text else None)
    if folder is not None and not folder.is_dir():
        raise BadFile(f"{folder} is no folder; expected the folder of tasks; set {DATA_VARIABLE} to one that is there")
    return folder


def relatives(folder: Path | None = None) -> dict[str, str]:
    """Names that related tasks share, by task: those of the registry, then those of `tasks.csv` in `folder`.

    Tasks without relatives are not in it. BadFile for a list without a column `task`, or one that cannot be read.
    """
    found = {task.name: task.relatives for task in _BY_NAME.values() if task.relatives}
    path = folder / LIST if folder is not None else None
    if path is None or not path.is_file():
        return found
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if "task" not in (rows.fieldnames or ()):
                raise BadFile(f"{path} has no column task; expected a table with the columns task and relatives")
            listed = {row["task"]: (row.get("relatives") or "").strip() for row in rows if row["task"]}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"cannot read {path}: {error}; expected a CSV file in UTF-8") from error
    return found | {task: name for task, name in listed.items() if name}


def locate(name: str, data: Path | None = None, *, paths: bool = False) -> Located:
    """Find a task by name. `paths`: also a folder or an .npz by path, or a place (see `task_places.place_of`); only for
    text that a person typed, so that a name from a specification, a table or a store never opens a path or a network.

    A name is looked up as DATA/NAME.npz, DATA/NAME/ (downloads too), then among the embedded ones. Text is a path when
    it has a separator, or when no task has that name and a file or folder has. Raises BadFile when a registered task
    has no files, UnknownName when nothing has that name, BadInput for a path or a place where a name is expected.
    """
    if is_path(name) or is_place(name):
        if paths:
            return _at_place(place_of(name), data) if is_place(name) else pictures_at(Path(name))
        raise BadInput(
            f"task {name[:80]!r}: only a command line may name a path, not a specification or a table; expected the "
            f"name of a task in the folder that {DATA_VARIABLE} or --data names"
        )
    folder = data_folder(data)
    if found := _under(folder, name):
        return found
    if name == DIGITS.name:
        return Located(name, "embedded", None, DIGITS)
    path = Path(name)
    if name in _BY_NAME:
        here = f"; for the folder that lies here: ./{name}" if paths and path.is_dir() else ""
        raise BadFile(_absent(_BY_NAME[name], folder) + here)
    if paths and name and (path.exists() or path.suffix == ".npz"):
        return pictures_at(path)
    known = {*_BY_NAME, *(found.name for found in present(folder))}
    raise UnknownName("task", name, known, _hint(folder, paths))


def _at_place(place: HubPlace | TorchvisionPlace, data: Path | None) -> Located:
    """A task at a place. torchvision keeps its datasets in the folder of tasks, else in the user's cache."""
    if isinstance(place, HubPlace):
        return Located(place.task, "hub", place=place)
    parent = data_folder(data) or cache_folder() / "torchvision"
    return Located(place.name, "torchvision", parent / place.name, _BY_NAME.get(place.name), place)


def is_path(text: str) -> bool:
    """Whether a text can only be a path: no task's name has a separator."""
    return "/" in text or os.sep in text or text in (".", "..")


def pictures_at(path: Path) -> Located:
    """A folder or an .npz as a task named after it; BadFile when there is neither."""
    if path.suffix == ".npz" and path.is_file():
        return Located(path.stem, "npz", path)
    if path.is_dir():
        return Located(path.resolve().name, _kind(path) or "folder", path)
    raise BadFile(f"{path} is not there; expected a task's name, a folder of class folders, or an .npz file")


def present(data: Path | None = None) -> list[Located]:
    """Every task whose pictures are present, by name; torchvision's datasets once they are downloaded."""
    folder = data_folder(data)
    embedded = Located(DIGITS.name, "embedded", None, DIGITS)
    names = {*_BY_NAME, *(_names_in(folder) if folder else ())}
    found = {located.name: located for name in names if (located := _under(folder, name))}
    return sorted(({DIGITS.name: embedded} | found).values(), key=lambda located: located.name.casefold())


def _under(folder: Path | None, name: str) -> Located | None:
    """A task of that name under the folder of tasks."""
    if folder is None or not is_plain(name):
        return None
    known = _BY_NAME.get(name)
    if (file := folder / f"{name}.npz").is_file():
        return Located(name, "npz", file, known)
    path = folder / name
    if path.is_dir() and (kind := _kind(path, TABLES.get(name, TABLE))):
        return Located(name, kind, path, known)
    return None


def _kind(path: Path, table: str = TABLE) -> Kind | None:
    """What a folder holds; None when nothing that is known."""
    if (path / ".torchvision").is_file():
        return "torchvision"
    if (path / RECORD).is_file():
        return "hub"
    if (path / table).is_file():
        return "table"
    return "folder" if any(_class_folders(path)) else None


def _names_in(folder: Path) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield path.name
        elif path.suffix == ".npz":
            yield path.stem


def _class_folders(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _hint(folder: Path | None, paths: bool) -> str:
    where = f"tasks lie in {folder}" if folder else f"set {DATA_VARIABLE} to the folder of tasks"
    return f"or give a path; {where}" if paths else where


def _absent(wanted: Task, folder: Path | None) -> str:
    where = folder or f"the folder that {DATA_VARIABLE} names"
    layout = LAYOUT.replace("NAME", wanted.name)
    if wanted.downloads:
        get = f"run: t2s-offline tasks --download {wanted.name}"
        return f"task {wanted.name} is not in {where}; {get}; or put it there: {layout}"
    get = wanted.source.step if isinstance(wanted.source, ManualPlace) else f"get it from {wanted.place or '?'}"
    get = get.replace("DATA/", f"{where}/" if folder else "DATA/")
    return f"task {wanted.name} is not in {where}; {get}; expected {layout}"


def any_version() -> bool:
    """Whether registered tasks are accepted whatever their counts: T2S_ANY_VERSION is set."""
    return os.environ.get(ANY_VERSION_VARIABLE, "") not in ("", "0")


def version_of(wanted: Task, classes: int, images: int) -> str:
    """Which version of a registered task this is, by its classes and, within 1 %, its pictures.

    Raises BadInput when it is none of them; where `any_version` is set, the result is "unknown" with its counts.
    """
    best = min(wanted.versions, key=lambda version: version.far(classes, images))
    if best.far(classes, images) <= NEAR:
        return best.name
    found = f"{classes} classes and {images} pictures"
    if any_version():
        return f"unknown: {found}"
    raise BadInput(
        f"task {wanted.name} has {found}; expected {' or '.join(map(str, wanted.versions))}; get it again: "
        f"{wanted.place}; to take it as it is: --any-version, or {ANY_VERSION_VARIABLE}=1"
    )
