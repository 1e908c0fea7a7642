"""The family of errors. Each message is one line: what was wrong, what was expected, what to do.

    T2SError                  everything this package raises on purpose; the CLI turns it into exit code 2
    ├── BadInput              a value, name or file of the user does not fit
    │   ├── Contradiction     rows say something else than the store, or than each other
    │   ├── UnknownName       a task, recipe, parameter ... that does not exist; names the nearest known one
    │   └── BadFile           a file is absent, corrupt, foreign or has the wrong content
    │       └── WrongHash     a file is not the one that was expected
    ├── StoreError            the reward store cannot be used
    │   ├── StoreLocked       another process holds it, after waiting
    │   └── EmptyStore        it has no rewards for what was asked
    ├── MissingReward         a cell has no reward and nobody may fill it
    ├── QueryError            SQL was refused, failed or took too long
    ├── RenderError           a renderer or its device cannot do what was asked
    ├── PretrainFailed        a pre-training came to nothing after its retry; a sweep records it and goes on
    │   └── Diverged          its loss was not finite, and from its checkpoint it would not be again
    └── SweepFailed           configurations of a sweep failed; the others are kept

Knows nothing about exit codes or printing: `cli.py` does that.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class T2SError(Exception):
    """Base of every error this package raises on purpose."""


class BadInput(T2SError):
    """A value, name or file of the user does not fit."""


class Contradiction(BadInput):
    """Rows say something else than the store, or than each other. `replaceable`: they could overwrite the store's."""

    def __init__(self, message: str, replaceable: bool = False) -> None:
        super().__init__(message)
        self.replaceable = replaceable


class UnknownName(BadInput):
    """A name that does not exist. The message names the nearest known ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        names = sorted(known)
        folded = {known_name.casefold(): known_name for known_name in names}
        near = [folded[key] for key in difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)]
        if near:
            expected = "did you mean " + " or ".join(near) + "?"
        elif names:
            shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
            expected = f"known: {shown}"
        else:
            expected = f"there is no {kind} yet"
        super().__init__(f"unknown {kind} {name!r}; {expected}" + (f"; {hint}" if hint else ""))
        self.kind, self.name, self.near = kind, name, near


class BadFile(BadInput):
    """A file is absent, corrupt, foreign or has the wrong content."""


class WrongHash(BadFile):
    """A file is not the one that was expected."""


class StoreError(T2SError):
    """The reward store cannot be used."""


class StoreLocked(StoreError):
    """Another process holds the store, after waiting for it."""


class EmptyStore(StoreError):
    """The store has no rewards for what was asked."""


class MissingReward(T2SError):
    """A cell has no reward and nobody may fill it."""


class QueryError(T2SError):
    """SQL was refused, failed or took too long."""


class RenderError(T2SError):
    """A renderer or its device cannot do what was asked."""


class PretrainFailed(T2SError):
    """A pre-training came to nothing after its retry."""


class Diverged(PretrainFailed):
    """Its loss was not finite, and from its checkpoint it would not be again."""


class SweepFailed(T2SError):
    """Configurations of a sweep failed; the others are kept."""


def check_known(kind: str, name: str, known: Iterable[str], hint: str = "") -> str:
    """Return `name` if it is one of `known`, else raise UnknownName."""
    known = list(known)
    if name not in known:
        raise UnknownName(kind, name, known, hint)
    return name
