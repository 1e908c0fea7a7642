"""What a sweep tells while it runs, on stderr: a bar on a terminal, else lines for a log, or JSON for programs.

JSON is one object an event, with the keys `event` and `time` (UTC) and, by event:

- start: missing, total (units)
- unit: unit, recipe, configuration, seed, status (done, failed), attempt, error, rows, render_seconds, train_seconds,
  measure_seconds, and the counts done, total, failed, seconds_left (null when not known)
- waiting, every QUIET seconds without a unit: seconds, done, total, failed, seconds_left
- leaving: the process was asked to leave at the end of the epoch
- end: done, total, failed, seconds
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from t2s_offline.cli.options import Bar, note
from t2s_offline.sweep import leave
from t2s_offline.sweep.run_unit import Outcome

QUIET = 30.0  # seconds without a line after which one says that the sweep goes on


class SweepLog:
    """Counts the units of a sweep, and tells each by `say`. `missing`: units to do; `total`: all of the sweep."""

    def __init__(self, missing: int, total: int) -> None:
        self.missing, self.total, self.done = missing, total, total - missing
        self.failed: set[str] = set()
        self.worked = 0
        self.begin = self.last = time.monotonic()
        self.closed, self.told_leaving = threading.Event(), False
        self.say("start", {"missing": missing, "total": total})
        threading.Thread(target=self._watch, daemon=True).start()

    def update(self, outcome: Outcome, done: int, total: int) -> None:
        """A unit has ended."""
        unit, self.done, self.total = outcome.unit, done, total
        (self.failed.add if outcome.status == "failed" else self.failed.discard)(unit.name)
        self.worked += outcome.status == "done" and outcome.rows > 0
        facts = {"unit": unit.name, "recipe": unit.recipe_id, "configuration": unit.configuration, "seed": unit.seed}
        of = ("status", "attempt", "error", "rows", "render_seconds", "train_seconds", "measure_seconds")
        self.say("unit", facts | {name: getattr(outcome, name) for name in of} | self.counts())

    def counts(self) -> dict[str, Any]:
        spent, left = time.monotonic() - self.begin, self.total - self.done
        rest = left * spent / self.worked if self.worked else None
        return {"done": self.done, "total": self.total, "failed": len(self.failed), "seconds_left": rest}

    def close(self) -> None:
        if not self.closed.is_set():
            self.closed.set()
            counts = self.counts()
            del counts["seconds_left"]
            self.say("end", counts | {"seconds": time.monotonic() - self.begin})

    def say(self, event: str, facts: dict[str, Any]) -> None:
        self.last = time.monotonic()
        self.show(event, facts)

    def show(self, event: str, facts: dict[str, Any]) -> None:
        """Tell an event; by each way of telling."""
        raise NotImplementedError

    def _watch(self) -> None:
        while not self.closed.wait(0.5):
            if leave.asked() and not self.told_leaving:
                self.told_leaving = True
                self.say("leaving", {})
            elif time.monotonic() - self.last >= QUIET:
                self.say("waiting", {"seconds": time.monotonic() - self.begin} | self.counts())


class JsonLog(SweepLog):
    """One JSON object an event."""

    def show(self, event: str, facts: dict[str, Any]) -> None:
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        click.echo(json.dumps({"event": event, "time": when, **facts}), err=True)


class LineLog(SweepLog):
    """Plain lines, for a file."""

    def show(self, event: str, facts: dict[str, Any]) -> None:
        if event == "start":
            note(f"{facts['missing']} of {facts['total']} configurations to do")
        elif event == "leaving":
            note("asked to leave: nothing further is begun")
        elif event == "end":
            pass  # the last line on stdout, or that of an error, says it
        else:
            where = f"{facts['done']}/{facts['total']}"
            what = _told(facts) if event == "unit" else f"working for {duration(facts['seconds'])}"
            rest = facts["seconds_left"]
            left = f", {duration(rest)} left" if rest is not None else ""
            note(f"{where} {what}, {facts['failed']} failed{left}")


class BarLog(SweepLog):
    """A bar on a terminal, and a line for every failure."""

    def __init__(self, missing: int, total: int) -> None:
        self.bar, self.seen = Bar("sweep", "configuration"), 0
        super().__init__(missing, total)

    def show(self, event: str, facts: dict[str, Any]) -> None:
        if event == "leaving":
            note("asked to leave: nothing further is begun")
        elif event == "end":
            self.bar.close()
        elif event == "unit" and facts["status"] == "failed":
            note(_told(facts))
        elif event == "unit":
            self.seen += 1
            self.bar(self.seen, max(self.missing, self.seen))


def _told(facts: dict[str, Any]) -> str:
    if facts["status"] == "failed":
        return f"failed: {facts['unit']}, attempt {facts['attempt']}: {facts['error']}"
    seconds = facts["render_seconds"] + facts["train_seconds"] + facts["measure_seconds"]
    return f"{facts['unit']} {duration(seconds)}"


def duration(seconds: float) -> str:
    """Seconds for people: ``4.2 s``, ``95 s``, ``12 min``, ``3.4 h``."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def opened_log(as_json: bool, missing: int, total: int) -> Iterator[SweepLog]:
    """The way of telling that fits stderr; closed at the end."""
    import sys

    kind = JsonLog if as_json else BarLog if sys.stderr.isatty() else LineLog
    log = kind(missing, total)
    try:
        yield log
    finally:
        log.close()
