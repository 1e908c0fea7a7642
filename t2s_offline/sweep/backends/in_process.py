"""Units one after another in this process."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from t2s_offline.sweep import leave
from t2s_offline.sweep.node import gpus
from t2s_offline.sweep.pictures import expect
from t2s_offline.sweep.run_unit import Outcome, do_unit
from t2s_offline.sweep.worker import SweepContext, Unit


class InProcess:
    """A backend without workers: the process that sweeps does the units. Where it has a GPU it takes one unit early,
    whose pictures are rendered while the one before it trains."""

    def outcomes(self, units: Iterator[Unit], context: SweepContext) -> Generator[Outcome, None, None]:
        if context.device == "cpu" or not gpus():
            for unit in units:
                yield do_unit(unit, context)
            return
        present = next(units, None)
        while present is not None:
            following = next(units, None)
            expect([following] if following is not None else [])
            yield Outcome(present, "left") if leave.asked() else do_unit(present, context)
            present = following
