"""Which pictures a prediction is about: what a person typed comes in, a task that cannot be taken for another goes out.

A store knows tasks by name, and a name can stand for other pictures on another machine. What is typed as a path is
pictures and never a name: what the store knows of a task of that name is used when both have one digest. A name is the
store's task; where the folder of tasks holds another of that name, it is that one that is meant, under a name of its
own. Ignores policies, and what is done with the pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.images.task_data import task_digest
from t2s_offline.tasks import DATA_VARIABLE, Located, is_path, locate, present

SHOWN = 8  # hex digits of a digest in a name


@dataclass(frozen=True)
class Asked:
    """A task that was asked for. name: in the answer, and in the store where `stored`; located: its pictures, None
    where the store alone knows it; stored: whether what the store holds under the name is about these pictures; notes:
    lines for the person who asked."""

    name: str
    located: Located | None
    stored: bool
    notes: tuple[str, ...] = ()


def asked(target: str, stored: Mapping[str, str | None], data: Path | None = None) -> Asked:
    """What a target means beside a store's tasks. stored: digests of their pictures by task, None where not known.

    Raises UnknownName when nothing is called that, BadFile when a path or a task's pictures are not there.
    """
    if target in stored and not is_path(target):
        return _named(target, stored[target], data)
    try:
        located = locate(target, data, paths=True)
    except UnknownName as error:
        known = {*stored, *error.near, *(found.name for found in present(data))}
        raise UnknownName("task", target, known, "or give the path of a folder of pictures") from None
    if located.name not in stored:
        return Asked(located.name, located, False)
    return _compared(target, located, stored[located.name])


def _named(name: str, digest: str | None, data: Path | None) -> Asked:
    """A name that the store knows. Without pictures of that name in the folder of tasks none is read."""
    try:
        located = locate(name, data)
    except BadInput:
        located = None
    notes = []
    here = Path(name)
    if here.is_dir() and not (located and located.path and located.path.samefile(here)):
        notes.append(f"{name} is the store's task; for the pictures in the folder of that name here: ./{name}")
    if located is None or located.path is None:
        return Asked(name, located, True, tuple(notes))
    if not digest:
        notes.append(f"the store does not know which pictures its {name} are: not compared with {located.path}")
        return Asked(name, located, True, tuple(notes))
    found = _compared(str(located.path), located, digest)
    if found.stored:
        return Asked(name, located, True, tuple(notes))
    hint = f"for the store's own {name} point {DATA_VARIABLE} or --data elsewhere"
    return Asked(found.name, located, False, (*notes, *found.notes, hint))


def _compared(said: str, located: Located, digest: str | None) -> Asked:
    """Pictures whose name the store has: the store's task when they have one digest, else a task of another name."""
    name, found = located.name, task_digest(located)
    if found == digest:
        return Asked(name, located, True, (f"{said} holds the same pictures as the store's {name}: its rewards count",))
    own = f"{name} (pictures {found[:SHOWN]})"
    if digest:
        why = f"{said} holds other pictures than the store's {name}"
    else:
        why = f"the store does not know which pictures its {name} are, so {said} may hold others"
    line = f"warning: {why}; nothing the store knows of {name} is used, and the task is called {own}"
    return Asked(own, located, False, (line,))
