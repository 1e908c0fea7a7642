"""The torch path on a CUDA device that is not there: tensors of two devices in one operation fail, and what the host
would have to wait for is counted (`fake_cuda.py`). One deliberate mistake of each kind shows that it is caught."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from t2s_offline.images.augment import Augment
from t2s_offline.images.image_files import Pictures
from t2s_offline.images.training_set import TrainingSet, gather
from t2s_offline.recipe import METRICS, Recipe
from t2s_offline.training.classifier import fit_classifier
from t2s_offline.training.evaluate import evaluate, features_of
from t2s_offline.training.networks import Backbone, build
from t2s_offline.training.pretrain import Trainer, pretrain
from t2s_offline.training.task2vec import Estimator, Probe, embed
from tests.training.fake_cuda import STAGED, FakeCuda, fake_cuda

CLASSES = ("a", "b", "c", "d")
STRONG = {"jitter": 0.4, "randaugment_ops": 2, "mixup": 0.8, "cutmix": 1.0, "drop_path": 0.1}
AUGMENTATIONS = [{"crop_area": 1.0, "flip": False}, {"crop_area": 1.0}, {}, *({name: STRONG[name]} for name in STRONG)]
#: Where numbers in double precision are meant: solvers of the probes, and sums over pictures.
DOUBLE = {
    "probes.py:_spanned", "probes.py:logistic_fit", "probes.py:cost", "probes.py:__call__", "probes.py:logme",
    "probes.py:log_evidence", "fisher.py:picture_fisher", "fisher.py:batch_fisher",
}  # fmt: skip


def recipe(**own: Any) -> Recipe:
    return Recipe(**({"size": 16, "classes": 4, "batch": 8, "epochs": 1} | own))


def rendered(mode: FakeCuda, count: int, size: int) -> TrainingSet:
    """Pictures as a renderer hands them out: batches on the device."""
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)
    label, thing = torch.arange(count) % 4, torch.arange(count) // 2
    halves = [slice(0, count // 2), slice(count // 2, count)]
    batches = [
        SimpleNamespace(image_NCHW=image[at].cuda(), label_N=label[at].cuda(), object_N=thing[at].cuda())
        for at in halves
    ]
    mode.begin()
    found = gather(batches, count, CLASSES, mode.device)
    assert not mode.waits
    assert not mode.sent
    # the host knows which pictures it asked for
    return TrainingSet(found.image_NCHW, label.cuda(), thing.cuda(), CLASSES)


def steps(trainer: Trainer, mode: FakeCuda, count: int = 2) -> None:
    """Steps of an epoch without its beginning and end."""
    generator = torch.Generator().manual_seed(0)
    at = torch.arange(trainer.recipe.batch).cuda()
    trainer.network.train()
    mode.begin()
    for _ in range(count):
        trainer.step(
            trainer.augment(trainer.data.image_NCHW[at], generator), trainer.data.label_N[at], generator
        )  # fmt: skip


@pytest.mark.parametrize("own", [*AUGMENTATIONS, STRONG, {**STRONG, "precision": "float32"}], ids=str)
def test_a_training_step_waits_for_nothing(own: dict[str, Any]) -> None:
    with fake_cuda() as mode:
        made = recipe(**own, render_size=18 if "crop_area" not in own else 0)
        trainer = Trainer(rendered(mode, 16, made.rendered), made, ("test",), mode.device)
        steps(trainer, mode)
        assert not mode.waits
        assert not mode.wide
        assert mode.sent / 2 < min(4096, STAGED), "random numbers alone go to the device, no pictures"


def test_gradients_and_layout_stay_what_a_gpu_wants() -> None:
    with fake_cuda() as mode:
        trainer = Trainer(rendered(mode, 16, 16), recipe(), ("test",), mode.device)
        steps(trainer, mode, 1)
        weights = [weight for weight in trainer.network.parameters() if weight.dim() == 4]
        assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)
        assert all(weight.grad is not None and weight.grad.device.type == "cuda" for weight in weights)
        assert trainer.optimiser.defaults["fused"]


@pytest.mark.parametrize(("optimiser", "backbone"), [("adamw", "resnet18-narrow"), ("sgd", "resnet50")])
def test_an_epoch_waits_as_often_however_long_it_is(optimiser: str, backbone: str) -> None:
    counts = []
    for count in (16, 32) if backbone == "resnet18-narrow" else (16,):
        with fake_cuda() as mode:
            data = rendered(mode, count, 16)
            trainer = Trainer(data, recipe(optimiser=optimiser, backbone=backbone, **STRONG), ("test",), mode.device)
            mode.begin()
            trainer.epoch(0, 8, 1.0, lambda step: None)
            counts.append(sum(mode.waits.values()))
            assert not mode.wide
    assert max(counts) <= 3, "its order, whether weights are finite, and the loss"


def test_a_whole_pre_training(tmp_path: Path) -> None:
    with fake_cuda() as mode:
        data = rendered(mode, 16, 16)
        mode.begin()
        made = pretrain(
            data, recipe(**STRONG), configuration="00000000", seed=0, device="cuda", checkpoint=tmp_path / "c"
        )
        assert made.backbone.scale.device.type == "cuda"
        assert not mode.wide
        assert {"train_accuracy", "val_accuracy"} <= set(made.figures)


def pictures(count: int) -> Pictures:
    rng = np.random.default_rng(0)
    return Pictures(
        rng.integers(0, 256, (count, 3, 16, 16), dtype=np.uint8), np.arange(count, dtype=np.int64) % 4, CLASSES
    )


def parts(count: int) -> dict[str, Pictures]:
    return {"train": pictures(count), "val": pictures(20), "test": pictures(20)}


def narrow() -> Backbone:
    return build("resnet18-narrow", seed=0, device="cuda")


def counted(work: Callable[[FakeCuda, int], None], numbers: tuple[int, int]) -> list[int]:
    """Waits of a piece of work at two sizes; what it computes in double precision is meant so."""
    found = []
    for number in numbers:
        with fake_cuda() as mode:
            work(mode, number)
            found.append(sum(mode.waits.values()))
            assert {line for _, line in mode.wide} <= DOUBLE
    return found


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("val_by", ["part", "folds"])
def test_measuring(metric: str, val_by: str) -> None:
    """Nothing of two devices meets; how often the host waits does not grow with the pictures."""
    chosen = recipe(val_by=val_by, linear_solver="lbfgs", finetune_epochs=1, finetune_batch=40)

    def measure(mode: FakeCuda, count: int) -> None:
        backbone = narrow()
        mode.begin()
        (row,) = evaluate(backbone, "test", parts(count), chosen, [metric])
        assert row.n_eval == 20
        if metric == "logme":  # log evidence a picture: any number
            assert math.isfinite(row.accuracy)
        else:
            assert row.accuracy in range(0, 101, 5), "percent of 20 pictures"

    few, many = counted(measure, (20, 40))
    # nearest neighbours ask once a chunk, the solver of the linear probe once a step of its search
    assert many <= few if metric in ("knn5", "finetune") else many < 1000


@pytest.mark.parametrize(
    ("solver", "metric"), [("sgd", "linear"), ("task2sim", "linear"), ("lbfgs", "finetune"), ("task2sim", "finetune")]
)
def test_loops_of_probes_and_fine_tuning_wait_for_nothing(solver: str, metric: str) -> None:
    def measure(mode: FakeCuda, epochs: int) -> None:
        backbone = narrow()
        own = {"linear_epochs": epochs, "finetune_epochs": epochs, "linear_batch": 20, "finetune_batch": 20}
        mode.begin()
        evaluate(backbone, "test", parts(20), recipe(linear_solver=solver, **own), [metric])
        assert not mode.wide

    once, twice = counted(measure, (1, 2))
    assert twice == once


def test_pictures_that_do_not_fit_are_sent_a_batch_at_a_time() -> None:
    with fake_cuda() as mode:
        backbone, chosen = narrow(), recipe(linear_solver="task2sim", finetune_epochs=2, finetune_batch=20)
        mode.memory = 1000
        mode.begin()
        evaluate(backbone, "test", parts(20), chosen, ["finetune"])
        assert mode.sent > 4 * pictures(20).image_NCHW.nbytes, "two epochs of 20 and of 40 pictures"


@pytest.mark.parametrize(
    ("estimator", "each"),
    # the draws of labels, and all noise, come from the host's generator: the same on every device
    [("sample", 0), ("batch", 1), ("variational", 20)],
)
def test_task2vec(estimator: Estimator, each: int) -> None:
    def make(mode: FakeCuda, samples: int) -> None:
        probe = Probe("test", narrow(), 16)
        mode.begin()
        vector = embed(pictures(40), probe, "test", samples=samples, estimator=estimator, batch=20)
        assert vector.dtype == np.float32

    two, four = counted(make, (40, 80))
    assert four - two <= 2 * each


@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
def test_a_classifier_is_fitted_and_named_pictures_with(solver: str) -> None:
    with fake_cuda():
        backbone = narrow()
        chosen = recipe(linear_solver=solver, linear_epochs=1)
        found = features_of(backbone, parts(40), chosen)
        made = fit_classifier(found["train"], CLASSES, chosen, "test", "digest", {})
        assert made.scores.weight_DK.device.type == "cuda"
        assert made.scores(found["test"].feature_ND).device.type == "cuda"


class OnHost(Trainer):
    def step(self, x: torch.Tensor, label_B: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return super().step(x, label_B.cpu(), generator)


class Asking(Trainer):
    def step(self, x: torch.Tensor, label_B: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        loss = super().step(x, label_B, generator)
        loss.item()
        return loss


class Wide(Trainer):
    def step(self, x: torch.Tensor, label_B: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return super().step((x.double() / 2).float(), label_B, generator)


class Masking(Trainer):
    def step(self, x: torch.Tensor, label_B: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        at = torch.nonzero(label_B >= 0).expand(len(x), 1).squeeze(1)
        return super().step(x[at], label_B, generator)


class Copying(Augment):
    def __call__(self, image_NCHW: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return super().__call__(image_NCHW.cpu(), generator).cuda()


class TestDeliberateMistakes:
    """Each is one line, and each is caught."""

    def counted(self, kind: type[Trainer]) -> FakeCuda:
        with fake_cuda() as mode:
            trainer = kind(rendered(mode, 16, 16), recipe(), ("test",), mode.device)
            steps(trainer, mode)
        return mode

    def test_none(self) -> None:
        assert not self.counted(Trainer).waits

    def test_labels_left_on_the_host(self) -> None:
        with pytest.raises(RuntimeError, match=r"cuda:0, cpu|cpu, cuda:0|[Dd]evice"):
            self.counted(OnHost)

    def test_a_constant_left_on_the_host(self) -> None:
        with fake_cuda() as mode:
            trainer = Trainer(rendered(mode, 16, 16), recipe(), ("test",), mode.device)
            trainer.backbone.shift = torch.ones(3, 1, 1)
            with pytest.raises(RuntimeError, match=r"cuda:0, cpu|cpu, cuda:0|[Dd]evice"):
                steps(trainer, mode)

    def test_a_question_in_the_loop(self) -> None:
        assert self.counted(Asking).waits["_local_scalar_dense", "test_fake_cuda.py:step"] == 2

    def test_double_precision_on_the_device(self) -> None:
        assert self.counted(Wide).wide

    def test_a_mask_whose_size_the_host_must_know(self) -> None:
        assert self.counted(Masking).waits

    def test_pictures_that_pass_the_host(self) -> None:
        with fake_cuda() as mode:
            trainer = Trainer(rendered(mode, 16, 16), recipe(), ("test",), mode.device)
            trainer.augment = Copying(16)
            steps(trainer, mode)
        assert mode.waits["to the host", "test_fake_cuda.py:__call__"] == 2
        assert mode.sent > 2 * 8 * 3 * 16 * 16
