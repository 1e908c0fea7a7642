"""`make bench`: every benchmark, one after another; each prints a table. No test asserts a time."""

from __future__ import annotations

import runpy
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
    print(f"\n== {path.stem}", flush=True)
    runpy.run_module(f"tests.bench.{path.stem}", run_name="__main__")
