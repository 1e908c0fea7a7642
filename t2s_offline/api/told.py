"""Lines and progress for people: functions that the caller passes in. In Python nothing is printed by default."""

from __future__ import annotations

import warnings
from collections.abc import Callable

#: Called with one line for the person who waits.
Told = Callable[[str], None]
#: Called with how much is done and how much there is to do.
Progress = Callable[[int, int], None]

#: Called with what is done now and its unit, such as ("measure", "backbone"); returns where its progress goes.
Stages = Callable[[str, str], Progress]

WARNING = "warning: "


def quiet(line: str) -> None:
    """The default of `told`: lines that begin with ``warning:`` become a UserWarning, others are dropped."""
    if line.startswith(WARNING):
        warnings.warn(line.removeprefix(WARNING), UserWarning, stacklevel=3)


def no_progress(_label: str, _unit: str) -> Progress:
    """Stages whose progress goes nowhere."""
    return lambda done, total: None


def stages_of(progress: Progress | None) -> Stages:
    """Stages whose progress goes to one function."""
    return no_progress if progress is None else lambda label, unit: progress
