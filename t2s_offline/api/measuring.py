"""Backbones measured on pictures one after another: those at hand, then those that are trained for it.

The next is the one of highest expected improvement by every metric of the table; with a budget of time, of highest
expected improvement a second. What one costs is measured on the way.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from t2s_offline.api.budget import spoken
from t2s_offline.api.portfolio import Known, finished, known_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from t2s_offline.api.question import Question
    from t2s_offline.learners.measured_answer import MeasuredAnswer
    from t2s_offline.learners.predict import Prediction
    from t2s_offline.matrix import Embeddings

#: A backbone is begun when it ends in the time left by its estimate times this: one may take longer than the last.
CAUTION = 1.15


@dataclass
class Measuring:
    """What was measured so far. seconds: that measuring one backbone took, the longest; busy: those of the clock for
    one of this process, which tells how much of a core is to be had."""

    known: Known
    count: int | None
    rows: list[dict[str, Any]] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)
    seconds: float = 0.0
    busy: float = 1.0
    stopped: bool = False

    @property
    def question(self) -> Question:
        return self.known.question

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(self.known.matrices)

    def noise_sd(self) -> float:
        """SD of one measurement of the target, in percent."""
        import numpy as np

        level = float(np.mean([row[self.metrics[0]] for row in self.rows]))
        return self.known.policy.noise.at(self.question.kept.pictures)(level)

    def found(self) -> MeasuredAnswer:
        """The answer given what was measured so far."""
        import numpy as np

        from t2s_offline.learners.measured_answer import conditioned

        values = {name: np.array([row[name] for row in self.rows]) for name in self.metrics}
        index_K = np.array(self.indices, dtype=np.int64)
        noise_sd = self.noise_sd() if self.rows else 0.0
        return conditioned(self.known.belief, index_K, values, self.known.quality, noise_sd)

    def timed(self, index: int | None) -> tuple[dict[str, float], float]:
        """The metrics of one backbone, and the seconds that took."""
        begin, worked = time.monotonic(), time.process_time()
        row = self.question.kept.measure_all(index, self.metrics)
        taken = time.monotonic() - begin
        self.busy = max(taken / max(time.process_time() - worked, 1e-3), 1.0)
        self.seconds = max(self.seconds, taken)
        return row, taken

    def next(self, hand_C: npt.NDArray[np.bool_]) -> int | None:
        """The configuration to measure next; None when there is none, or no time for one. hand_C: those at hand."""
        import numpy as np

        from t2s_offline.learners.measured_answer import improvement

        if self.stopped or (self.count is not None and len(self.rows) >= self.count):
            return None
        left, kept = self.question.clock.left, self.question.kept
        open_C = np.ones(len(hand_C), dtype=bool)
        open_C[self.indices] = False
        new_C = open_C & ~hand_C
        if kept.live is None or not self.question.live or (new_C.any() and self.training * CAUTION > left):
            new_C[:] = False
        hand_C = open_C & hand_C
        if self.seconds * CAUTION > left:
            hand_C = np.zeros_like(open_C)
        if not (hand_C | new_C).any():
            return None
        gain_C = improvement(self.known.belief, self.found() if self.rows else None)
        if hand_C.any() and (self.question.clock.until is None or not self.rows):
            return int(np.where(hand_C, gain_C, -np.inf).argmax())
        cost_C = np.where(hand_C, max(self.seconds, 1e-3), self.training if new_C.any() else 1.0)
        return int(np.where(hand_C | new_C, gain_C / cost_C if self.rows else gain_C, -np.inf).argmax())

    @property
    def training(self) -> float:
        """Seconds that it takes to render, train and measure a further backbone: before one was trained here, those
        that the table says, longer where other processes work on this machine."""
        live = self.question.kept.live
        if live is None:
            return self.seconds
        return self.seconds + (live.seconds if live.taken else self.busy * live.seconds)

    def measure(self, index: int, at_hand: bool) -> None:
        """Measure one backbone, trained first where it is not at hand; stops when time is over on the way."""
        from t2s_offline.sweep.live_backbones import OutOfTime

        question = self.question
        name, begin = self.known.matrix.space.configurations[index], time.monotonic()
        if not at_hand:
            left = "" if question.clock.until is None else f", of {spoken(question.clock.left)} left"
            question.told(f"rendering and training {name}: about {spoken(self.training)}{left}")
            try:
                question.kept.make(index, question.clock.until)
            except OutOfTime:
                question.told(f"time is over before {name} is trained; the next run goes on from its last epoch")
                self.stopped = True
                return
        row, _ = self.timed(index)
        how = {"pictures": question.kept.passes, "seconds": time.monotonic() - begin}
        self.rows.append({**row, "how": "kept" if at_hand else "trained", **how})
        self.indices.append(index)
        found = self.found()
        self.rows[-1]["answer"] = self.known.matrix.space.configurations[found.answer]


def by_measuring(question: Question, embeddings: Embeddings, count: int | None, top: int = 5) -> Prediction:
    """The answer after `count` backbones were measured on the task's pictures (None: as many as the budget has time
    for): those at hand first, then those that are trained now where the question says so."""
    known = known_of(question, embeddings)
    kept, told = question.kept, question.told
    hand_C = kept.allowed_C.copy()
    path = Measuring(known, count)
    wanted = "as many as there is time for" if count is None else str(min(count, int(hand_C.sum())))
    told(
        f"measuring {', '.join(path.metrics)} of {wanted} of {int(hand_C.sum())} backbones at hand on {kept.pictures} "
        f"pictures of {question.about.name}, of {kept.task['val'].image_NCHW.shape[-1]} px"
    )
    untrained = path.timed(None)[0] if question.clock.left > 0 else None
    bar = question.stages("measure", "backbone")
    while (index := path.next(hand_C)) is not None:
        path.measure(index, bool(hand_C[index]))
        if count is not None:
            bar(len(path.rows), count)
    trained = sum(row["how"] == "trained" for row in path.rows)
    seconds = sum(row["seconds"] for row in path.rows)
    told(
        f"measured {len(path.rows)} backbones{f', {trained} of them trained now' if trained else ''}: "
        f"{kept.passes * len(path.rows)} forward passes, {spoken(seconds)}"
    )
    level = untrained[path.metrics[0]] if untrained is not None else None
    return finished(known, path.found(), path.rows, level, path.noise_sd() if path.rows else 0.0, top)
