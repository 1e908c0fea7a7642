"""Units one after another in this process."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from t2s_offline.sweep.run_unit import Outcome, do_unit
from t2s_offline.sweep.worker import SweepContext, Unit


class InProcess:
    """A backend without workers: the process that sweeps does the units."""

    def outcomes(self, units: Iterator[Unit], context: SweepContext) -> Generator[Outcome, None, None]:
        for unit in units:
            yield do_unit(unit, context)
