"""Policies: probabilities that sum to one, files that can be trusted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from t2s_offline.errors import BadFile, BadInput
from t2s_offline.learners.policy import CARD, MLP, WEIGHTS, FactoredPolicy, load_policy, save_policy
from t2s_offline.space import SimSpace

SPACE = SimSpace.parse("a:3,b:2,c:4")


def network(seed: int, width: int = 12) -> MLP:
    rng = np.random.default_rng(seed)
    shapes = [(5, width), (5,), (5, 5), (5,), (9, 5), (9,)]
    return MLP(*(rng.normal(size=shape).astype(np.float32) for shape in shapes))


@pytest.fixture
def policy() -> FactoredPolicy:
    return FactoredPolicy(SPACE, (network(0), network(1)))


UNIT = np.random.default_rng(3).normal(size=(4, 12)).astype(np.float32)


def test_probabilities_over_all_configurations_sum_to_one(policy: FactoredPolicy) -> None:
    chance_TC = policy.probabilities(UNIT)
    assert chance_TC.shape == (4, 24)
    assert np.allclose(chance_TC.sum(axis=1), 1)
    assert (chance_TC >= 0).all()


def test_a_configuration_has_the_product_of_its_heads(policy: FactoredPolicy) -> None:
    one = FactoredPolicy(SPACE, policy.networks[:1])
    heads, chance_TC = one.marginals(UNIT), one.probabilities(UNIT)
    for index, digits in enumerate(SPACE.digits_CP):
        product = np.prod([head[:, level] for head, level in zip(heads, digits, strict=True)], axis=0)
        assert np.allclose(chance_TC[:, index], product)


def test_marginals_are_those_of_the_mixture(policy: FactoredPolicy) -> None:
    chance_TC = policy.probabilities(UNIT)
    for position, head in enumerate(policy.marginals(UNIT)):
        for level in range(head.shape[1]):
            of_level = SPACE.digits_CP[:, position] == level
            assert np.allclose(chance_TC[:, of_level].sum(axis=1), head[:, level])


def test_decide_takes_the_likeliest_measured_configuration(policy: FactoredPolicy) -> None:
    everything = np.ones(24, dtype=bool)
    best = policy.probabilities(UNIT).argmax(axis=1)
    assert np.array_equal(policy.decide(UNIT, everything).argmax(axis=1), best)
    everything[best] = False
    decided = policy.decide(UNIT, everything)
    assert np.array_equal(decided.sum(axis=1), np.ones(4))
    assert not decided[:, best].any()


def test_a_policy_is_saved_and_loaded(policy: FactoredPolicy, tmp_path: Path) -> None:
    save_policy(tmp_path / "p", policy, {"recipe": "r", "tasks": ["ü"]})
    saved = load_policy(tmp_path / "p")
    assert np.array_equal(saved.policy.probabilities(UNIT), policy.probabilities(UNIT))
    assert (saved.card["recipe"], saved.card["tasks"]) == ("r", ["ü"])
    assert sorted(file.name for file in (tmp_path / "p").iterdir()) == [CARD, WEIGHTS]


def test_a_centre_is_subtracted_before_unit_length_and_saved(policy: FactoredPolicy, tmp_path: Path) -> None:
    centre_D = UNIT.mean(axis=0)
    about = FactoredPolicy(SPACE, policy.networks, centre_D)
    moved = UNIT - centre_D
    moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    np.testing.assert_allclose(about.probabilities(UNIT), policy.probabilities(moved), rtol=1e-4)
    assert not np.allclose(about.probabilities(UNIT), policy.probabilities(UNIT), rtol=1e-2)
    assert np.isfinite(about.probabilities(centre_D[None])).all()
    save_policy(tmp_path, about, {})
    saved = load_policy(tmp_path).policy
    assert np.array_equal(saved.centre_D, centre_D)
    assert np.array_equal(saved.probabilities(UNIT), about.probabilities(UNIT))
    save_policy(tmp_path, FactoredPolicy(SPACE, policy.networks, centre_D[:5]), {})
    with pytest.raises(BadFile, match=r"tensor centre has shape \(5,\); expected \(12,\)"):
        load_policy(tmp_path)
    save_policy(tmp_path, policy, {})
    assert load_policy(tmp_path).policy.centre_D is None


def test_an_embedding_of_another_width_is_refused(policy: FactoredPolicy) -> None:
    with pytest.raises(BadInput, match="same probe"):
        policy.probabilities(UNIT[:, :5])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (CARD, b"{"),
        (CARD, b"[]"),
        (CARD, b'{"format": "other"}'),
        (CARD, json.dumps({"format": "t2s-offline policy 1", "space": "a:2"}).encode()),
        (WEIGHTS, b"\x80\x04N."),
        (WEIGHTS, b""),
        (WEIGHTS, None),
    ],
)
def test_a_damaged_policy_is_refused(policy: FactoredPolicy, tmp_path: Path, name: str, content: bytes | None) -> None:
    save_policy(tmp_path, policy, {})
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadFile, match="learn it again") as caught:
        load_policy(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_absent_policy_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="t2s-offline learn"):
        load_policy(tmp_path / "none")


def test_a_policy_that_cannot_be_written(policy: FactoredPolicy, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadFile, match="cannot write"):
        save_policy(tmp_path / "file" / "p", policy, {})
