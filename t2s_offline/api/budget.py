"""Time that a person gives: `5m` in seconds, and the clock that an answer is due by."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass

from t2s_offline.errors import BadInput

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
RESERVE = 5.0  # seconds that are left for the answer: drawing from the posterior, and writing what is handed over


def seconds_of(text: str | float) -> float:
    """Seconds of ``90s``, ``5m``, ``1.5h`` or a number of seconds; BadInput for what is no such time."""
    found = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*([smh]?)\s*", str(text))
    seconds = float(found[1]) * UNITS[found[2] or "s"] if found else math.nan
    if not 0 < seconds < math.inf:
        raise BadInput(f"--budget {text}: expected a time such as 90s, 5m or 1h")
    return seconds


def spoken(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@dataclass(frozen=True)
class Clock:
    """When measuring must end. until: `time.monotonic` of that, None without a limit."""

    until: float | None = None

    @property
    def left(self) -> float:
        """Seconds."""
        return math.inf if self.until is None else self.until - time.monotonic()


def clock_of(budget: str | float | None) -> Clock:
    """A clock that runs from now; a short budget keeps a fifth of it for the answer."""
    if budget is None:
        return Clock()
    seconds = seconds_of(budget)
    return Clock(time.monotonic() + seconds - min(RESERVE, seconds / 5))
