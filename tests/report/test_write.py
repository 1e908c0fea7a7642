"""The report: its numbers are those of compare, effects, predict and query; partial stores and hostile names."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from t2s_offline.analysis import effects
from t2s_offline.analysis.intervals import paired
from t2s_offline.analysis.seed_noise import components
from t2s_offline.analysis.ties import warning
from t2s_offline.errors import BadInput, EmptyStore
from t2s_offline.learners import compare as comparing
from t2s_offline.learners.baselines import BestFixed, DomainRandomization, Nearest, Random
from t2s_offline.learners.exact import Exact
from t2s_offline.learners.judged import judge
from t2s_offline.learners.nearest import NearestK
from t2s_offline.learners.policy import SavedPolicy
from t2s_offline.learners.predict import predict
from t2s_offline.learners.shortlist import curve
from t2s_offline.learners.surrogate import Surrogate
from t2s_offline.report.contest import LABELS
from t2s_offline.report.page import page
from t2s_offline.report.theme import COLOURS, STEPS
from t2s_offline.report.write import Report, make_report, write_report
from t2s_offline.seeds import derive_rng
from t2s_offline.store import import_export as exchange
from t2s_offline.store import schema
from t2s_offline.store.query import query
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from tests.planted import Planted, space_of
from tests.report.reported import HOSTILE, SEEN, Read, contrast, full_frames, make_store, only, specs_of

SEEN_TASKS, UNSEEN_TASKS = HOSTILE[:SEEN], HOSTILE[SEEN:]
PLAIN = tuple(f"task{at}" for at in range(8))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RewardStore:
    return make_store(tmp_path_factory.mktemp("full") / "full.duckdb", full_frames())


@pytest.fixture(scope="module")
def saved(store: RewardStore) -> SavedPolicy:
    from t2s_offline.learners.reinforce import Reinforce
    from t2s_offline.learners.train_policy import train_policy

    matrix, embeddings = store.matrix().select(SEEN_TASKS), store.embeddings().select(SEEN_TASKS)
    learner = Reinforce(epochs=150, hidden=8, warmup_epochs=10, imitation_start=20, learning_rate=0.03)
    trained = train_policy(learner, matrix, embeddings, seeds=range(1), on_miss="error", live=None, jobs=1)
    return SavedPolicy(trained.policy, trained.card)


@pytest.fixture(scope="module")
def made(store: RewardStore, saved: SavedPolicy) -> Report:
    return make_report(store, policy=saved)


def asked(store: RewardStore, sql: str) -> list[dict[str, Any]]:
    columns, rows = query(store, sql)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def rows_of(made: Report, key: str) -> list[dict[str, Any]]:
    table = made.figure(key).table
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def marks_of(spec: Any) -> list[dict[str, Any]]:
    """Every row of data in a specification."""
    sets = [*spec.get("datasets", {}).values(), *(layer.get("data", {}).get("values", []) for layer in spec["layer"])]
    return [row for rows in sets for row in rows]


def test_everything_is_there(made: Report) -> None:
    assert [section.key for section in made.sections] == [
        "tasks", "worst", "means", "leave-one-out", "curve", "distribution", "policy", "effects", "noise", "proxy",
        "map", "coverage",
    ]  # fmt: skip
    assert made.missing == ()
    assert all(figure.summary and figure.table.rows and figure.panels for figure in made.figures)
    assert len({figure.key for figure in made.figures}) == len(made.figures)


def test_bars_are_the_rewards_behind_compare(made: Report, store: RewardStore) -> None:
    """Means over tasks of the bars are the rewards of compare; single bars those of the configuration acted on."""
    matrix, embeddings = store.matrix(), store.embeddings()
    learners = (Random(), DomainRandomization(), BestFixed(), Nearest())
    found = comparing.compare(matrix, embeddings, learners, comparing.seen_unseen(SEEN_TASKS, UNSEEN_TASKS))
    for row in found.rows:
        if row.learner == comparing.TRUE_BEST:  # a simulation of all tasks, not what a choice obtains on one
            continue
        bars = rows_of(made, f"bars-{row.split}")
        assert len(bars) == row.tasks
        assert np.mean([bar[row.learner] for bar in bars]) == pytest.approx(row.reward)
    acted = BestFixed().fit(matrix.select(SEEN_TASKS), embeddings.select(SEEN_TASKS), rng=np.random.default_rng(0))
    at = int(acted.probability_C.argmax())
    for bar in rows_of(made, "bars-unseen"):
        assert bar["best_fixed"] == pytest.approx(matrix.reward_TC[matrix.position(bar["task"]), at])
    drawn = marks_of(made.figure("bars-unseen").panels[0].spec)
    of = {(row["task"], row["learner"]): row["value"] for row in drawn}
    for bar in rows_of(made, "bars-unseen"):
        assert all(of[bar["task"], LABELS[name]] == bar[name] for name in ("oracle", "best_fixed", "policy"))


def test_the_policys_bars_are_what_predict_says(made: Report, store: RewardStore, saved: SavedPolicy) -> None:
    matrix, embeddings = store.matrix(), store.embeddings()
    for bar in (*rows_of(made, "bars-seen"), *rows_of(made, "bars-unseen")):
        assert bar["policy"] == pytest.approx(predict(saved, embeddings, bar["task"], matrix).reward)


def test_worst_tasks_stand_first(made: Report) -> None:
    rows = rows_of(made, "worst")
    regrets = [row["normalised_policy"] for row in rows]
    assert regrets == sorted(regrets, reverse=True)
    assert {row["task"] for row in rows} == set(HOSTILE)
    assert all(row["regret"] == pytest.approx(row["best"] - row["reward"]) for row in rows)


def test_probabilities_are_those_of_predict(made: Report, store: RewardStore, saved: SavedPolicy) -> None:
    embeddings = store.embeddings()
    for key, tasks in (("seen", SEEN_TASKS), ("unseen", UNSEEN_TASKS)):
        rows = rows_of(made, f"probability-{key}")
        assert {row["task"] for row in rows} == set(tasks)
        for row in rows:
            wanted = predict(saved, embeddings, row["task"]).probabilities
            assert [row[name] for name in wanted] == pytest.approx([levels[1] for levels in wanted.values()])
        drawn = [mark for mark in marks_of(made.figure(f"probability-{key}").panels[0].spec) if "value" in mark]
        assert {(mark["y"], mark["x"], round(mark["value"], 6)) for mark in drawn} == {
            (row["task"], name, round(100 * row[name], 6)) for row in rows for name in row if name != "task"
        }


def test_leave_one_out_is_compares(made: Report, store: RewardStore) -> None:
    matrix, embeddings = store.matrix(), store.embeddings()
    fixed = (Random(), DomainRandomization(), BestFixed(), BestFixed(standardised=True))
    learners = (*fixed, Nearest(), NearestK(), Exact(), Surrogate())
    found = comparing.compare(matrix, embeddings, learners, comparing.leave_one_out(matrix.tasks))
    reported = {row["learner"]: row for row in rows_of(made, "leave-one-out")}
    judged = judge(found)
    for row in comparing.as_dicts(judged.rows):
        assert reported[row["learner"]] == row
    section = next(section for section in made.sections if section.key == "leave-one-out")
    regret = found.normalised_T["leave_one_out"]
    assert ("no winner can be named" in section.warning) == (warning(regret) is not None)
    (caption, apart) = section.tables[1]
    ranking = judged.rankings["leave_one_out"]
    assert f"{ranking.separate} of {ranking.pairs} pairs separate" in caption
    assert apart.column("rank_high") == [place.high for place in ranking.places]
    assert all(value is not None for value in apart.column("cross_regret")), "two seeds everywhere"
    best = next(row for row in judged.rows if row.learner == "true_best")
    assert "truly best" not in section.figures[0].summary, "it is nobody who chose"
    assert f"regret of {best.normalised_regret:.2f} ({best.regret:.2f} points)" in section.text[1]
    gap = paired(regret["surrogate"], regret["best_fixed"])
    told = dict(made.summary)["Leaving tasks out"]
    assert f"is {abs(gap.mean):.2f} less than that of best fixed" in told


def test_the_curve_is_measures(made: Report, store: RewardStore) -> None:
    matrix, embeddings = store.matrix(), store.embeddings()
    folds = comparing.leave_one_out(matrix.tasks)
    counts = [0, 1, 2, 4, 8, 16, 32]
    found = curve(matrix, embeddings, Surrogate(), [(fold.train, fold.test[0]) for fold in folds], counts)
    rows = {(row["learner"], row["measured"]): row for row in rows_of(made, "curve")}
    for name, reported in (
        ("surrogate", "surrogate_shortlist"),
        ("random", "random_search"),
        ("fixed_top", "fixed_top"),
    ):
        for count, reward_T in zip(counts, found[name], strict=True):
            assert rows[reported, count]["reward"] == pytest.approx(reward_T.mean())
            assert rows[reported, count]["tasks"] == 8


def test_effects_are_the_commands(made: Report, store: RewardStore) -> None:
    found = effects.report(store.matrix())
    main = {e.effect: e for e in found.effects if e.task == effects.OVERALL and e.degree == 1}
    rows = {row["effect"]: row for row in rows_of(made, "effects-main")}
    assert {name: (e.percent, e.low, e.high) for name, e in main.items()} == {
        name: (row["percent"], row["low"], row["high"]) for name, row in rows.items()
    }
    sql = asked(
        store,
        "SELECT parameter, avg(accuracy) FILTER (level = 1) - avg(accuracy) FILTER (level = 0) AS effect "
        "FROM main_effects WHERE metric = 'knn5' GROUP BY parameter",
    )
    assert {row["parameter"]: pytest.approx(row["effect"]) for row in sql} == {n: r["percent"] for n, r in rows.items()}
    assert len(rows_of(made, "effects-pairs")) == 10
    shares = {row["task"]: row for row in rows_of(made, "effects-degrees")}
    assert shares[effects.OVERALL]["d1"] == found.shares[0].by_degree[0]
    stacked: dict[str, float] = {}
    spec = made.figure("effects-degrees").panels[0].spec
    for row in (*spec.get("datasets", {}).values(), spec["data"].get("values", [])):
        for part in row:
            stacked[part["name"]] = stacked.get(part["name"], 0) + part["value"]
    assert stacked == pytest.approx(dict.fromkeys([effects.OVERALL, *HOSTILE], 100))


def test_distributions_agree_with_the_views(made: Report, store: RewardStore) -> None:
    best = {row["task"]: row for row in asked(store, "SELECT * FROM best_configuration WHERE metric = 'knn5'")}
    everything = asked(store, "SELECT task, accuracy FROM cells WHERE metric = 'knn5' AND configuration = '11111'")
    varied = {row["task"]: row["accuracy"] for row in everything}
    rows = rows_of(made, "distribution")
    figure = made.figure("distribution")
    for row, panel in zip(rows, figure.panels, strict=True):
        wanted = best[row["task"]]
        assert panel.heading == row["task"]
        assert row["best_configuration"] == wanted["configuration"]
        assert (row["best"], row["mean"]) == pytest.approx((wanted["accuracy"], wanted["mean_accuracy"]))
        assert row["domain_randomization_reward"] == pytest.approx(varied[row["task"]])
        marks = marks_of(panel.spec)
        assert sum(mark.get("count", 0) for mark in marks) == wanted["configurations"] == 32
        points = {mark["kind"]: mark["value"] for mark in marks if "kind" in mark}
        assert points["best"] == row["best"]
        assert points["chosen by the policy"] == row["chosen_reward"]
    gain = [row["best"] - row["mean"] for row in rows]
    assert gain == sorted(gain, reverse=True)
    told = dict(made.summary)["What a choice is worth"]
    assert f"{np.mean(gain):.2f} points" in told


def test_noise_is_that_of_the_command(made: Report, store: RewardStore) -> None:
    """As `t2s-offline effects --noise`."""
    found = components(store.matrix(), rng=derive_rng("noise", "r", "knn5"))
    rows = {row["task"]: row for row in rows_of(made, "noise")}
    for part in found:
        row = rows[part.task]
        assert (row["signal_sd"], row["noise_sd"], row["p_holm"]) == (part.signal_sd, part.noise_sd, part.p_holm)
        assert row["noise_sd"] == pytest.approx(0.4, rel=0.5), "as planted"
    (text,) = next(section.text for section in made.sections if section.key == "noise")
    assert f"separate on {sum(part.clear for part in found)} of 8 tasks" in text


def test_costs_are_the_stores(made: Report, store: RewardStore) -> None:
    rows = {row["stage"]: row for row in rows_of(made, "cost")}
    spent = asked(
        store, "SELECT sum(render_seconds) / 3600 AS render, sum(train_seconds) / 3600 AS train FROM backbones"
    )
    assert rows["render"]["spent_hours"] == pytest.approx(spent[0]["render"])
    assert rows["pre-train"]["spent_hours"] == pytest.approx(spent[0]["train"])
    one = store.backbone_seconds("r")
    assert one is not None
    cube = rows["render"]["cube_hours"] + rows["pre-train"]["cube_hours"]
    assert cube == pytest.approx(64 * one / 3600), "32 configurations by 2 seeds, as compare --runs counts"
    measured = asked(store, "SELECT sum(seconds) / 3600 AS hours FROM rewards WHERE metric = 'knn5'")
    assert rows["measure"]["spent_hours"] == pytest.approx(measured[0]["hours"])


def test_rank_correlations_are_those_of_sql(made: Report, store: RewardStore) -> None:
    sql = """WITH r AS (SELECT k.task, rank() OVER (PARTITION BY k.task ORDER BY k.accuracy) AS a,
                               rank() OVER (PARTITION BY k.task ORDER BY l.accuracy) AS b
                        FROM cells k JOIN cells l USING (recipe, task, configuration)
                        WHERE k.metric = 'knn5' AND l.metric = 'linear')
             SELECT task, corr(a, b) AS spearman FROM r GROUP BY task"""
    wanted = {row["task"]: row["spearman"] for row in asked(store, sql)}
    rows = rows_of(made, "proxy")
    assert {row["task"]: row["spearman"] for row in rows} == pytest.approx(wanted, abs=0.01)
    linear = {row["task"]: row["best"] for row in asked(
        store, "SELECT task, accuracy AS best FROM best_configuration WHERE metric = 'linear'")}  # fmt: skip
    chosen = {row["task"]: row["accuracy"] for row in asked(
        store, "SELECT l.task, l.accuracy FROM best_configuration b JOIN cells l USING (recipe, task, configuration) "
               "WHERE b.metric = 'knn5' AND l.metric = 'linear'")}  # fmt: skip
    assert {row["task"]: row["lost"] for row in rows} == pytest.approx({t: linear[t] - chosen[t] for t in linear})


def test_the_map_is_of_the_embeddings(made: Report, store: RewardStore) -> None:
    unit_TD = store.embeddings().unit_TD.astype(float)
    rows = rows_of(made, "similarity")
    tasks = [row["task"] for row in rows]
    order = [store.embeddings().position(task) for task in tasks]
    given = np.array([[row[task] for task in tasks] for row in rows])
    np.testing.assert_allclose(given, (unit_TD @ unit_TD.T)[order][:, order], atol=1e-6)
    groups = [list(HOSTILE).index(task) % 2 for task in tasks]
    assert sum(a != b for a, b in pairwise(groups)) == 1, "the two planted groups stay together"
    place = {row["task"]: np.array([row["x"], row["y"]]) for row in rows_of(made, "map")}
    near = np.linalg.norm(place[HOSTILE[0]] - place[HOSTILE[2]])
    assert near < np.linalg.norm(place[HOSTILE[0]] - place[HOSTILE[1]])


def test_names_are_text_wherever_they_stand(made: Report) -> None:
    html = page(made)
    read = Read(html)
    assert read.tags.count("script") == 2
    assert "img" not in read.tags
    assert html.count("</script>") == 2
    for name in HOSTILE:
        assert name in read.whole
    specs = specs_of(html)
    named = {row.get("task") for row in marks_of(specs["bars-seen"])}
    assert named == set(SEEN_TASKS)
    expressions = re.findall(r'"(?:expr|filter|calculate|labelExpr|test|signal)":"([^"]*)"', html)
    assert set(expressions) <= {"max(2, ceil(width / 110))"}, "nothing of a store is ever an expression"


def test_the_page_asks_for_nothing_and_reads_without_javascript(made: Report) -> None:
    html = page(made)
    read = Read(html)
    assert all(address.startswith(("#", "data:")) for address in read.addresses), read.addresses
    assert {address[1:] for address in read.addresses if address.startswith("#")} <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))
    assert "default-src 'none'" in html
    assert len(html.encode()) < 5_000_000
    assert 'lang="en"' in html
    assert [read.tags.count(tag) for tag in ("h1", "main", "nav", "header", "footer")] == [1] * 5
    for figure in made.figures:
        assert figure.summary in read.whole
        for value in figure.table.column(figure.table.columns[0]):
            assert str(value) in read.whole
    assert read.tags.count("noscript") == 1


def test_the_same_store_makes_the_same_page(
    store: RewardStore, saved: SavedPolicy, made: Report, tmp_path: Path
) -> None:
    size = write_report(make_report(store, policy=saved), tmp_path / "deep" / "report.html")
    assert size == (tmp_path / "deep" / "report.html").stat().st_size
    assert (tmp_path / "deep" / "report.html").read_text("utf-8") == page(made)


def partial(tmp_path: Path, tables: dict[str, pl.DataFrame]) -> Report:
    made = make_report(make_store(tmp_path / "partial.duckdb", tables))
    assert page(made)
    return made


def keys(made: Report) -> set[str]:
    return {section.key for section in made.sections}


def test_without_embeddings(tmp_path: Path) -> None:
    tables = full_frames(PLAIN, seeds=1)
    made = partial(tmp_path, {**tables, "embeddings": tables["embeddings"].clear()})
    assert any("no embeddings" in line for line in made.missing)
    assert {"tasks", "means", "leave-one-out", "distribution", "effects", "coverage"} <= keys(made)
    assert not {"map", "curve", "policy"} & keys(made)
    assert {row["learner"] for row in rows_of(made, "leave-one-out")} == {
        "oracle", "random", "domain_randomization", "best_fixed", "best_fixed_standardised", "scratch",
    }  # fmt: skip


def test_with_some_tasks_not_embedded(tmp_path: Path) -> None:
    tables = full_frames(PLAIN, seeds=1)
    made = partial(tmp_path, only(tables, embeddings=pl.col("task").is_in(PLAIN[:6])))
    assert any(line.startswith("2 (task6, task7) of 8 tasks have rewards but no embedding") for line in made.missing)
    assert len(rows_of(made, "worst")) == 6
    assert len(rows_of(made, "distribution")) == 8


def test_with_one_metric_one_seed_no_seconds(tmp_path: Path) -> None:
    tables = full_frames(PLAIN, seeds=1)
    rewards = tables["rewards"].filter(pl.col("metric") == "knn5").with_columns(seconds=None, val_accuracy=None)
    made = partial(tmp_path, {**tables, "rewards": rewards.cast(dict(tables["rewards"].schema)),
                              "backbones": tables["backbones"].clear()})  # fmt: skip
    assert "proxy" not in keys(made)
    assert "cost" not in {figure.key for figure in made.figures}
    told = " ".join(made.missing)
    assert "No backbone has its seconds" in told
    assert "Only 5-NN accuracy is measured" in told
    assert "test accuracy alone" in told
    coverage = next(section for section in made.sections if section.key == "coverage")
    assert any("costs are not known" in line for line in coverage.text)


def test_with_a_task_that_lacks_val_accuracy(tmp_path: Path) -> None:
    tables = full_frames(PLAIN, seeds=1)
    gap = (pl.col("task") == "task3") & (pl.col("configuration") == "00110") & (pl.col("metric") == "knn5")
    rewards = tables["rewards"].with_columns(val_accuracy=pl.when(gap).then(None).otherwise(pl.col("val_accuracy")))
    made = partial(tmp_path, {**tables, "rewards": rewards})
    line = "No val accuracy for task3: chosen and reported on the same test part, which flatters it."
    assert line in made.missing
    assert "test accuracy alone" not in " ".join(made.missing)


def test_with_missing_cells(tmp_path: Path) -> None:
    tables = full_frames(PLAIN, seeds=1)
    lost = (pl.col("configuration") == "11111") | (
        (pl.col("task") == "task3") & pl.col("configuration").str.starts_with("0")
    )
    made = partial(tmp_path, only(tables, rewards=~lost))
    told = " ".join(made.missing)
    assert "24 of 256 cells are not measured; 15 of 32 configurations" in told
    assert "Domain Randomization (11111) is not measured" in told
    rows = rows_of(made, "coverage")
    assert rows[0]["task"] == "task3"
    assert rows[0]["percent"] == pytest.approx(100 * 15 / 32)
    assert "effects-degrees" not in {figure.key for figure in made.figures}


def test_without_a_configuration_that_all_tasks_have(tmp_path: Path) -> None:
    tables = full_frames(PLAIN, seeds=1)
    first = pl.col("configuration").str.starts_with("0")
    made = partial(tmp_path, only(tables, rewards=(pl.col("task") == "task0") == first))
    told = " ".join(made.missing)
    assert "No configuration is measured on all tasks" in told
    assert "expected at least 2; sweep more cells" in told
    assert {"distribution", "coverage", "map"} <= keys(made)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_with_few_tasks(tmp_path: Path, count: int) -> None:
    tables = full_frames(PLAIN, seeds=1)
    some = pl.col("task").is_in(PLAIN[:count])
    made = partial(tmp_path, only(tables, rewards=some, embeddings=some, tasks=some))
    assert {"tasks", "distribution", "effects", "coverage"} <= keys(made)
    assert ("leave-one-out" in keys(made)) == (count > 1)
    assert ("map" in keys(made)) == (count > 2)
    if count == 1:
        assert any("at least 2 tasks" in line for line in made.missing)


def test_without_a_split(tmp_path: Path, tiny_store: RewardStore) -> None:
    made = make_report(tiny_store)
    assert any("no split" in line for line in made.missing)
    assert "bars-leave-one-out" in {figure.key for figure in made.figures}
    assert "means" not in keys(made)
    assert page(made)


def test_another_metric_with_no_bounds(tmp_path: Path) -> None:
    tables = full_frames(PLAIN, seeds=1)
    knn5 = pl.col("metric") == "knn5"
    scores = tables["rewards"].with_columns(
        metric=pl.when(knn5).then(pl.lit("logme")).otherwise("metric"),
        accuracy=pl.when(knn5).then(pl.col("accuracy") / 100 - 0.7).otherwise("accuracy"),
    )
    made = make_report(make_store(tmp_path / "logme.duckdb", {**tables, "rewards": scores}), metric="logme")
    assert "LogME" in page(made)
    assert "LogME (%)" not in page(made)


def test_what_cannot_be_reported(
    tmp_path: Path, store: RewardStore, tiny_store: RewardStore, saved: SavedPolicy
) -> None:
    tables = full_frames(PLAIN, seeds=1)
    scratch = make_store(tmp_path / "scratch.duckdb", only(tables, rewards=pl.col("configuration") == "scratch"))
    with pytest.raises(EmptyStore, match="no knn5 rewards"):
        make_report(scratch)
    with pytest.raises(BadInput, match="the policy is for the space"):
        make_report(tiny_store, policy=saved)
    other = tables["rewards"].with_columns(recipe=pl.lit("s"))
    recipes = tables["recipes"].with_columns(recipe=pl.lit("s"))
    parameters = tables["parameters"].with_columns(recipe=pl.lit("s"))
    two = make_store(tmp_path / "two.duckdb", tables)
    two.add({"rewards": other, "recipes": recipes, "parameters": parameters})
    with pytest.raises(BadInput, match="choose one with --recipe"):
        make_report(two)
    assert make_report(two, recipe="s").title.endswith(": s")


def test_colours_can_be_read() -> None:
    """Contrast after WCAG: text 4.5, large parts of a chart 3; numbers on cells of every shade 4.5."""
    for dark in (False, True):
        colour = {name: pair[dark] for name, pair in COLOURS.items()}
        for text in ("ink", "muted", "accent", "warn"):
            assert contrast(colour[text], colour["surface"]) >= 4.5, (text, dark)
            assert contrast(colour[text], colour["raised"]) >= 4.5, (text, dark)
        for series in ("oracle", "policy", "nearest", "surrogate", "dr"):
            assert contrast(colour[series], colour["surface"]) >= 2.9, (series, dark)
        strong = {"seq": (5, 6, 7, 8), "div": (0, 1, 7, 8)}
        for kind, steps in strong.items():
            for step in range(STEPS):
                text = "on-strong" if step in steps else "ink"
                assert contrast(colour[f"{kind}-{step}"], colour[text]) >= 4.5, (kind, step, dark)


def test_published_figures(published_store: RewardStore) -> None:
    """The authors' table: the means that compare prints, in at most 5 MB."""
    made = make_report(published_store)
    rows = {(row["learner"], row["split"]): round(row["reward"], 2) for row in rows_of(made, "means")}
    assert rows["oracle", "unseen"] == 61.62
    assert rows["best_fixed", "unseen"] == 55.26
    assert rows["nearest", "unseen"] == 57.92
    assert [len(rows_of(made, key)) for key in ("bars-seen", "bars-unseen")] == [12, 8]
    shares = rows_of(made, "effects-degrees")[0]
    assert [round(100 * shares[f"d{at}"], 1) for at in range(1, 4)] == [53.5, 23.4, 9.2]
    assert len(page(made).encode()) < 5_000_000


