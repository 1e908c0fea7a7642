"""Twenty thousand files and texts that were changed at random, others at every run. `make soak`.

T2S_FUZZ_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import resource
from pathlib import Path

from tests.fuzz.cases import Corpus, fuzz

CASES, PART = 20_000, 1000


def test_twenty_thousand_cases(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    begin = int(os.environ.get("T2S_FUZZ_SEED") or random.randrange(1 << 30))
    failures = {}
    part = 0
    while corpus.ran < CASES:  # Hypothesis ends a part sooner when it finds no new cases
        failures |= fuzz(corpus, PART, seed=begin + part)
        part += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"T2S_FUZZ_SEED={begin}: {corpus.ran} cases, slowest {corpus.slowest:.1f} CPU s, {peak:.1f} GB at most")
    for key, (count, wrong, content) in failures.items():
        print(f"{count} times {key}: {wrong}\n    {content[:400]!r}")
    assert not failures
