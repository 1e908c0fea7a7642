"""Pre-training: it learns, resumes to the same bits, and its failures are errors of the package."""

from __future__ import annotations

import errno
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from t2s_offline.errors import BadFile, BadInput, Diverged, PretrainFailed
from t2s_offline.images.training_set import TrainingSet, folder_set, gather, hold_out
from t2s_offline.recipe import Recipe
from t2s_offline.training.checkpoint import read_checkpoint, write_checkpoint
from t2s_offline.training.networks import load_backbone
from t2s_offline.training.pretrain import Pretrained, Trainer, make_optimiser, pretrain, rate_at

TINY = Recipe(size=16, batch=16, epochs=3, crop_area=1.0, precision="float32", holdout=0.25)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def stripes(images: int = 24, classes: int = 2, size: int = 16, objects: int = 4) -> TrainingSet:
    """Class 0: stripes across; class 1: stripes down; further ones: finer. Four objects of a class, in shades."""
    generator = torch.Generator().manual_seed(0)
    place = torch.arange(size)
    image, label, thing = [], [], []
    for number in range(classes):
        wave = 60 * torch.sign(torch.sin((place + 0.5) * 3.14159 / (2 + number // 2)))
        pattern = wave[None, :] if number % 2 else wave[:, None]
        for at in range(images):
            noise = 20 * torch.randn((3, size, size), generator=generator)
            image.append((128 + 8 * (at % objects) + pattern + noise).clamp(0, 255).byte())
            label.append(number)
            thing.append(number * objects + at % objects)
    return TrainingSet(torch.stack(image), torch.tensor(label), torch.tensor(thing), tuple(map(str, range(classes))))


def weights(made: Pretrained) -> torch.Tensor:
    return torch.cat([value.double().flatten() for value in made.backbone.trunk.state_dict().values()])


def test_it_learns_what_can_be_learnt() -> None:
    made = pretrain(stripes(), replace(TINY, epochs=10), configuration="0", seed=0)
    assert made.figures["val_accuracy"] > 90
    assert made.figures["train_accuracy"] > 90
    assert made.figures["train_pictures"] + made.figures["val_pictures"] == 48
    assert not made.backbone.training


def test_the_same_seed_gives_the_same_bits() -> None:
    data, recipe = stripes(), replace(TINY, epochs=2, mixup=0.8, cutmix=1.0, jitter=0.4, randaugment_ops=1)
    one = pretrain(data, recipe, configuration="0", seed=0)
    assert torch.equal(weights(one), weights(pretrain(data, recipe, configuration="0", seed=0)))
    for configuration, seed in (("0", 1), ("1", 0)):
        assert not torch.equal(weights(one), weights(pretrain(data, recipe, configuration=configuration, seed=seed)))


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_a_run_that_is_resumed_ends_as_one_that_never_stopped(tmp_path: Path, optimiser: str) -> None:
    data, recipe = stripes(), replace(TINY, epochs=4, optimiser=optimiser, precision="bfloat16", warmup_epochs=1)
    whole = pretrain(data, recipe, configuration="0", seed=0)
    path = tmp_path / "run.safetensors"
    steps = 0

    def stop(done: int, total: int) -> None:
        nonlocal steps
        steps += 1
        if steps in (3, 6):
            raise Killed

    for _ in range(2):
        with pytest.raises(Killed):
            pretrain(data, recipe, configuration="0", seed=0, checkpoint=path, progress=stop)
    assert path.exists()
    with pytest.raises(BadInput, match="of another pre-training"):
        pretrain(data, recipe, configuration="1", seed=0, checkpoint=path)
    made = pretrain(data, recipe, configuration="0", seed=0, checkpoint=path)
    assert torch.equal(weights(made), weights(whole))
    assert torch.equal(made.head.weight, whole.head.weight)


def test_the_last_epoch_is_kept_until_the_caller_removes_it(tmp_path: Path) -> None:
    data, path = stripes(), tmp_path / "run.safetensors"
    whole = pretrain(data, TINY, configuration="0", seed=0, checkpoint=path)
    found = read_checkpoint(path)
    assert found is not None
    assert found[1]["progress"]["epoch"] == TINY.epochs

    def stepped(done: int, total: int) -> None:
        raise AssertionError("a training that is done is not done again")

    again = pretrain(data, TINY, configuration="0", seed=0, checkpoint=path, progress=stepped)
    assert torch.equal(weights(again), weights(whole))
    assert again.figures["loss"] == whole.figures["loss"]
    assert again.figures["val_accuracy"] == whole.figures["val_accuracy"]


def test_a_damaged_checkpoint_starts_over(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    path.write_bytes(b"cut")
    assert read_checkpoint(path) is None
    made = pretrain(stripes(), replace(TINY, epochs=1), configuration="0", seed=0, checkpoint=path)
    assert np.isfinite(made.figures["loss"])


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(BadFile, match="No space left on device; free space"):
        write_checkpoint(tmp_path / "run.safetensors", {"a": torch.zeros(1)}, {})


def test_a_loss_that_is_not_finite_is_retried_once_at_half_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []
    step = Trainer.step

    def poisoned(self: Trainer, *arguments: torch.Tensor) -> torch.Tensor:
        loss = step(self, *arguments)  # type: ignore[arg-type]
        rates.append(self.optimiser.param_groups[0]["lr"])
        return loss * float("nan") if len(rates) == 3 else loss

    monkeypatch.setattr(Trainer, "step", poisoned)
    made = pretrain(stripes(), replace(TINY, epochs=2), configuration="0", seed=0)
    assert made.figures["slowed"] == 0.5
    assert rates[4:] == pytest.approx([rate / 2 for rate in rates[2:4]]), "the epoch again, every step at half its rate"
    assert torch.isfinite(weights(made)).all()


def test_a_rate_that_never_works_fails() -> None:
    with pytest.raises(Diverged, match=r"not finite in epoch \d, at half the rate too"):
        pretrain(stripes(), replace(TINY, rate=1e3, optimiser="sgd", weight_decay=10), configuration="0", seed=0)


@pytest.mark.parametrize("error", [torch.cuda.OutOfMemoryError, MemoryError])
def test_out_of_memory_halves_the_batch_once(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    step, limit = Trainer.step, 8

    def small(self: Trainer, x: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
        if len(x) > limit:
            raise error("out of memory")
        return step(self, x, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "step", small)
    made = pretrain(stripes(), TINY, configuration="0", seed=0)
    assert (made.figures["batch"], made.figures["halved"]) == (8, True)
    limit = 4
    with pytest.raises(PretrainFailed, match="out of memory at 8") as caught:
        pretrain(stripes(), TINY, configuration="0", seed=0)
    assert not isinstance(caught.value, Diverged), "with more memory its checkpoint is good"


def test_other_errors_are_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Trainer, "step", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        pretrain(stripes(), TINY, configuration="0", seed=0)


def test_whole_objects_are_held_out() -> None:
    data = stripes()
    train, val = hold_out(data, 0.25)
    assert len(train) + len(val) == len(data)
    assert not set(data.object_N[train].tolist()) & set(data.object_N[val].tolist())
    assert set(data.label_N[val].tolist()) == {0, 1}
    assert len(hold_out(data, 0.0)[1]) == 0
    train, val = hold_out(replace(data, object_N=data.label_N), 0.25)
    assert len(val) == 12


def test_nothing_held_out_and_no_epochs() -> None:
    made = pretrain(stripes(), replace(TINY, holdout=0.0, epochs=0), configuration="0", seed=0)
    assert made.figures["val_accuracy"] is None
    assert made.figures["loss"] is None


def test_the_rate_warms_up_and_falls() -> None:
    recipe = Recipe(epochs=10, rate=1.0, warmup_epochs=2, warmup_rate=0.1)
    assert [rate_at(recipe, epoch) for epoch in (0, 1, 2, 6, 10)] == pytest.approx([0.1, 0.55, 1.0, 0.5, 0.0])
    # the schedule of the paper's code: the cosine counts the warm-up's epochs too, and ends above 0
    theirs = replace(recipe, cosine_from_start=True, final_rate=0.2)
    wanted = [0.1, 0.55, 0.2 + 0.4 * (1 + math.cos(0.2 * math.pi)), 0.6, 0.2]
    assert [rate_at(theirs, epoch) for epoch in (0, 1, 2, 5, 10)] == pytest.approx(wanted)


def test_weight_decay_leaves_vectors_alone() -> None:
    trainer = Trainer(stripes(), TINY, ("test",), torch.device("cpu"))
    decayed, plain = make_optimiser(TINY, trainer.network).param_groups
    assert {p.dim() for p in plain["params"]} == {1}
    assert plain["weight_decay"] == 0
    assert len(decayed["params"]) + len(plain["params"]) == len(list(trainer.network.parameters()))


@dataclass(frozen=True)
class Shot:
    """A batch as a renderer hands it out."""

    image_NCHW: torch.Tensor
    label_N: torch.Tensor
    object_N: torch.Tensor


def test_batches_are_gathered() -> None:
    data = stripes()
    batches = [
        Shot(data.image_NCHW[at], data.label_N[at], data.object_N[at]) for at in torch.arange(len(data)).split(7)
    ]
    whole = gather(batches, len(data), data.classes, "cpu")
    assert torch.equal(whole.image_NCHW, data.image_NCHW)
    assert torch.equal(whole.object_N, data.object_N)
    for total in (47, 49):
        with pytest.raises(BadInput, match=f"expected {total}"):
            gather(batches, total, data.classes, "cpu")


def test_pictures_that_are_too_small_or_too_few() -> None:
    with pytest.raises(BadInput, match="pictures of 16 pixels; expected 32"):
        pretrain(stripes(), replace(TINY, size=32), configuration="0", seed=0)
    larger = pretrain(stripes(size=20), replace(TINY, epochs=1, crop_area=0.5), configuration="0", seed=0)
    assert larger.figures["val_accuracy"] is not None
    with pytest.raises(BadInput, match="expected 2 or more"):
        pretrain(stripes(images=1, classes=1), TINY, configuration="0", seed=0)


def full(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_class_folders_and_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = stripes(images=8, classes=3)
    for at, (image, label) in enumerate(zip(data.image_NCHW, data.label_N, strict=True)):
        folder = tmp_path / "pictures" / f"class{label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{at:03}.png")
    whole = folder_set(tmp_path / "pictures", 16)
    assert torch.equal(whole.image_NCHW, data.image_NCHW)
    few = folder_set(tmp_path / "pictures", 16, classes=2, images=5)
    assert few.classes == ("class0", "class1")
    assert torch.bincount(few.label_N).tolist() == [5, 5]
    with pytest.raises(BadInput, match="3 class folders; expected 4"):
        folder_set(tmp_path / "pictures", 16, classes=4)

    from t2s_offline.cli.evaluate import evaluate_command
    from t2s_offline.cli.pretrain import pretrain_command

    (tmp_path / "tiny.toml").write_text("size = 16\nepochs = 1\nbatch = 8\neval_pictures = 60\n")
    out = tmp_path / "one.safetensors"
    arguments = ["--images", str(tmp_path / "pictures"), "--recipe", str(tmp_path / "tiny.toml"), "--out", str(out)]
    kept = tmp_path / "run.safetensors"
    arguments += ["--checkpoint", str(kept)]
    with monkeypatch.context() as patch:
        patch.setattr("t2s_offline.training.networks.write_whole", full)
        failed = CliRunner().invoke(pretrain_command, [*arguments, "--device", "cpu"])
    assert isinstance(failed.exception, BadFile)
    assert kept.exists()
    done = CliRunner().invoke(pretrain_command, [*arguments, "--device", "cpu"], catch_exceptions=False)
    assert "real:pictures" in done.output
    assert not kept.exists()
    assert load_backbone(out).card["classes"] == ["class0", "class1", "class2"]
    arguments = [str(out), "--task", "digits", "--metric", "knn5", "--device", "cpu", "--format", "json"]
    done = CliRunner().invoke(evaluate_command, arguments, catch_exceptions=False)
    (row,) = json.loads(done.output)
    assert row["task"] == "digits"
    assert 20 < row["accuracy"] <= 100
    assert isinstance(CliRunner().invoke(pretrain_command, ["--out", str(out)]).exception, BadInput)


def test_stochastic_depth_is_reproducible_and_changes_the_training() -> None:
    recipe = replace(TINY, drop_path=0.5, epochs=2)
    made = [
        pretrain(stripes(), recipe, configuration="0", seed=0).backbone.state_dict(),
        pretrain(stripes(), recipe, configuration="0", seed=0).backbone.state_dict(),
        pretrain(stripes(), replace(recipe, drop_path=0.0), configuration="0", seed=0).backbone.state_dict(),
    ]
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])
    assert not all(torch.equal(made[0][name], made[2][name]) for name in made[0])
