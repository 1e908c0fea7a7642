"""Which configurations a sweep visits, in which order.

Kinds: full, fractional (2^(P-k), the resolution stated), nested (full, such a fraction first), random, one_at_a_time,
list, table1 (the paper's Table 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from t2s_offline.errors import BadInput, check_known
from t2s_offline.seeds import derive_rng
from t2s_offline.space import TASK2SIM, SimSpace

MAX_SEARCH = 500_000
ROMAN = {3: "III", 4: "IV", 5: "V", 6: "VI", 7: "VII", 8: "VIII", 9: "IX", 10: "X"}


@dataclass(frozen=True)
class Design:
    """Configurations to visit. `words`: for a fraction, the sets of parameters whose effects cannot be told apart from
    a constant, as bit masks over positions; two effects are aliased when their difference is such a word."""

    kind: str
    configurations: tuple[str, ...]
    words: tuple[int, ...] = ()

    @property
    def resolution(self) -> int | None:
        """Least number of parameters in a word: V keeps main effects and pairs apart from each other."""
        return min((word.bit_count() for word in self.words), default=None)

    def __str__(self) -> str:
        resolution = f", resolution {ROMAN.get(self.resolution, self.resolution)}" if self.resolution else ""
        return f"{self.kind}, {len(self.configurations)} configurations{resolution}"


def make_design(table: Mapping[str, Any], space: SimSpace = TASK2SIM) -> Design:
    """The design of a [design] table: its `kind` and what that kind needs; `also` names configurations to visit first,
    such as 11111111, which no fraction need have."""
    settings = dict(table)
    also = settings.pop("also", [])
    if not isinstance(also, list) or not all(isinstance(configuration, str) for configuration in also):
        raise BadInput(f"[design] also = {also!r}; expected a list of configurations as texts")
    kind = check_known("design", str(settings.pop("kind", "full")), KINDS)
    allowed, make = KINDS[kind]
    for key in settings:
        check_known(f"key in [design] of kind {kind}", key, allowed)
    for key in allowed:
        if key not in settings and key != "seed":
            raise BadInput(f"[design] {key} is missing; a design of kind {kind} needs it")
        if key != "configurations" and type(settings.get(key, 0)) is not int:
            raise BadInput(f"[design] {key} = {settings[key]!r}; expected a whole number")
    design = make(space, **settings)
    for configuration in also:
        space.digits(configuration)
    return replace(design, configurations=tuple(dict.fromkeys((*also, *design.configurations))))


def full(space: SimSpace) -> Design:
    """Every configuration, in an order that spreads early ones over the space: a stopped sweep is then a random one."""
    order = derive_rng("design", "full", str(space)).permutation(len(space))
    return Design("full", tuple(space.configurations[index] for index in order))


def random(space: SimSpace, runs: int, seed: int = 0) -> Design:
    """`runs` different configurations drawn at random; more runs with the same seed extend fewer."""
    if not 1 <= runs <= len(space):
        raise BadInput(f"[design] runs = {runs}; expected 1 to {len(space)}")
    order = derive_rng("design", "random", str(space), seed).permutation(len(space))[:runs]
    return Design("random", tuple(space.configurations[index] for index in order))


def one_at_a_time(space: SimSpace) -> Design:
    """Nothing varied, then each parameter alone at each of its levels, then everything."""
    rows = [[0] * len(space.params)]
    for position, param in enumerate(space.params):
        for level in range(1, param.levels):
            rows.append([level if at == position else 0 for at in range(len(space.params))])
    configurations = [space.configuration(row) for row in rows] + [space.domain_randomization]
    return Design("one_at_a_time", tuple(dict.fromkeys(configurations)))


def listed(space: SimSpace, configurations: Sequence[str]) -> Design:
    """These configurations, in this order."""
    if not isinstance(configurations, list) or not all(isinstance(name, str) for name in configurations):
        raise BadInput("[design] configurations: expected a list of configurations as texts")
    if not configurations:
        raise BadInput("[design] configurations = []; expected one or more")
    for configuration in configurations:
        space.digits(configuration)
    return Design("list", tuple(dict.fromkeys(configurations)))


def table1(space: SimSpace) -> Design:
    """The paper's Table 1: pose, then lighting, blur, materials and background added one after another."""
    lights = "light_intensity light_colour light_direction"
    added = ("object_rotation object_distance", lights, "focus_blur", "materials")
    digits, rows = [0] * len(space.params), []
    for names in (*added, "background"):
        for name in names.split():
            digits[space.position(name)] = space.params[space.position(name)].levels - 1
        rows.append(space.configuration(digits))
    return Design("table1", tuple(rows))


