"""Designs: the right configurations, and effects that can be told apart as far as the resolution says."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.space import TASK2SIM, SimSpace
from t2s_offline.sweep.design import make_design

MIXED = SimSpace.parse("a:3,b:2,c:4")


def contrasts(configurations: tuple[str, ...], order: int) -> dict[frozenset[int], np.ndarray]:
    """Columns of +-1 of all effects up to an order."""
    sign = 1 - 2 * np.array([[int(digit) for digit in row] for row in configurations])
    return {
        frozenset(at): sign[:, at].prod(axis=1)
        for size in range(1, order + 1)
        for at in combinations(range(sign.shape[1]), size)
    }


@pytest.mark.parametrize(("runs", "resolution"), [(16, 4), (32, 4), (64, 5), (128, 8), (256, None)])
def test_fractions_of_the_papers_space(runs: int, resolution: int | None) -> None:
    """The best resolutions there are for 8 two-level parameters (Box, Hunter and Hunter, table of designs)."""
    design = make_design({"kind": "fractional", "runs": runs})
    assert len(set(design.configurations)) == runs
    assert design.resolution == resolution
    assert TASK2SIM.all_off in design.configurations
    if resolution is None:
        return
    keep = (resolution - 1) // 2  # effects up to this order are orthogonal to each other
    columns = contrasts(design.configurations, keep)
    for (_, one), (_, two) in combinations(columns.items(), 2):
        assert one @ two == 0
    assert all(column.sum() == 0 for column in columns.values())


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"kind": "fractional"}, "runs is missing"),
        ({"kind": "random"}, "runs is missing"),
        ({"kind": "list"}, "configurations is missing"),
        ({"kind": "fractional", "runs": 16.0}, r"runs = 16\.0; expected a whole number"),
        ({"kind": "random", "runs": True}, "runs = True; expected a whole number"),
        ({"kind": "random", "runs": "9"}, "runs = '9'; expected a whole number"),
        ({"kind": "random", "runs": 9, "seed": 0.5}, r"seed = 0\.5; expected a whole number"),
        ({"kind": "fractional", "runs": -4}, "expected a power of two"),
        ({"kind": "random", "runs": 10**9}, "expected 1 to 256"),
        ({"kind": "list", "configurations": "00000000"}, "expected a list of configurations"),
        ({"kind": "list", "configurations": [0]}, "expected a list of configurations"),
        ({"kind": "list", "configurations": [["00000000"]]}, "expected a list of configurations"),
    ],
)
def test_a_design_without_what_its_kind_needs(table: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        make_design(table)
    assert "\n" not in str(caught.value)


def test_words_are_what_is_aliased() -> None:
    design = make_design({"kind": "fractional", "runs": 16})
    sign = 1 - 2 * np.array([[int(digit) for digit in row] for row in design.configurations])
    assert len(design.words) == 15
    for word in design.words:
        at = [position for position in range(8) if word >> position & 1]
        assert (sign[:, at].prod(axis=1) == 1).all()


def test_full_and_random() -> None:
    assert set(make_design({"kind": "full"}).configurations) == set(TASK2SIM)
    few = make_design({"kind": "random", "runs": 10}, MIXED).configurations
    more = make_design({"kind": "random", "runs": 20}, MIXED).configurations
    assert more[:10] == few
    assert len(set(more)) == 20
    assert make_design({"kind": "random", "runs": 10, "seed": 1}, MIXED).configurations != few


def test_one_at_a_time_list_and_table1() -> None:
    assert make_design({"kind": "one_at_a_time"}, MIXED).configurations == (
        "000", "100", "200", "010", "001", "002", "003", "213",
    )  # fmt: skip
    assert make_design({"kind": "list", "configurations": ["213", "000", "213"]}, MIXED).configurations == (
        "213",
        "000",
    )
    assert make_design({"kind": "table1"}).configurations == (
        "11000000",
        "11111000",
        "11111100",
        "11111101",
        "11111111",
    )


@pytest.mark.parametrize(
    "table",
    [
        {"kind": "fractional", "runs": 48},
        {"kind": "fractional", "runs": 512},
        {"kind": "fractional", "runs": 2},
        {"kind": "random", "runs": 0},
        {"kind": "random", "runs": 257},
        {"kind": "list", "configurations": []},
        {"kind": "list", "configurations": ["0000000"]},
    ],
)
def test_designs_that_cannot_be(table: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        make_design(table)


def test_unknown_words_name_the_nearest() -> None:
    with pytest.raises(UnknownName, match="fractional"):
        make_design({"kind": "fractionl"})
    with pytest.raises(UnknownName, match="runs"):
        make_design({"kind": "random", "run": 3})
    with pytest.raises(BadInput, match="two levels"):
        make_design({"kind": "fractional", "runs": 8}, MIXED)


def test_configurations_named_besides_come_first_and_once() -> None:
    table = {"kind": "fractional", "runs": 16, "also": ["11111111", "00000000"]}
    design, plain = make_design(table), make_design({"kind": "fractional", "runs": 16})
    assert design.configurations[:2] == ("11111111", "00000000")
    assert set(design.configurations) == {*plain.configurations, "11111111"}
    assert design.resolution == plain.resolution
    with pytest.raises(BadInput, match="expected 8"):
        make_design(table | {"also": ["111"]})
    with pytest.raises(BadInput, match="expected a list"):
        make_design(table | {"also": "11111111"})


def test_nested_visits_everything_in_balanced_quarters() -> None:
    design = make_design({"kind": "nested", "runs": 64})
    assert set(design.configurations) == set(TASK2SIM)
    assert len(design.configurations) == 256
    assert design.configurations[:64] == make_design({"kind": "fractional", "runs": 64}).configurations
    for quarter in np.array([[int(digit) for digit in name] for name in design.configurations]).reshape(4, 64, 8):
        signs = 2 * quarter - 1
        assert not signs.sum(0).any(), "each level as often"
        assert np.array_equal(signs.T @ signs, 64 * np.eye(8)), "each pair of levels as often"
    assert design.resolution is None
