"""The errors of this package. Each message is one line: what was wrong, what was expected, what to do.

    T2SError                  everything this package raises on purpose; the CLI turns it into exit code 2
    ├── BadInput              a value, name or file that the user gave is not valid
    │   ├── Contradiction     rows differ from those in the store, or from each other
    │   ├── UnknownName       no task, recipe, parameter ... has that name; the message names the nearest known one
    │   └── BadFile           a file is missing, damaged, or of another kind
    │       └── WrongHash     the hash of a file is not the expected one
    ├── StoreError            the reward store cannot be used
    │   ├── StoreLocked       another process still held it after the time to wait
    │   └── EmptyStore        it has no rewards for the request
    ├── MissingReward         a cell has no reward, and measuring it was not allowed
    ├── QueryError            SQL was refused, failed or took too long
    │   └── UnansweredQuery   it took too long, and a thread of this process still works on it
    ├── RenderError           a renderer or its device cannot do what was requested
    ├── PretrainFailed        a pre-training failed, also when it was retried; a sweep records it and goes on
    │   └── Diverged          its loss was not finite; resuming from its checkpoint would give the same again
    └── SweepFailed           some configurations of a sweep failed; the results of the others are kept

Printing and exit codes are in `cli/__init__.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class T2SError(Exception):
    """Base of every error this package raises on purpose."""


class BadInput(T2SError):
    """A value, name or file that the user gave is not valid."""


class Contradiction(BadInput):
    """Rows differ from those in the store, or from each other. `replaceable`: they could overwrite the store's."""

    def __init__(self, message: str, replaceable: bool = False) -> None:
        super().__init__(message)
        self.replaceable = replaceable


class UnknownName(BadInput):
    """Nothing of that kind has that name. The message names the nearest known ones, which are in `near`."""

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
    """A file is missing, damaged, or of another kind."""


class WrongHash(BadFile):
    """The hash of a file is not the expected one."""


class StoreError(T2SError):
    """The reward store cannot be used."""


class StoreLocked(StoreError):
    """Another process still held the store after the time to wait."""


class EmptyStore(StoreError):
    """The store has no rewards for the request."""


class MissingReward(T2SError):
    """A cell has no reward, and measuring it was not allowed."""


class QueryError(T2SError):
    """SQL was refused, failed or took too long."""


class UnansweredQuery(QueryError):
    """SQL took too long, and a thread of this process still works on it: its connection cannot be closed."""


class RenderError(T2SError):
    """A renderer or its device cannot do what was requested."""


class PretrainFailed(T2SError):
    """A pre-training failed, also when it was retried."""


class Diverged(PretrainFailed):
    """The loss was not finite; resuming from the checkpoint would give the same again."""


class SweepFailed(T2SError):
    """Some configurations of a sweep failed; the results of the others are kept."""


def brief(error: BaseException, most: int = 1000) -> str:
    """The message of an error as one line of at most `most` characters; the name of its class when it is empty."""
    return " ".join(str(error).split())[:most] or type(error).__name__


def check_known(kind: str, name: str, known: Iterable[str], hint: str = "") -> str:
    """Return `name` if it is one of `known`, else raise UnknownName."""
    known = list(known)
    if name not in known:
        raise UnknownName(kind, name, known, hint)
    return name
