"""The report in a real browser: nothing is asked for, nothing is complained of, every chart shows what its table "
"says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from t2s_offline.report.contest import LABELS
from t2s_offline.report.write import Report, make_report, write_report
from t2s_offline.store.reward_store import RewardStore
from tests.report.browser import Opened, browsing, chromium, opened
from tests.report.reported import HOSTILE, SEEN, contrast, full_frames, make_store

TABLES = Path(__file__).parents[2] / "tables"
SHIPPED = sorted(path.parent for path in TABLES.glob("*/rewards.parquet"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium()
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def written(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    folder = tmp_path_factory.mktemp("hostile")
    made = make_report(make_store(folder / "full.duckdb", full_frames()))
    write_report(made, folder / "report <b>&.html")
    return made, folder / "report <b>&.html"


@pytest.fixture(scope="module")
def shown(browser: Any, written: tuple[Report, Path]) -> Iterator[Opened]:
    with opened(browser, written[1]) as found:
        yield found


def values(labels: list[str], start: str) -> dict[str, float]:
    """Labels of marks, `START: 12.34; rest`, as numbers by rest."""
    pairs = [label.split("; ", 1) for label in labels]
    return {rest: float(first.removeprefix(f"{start}: ").replace("−", "-")) for first, rest in pairs}


def holds_together(made: Report, shown: Opened) -> None:
    """What must be true of any report that a browser shows."""
    assert shown.complaints == []
    assert [url.split(":")[0] for url in shown.requests] == ["file"], shown.requests
    charts = shown.page.eval_on_selector_all("[data-chart]", "nodes => nodes.map(n => n.dataset.chart)")
    assert len(charts) == sum(len(figure.panels) for figure in made.figures)
    empty = shown.page.eval_on_selector_all(
        "[data-chart]",
        "nodes => nodes.filter(n => !n.querySelector('svg [role=graphics-symbol]')).map(n => n.dataset.chart)",
    )
    assert empty == []
    assert shown.overflow() == 0


def bars_are_the_table(made: Report, shown: Opened, key: str, unit: str) -> None:
    """Marks of a chart of bars: as many as tasks and learners, with the values of the figure's table."""
    table = made.figure(key).table
    drawn = values(shown.marks(key, "bar") + shown.marks(key, "tick"), unit)
    assert len(drawn) == len(shown.marks(key, "bar")) + len(shown.marks(key, "tick"))
    assert {rest.split("; learner: ")[1] for rest in drawn} <= set(LABELS.values())
    named = {label: name for name, label in LABELS.items()}
    of = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    for rest, value in drawn.items():
        task, learner = rest.removeprefix("task: ").rsplit("; learner: ", 1)
        assert value == pytest.approx(of[task][named[learner]], rel=1e-3)


def test_it_opens_from_disk_and_asks_for_nothing(written: tuple[Report, Path], shown: Opened) -> None:
    holds_together(written[0], shown)


def test_bars_have_the_values_of_the_table(written: tuple[Report, Path], shown: Opened) -> None:
    for key, tasks in (("bars-seen", SEEN), ("bars-unseen", len(HOSTILE) - SEEN)):
        assert len(shown.marks(key, "bar")) == 4 * tasks, "Domain Randomization, best fixed, nearest, surrogate"
        assert len(shown.marks(key, "tick")) == 2 * tasks, "oracle, random"
        bars_are_the_table(written[0], shown, key, "5-NN accuracy (%)")


def test_other_charts_have_the_marks_of_their_tables(written: tuple[Report, Path], shown: Opened) -> None:
    made = written[0]
    assert len(shown.marks("map", "point")) == len(HOSTILE)
    assert sorted(shown.marks("map", "point")) == sorted(HOSTILE)
    assert len(shown.marks("similarity", "rect mark")) == len(HOSTILE) ** 2
    assert len(shown.marks("effects-by-task", "rect mark")) == 5 * len(HOSTILE)
    assert len(shown.marks("curve", "point")) == len(made.figure("curve").table.rows)
    effects = values(
        [mark.partition("; kind")[0] for mark in shown.marks("effects-main", "point")], "effect on 5-NN accuracy (%)"
    )
    rows = {f"name: {row[0]}": row[1] for row in made.figure("effects-main").table.rows}
    assert effects == pytest.approx(rows, rel=1e-3)
    for at in range(len(HOSTILE)):
        counts = [int(label.split(" ")[0]) for label in shown.marks(f"distribution-{at}", "bar")]
        assert sum(counts) == 32


