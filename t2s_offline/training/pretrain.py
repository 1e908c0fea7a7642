"""Pre-training of a backbone on labelled pictures by a recipe.

The pictures stay on the device as uint8 and are augmented there. Every random number derives from the recipe, the
configuration, the seed and the epoch, so a run that was resumed gives the same backbone as one without a stop.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from t2s_offline.errors import BadInput, Diverged, PretrainFailed
from t2s_offline.images.augment import Augment, mix
from t2s_offline.images.image_files import Progress
from t2s_offline.images.training_set import TrainingSet, hold_out
from t2s_offline.recipe import Recipe
from t2s_offline.seeds import derive_rng, derive_seed
from t2s_offline.training.checkpoint import read_checkpoint, restore, snapshot, write_checkpoint
from t2s_offline.training.networks import Backbone, build, extract, halve, linear_head, seeded
from t2s_offline.training.stochastic_depth import StochasticDepth

MEASURED = 2048  # most pictures for the training accuracy


@dataclass(frozen=True, eq=False)
class Pretrained:
    """A backbone, its head, and figures by name: accuracies in percent (None where nothing was held out), seconds."""

    backbone: Backbone
    head: nn.Linear
    figures: dict[str, Any]


def rate_at(recipe: Recipe, epoch: float) -> float:
    """Learning rate after `epoch` epochs: linear warm-up, then half a cosine to `final_rate`."""
    if epoch < recipe.warmup_epochs:
        return recipe.warmup_rate + (recipe.rate - recipe.warmup_rate) * epoch / recipe.warmup_epochs
    start = 0.0 if recipe.cosine_from_start else recipe.warmup_epochs
    share = (epoch - start) / max(recipe.epochs - start, 1e-9)
    height = 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    return recipe.final_rate + (recipe.rate - recipe.final_rate) * height


def make_optimiser(recipe: Recipe, network: nn.Module) -> torch.optim.Optimizer:
    """AdamW or SGD (momentum 0.9); weight decay acts on weights, not on biases and batch norms."""
    decayed = [p for p in network.parameters() if p.dim() > 1]
    plain = [p for p in network.parameters() if p.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.rate, fused=True)
    return torch.optim.SGD(groups, lr=recipe.rate, momentum=0.9, fused=True)


class Trainer:
    """Network, optimiser and data of one pre-training. An epoch depends only on its number and their state."""

    def __init__(
        self,
        data: TrainingSet,
        recipe: Recipe,
        name: tuple[str | int, ...],
        device: torch.device,
        compiled: bool = False,
    ) -> None:
        self.data, self.recipe, self.name, self.device = data, recipe, name, device
        self.train_N, self.val_N = (at.to(device) for at in hold_out(data, recipe.holdout))
        if len(self.train_N) < 2:
            raise BadInput(f"{len(data)} pictures to pre-train on; expected 2 or more beside those held out")
        self.backbone = build(recipe.backbone, seed=derive_seed(*name, "weights"), device=device)
        self.head = linear_head(
            self.backbone.features, len(data.classes), seed=derive_seed(*name, "head"), device=device
        )
        self.depth = StochasticDepth(self.backbone, recipe.drop_path) if recipe.drop_path else None
        self.network: nn.Module = nn.Sequential(self.backbone, self.head)
        self.forward: Callable[[torch.Tensor], torch.Tensor] = self.network
        if compiled or recipe.compiled:
            mode = "reduce-overhead" if device.type == "cuda" else "default"  # with CUDA graphs
            self.forward = torch.compile(self.network, mode=mode)
        self.optimiser = make_optimiser(recipe, self.network)
        self.augment = Augment(
            recipe.size,
            recipe.crop_area,
            recipe.flip,
            recipe.jitter,
            recipe.randaugment_ops,
            recipe.randaugment_magnitude,
        )

    def steps(self, batch: int) -> int:
        """Steps of an epoch; an incomplete last batch is left out."""
        return max(len(self.train_N) // batch, 1)

    def epoch(self, epoch: int, batch: int, slowed: float, tick: Callable[[int], None]) -> float:
        """One pass over the training part; returns the mean loss, NaN when a weight is not finite."""
        order = derive_rng(*self.name, "order", epoch).permutation(len(self.train_N))
        order_N = self.train_N[torch.from_numpy(order).to(self.device)]
        generator = seeded(derive_seed(*self.name, "augment", epoch))
        self.network.train()
        total = torch.zeros((), device=self.device)
        steps = self.steps(batch)
        for step in range(steps):
            for group in self.optimiser.param_groups:
                group["lr"] = slowed * rate_at(self.recipe, epoch + step / steps)
            at = order_N[step * batch : (step + 1) * batch]
            total += self.step(self.augment(self.data.image_NCHW[at], generator), self.data.label_N[at], generator)
            tick(step + 1)
        # one question to the device, not one a parameter
        finite = bool(torch.stack([torch.isfinite(weight).all() for weight in self.network.parameters()]).all())
        return float(total) / steps if finite else math.nan

    def step(self, x: torch.Tensor, label_B: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One step of the optimiser on floats (B, 3, S, S); returns the loss."""
        recipe = self.recipe
        x, partner_B, share = mix(x, recipe.mixup, recipe.cutmix, generator)
        if self.depth is not None:
            self.depth.generator = generator
        with torch.autocast(self.device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            logits = self.forward(x)
        loss = F.cross_entropy(logits.float(), label_B, label_smoothing=recipe.label_smoothing)
        if partner_B is not None:
            other = F.cross_entropy(logits.float(), label_B[partner_B], label_smoothing=recipe.label_smoothing)
            loss = share * loss + (1 - share) * other
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def accuracy(self, at_N: torch.Tensor) -> float | None:
        """Percent of these pictures that are classified right, without augmentation; None for no pictures."""
        if not len(at_N):
            return None
        autocast = self.recipe.precision == "bfloat16"
        right = torch.zeros((), dtype=torch.int64, device=self.device)
        for at in at_N.split(1024):
            image = centred(self.data.image_NCHW[at], self.recipe.size)
            with torch.no_grad():
                named = self.head(extract(self.backbone, image, autocast=autocast)).argmax(1)
            right += (named == self.data.label_N[at]).sum()
        return 100 * int(right) / len(at_N)


def centred(image_NCHW: torch.Tensor, size: int) -> torch.Tensor:
    """The centre `size` x `size` of larger pictures."""
    first = (image_NCHW.shape[-1] - size) // 2
    return image_NCHW[..., first : first + size, first : first + size]


def pretrain(
    data: TrainingSet,
    recipe: Recipe,
    *,
    configuration: str,
    seed: int,
    device: torch.device | str = "cpu",
    checkpoint: Path | None = None,
    compiled: bool = False,
    progress: Progress | None = None,
) -> Pretrained:
    """Train the recipe's backbone from scratch. checkpoint: a file to resume from, rewritten after every epoch,
    including the last. The caller removes it after saving the backbone.

    A loss that is not finite is retried once from the epoch's start at half the rate; a batch that does not fit into
    memory is halved once. Raises Diverged or PretrainFailed when that does not help, BadInput for pictures that are too
    small or too few, or a checkpoint of another pre-training.
    """
    if data.image_NCHW.shape[-1] < recipe.size:
        raise BadInput(
            f"pictures of {data.image_NCHW.shape[-1]} pixels; expected {recipe.size} or more, the recipe's size"
        )
    begin = time.perf_counter()
    name = ("pretrain", recipe.digest, configuration, seed)
    trainer = Trainer(data, recipe, name, torch.device(device), compiled)
    identity = {"run": [*name], "pictures": len(data), "classes": list(data.classes)}
    progressed = Progressed(batch=min(recipe.batch, len(trainer.train_N)))
    if checkpoint is not None and (found := read_checkpoint(checkpoint)):
        state, card = found
        if card.get("identity") != identity:
            raise BadInput(f"{checkpoint} is the checkpoint of another pre-training; remove it or name another")
        restore(state, trainer.network, trainer.optimiser)
        progressed = Progressed(**card["progress"])
    while progressed.epoch < recipe.epochs:
        _advance(trainer, progressed, progress)
        if checkpoint is not None:
            state = snapshot(trainer.network, trainer.optimiser)
            write_checkpoint(checkpoint, state, {"identity": identity, "progress": vars(progressed)})
    halve(trainer.network)
    train_N = trainer.train_N
    chosen = derive_rng(*name, "measured").permutation(len(train_N))[:MEASURED]
    figures = {
        "train_accuracy": trainer.accuracy(train_N[torch.from_numpy(chosen).to(train_N.device)]),
        "val_accuracy": trainer.accuracy(trainer.val_N),
        "train_pictures": len(train_N),
        "val_pictures": len(trainer.val_N),
        **{key: value for key, value in vars(progressed).items() if key != "epoch"},
        "seconds": time.perf_counter() - begin,
    }
    trainer.backbone.eval()
    if trainer.depth is not None:  # fine-tuning attaches its own
        trainer.depth.remove()
    return Pretrained(trainer.backbone, trainer.head, figures)


@dataclass
class Progressed:
    """State of a pre-training. batch: pictures a step; epoch: epochs done; slowed: factor of the rate, 0.5 after
    a retry; halved: whether the batch was halved; loss: of the last epoch."""

    batch: int
    epoch: int = 0
    slowed: float = 1.0
    halved: bool = False
    loss: float | None = None


def _advance(trainer: Trainer, progressed: Progressed, progress: Progress | None) -> None:
    """Try one epoch. After a failure that allows a retry, the state is that at the start of the epoch."""
    good = snapshot(trainer.network, trainer.optimiser)
    steps = trainer.steps(progressed.batch)
    done, total = progressed.epoch * steps, trainer.recipe.epochs * steps

    def tick(step: int) -> None:
        if progress is not None:
            progress(done + step, total)

    try:
        loss = trainer.epoch(progressed.epoch, progressed.batch, progressed.slowed, tick)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        if progressed.halved or progressed.batch < 4:
            message = (
                f"out of memory at {progressed.batch} pictures a batch, halved before; use a smaller batch or size"
            )
            raise PretrainFailed(message) from error
        progressed.halved, progressed.batch = True, progressed.batch // 2
    else:
        if math.isfinite(loss):
            progressed.epoch, progressed.loss = progressed.epoch + 1, loss
            return
        if progressed.slowed < 1:
            raise Diverged(
                f"the loss was not finite in epoch {progressed.epoch + 1}, at half the rate too; use a lower rate"
            )
        progressed.slowed = 0.5
    if trainer.device.type == "cuda":
        torch.cuda.empty_cache()
    trainer.optimiser.zero_grad(set_to_none=True)
    restore(good, trainer.network, trainer.optimiser)


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on a GPU or on the host."""
    known = isinstance(error, torch.cuda.OutOfMemoryError | MemoryError)
    return known or any(words in str(error) for words in ("out of memory", "allocate memory", "not enough memory"))
