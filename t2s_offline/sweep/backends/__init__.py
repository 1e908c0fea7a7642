"""Where the units of a sweep are done. A backend is one class in one file.

`in_process` does one after another here, `processes` several at once on this machine, `dask_cluster` on the workers of
a Dask cluster. A further one (Ray, submitit) is a file with a class that has `outcomes`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Protocol

from t2s_offline.sweep.node import environments
from t2s_offline.sweep.run_unit import Outcome
from t2s_offline.sweep.worker import SweepContext, Unit


class Backend(Protocol):
    """Does the units of a sweep somewhere."""

    def outcomes(self, units: Iterator[Unit], context: SweepContext) -> Generator[Outcome, None, None]:
        """Do units and give the outcome of each when it ends, in any order.

        units: each is claimed when it is taken, so take one only when a worker is free for it. When an outcome is given
        the unit's rows are complete shards in the spool of the context's store, and nobody changes them. A unit whose
        worker ended is an Outcome "lost" or is tried on another worker; when the process is asked to leave
        (`leave.asked`), units end as "left". Closing the generator ends every worker.
        """
        ...


def local_backend(context: SweepContext) -> Backend:
    """This process for one worker, else so many processes of this machine."""
    from t2s_offline.sweep.backends.in_process import InProcess
    from t2s_offline.sweep.backends.processes import Processes

    if context.workers == 1:
        return InProcess()
    return Processes(environments(context.device, context.workers))
