"""Task2Vec: the embedding of a task by a probe network.

The embedding is the diagonal of the probe's Fisher information on the task, one value for each filter (Achille et al.
2019; paper, section 3.2). Embeddings of different probes or estimators cannot be compared, so `probe_name` contains
both. Three estimators:

- ``sample``: the mean over pictures of squared gradients, with running statistics. The definition, and the default.
- ``batch``: what the authors' code computes: 10,000 draws with replacement, all classes equally often, the squared
  gradient of the mean loss of 64 of them, with batch statistics. It mixes pictures, depends on the batch size and takes
  ten times as long; it is only for comparing with the authors' vectors.
- ``variational``: their other method, which trains the variance of noise; 4800 values for ResNet-18.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from t2s_offline.errors import BadInput, check_known
from t2s_offline.images.image_files import Int64, Pictures, Progress
from t2s_offline.seeds import derive_rng, derive_seed
from t2s_offline.tasks import PAPER_PROBE
from t2s_offline.tensor_files import arrays_digest
from t2s_offline.training import imagenet_probe
from t2s_offline.training.fisher import BATCH, batch_fisher, picture_fisher
from t2s_offline.training.networks import Backbone, extract, linear_head, load_backbone, seeded
from t2s_offline.training.variational import variational_fisher

Estimator = Literal["sample", "batch", "variational"]
#: Estimator -> pictures drawn by default
SAMPLES: dict[str, int] = {"sample": 1000, "batch": 10_000, "variational": 10_000}
IMAGENET = "resnet18-imagenet"
HEAD_RATE, HEAD_DECAY, HEAD_EPOCHS = 4e-4, 1e-4, 10


@dataclass(frozen=True, eq=False)
class Probe:
    """A network that embeds tasks. name: identifies its weights; size: pixels of the pictures it was trained on;
    resize: how many times larger they were before the crop."""

    name: str
    backbone: Backbone
    size: int = 224
    resize: float = 1.0


def open_probe(name: str, device: torch.device | str = "cpu") -> Probe:
    """A probe: ``resnet18-imagenet`` (torchvision's weights, downloaded once), a file of these weights, or a
    backbone's file. BadFile when it cannot be downloaded, or is neither.
    """
    if name == IMAGENET:
        return Probe(IMAGENET, imagenet_probe.download().to(device), 224, 256 / 224)
    if Path(name).is_file() and imagenet_probe.is_weights(Path(name)):
        backbone, genuine = imagenet_probe.read(Path(name))
        title = IMAGENET if genuine else f"{IMAGENET}-{weights_digest(backbone)}"
        return Probe(title, backbone.to(device), 224, 256 / 224)
    saved = load_backbone(Path(name), device)
    size = saved.card.get("size")
    title = f"{saved.backbone.arch}-{weights_digest(saved.backbone)}"
    return Probe(title, saved.backbone, size if isinstance(size, int) else 224)


def weights_digest(backbone: Backbone) -> str:
    """Eight hex digits of the hash of the weights and buffers."""
    return arrays_digest({name: tensor.cpu().numpy() for name, tensor in backbone.trunk.state_dict().items()})


def probe_name(probe: Probe, size: int, estimator: str = "sample", samples: int | None = None) -> str:
    """The name of embeddings in a store: the weights, the size of the pictures, the estimator and its draws."""
    if estimator == "sample":
        return f"{probe.name}-{size}px"
    return f"{probe.name}-{size}px-{estimator}-{samples or SAMPLES[estimator]}"


@dataclass(frozen=True)
class Made:
    """How embeddings of one name were made. probe: name of the weights; size: pixels; samples: pictures drawn."""

    probe: str
    size: int
    estimator: Estimator
    samples: int

    def __str__(self) -> str:
        how = {"sample": "one picture at a time", "batch": f"in batches of {BATCH}", "variational": "by trained noise"}
        return f"probe {self.probe}, {self.size} px, {self.samples} pictures drawn, {how[self.estimator]}"


def made_by(name: str) -> Made:
    """How stored embeddings were made, read from their name; BadInput when it is not one of `probe_name`."""
    if name == PAPER_PROBE:
        return Made(IMAGENET, 224, "batch", SAMPLES["batch"])
    found = re.fullmatch(r"(.+)-(\d{1,4})px(?:-(batch|variational)-(\d{1,7}))?", name)
    if not found:
        raise BadInput(
            f"embeddings {name} do not say how they were made, so no task can be added to them; "
            f"embed the tasks again with one probe: t2s-offline embed"
        )
    estimator: Any = found[3] or "sample"
    return Made(found[1], int(found[2]), estimator, int(found[4] or SAMPLES["sample"]))


def embed(
    pictures: Pictures,
    probe: Probe,
    task: str,
    *,
    samples: int | None = None,
    estimator: Estimator = "sample",
    seed: int = 0,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> npt.NDArray[np.float32]:
    """Task2Vec vector of labelled pictures, float32 (D,). `samples`: pictures drawn, see SAMPLES.

    The head is fitted on features by Adam. The estimator ``sample`` computes a picture that is drawn several times only
    once. BadInput with fewer than two pictures, or when the result is not finite.
    """
    check_known("estimator", estimator, SAMPLES)
    samples = SAMPLES[estimator] if samples is None else samples
    if samples < 2 or len(pictures) < 2:
        raise BadInput(f"{min(samples, len(pictures))} pictures of {task} to embed; expected 2 or more")
    embed_with = _by_pictures if estimator == "sample" else _by_batches
    vector = embed_with(pictures, probe.backbone, task, samples, estimator, seed, batch, progress)
    if not np.isfinite(vector).all():
        raise BadInput(f"the embedding of {task} is not finite under probe {probe.name}; use another probe")
    return vector


def _by_pictures(
    pictures: Pictures, backbone: Backbone, task: str, samples: int, _estimator: str, seed: int, batch: int,
    progress: Progress | None,
) -> npt.NDArray[np.float32]:  # fmt: skip
    """Draws without replacement until all pictures were drawn; each pair of picture and label is computed once."""
    drawn = balanced(pictures.label_N, samples, derive_rng("task2vec", task, seed))
    once_U, where_M = np.unique(drawn, return_inverse=True)
    feature = extract(backbone, torch.from_numpy(pictures.image_NCHW[once_U]))[torch.from_numpy(where_M)]
    label = torch.from_numpy(pictures.label_N[drawn]).to(feature.device)
    generator = seeded(derive_seed("task2vec head", task, seed))
    head = fit_head(feature, label, len(pictures.classes), generator)
    with torch.no_grad():
        chance = head(feature).softmax(1).cpu()
    given = torch.multinomial(chance, 1, generator=generator).squeeze(1).numpy()
    pair_P, count_P = np.unique(np.stack([drawn, given]), axis=1, return_counts=True)
    image, label = (torch.from_numpy(rows) for rows in (pictures.image_NCHW[pair_P[0]], pair_P[1]))
    weight = torch.from_numpy(count_P.astype(np.float32))
    return picture_fisher(backbone, head, image, label, weight, batch=batch, progress=progress)


def _by_batches(
    pictures: Pictures, backbone: Backbone, task: str, samples: int, estimator: str, seed: int, batch: int,
    progress: Progress | None,
) -> npt.NDArray[np.float32]:  # fmt: skip
    """Draws with replacement, all classes equally often; the head is fitted on as many draws in each epoch."""
    rng = derive_rng("task2vec", estimator, task, seed)
    generator = seeded(derive_seed("task2vec head", estimator, task, seed))
    image = torch.from_numpy(pictures.image_NCHW)
    label = torch.from_numpy(pictures.label_N)
    feature = extract(backbone, image)
    epochs = [torch.from_numpy(with_replacement(pictures.label_N, samples, rng)) for _ in range(HEAD_EPOCHS)]
    head = fit_head(feature, label.to(feature.device), len(pictures.classes), generator, epochs)
    drawn = with_replacement(pictures.label_N, samples, rng)
    if estimator == "batch":
        return batch_fisher(backbone, head, image, drawn, generator, batch=batch, progress=progress)
    return variational_fisher(backbone, head, image, label, drawn, generator, batch=batch, progress=progress)


def with_replacement(label_N: Int64, samples: int, rng: np.random.Generator) -> Int64:
    """`samples` places: a class at random, then one of its pictures at random."""
    order = np.argsort(label_N, kind="stable")
    _, start_K, count_K = np.unique(label_N[order], return_index=True, return_counts=True)
    class_M = rng.integers(len(count_K), size=samples)
    return np.asarray(order[start_K[class_M] + rng.integers(count_K[class_M])])


def balanced(label_N: Int64, samples: int, rng: np.random.Generator) -> Int64:
    """`samples` positions, the classes in turn; within a class no picture is repeated before all were drawn."""
    classes = [np.flatnonzero(label_N == label) for label in np.unique(label_N)]
    share = -(-samples // len(classes))
    columns = [np.concatenate([rng.permutation(at) for _ in range(-(-share // len(at)))])[:share] for at in classes]
    places = np.stack(columns, axis=1)  # a row holds one picture of each class
    return rng.permuted(places, axis=1).ravel()[:samples]


def fit_head(
    feature_ND: torch.Tensor,
    label_N: torch.Tensor,
    classes: int,
    generator: torch.Generator,
    epochs: Sequence[torch.Tensor] | None = None,
) -> nn.Linear:
    """A head fitted on features: Adam, 10 epochs in batches of 64, as in the authors' code.

    epochs: the positions for each epoch; by default all of them in a random order.
    """
    seed = int(torch.randint(2**62, (1,), generator=generator))
    head = linear_head(feature_ND.shape[1], classes, seed=seed, device=feature_ND.device)
    optimiser = torch.optim.Adam(head.parameters(), lr=HEAD_RATE, weight_decay=HEAD_DECAY)
    for epoch in range(HEAD_EPOCHS if epochs is None else len(epochs)):
        order = torch.randperm(len(label_N), generator=generator) if epochs is None else epochs[epoch]
        for at in order.to(feature_ND.device, non_blocking=True).split(BATCH):
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(head(feature_ND[at]), label_N[at]).backward()
            optimiser.step()
    return head