def test_names_do_nothing(shown: Opened) -> None:
    assert shown.page.locator("img").count() == 0
    assert shown.page.locator("main script").count() == 0
    text = shown.page.evaluate("document.body.textContent")
    assert all(name in text for name in HOSTILE)


def test_it_fits_a_telephone(browser: Any, written: tuple[Report, Path]) -> None:
    with opened(browser, written[1], width=400) as narrow:
        holds_together(written[0], narrow)
        wide = narrow.page.eval_on_selector_all(
            "[data-chart] svg", "nodes => nodes.map(n => n.getBoundingClientRect().right)"
        )
        assert max(wide) <= 400


@pytest.mark.parametrize(("scheme", "light"), [("light", True), ("dark", False)])
def test_light_and_dark(browser: Any, written: tuple[Report, Path], scheme: str, light: bool) -> None:
    with opened(browser, written[1], scheme=scheme) as found:
        style = "getComputedStyle(document.body)"
        ground = found.page.evaluate(f"{style}.backgroundColor")
        assert (sum(map(int, ground[4:-1].split(", "))) > 380) == light
        label = found.page.evaluate(
            "getComputedStyle(document.querySelector('[data-chart] .role-axis-label text')).fill"
        )
        first, second = (f"#{''.join(f'{int(part):02x}' for part in rgb[4:-1].split(', '))}" for rgb in (ground, label))
        assert contrast(first, second) >= 4.5, "text in charts can be read"
        found.page.emulate_media(media="print")
        assert found.page.evaluate(f"{style}.backgroundColor") == "rgb(255, 255, 255)"
        assert not found.page.locator("nav").is_visible()


def test_keyboard(browser: Any, written: tuple[Report, Path]) -> None:
    with opened(browser, written[1]) as found:
        found.page.keyboard.press("Tab")
        assert found.page.evaluate("document.activeElement.textContent") == "Skip to the report"
        found.page.keyboard.press("Enter")
        assert found.page.evaluate("document.activeElement.id") == "main"
        summary = found.page.locator("details summary").first
        summary.focus()
        found.page.keyboard.press("Enter")
        assert found.page.locator("details table").first.is_visible()


def test_a_tooltip_shows_a_name_as_text(shown: Opened) -> None:
    # the bar's own label says whose it is; the tooltip must say the same
    bar = shown.page.locator('[data-chart="bars-seen"] [aria-roledescription="bar"]').first
    bar.scroll_into_view_if_needed()
    bar.hover()
    tip = shown.page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    task = bar.get_attribute("aria-label").split("; task: ")[1].rsplit("; learner: ", 1)[0]
    assert task in tip.text_content()
    assert tip.locator("script, img").count() == 0


def test_the_authors_table(browser: Any, published_store: RewardStore, tmp_path: Path) -> None:
    made = make_report(published_store)
    assert write_report(made, tmp_path / "report.html") < 5_000_000
    with opened(browser, tmp_path / "report.html") as found:
        holds_together(made, found)
        assert len(found.marks("bars-unseen", "bar")) == 4 * 8
        assert len(found.marks("effects-by-task", "rect mark")) == 8 * 20
        bars_are_the_table(made, found, "bars-seen", "5-NN accuracy (%)")
        bars_are_the_table(made, found, "bars-unseen", "5-NN accuracy (%)")
    with opened(browser, tmp_path / "report.html", width=400) as found:
        assert found.overflow() == 0


@pytest.mark.skipif(not SHIPPED, reason="no table is in tables/")
@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_shipped_tables(browser: Any, folder: Path, tmp_path: Path) -> None:
    store = RewardStore(folder)
    for recipe in store.recipes():
        made = make_report(store, recipe=recipe)
        assert write_report(made, tmp_path / "report.html") < 5_000_000
        for width in (1100, 400):
            with opened(browser, tmp_path / "report.html", width=width) as found:
                holds_together(made, found)
