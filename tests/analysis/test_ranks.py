"""Rankings against planted truth: intervals hold, chances are what they say, ties are ties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from t2s_offline.analysis.intervals import paired
from t2s_offline.analysis.oracle import floor_of
from t2s_offline.analysis.posterior import Known, known_of, more_seeds, rank_configurations, without_seeds
from t2s_offline.analysis.ranked_tasks import configuration_rows, ranked_tasks, task_rows
from t2s_offline.analysis.ranks import more_tasks, rank, rank_learners
from t2s_offline.errors import BadInput
from tests.analysis.test_oracle import SPACE, tables

RNG = np.random.default_rng


@pytest.mark.parametrize("noise_sd", [0.3, 1.5])
def test_rank_intervals_of_configurations_hold_and_chances_are_what_they_say(noise_sd: float) -> None:
    true_TC, table = tables(noise_sd, tasks=120)
    whole, chance, hit = [], [], []
    for task, true_C in zip(table.tasks, true_TC, strict=True):
        found = rank_configurations(table, known_of(table, task))
        true_rank = {table.space.configurations[at]: 1 + int((true_C > value).sum()) for at, value in enumerate(true_C)}
        whole.append(all(place.low <= true_rank[place.name] <= place.high for place in found.places))
        chance.append(found.places[0].p_best)
        hit.append(true_rank[found.places[0].name] == 1)
        assert sum(place.p_best for place in found.places) == pytest.approx(1)
        assert [place.mean for place in found.places] == sorted((place.mean for place in found.places), reverse=True)
    assert np.mean(whole) >= 0.93, "all 64 at once"
    assert np.mean(chance) == pytest.approx(np.mean(hit), abs=0.12), "calibrated"


def test_where_there_is_no_signal_all_are_tied() -> None:
    _, table = tables(1.0, tasks=40)
    noise = replace(table, accuracy_TCS=RNG(3).normal(50, 1, table.accuracy_TCS.shape))
    found = [rank_configurations(noise, known_of(noise, task)) for task in noise.tasks]
    assert np.mean([ranking.separate > 0 for ranking in found]) <= 0.15
    assert np.mean([ranking.places[-1].group == 1 for ranking in found]) >= 0.85
    assert all(ranking.pairs == 64 * 63 // 2 for ranking in found)
    assert any(ranking.more is None for ranking in found), "no number of seeds separates what is equal"


def test_what_a_seed_adds_to_all_is_no_noise() -> None:
    true_TC, table = tables(0.01, tasks=1)
    partial = table.accuracy_TCS.copy()
    partial[0, 10:, 1] = np.nan  # a second seed on the first ten alone
    known = known_of(replace(table, accuracy_TCS=partial), "task00")
    assert known.noise < 0.001
    assert np.ptp(known.mean_N - true_TC[0]) < 0.1
    assert np.ptp(without_seeds(partial[0]) - true_TC[0]) < 0.1


def test_groups_and_rank_intervals_follow_from_the_pairs() -> None:
    """a and b are tied, c is clearly worse than a alone, d than all."""
    p = {"ab": 0.5, "ac": 1e-4, "ad": 1e-4, "bc": 0.5, "bd": 1e-4, "cd": 1e-4}
    found = rank(list("abcd"), np.array([1.0, 2.0, 3.0, 4.0]), list(p.values()), np.array([0.7, 0.3, 0, 0]), more=3)
    assert [(place.name, place.low, place.high, place.group) for place in found.places] == [
        ("a", 1, 2, 1), ("b", 1, 3, 1), ("c", 2, 3, 2), ("d", 4, 4, 3),
    ]  # fmt: skip
    assert (found.pairs, found.separate, found.more) == (6, 4, 3)


def test_holm_counts_every_pair() -> None:
    p = [0.01, *[0.9] * 9]
    found = rank(list("abcde"), np.arange(5.0), p, np.full(5, 0.2), more=None)
    assert found.separate == 0, ".01 of ten pairs is .1"


def test_learners_that_differ_separate_and_equal_ones_do_not() -> None:
    task_T = RNG(0).gamma(1.5, 0.3, 30)
    regret = {"good": task_T, "same": task_T.copy(), "bad": task_T + RNG(1).normal(0.5, 0.2, 30)}
    found = rank_learners(regret)
    assert [(place.name, place.low, place.high, place.group) for place in found.places] == [
        ("good", 1, 2, 1), ("same", 1, 2, 1), ("bad", 3, 3, 2),
    ]  # fmt: skip
    assert [place.p_best for place in found.places] == pytest.approx([0.5, 0.5, 0.0])
    assert (found.pairs, found.separate, found.more) == (3, 2, None)


def test_false_separations_of_equal_learners_are_rare() -> None:
    rng = RNG(5)
    wrong = sum(rank_learners({name: rng.gamma(2, 0.3, 20) for name in "abcd"}).separate > 0 for _ in range(40))
    assert wrong <= 5


def test_learners_with_seeds_and_one_task() -> None:
    found = rank_learners({"a": RNG(0).normal(1, 0.1, (12, 3)), "b": RNG(1).normal(3, 0.1, (12, 1))})
    assert (found.separate, found.more) == (1, 0)
    alone = rank_learners({"a": np.array([1.0]), "b": np.array([2.0])})
    assert alone.separate == 0
    assert np.isnan(alone.places[0].p_best)
    assert (alone.places[0].low, alone.places[0].high) == (1, 2)


def test_so_many_more_tasks_separate_two_in_four_of_five_trials() -> None:
    rng = RNG(4)
    base = rng.standard_normal(20)
    gap_T = 0.4 + (base - base.mean()) / base.std(ddof=1)
    more = more_tasks(gap_T, np.zeros(20))
    assert more is not None
    assert 20 + more == pytest.approx((2.8016 / 0.4) ** 2, abs=1)
    clear = [paired(rng.normal(0.4, 1, 20 + more), np.zeros(20 + more)).clear for _ in range(60)]
    assert 0.65 <= np.mean(clear) <= 0.93
    assert more_tasks(gap_T * 0, np.zeros(20)) is None
    assert more_tasks(gap_T + 9, np.zeros(20)) == 0


def test_so_many_more_seeds() -> None:
    known = Known("t", np.arange(3), np.array([51.0, 50.0, 40.0]), np.full(3, 2.0), 1e6, 1.0, 100)
    assert more_seeds(known) == pytest.approx(2 * 2.8016**2 - 2, abs=1)
    assert more_seeds(replace(known, signal=0.0)) is None
    assert more_seeds(replace(known, mean_N=np.array([60.0, 50.0, 40.0]))) == 0
    assert more_seeds(replace(known, signal=0.5)) > more_seeds(known), "the best two were picked for being high"


def test_unknown_noise_is_said() -> None:
    _, table = tables(1.0, tasks=1)
    part = table.accuracy_TCS[:, :, :1].copy()
    part[0, :10] = np.nan
    with pytest.raises(BadInput, match="second seed"):
        known_of(replace(table, accuracy_TCS=part), "task00")
    assert len(SPACE) == 64


def test_rows_of_tasks_and_configurations() -> None:
    _, table = tables(1.0, tasks=3)
    found = ranked_tasks(table)
    columns, rows = task_rows(found)
    assert [row[columns.index("tied")] for row in rows] == sorted(one.tied for one in found)
    by_task = {one.task: one for one in found}
    for row in rows:
        told = dict(zip(columns, row, strict=True))
        one = by_task[str(told["task"])]
        assert told["best"] == one.ranking.places[0].name
        assert told["floor"] == pytest.approx(floor_of(table, one.task).regret)
        assert one.tied == sum(place.group == 1 for place in one.ranking.places)
        assert told["apart"] == pytest.approx(100 * one.ranking.separate / 2016)
    columns, rows = configuration_rows(found[0], 5)
    assert len(rows) == 5
    assert [row[columns.index("low")] for row in rows] == sorted(row[columns.index("low")] for row in rows)