def test_parameters_of_more_levels(tmp_path: Path) -> None:
    """A space of 3 x 2 x 4: contrasts by level, and the probability of anything but off."""
    space = space_of(3, 2, 4)
    matrix, embeddings = Planted(space, tasks=6).draw(np.random.default_rng(1))
    rewards = [
        {"recipe": "wide", "task": task, "configuration": configuration, "accuracy": float(value)}
        for task, reward_C in zip(matrix.tasks, matrix.reward_TC, strict=True)
        for configuration, value in zip(space, reward_C, strict=True)
    ]
    vectors = [
        {"task": task, "probe": "probe", "embedding": vector.tolist()}
        for task, vector in zip(embeddings.tasks, embeddings.vector_TD, strict=True)
    ]
    tables = {"rewards": typed(pl.DataFrame(rewards), schema.REWARDS, "planted"),
              "embeddings": typed(pl.DataFrame(vectors), schema.EMBEDDINGS, "planted")}  # fmt: skip
    store = make_store(tmp_path / "wide.duckdb", exchange.complete(tables, {}, "planted", space))
    some = matrix.tasks[:4]
    learner = Exact(epochs=30, hidden=8)
    policy = learner.fit(matrix.select(some), embeddings.select(some), rng=np.random.default_rng(0))
    saved = SavedPolicy(policy, {"tasks": list(some), "probe": "probe"})
    made = make_report(store, policy=saved)
    assert page(made)
    assert {row["effect"] for row in rows_of(made, "effects-main")} == {
        "p0[1]",
        "p0[2]",
        "p1",
        "p2[1]",
        "p2[2]",
        "p2[3]",
    }
    for row in rows_of(made, "probability-unseen"):
        levels = predict(saved, store.embeddings(), row["task"]).probabilities["p2"]
        assert row["p2"] == pytest.approx(sum(levels[1:]))