def fractional(space: SimSpace, runs: int) -> Design:
    """The 2^(P-k) of 2^P configurations of highest resolution, then of least aberration; 0...0 is among them."""
    params = len(space.params)
    if any(param.levels != 2 for param in space.params):
        raise BadInput("[design] fractional needs parameters of two levels; use random or full")
    base = runs.bit_length() - 1
    if runs != 1 << base or not 2 <= base <= params:
        allowed = ", ".join(str(1 << power) for power in range(2, params + 1))
        raise BadInput(f"[design] runs = {runs}; expected a power of two: {allowed}")
    generators = best_generators(params, base)
    rows = []
    for index in np.arange(1 << base):
        bits = [int(index >> (base - 1 - at)) & 1 for at in range(base)]
        bits += [sum(bits[at] for at in generator) % 2 for generator in generators]
        rows.append("".join(map(str, bits)))
    order = derive_rng("design", "fractional", params, runs).permutation(len(rows))
    words = defining_words(generators, base)
    return Design("fractional", tuple(rows[row] for row in order), tuple(sorted(words)))


def nested(space: SimSpace, runs: int) -> Design:
    """All configurations: first the fraction of `runs` of `fractional`, then its other cosets, each a fraction of the
    same resolution: whoever stops early has a balanced part."""
    first = fractional(space, runs)
    done: dict[str, None] = dict.fromkeys(first.configurations)
    for configuration in full(space).configurations:
        if configuration in done:
            continue
        flip = [a != b for a, b in zip(configuration, first.configurations[0], strict=True)]
        coset = (
            space.configuration([int(digit) ^ turned for digit, turned in zip(other, flip, strict=True)])
            for other in first.configurations
        )
        done |= dict.fromkeys(coset)
    return Design("nested", tuple(done))


def defining_words(generators: Sequence[Sequence[int]], base: int) -> list[int]:
    """Every product of the words (generated parameter x its generator), as bit masks; 2^k - 1 of them."""
    words = [0]
    for number, generator in enumerate(generators):
        word = sum(1 << at for at in generator) | 1 << (base + number)
        words += [word ^ other for other in words]
    return words[1:]


def best_generators(params: int, base: int) -> tuple[tuple[int, ...], ...]:
    """Sets of base parameters whose parity makes each further one: the choice whose shortest words are longest."""
    candidates = [word for size in range(base, 1, -1) for word in combinations(range(base), size)]
    extra = params - base
    if extra > len(candidates) or comb(len(candidates), extra) > MAX_SEARCH:
        raise BadInput(f"[design] a fraction of {1 << base} runs for {params} parameters is not tabled; use more runs")

    def aberration(choice: Sequence[Sequence[int]]) -> tuple[int, ...]:
        lengths = [word.bit_count() for word in defining_words(choice, base)]
        return tuple(lengths.count(size) for size in range(1, params + 1))

    return min(combinations(candidates, extra), key=aberration)


#: kind -> (keys of its table, function)
KINDS: dict[str, tuple[tuple[str, ...], Callable[..., Design]]] = {
    "full": ((), full),
    "fractional": (("runs",), fractional),
    "nested": (("runs",), nested),
    "random": (("runs", "seed"), random),
    "one_at_a_time": ((), one_at_a_time),
    "list": (("configurations",), listed),
    "table1": ((), table1),
}
