"""The pictures of the next unit, rendered while this one trains.

A GPU draws them in a second stream, from a thread. A CPU has one thread a worker and would gain nothing, so there
nothing is rendered ahead. What is drawn is the same: it depends on the recipe, the configuration and the seed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from t2s_offline.images.training_set import TrainingSet

Make = Callable[[], "TrainingSet"]


class Ahead:
    """At most one dataset that is being made. Used from one thread."""

    def __init__(self) -> None:
        self.pool: ThreadPoolExecutor | None = None
        self.job: tuple[Hashable, Future[TrainingSet]] | None = None

    def begin(self, key: Hashable, make: Make, device: str) -> None:
        """Start to make what `take` will ask for under this key. One that is being made already stays."""
        if self.job is None:
            self.pool = self.pool or ThreadPoolExecutor(1, "ahead")
            self.job = key, self.pool.submit(_in_own_stream, make, device)

    def take(self, key: Hashable, make: Make, device: str) -> TrainingSet:
        """What was begun under this key, or what `make` makes now. An error of the thread is raised here, where it is
        this unit's; pictures that nobody asked for are waited for and dropped, for a renderer serves one at a time."""
        job, self.job = self.job, None
        if job is None:
            return make()
        error = job[1].exception()
        if job[0] != key:
            return make()
        if error is not None:
            raise error
        found = job[1].result()
        if device.startswith("cuda"):
            import torch

            for tensor in (found.image_NCHW, found.label_N, found.object_N):
                tensor.record_stream(torch.cuda.current_stream(torch.device(device)))  # its memory is of the other one
        return found


def _in_own_stream(make: Make, device: str) -> TrainingSet:
    if not device.startswith("cuda"):
        return make()
    import torch

    stream = torch.cuda.Stream(torch.device(device))
    with torch.cuda.device(stream.device), torch.cuda.stream(stream):
        made = make()
    stream.synchronize()  # this thread waits, not the one that trains
    return made


#: This process's.
AHEAD = Ahead()