def test_one_unseen_task_has_no_interval(tmp_path: Path) -> None:
    """The page is written, and no interval of no width is drawn."""
    store = make_store(tmp_path / "one.duckdb", full_frames(("a", "b", "c", "d", "e", "f")))
    report = make_report(store)
    assert report.figure("means").summary.endswith("one task has no interval.")
    drawn = [mark for mark in marks_of(report.figure("means").panels[0].spec) if mark.get("kind") == "unseen"]
    assert drawn
    assert all(mark["low"] is None and mark["high"] is None for mark in drawn)
    assert page(report)


def test_scratch_stands_beside_learners(made: Report, store: RewardStore) -> None:
    """Left out and in the split: the mean that SQL gives."""
    (wanted,) = asked(store, "SELECT avg(accuracy) AS mean FROM reference_backbones WHERE configuration = 'scratch'")
    (row,) = [row for row in rows_of(made, "leave-one-out") if row["learner"] == "scratch"]
    assert row["reward"] == pytest.approx(wanted["mean"])
    assert {row["split"] for row in rows_of(made, "means") if row["learner"] == "scratch"} == {"seen", "unseen"}


def test_a_spread_that_is_rounding_is_one_bar(tiny_frames: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    """Means over seeds of equal rewards may differ in their last digit, where no four bins fit between."""
    value = pl.when(pl.col("configuration") == "000").then(np.nextafter(70.0, 71.0)).otherwise(70.0)
    rewards = tiny_frames["rewards"].with_columns(
        accuracy=pl.when(pl.col("task") == "birds").then(value).otherwise(pl.col("accuracy"))
    )
    made = partial(tmp_path, {**tiny_frames, "rewards": rewards})
    assert "distribution" in keys(made)


def test_relatives_are_left_out_together_in_the_report(tmp_path: Path) -> None:
    store = make_store(tmp_path / "r.duckdb", full_frames())
    names = store.matrix().tasks
    store.relate({names[0]: "kin", names[2]: "kin"})
    made = make_report(store)
    section = next(section for section in made.sections if section.key == "leave-one-out")
    assert "for 2 of them without their relatives" in section.text[0]
    matrix, embeddings = store.matrix(), store.embeddings()
    folds = comparing.leave_one_out(matrix.tasks, store.relatives())
    found = comparing.compare(matrix, embeddings, (Nearest(), Surrogate()), folds)
    reported = {row["learner"]: row["reward"] for row in rows_of(made, "leave-one-out")}
    assert [reported[row.learner] for row in found.rows] == [row.reward for row in found.rows]
