"""A sweep that is asked to leave ends the epoch, and goes on there when it is run again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from t2s_offline.sweep import leave
from t2s_offline.sweep.lease import is_held
from t2s_offline.sweep.run import attempts, run
from t2s_offline.training.checkpoint import read_checkpoint
from t2s_offline.training.pretrain import Trainer
from tests.sweep.test_run import SPEC, Sweep, rewards

FOUR = SPEC.replace('["00000000", "11111111", "10000010"]', '["00000000", "11111111"]').replace(
    "epochs = 2", "epochs = 4"
)


@pytest.fixture(autouse=True)
def stay() -> Iterator[None]:
    yield
    leave.ask(False)


def test_the_epoch_is_ended_and_the_next_sweep_goes_on_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("T2S_DATA", raising=False)
    sweep = Sweep(tmp_path, FOUR.replace('references = ["scratch"]\n', ""))
    whole, shop, step, steps = sweep.shop("whole"), sweep.shop("left"), Trainer.step, 0
    run(sweep.units, whole)

    def asking(self: Trainer, *rest: object) -> object:
        nonlocal steps
        steps += 1
        if steps == 2:  # in the first epoch
            leave.ask()
        return step(self, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", asking)
        report = run(sweep.units, shop)
    assert (report.done, report.left, report.failed) == (0, 2, {})
    kept = read_checkpoint(shop.checkpoint(sweep.units[0]))
    assert kept is not None
    assert kept[1]["progress"]["epoch"] == 1
    assert attempts(shop.store) == {}, "leaving is no failure"
    assert not any(is_held(shop.claim(unit)) for unit in sweep.units)
    leave.ask(False)
    assert run(sweep.units, shop).done == 2
    assert rewards(shop.store).equals(rewards(whole.store))


def test_training_looks_in_the_first_step_of_an_epoch_alone() -> None:
    look = leave.between(epochs=2)
    look(1, 6)
    leave.ask()
    for done in (2, 3, 5, 6):
        look(done, 6)
    for done in (1, 4):
        with pytest.raises(leave.Leaving):
            look(done, 6)
