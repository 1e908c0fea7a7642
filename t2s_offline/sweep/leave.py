"""Leaving a sweep between two epochs: asked for by a signal, heeded where nothing is lost.

A training looks after every step whether its process was asked to leave, and leaves before a further epoch: the
checkpoint of the last one is on disk, and the unit goes on there when the sweep is run again.
"""

from __future__ import annotations

from collections.abc import Callable

#: Exit code of a sweep that left before its end, to be run again: EX_TEMPFAIL of sysexits.h.
EXIT_CODE = 75


class Leaving(Exception):
    """A unit was left between two epochs, because its process was asked to."""


class _Request:
    """Whether this process was asked to leave. A plain value: signal handlers may set it, and locks could block."""

    asked = False


def ask(wanted: bool = True) -> None:
    """Ask this process to leave at the end of the epoch, or take that back."""
    _Request.asked = wanted


def asked() -> bool:
    """Whether this process was asked to leave."""
    return _Request.asked


def between(epochs: int) -> Callable[[int, int], None]:
    """For a training's progress (steps done, steps in all): raises Leaving in an epoch's first step once asked.

    That step is lost, and nothing else.
    """

    def look(done: int, total: int) -> None:
        steps = max(total // epochs, 1)
        if asked() and (done - 1) % steps == 0:
            raise Leaving

    return look
