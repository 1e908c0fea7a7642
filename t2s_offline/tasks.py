"""Downstream tasks: the registry of the paper's twenty.

Comes in: a task's name. Goes out: its group and its place in the paper's seen/unseen split. Ignores rewards and
embeddings: those are in a store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from t2s_offline.errors import UnknownName

Split = Literal["seen", "unseen"]
Group = Literal["natural", "aerial", "symbolic", "medical", "illustrative", "texture"]


@dataclass(frozen=True)
class Task:
    """A downstream image classification dataset (paper, section 4.1)."""

    name: str
    group: Group
    split: Split


PAPER_TASKS: tuple[Task, ...] = (
    Task("CropDisease", "natural", "seen"),
    Task("EuroSAT", "aerial", "seen"),
    Task("SVHN", "symbolic", "seen"),
    Task("ChestX", "medical", "seen"),
    Task("Sketch", "illustrative", "seen"),
    Task("DTD", "texture", "seen"),
    Task("Flowers102", "natural", "seen"),
    Task("DeepWeeds", "natural", "seen"),
    Task("Resisc45", "aerial", "seen"),
    Task("Omniglot", "symbolic", "seen"),
    Task("ISIC", "medical", "seen"),
    Task("Kaokore", "illustrative", "seen"),
    Task("CUB", "natural", "unseen"),
    Task("PacsC", "illustrative", "unseen"),
    Task("PacsS", "illustrative", "unseen"),
    Task("AID", "aerial", "unseen"),
    Task("USPS", "symbolic", "unseen"),
    Task("FMD", "texture", "unseen"),
    Task("CactusAerial", "aerial", "unseen"),
    Task("ChestXPneumonia", "medical", "unseen"),
)

_BY_NAME = {task.name: task for task in PAPER_TASKS}


def task(name: str) -> Task:
    """The registered task of that name; UnknownName names the nearest ones."""
    if name not in _BY_NAME:
        raise UnknownName("task", name, _BY_NAME)
    return _BY_NAME[name]
