"""Task2Vec: a task's pictures and a probe come in, its embedding goes out.

The embedding is the diagonal of the probe's Fisher information on the task, averaged over each filter of each
convolution and batch norm in the order of the network's modules, the head left out: 9600 values for ResNet-18
(Achille et al. 2019; paper, section 3.2). Ignores rewards; embeddings of different probes are never comparable, so a
probe has a name that tells them apart.

Where this differs from the code that made the authors' vectors: the Fisher is the mean over pictures of squared
gradients, one a picture, with running statistics. Theirs squares the gradient of the mean loss of a batch of 64, with
batch statistics, which mixes pictures and shrinks with the batch; `estimator="batch"` does that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from t2s_offline.errors import BadFile, BadInput, check_known
from t2s_offline.networks import Backbone, build, extract, linear_head, load_backbone
from t2s_offline.pictures import Int64, Pictures
from t2s_offline.seeds import derive_rng, derive_seed

Estimator = Literal["sample", "batch"]
Progress = Callable[[int, int], None]
ESTIMATORS = ("sample", "batch")
IMAGENET = "resnet18-imagenet"
BATCH = 64
HEAD_RATE, HEAD_DECAY, HEAD_EPOCHS = 4e-4, 1e-4, 10


@dataclass(frozen=True, eq=False)
class Probe:
    """A network that embeds tasks. `name` identifies its weights; `size`: pixels of the pictures it was trained on,
    `resize`: how much larger they were before the crop."""

    name: str
    backbone: Backbone
    size: int = 224
    resize: float = 1.0


def open_probe(name: str, device: torch.device | str = "cpu") -> Probe:
    """A probe: ``resnet18-imagenet`` (torchvision's weights, downloaded once) or a backbone's file.

    BadFile when it cannot be downloaded, or is no backbone.
    """
    if name == IMAGENET:
        import torchvision

        try:
            weights = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.get_state_dict(check_hash=True)
        except OSError as error:
            raise BadFile(f"cannot download the probe {name}: {error}; give a backbone's file with --probe") from error
        backbone = build("resnet18", seed=0)
        backbone.trunk.load_state_dict({key: value for key, value in weights.items() if not key.startswith("fc.")})
        return Probe(name, backbone.to(device), 224, 256 / 224)
    saved = load_backbone(Path(name), device)
    size = saved.card.get("size")
    title = f"{saved.backbone.arch}-{weights_digest(saved.backbone)}"
    return Probe(title, saved.backbone, size if isinstance(size, int) else 224)


def weights_digest(backbone: Backbone) -> str:
    """Eight hex digits of the hash of the weights and buffers."""
    digest = hashlib.sha256()
    for key, tensor in sorted(backbone.trunk.state_dict().items()):
        digest.update(key.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:8]


def probe_name(probe: Probe, size: int, estimator: str = "sample") -> str:
    """Under what embeddings are stored: the weights, the size of the pictures and the estimator."""
    return f"{probe.name}-{size}px" + ("" if estimator == "sample" else f"-{estimator}")


def embed(
    pictures: Pictures,
    probe: Probe,
    task: str,
    *,
    samples: int = 1000,
    estimator: Estimator = "sample",
    seed: int = 0,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> npt.NDArray[np.float32]:
    """Task2Vec vector of labelled pictures, float32 (D,). `samples`: drawn as evenly over classes as can be.

    The head is fitted on cached features by Adam, then labels are drawn from the model's softmax once.
    """
    check_known("estimator", estimator, ESTIMATORS)
    if samples < 2 or len(pictures) < 2:
        raise BadInput(f"{min(samples, len(pictures))} pictures of {task} to embed; expected 2 or more")
    drawn = balanced(pictures.label_N, samples, derive_rng("task2vec", task, seed))
    image = torch.from_numpy(pictures.image_NCHW[drawn])
    label = torch.from_numpy(pictures.label_N[drawn])
    feature = extract(probe.backbone, image)
    generator = torch.Generator().manual_seed(derive_seed("task2vec head", task, seed) % 2**63)
    head = fit_head(feature, label.to(feature.device), len(pictures.classes), generator)
    with torch.no_grad():
        chance = head(feature).softmax(1).cpu()
    label = torch.multinomial(chance, 1, generator=generator).squeeze(1)
    vector = fisher(probe.backbone, head, image, label, estimator=estimator, batch=batch, progress=progress)
    if not np.isfinite(vector).all():
        raise BadInput(f"the embedding of {task} is not finite under probe {probe.name}; use another probe")
    return vector


def balanced(label_N: Int64, samples: int, rng: np.random.Generator) -> Int64:
    """`samples` places, class by class in turn; within a class no picture again before all were drawn."""
    classes = [np.flatnonzero(label_N == label) for label in np.unique(label_N)]
    share = -(-samples // len(classes))
    columns = [np.concatenate([rng.permutation(at) for _ in range(-(-share // len(at)))])[:share] for at in classes]
    places = np.stack(columns, axis=1)  # a row holds one picture of each class
    return rng.permuted(places, axis=1).ravel()[:samples]


def fit_head(feature_ND: torch.Tensor, label_N: torch.Tensor, classes: int, generator: torch.Generator) -> nn.Linear:
    """The head on cached features: Adam, 10 epochs in batches of 64, as the authors do."""
    seed = int(torch.randint(2**62, (1,), generator=generator))
    head = linear_head(feature_ND.shape[1], classes, seed=seed, device=feature_ND.device)
    optimiser = torch.optim.Adam(head.parameters(), lr=HEAD_RATE, weight_decay=HEAD_DECAY)
    for _ in range(HEAD_EPOCHS):
        for at in torch.randperm(len(label_N), generator=generator).to(feature_ND.device).split(BATCH):
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(head(feature_ND[at]), label_N[at]).backward()
            optimiser.step()
    return head


def fisher(
    backbone: Backbone,
    head: nn.Linear,
    image_NCHW: torch.Tensor,
    label_N: torch.Tensor,
    *,
    estimator: Estimator = "sample",
    batch: int = BATCH,
    progress: Progress | None = None,
) -> npt.NDArray[np.float32]:
    """Mean squared gradient of the cross-entropy with these labels, averaged over each filter: float32 (D,).

    sample: mean over pictures, in evaluation mode. batch: mean over batches of the squared gradient of a batch's mean
    loss, in training mode; the backbone's running statistics are left as they were.
    """
    modules = [module for module in backbone.trunk.modules() if isinstance(module, nn.Conv2d | nn.BatchNorm2d)]
    device = backbone.scale.device
    with _Probing(backbone, modules, batch_statistics=estimator == "batch") as probing:
        total = torch.zeros(sum(len(module.weight) for module in modules), dtype=torch.float64, device=device)
        weight = 0
        for first in range(0, len(image_NCHW), batch):
            image = image_NCHW[first : first + batch].to(device)
            if estimator == "batch" and len(image) < 2 <= len(image_NCHW):
                continue  # one picture has no batch statistics
            loss = F.cross_entropy(head(backbone(image)), label_N[first : first + batch].to(device), reduction="sum")
            if estimator == "sample":
                gradients = torch.autograd.grad(loss, probing.outputs)
                rows = [
                    per_picture(module, given, slope)
                    for module, given, slope in zip(probing.order, probing.inputs, gradients, strict=True)
                ]
                squares, weight = dict(zip(probing.order, rows, strict=True)), weight + len(image)
            else:
                slopes = torch.autograd.grad(loss / len(image), [module.weight for module in modules])
                squares = {m: slope.square().flatten(1).mean(1) if slope.dim() > 1 else slope.square()
                           for m, slope in zip(modules, slopes, strict=True)}  # fmt: skip
                weight += 1
            total += torch.cat([squares[module].double() for module in modules])
            if progress is not None:
                progress(first + len(image), len(image_NCHW))
    return (total / weight).float().cpu().numpy()


class _Probing:
    """While open: the modules' inputs and outputs of the latest pass, no weight update, statistics restored after."""

    def __init__(self, backbone: Backbone, modules: list[Any], *, batch_statistics: bool) -> None:
        self.backbone, self.modules, self.batch_statistics = backbone, modules, batch_statistics
        self.order: list[Any] = []
        self.inputs: list[torch.Tensor] = []
        self.outputs: list[torch.Tensor] = []

    def __enter__(self) -> _Probing:
        self.buffers = {name: buffer.clone() for name, buffer in self.backbone.named_buffers()}
        self.training = self.backbone.training
        self.backbone.train(self.batch_statistics)
        # a ReLU in place would overwrite the outputs whose gradients are wanted
        self.relus = [m for m in self.backbone.modules() if isinstance(m, nn.ReLU) and m.inplace]
        for relu in self.relus:
            relu.inplace = False
        self.needed = [parameter.requires_grad for parameter in self.backbone.parameters()]
        for parameter in self.backbone.parameters():
            # gradients of the outputs are all the sample estimator needs; the stem's weight starts the graph
            parameter.requires_grad_(self.batch_statistics)
        self.modules[0].weight.requires_grad_(True)
        self.hooks = [module.register_forward_hook(self._keep) for module in self.modules]
        self.hooks.append(self.backbone.register_forward_pre_hook(self._clear))
        return self

    def _clear(self, *_: Any) -> None:
        self.order, self.inputs, self.outputs = [], [], []

    def _keep(self, module: nn.Module, given: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        self.order.append(module)
        self.inputs.append(given[0].detach())
        self.outputs.append(output)

    def __exit__(self, *_: object) -> None:
        for hook in self.hooks:
            hook.remove()
        self._clear()
        for relu in self.relus:
            relu.inplace = True
        for parameter, needed in zip(self.backbone.parameters(), self.needed, strict=True):
            parameter.requires_grad_(needed)
        for name, buffer in self.backbone.named_buffers():
            buffer.copy_(self.buffers[name])
        self.backbone.train(self.training)


def per_picture(module: Any, given: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    """Sum over B pictures of the squared gradient of a module's weight, mean over each filter: (filters,).

    `given`: input (B, I, H, W); `slope`: gradient of the loss at the output (B, O, H', W').
    """
    if isinstance(module, nn.BatchNorm2d):
        running: Any = module  # its statistics are there: `track_running_stats` is torchvision's default
        scale = torch.rsqrt(running.running_var + module.eps)[:, None, None]
        normal = (given - running.running_mean[:, None, None]) * scale
        return (slope * normal).sum((2, 3)).square().sum(0)
    column_BIL = F.unfold(given, module.kernel_size, padding=module.padding, stride=module.stride)
    slope_BOL = slope.flatten(2)
    inputs, places, filters = column_BIL.shape[1], column_BIL.shape[2], slope_BOL.shape[1]
    # |slope x column'|^2 row by row, directly or through the small (L, L) products of what was seen at L places
    if places * (inputs + filters) < inputs * filters:
        gram_BLL = column_BIL.transpose(1, 2) @ column_BIL
        square_BO = ((slope_BOL @ gram_BLL) * slope_BOL).sum(2)
    else:
        square_BO = (slope_BOL @ column_BIL.transpose(1, 2)).square().sum(2)
    return square_BO.sum(0) / inputs
