"""Linear probe and fine-tuning as in the code of the authors of Task2Sim.

Both train on new random crops and flips of every picture in every epoch. Features pass dropout, then a batch norm
without weights, then the head. SGD with Nesterov's momentum; the rate is a tenth after half of the epochs and a
hundredth after three quarters. For the probe the backbone is fixed and in evaluation mode; fine-tuning trains a copy of
it with stochastic depth.

Differences from their code: crops are taken of the pictures as they are measured (resized, the centre), not of the
files; the rate falls after 25 and 37 of 50 epochs, as their settings say (the scheduler of timm that they name does so
an epoch earlier); their batch size, which is per process, is used for one process.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F

from t2s_offline.images.augment import Augment
from t2s_offline.images.image_files import Pictures
from t2s_offline.recipe import Recipe
from t2s_offline.training.device_memory import placed
from t2s_offline.training.networks import Backbone, extract, linear_head, seeded
from t2s_offline.training.probes import decayed, dropped
from t2s_offline.training.stochastic_depth import StochasticDepth

CROP_AREA = 0.08  # least share of a picture that a crop keeps
DROP_PATH = 0.1  # in fine-tuning

#: Batch, rate and weight decay of the linear probe by task: facts of github.com/samarth4149/task2sim at 1712475,
#: configs/lineval_best_hps.yaml.
LINEAR = {
    "AID": (128, 0.01, 1e-5), "CUB": (32, 0.01, 0.0), "CactusAerial": (128, 0.01, 0.0), "ChestX": (128, 0.001, 0.0),
    "ChestXPneumonia": (128, 0.01, 0.0), "CropDisease": (128, 0.01, 0.0), "DTD": (128, 0.01, 0.0),
    "DeepWeeds": (128, 0.01, 0.0), "EuroSAT": (128, 0.01, 0.0), "FMD": (32, 0.01, 1e-5), "Flowers102": (32, 0.01, 0.0),
    "ISIC": (128, 0.01, 0.0), "Kaokore": (128, 0.001, 0.0), "Omniglot": (32, 0.01, 1e-5), "PacsC": (32, 0.001, 0.0),
    "PacsS": (128, 0.01, 1e-5), "Resisc45": (128, 0.01, 0.0), "SVHN": (128, 0.01, 0.0), "Sketch": (32, 0.01, 1e-5),
    "USPS": (32, 0.01, 1e-5),
}  # fmt: skip
#: The same for fine-tuning: configs/finetune_best_hps.yaml.
FINETUNE = {
    "AID": (128, 0.01, 0.0), "CUB": (128, 0.01, 1e-5), "CactusAerial": (128, 0.01, 1e-5), "ChestX": (128, 0.001, 1e-5),
    "ChestXPneumonia": (32, 0.001, 0.0), "CropDisease": (128, 0.01, 0.0), "DTD": (128, 0.01, 0.0),
    "DeepWeeds": (128, 0.01, 0.0), "EuroSAT": (128, 0.01, 1e-5), "FMD": (32, 0.001, 1e-5),
    "Flowers102": (128, 0.01, 0.0), "ISIC": (32, 0.001, 0.0), "Kaokore": (128, 0.001, 0.0),
    "Omniglot": (128, 0.1, 1e-5), "PacsC": (128, 0.01, 0.0), "PacsS": (128, 0.01, 0.0), "Resisc45": (128, 0.01, 0.0),
    "SVHN": (128, 0.01, 0.0), "Sketch": (128, 0.01, 0.0), "USPS": (32, 0.01, 0.0),
}  # fmt: skip


def settings(task: str, recipe: Recipe, *, tuned: bool) -> tuple[int, float, float]:
    """Batch, rate and weight decay: the authors' for their tasks, for others the recipe's without decay."""
    if tuned:
        return FINETUNE.get(task, (recipe.finetune_batch, recipe.finetune_rate, 0.0))
    return LINEAR.get(task, (recipe.linear_batch, recipe.linear_rate, 0.0))


def scored(
    backbone: Backbone, teach: Pictures, judge: Pictures, task: str, recipe: Recipe, *, tuned: bool, seed: int
) -> torch.Tensor:
    """Scores (M, classes) of the M pictures of `judge` after learning from `teach`: a head on the frozen backbone, or
    with `tuned` all weights of a copy. An incomplete last batch is left out where there is another."""
    batch, rate, decay = settings(task, recipe, tuned=tuned)
    epochs = recipe.finetune_epochs if tuned else recipe.linear_epochs
    device, autocast = backbone.scale.device, recipe.precision == "bfloat16"
    network = copy.deepcopy(backbone).train(tuned)
    depth = StochasticDepth(network, DROP_PATH)  # does nothing to a frozen backbone, which is in evaluation mode
    norm = torch.nn.BatchNorm1d(network.features, affine=False, device=device)
    head = linear_head(network.features, len(teach.classes), seed=seed, device=device)
    weights = [*head.parameters(), *(network.parameters() if tuned else ())]
    matrices, vectors = [w for w in weights if w.ndim > 1], [w for w in weights if w.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": matrices, "weight_decay": decay}, {"params": vectors}]
    optimiser = torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True)
    generator = depth.generator = seeded(seed)
    augment = Augment(teach.image_NCHW.shape[-1], CROP_AREA)
    image, label = placed(torch.from_numpy(teach.image_NCHW), device), torch.from_numpy(teach.label_N).to(device)
    for epoch in range(epochs):
        for group in optimiser.param_groups:
            group["lr"] = decayed(rate, epoch, epochs)
        order = torch.randperm(len(label), generator=generator)
        for at in [part for part in order.split(batch) if len(part) == batch] or [order]:
            there = at.to(device, non_blocking=True)
            shown = image[there if image.device == device else at].to(device, non_blocking=True)
            with torch.set_grad_enabled(tuned), torch.autocast(device.type, torch.bfloat16, enabled=autocast):
                feature = network(augment(shown, generator))
            logits = head(norm(dropped(feature.float(), recipe.linear_dropout, generator)))
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(logits, label[there]).backward()
            optimiser.step()
    norm.eval()
    with torch.no_grad():
        scores: torch.Tensor = head(norm(extract(network, judge.image_NCHW, autocast=autocast)))
    return scores
