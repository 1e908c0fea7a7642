"""Writes the report: the sections that a store supports, in the order in which a reader asks, as one HTML page.

Pictures come from a function that the caller gives (`pictures.py` says of what), so nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from t2s_offline.errors import BadFile, EmptyStore, T2SError
from t2s_offline.files import write_whole
from t2s_offline.learners.policy import SavedPolicy
from t2s_offline.report import atlas, learners, ledger, parameters, scaling, signal, sizes, summary, tasks
from t2s_offline.report.contest import hold
from t2s_offline.report.facts import Facts, read_facts, reason
from t2s_offline.report.model import Report, Section
from t2s_offline.store.reward_store import RewardStore

#: Adds sections with pictures: facts in, sections and lines about what is missing out.
Illustrate = Callable[[Facts], tuple[Sequence[Section], Sequence[str]]]

__all__ = ["Report", "make_report", "size_figures", "write_report"]


def make_report(
    store: RewardStore,
    *,
    recipe: str | None = None,
    metric: str = "knn5",
    probe: str | None = None,
    policy: SavedPolicy | None = None,
    illustrate: Illustrate | None = None,
    chosen_on: Collection[str] = (),
) -> Report:
    """Everything that the store can tell, in the order in which a reader asks.

    recipe: where recipes differ in one number alone (Figures 6 to 8), the one that most of them differ from by default;
    chosen_on: tasks that configurations were chosen on, which say nothing new of them. Raises EmptyStore without
    rewards of that recipe and metric, BadInput for a policy of another space.
    """
    recipe = recipe or scaling.middle(store, metric)
    facts = read_facts(store, recipe, metric, probe=probe, policy=policy)
    contest = hold(facts)
    curves, lacking = sizes.sized(facts, chosen_on)
    missing = [*facts.missing, *contest.missing, *lacking]
    makers: list[tuple[str, Callable[[], Section | Sequence[Section] | None]]] = [
        ("Tasks against the baselines", lambda: tasks.against_baselines(facts, contest)),
        ("Means", lambda: learners.split_means(contest)),
        ("Leaving one task out", lambda: learners.left_out(contest)),
        ("Measured backbones", lambda: learners.curve(facts, contest)),
        ("Distribution", lambda: tasks.distribution(facts)),
        ("What the policy turns on", lambda: parameters.on_probability(facts)),
        ("Effects", lambda: parameters.parameter_effects(facts)),
        ("Signal and noise", lambda: signal.noise(facts)),
        ("Other metrics", lambda: ledger.proxy(facts)),
        ("Sizes", lambda: sizes.sizes(facts, curves)),
        ("Task map", lambda: atlas.task_map(facts)),
        ("Coverage and cost", lambda: ledger.coverage(facts)),
    ]
    sections: list[Section] = []
    for title, make in makers:
        try:
            made = make()
        except T2SError as error:
            missing.append(f"{title}: {reason(error)}")
            continue
        sections += [made] if isinstance(made, Section) else (made or [])
    if illustrate is not None:
        added, lines = illustrate(facts)
        sections += added
        missing += lines
    return Report(
        f"Task2Sim rewards: {facts.matrix.recipe}",
        summary.head(facts),
        (*summary.sentences(facts, contest), *sizes.answers(curves)),
        tuple(sections),
        tuple(missing),
    )


def size_figures(
    store: RewardStore, *, recipe: str | None = None, metric: str = "knn5", chosen_on: Collection[str] = ()
) -> Report:
    """The section on sizes alone (Figures 6 to 8), without the comparisons that take most of a report's time.

    Raises EmptyStore when no two recipes differ in one number alone, or fewer than two are measured.
    """
    facts = read_facts(store, recipe or scaling.middle(store, metric), metric)
    curves, missing = sizes.sized(facts, chosen_on)
    section = sizes.sizes(facts, curves)
    if section is None:
        raise EmptyStore(" ".join(missing) or f"no recipes of {store.path} differ in classes, objects or images alone")
    title = f"Task2Sim rewards: {facts.matrix.recipe}"
    return Report(title, summary.head(facts), sizes.answers(curves), (section,), tuple(missing))


def write_report(report: Report, path: Path) -> int:
    """Write the page, whole or not at all; returns its bytes. BadFile when it cannot be written."""
    from t2s_offline.report.page import page

    content = page(report).encode()
    try:
        write_whole(path, content)
    except OSError as error:
        raise BadFile(f"cannot write {path}: {error.strerror or error}; choose another --out") from error
    return len(content)
