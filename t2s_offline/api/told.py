"""Lines and progress for people: functions that the caller passes in. In Python nothing is printed by default."""

from __future__ import annotations

import warnings
from collections.abc import Callable

#: Called with one line for the person who waits.
Told = Callable[[str], None]
#: Called with how much is done and how much there is to do.
Progress = Callable[[int, int], None]

WARNING = "warning: "


def quiet(line: str) -> None:
    """The default of `told`: lines that begin with ``warning:`` become a UserWarning, others are dropped."""
    if line.startswith(WARNING):
        warnings.warn(line.removeprefix(WARNING), UserWarning, stacklevel=3)
