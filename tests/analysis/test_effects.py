from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from t2s_offline.analysis.effects import OVERALL, effect_rows, report, share_rows
from t2s_offline.analysis.ties import restrict
from t2s_offline.cli.effects import effects as command
from t2s_offline.cli.effects import few_degrees
from t2s_offline.errors import BadInput
from t2s_offline.matrix import RewardMatrix
from t2s_offline.space import SimSpace
from t2s_offline.store.reward_store import RewardStore
from tests.planted import space_of


def table(space: SimSpace, noise: float = 0.0, tasks: int = 3) -> RewardMatrix:
    """p0 adds 4 points, p1 takes 2, both together add 3 more."""
    digit = space.digits_CP
    reward_C = 50.0 + 4.0 * digit[:, 0] - 2.0 * digit[:, 1] + 3.0 * digit[:, 0] * digit[:, 1]
    noise_TC = np.random.default_rng(0).normal(0, noise, (tasks, len(space))) if noise else np.zeros((tasks, 1))
    return RewardMatrix("r", "knn5", space, tuple(f"t{i}" for i in range(tasks)), (reward_C + noise_TC)[..., None])


def test_planted_effects_are_found() -> None:
    found = report(table(space_of(2, 2, 2, 2)))
    by_name = {effect.effect: effect for effect in found.effects if effect.task == "t0"}
    assert by_name["p0"].percent == pytest.approx(4 + 1.5)
    assert by_name["p1"].percent == pytest.approx(-2 + 1.5)
    assert by_name["p0 × p1"].percent == pytest.approx(1.5)
    assert by_name["p2"].percent == pytest.approx(0, abs=1e-9)
    assert sum(effect.share for effect in by_name.values()) == pytest.approx(1)
    assert found.shares[1].by_degree[0] == pytest.approx(by_name["p0"].share + by_name["p1"].share)


def test_intervals_cover_the_planted_effect() -> None:
    found = report(table(space_of(*[2] * 6), noise=1.0, tasks=12))
    own = [effect for effect in found.effects if effect.effect == "p0" and effect.task != OVERALL]
    assert sum(effect.low < 5.5 < effect.high for effect in own) >= 10
    overall = next(effect for effect in found.effects if effect.task == OVERALL and effect.effect == "p0")
    assert overall.low < 5.5 < overall.high
    assert overall.high - overall.low < own[0].high - own[0].low


def test_levels_of_a_wider_parameter() -> None:
    space = space_of(3, 2)
    reward_C = np.array([0.0, 0.0, 2.0, 2.0, 7.0, 7.0]) + 40
    matrix = RewardMatrix("r", "knn5", space, ("t",), reward_C[None, :, None])
    by_name = {effect.effect: effect.percent for effect in report(matrix).effects}
    assert by_name["p0[1]"] == pytest.approx(2.0)  # level 1 against level 0
    assert by_name["p0[2]"] == pytest.approx(6.0)  # level 2 against the mean of levels 0 and 1
    assert by_name["p1"] == pytest.approx(0.0, abs=1e-9)


def test_a_fraction_states_its_aliases() -> None:
    space = space_of(2, 2, 2, 2)
    half = np.flatnonzero(space.digits_CP.sum(axis=1) % 2 == 0)
    found = report(restrict(table(space), half))
    assert not found.shares
    pair = next(effect for effect in found.effects if effect.effect == "p0 × p1" and effect.task == "t0")
    assert pair.aliased == ("p2 × p3",)
    assert pair.percent == pytest.approx(1.5)
    assert any(line == "aliased: p0 × p1 = p2 × p3" for line in found.notes)
    assert np.isfinite([effect.percent for effect in found.effects]).all()
    with pytest.raises(BadInput, match="fraction"):
        share_rows(found)


def test_too_little_is_refused() -> None:
    with pytest.raises(BadInput, match="expected at least 2"):
        report(restrict(table(space_of(2, 2)), np.array([1])))
    with pytest.raises(BadInput, match="degree 3"):
        report(table(space_of(2, 2)), most=3)


def test_constant_rewards_have_no_effects() -> None:
    matrix = RewardMatrix("r", "knn5", space_of(2, 2, 2), ("t",), np.full((1, 8, 1), 30.0))
    assert all(effect.percent == pytest.approx(0, abs=1e-9) and effect.share == 0 for effect in report(matrix).effects)


def test_rows_are_ordered_by_strength() -> None:
    columns, rows = effect_rows(report(table(space_of(2, 2, 2))), top=3, by_task=False)
    assert columns[:3] == ["task", "effect", "percent"]
    assert [row[1] for row in rows] == ["p0", "p0 × p1", "p1"]


def test_command(tiny_store: RewardStore, tmp_path: Path) -> None:
    run = CliRunner().invoke(command, ["--store", str(tiny_store.path), "--format", "json", "--task", "cars"])
    assert run.exit_code == 0, run.output
    rows = json.loads(run.stdout)
    assert {row["effect"] for row in rows} >= {"rotation", "light", "blur"}
    main = [abs(row["percent"]) for row in rows if row["effect"] in ("rotation", "light", "blur")]
    np.testing.assert_allclose(main, 10.0)
    run = CliRunner().invoke(command, ["--store", str(tiny_store.path), "--degrees"])
    assert run.exit_code == 0
    assert "d1" in run.stdout


def test_published_shares(published_store: RewardStore) -> None:
    found = report(published_store.matrix())
    np.testing.assert_allclose(found.shares[0].by_degree[:5], [0.535, 0.234, 0.092, 0.066, 0.046], atol=0.001)


def test_a_table_of_degrees_fits_a_terminal() -> None:
    columns, rows = few_degrees(["task", *(f"d{at}" for at in range(1, 9)), "noise"], [["CUB", *range(1, 9), 0.5]])
    assert columns == ["task", "d1", "d2", "d3", "d4", "d5+", "noise"]
    assert rows == [["CUB", 1, 2, 3, 4, 5 + 6 + 7 + 8, 0.5]]
    assert few_degrees(["task", "d1", "d2"], [["a", 1, 2]]) == (["task", "d1", "d2"], [["a", 1, 2]])
