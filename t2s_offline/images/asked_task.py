"""Which task a person means by a name or a path, beside the tasks of a store.

A store has tasks by name, and the same name can stand for other pictures on another machine. A path means the pictures
there; the store's rewards of a task of that name are used only when both have the same digest. A name means the store's
task. Where the folder of tasks has other pictures of that name, those are meant, under a name with their digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.images.task_data import task_digest
from t2s_offline.tasks import DATA_VARIABLE, Located, is_path, locate, present

SHOWN = 8  # hex digits of a digest that a name shows


@dataclass(frozen=True)
class Asked:
    """A task that a person means. name: for the answer, and in the store if `stored`; located: its pictures, None when
    only the store has the task; stored: whether rewards in the store under the name are of these pictures; notes: lines
    for the person."""

    name: str
    located: Located | None
    stored: bool
    notes: tuple[str, ...] = ()


def asked(target: str, stored: Mapping[str, str | None], data: Path | None = None) -> Asked:
    """The task that a name or path means. stored: digests of the pictures of the store's tasks, None where not known.

    Raises UnknownName when nothing has that name, BadFile when there is nothing at a path, or a task has no pictures.
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
    """A task of the store, compared with the pictures of that name in the folder of tasks where there are any."""
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
        notes.append(f"the store has no digest of the pictures of its {name}: not compared with {located.path}")
        return Asked(name, located, True, tuple(notes))
    found = _compared(str(located.path), located, digest)
    if found.stored:
        return Asked(name, located, True, tuple(notes))
    hint = f"for the store's own {name} point {DATA_VARIABLE} or --data elsewhere"
    return Asked(found.name, located, False, (*notes, *found.notes, hint))


def _compared(said: str, located: Located, digest: str | None) -> Asked:
    """Pictures whose name the store has: the store's task if the digests are equal, else a task under another name."""
    name, found = located.name, task_digest(located)
    if found == digest:
        return Asked(
            name, located, True, (f"{said} holds the same pictures as the store's {name}, whose rewards are used",)
        )
    own = f"{name} (pictures {found[:SHOWN]})"
    if digest:
        why = f"{said} holds other pictures than the store's {name}"
    else:
        why = f"the store has no digest of the pictures of its {name}, so {said} may hold others"
    line = f"warning: {why}; rewards of {name} in the store are not used, and the task is called {own}"
    return Asked(own, located, False, (line,))
