"""Policies map unit embeddings (T, D) to probabilities over configurations (T, C).

A policy with a head for each parameter is saved to a folder: weights as safetensors, the rest as JSON. Reading one
checks sizes, shapes and values before they are used and runs no code from the files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadFile, BadInput
from t2s_offline.files import write_whole
from t2s_offline.space import SimSpace
from t2s_offline.tensor_files import announced

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

WEIGHTS = "policy.safetensors"
CARD = "policy.json"
CENTRE = "centre"
FORMAT = "t2s-offline policy 1"
MAX_CARD = 16 << 20  # bytes


class Policy(Protocol):
    """A map from tasks to configurations."""

    @property
    def space(self) -> SimSpace: ...

    def probabilities(self, unit_TD: Float32) -> Float64:
        """Probability of every configuration for each task, shape (T, C), rows sum to 1."""
        ...

    def decide(self, unit_TD: Float32, measured_C: npt.NDArray[np.bool_]) -> Float64:
        """Distribution that the choice is drawn from, shape (T, C), rows sum to 1, 0 outside `measured_C` (C,)."""
        ...


@dataclass(frozen=True)
class MLP:
    """Weights of one policy network (paper, section 4.1): two shared hidden layers with ReLU, one softmax head a
    parameter. weight1: (H, D), weight2: (H, H), weight3: (sum of levels, H), biases to match; all float32."""

    weight1: Float32
    bias1: Float32
    weight2: Float32
    bias2: Float32
    weight3: Float32
    bias3: Float32

    def logits(self, unit_TD: Float32) -> Float32:
        """Outputs of all heads side by side, shape (T, sum of levels)."""
        hidden = np.maximum(unit_TD @ self.weight1.T + self.bias1, 0)
        hidden = np.maximum(hidden @ self.weight2.T + self.bias2, 0)
        return hidden @ self.weight3.T + self.bias3


@dataclass(frozen=True)
class FactoredPolicy:
    """P(a) = product over parameters of head_i(a_i) (paper, section 3.3), mean over the networks of several seeds.

    centre_D: subtracted from unit embeddings, which are then scaled to length 1 again; None: embeddings as they are.
    """

    space: SimSpace
    networks: tuple[MLP, ...]
    centre_D: Float32 | None = None

    def heads(self, unit_TD: Float32) -> list[Float64]:
        """Probability of each level, one array (S, T, levels) a parameter."""
        width = self.networks[0].weight1.shape[1]
        if unit_TD.shape[1] != width:
            raise BadInput(
                f"embedding of {unit_TD.shape[1]} values; the policy was trained on {width}: use the same probe"
            )
        unit_TD = centred(unit_TD, self.centre_D)
        logits_STL = np.stack([network.logits(unit_TD) for network in self.networks]).astype(np.float64)
        splits = np.cumsum(self.space.levels_P)[:-1]
        return [softmax(part) for part in np.split(logits_STL, splits, axis=2)]

    def marginals(self, unit_TD: Float32) -> list[Float64]:
        """Probability of each level, mean over seeds, one array (T, levels) a parameter."""
        return [head_STL.mean(axis=0) for head_STL in self.heads(unit_TD)]

    def probabilities(self, unit_TD: Float32) -> Float64:
        joint_STC = np.ones((len(self.networks), len(unit_TD), 1))
        for head_STL in self.heads(unit_TD):
            joint_STC = (joint_STC[..., None] * head_STL[:, :, None, :]).reshape(*joint_STC.shape[:2], -1)
        return joint_STC.mean(axis=0)

    def decide(self, unit_TD: Float32, measured_C: npt.NDArray[np.bool_]) -> Float64:
        """All weight on the likeliest measured configuration, as the paper evaluates (section 3.2)."""
        return best_measured(self.probabilities(unit_TD), measured_C)


def best_measured(score_TC: Float64, measured_C: npt.NDArray[np.bool_]) -> Float64:
    """1 at the measured configuration of highest score for each task, else 0; shape (T, C)."""
    best_T = np.where(measured_C, score_TC, -np.inf).argmax(axis=1)
    chosen_TC = np.zeros(score_TC.shape)
    chosen_TC[np.arange(len(best_T)), best_T] = 1.0
    return chosen_TC


def centred(unit_TD: Float32, centre_D: Float32 | None) -> Float32:
    """Unit embeddings minus `centre_D`, scaled to length 1 again, shape (T, D); unchanged where it is None.

    Task2Vec vectors are nearly parallel; their differences from the mean are not. A row at the centre becomes zeros.
    """
    if centre_D is None:
        return unit_TD
    wide_TD = unit_TD.astype(np.float64) - centre_D
    norm_T1 = np.linalg.norm(wide_TD, axis=1, keepdims=True)
    return np.divide(wide_TD, norm_T1, out=np.zeros_like(wide_TD), where=norm_T1 > 1e-6).astype(np.float32)


def softmax(logits: Float64) -> Float64:
    """Softmax over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class SavedPolicy:
    """A policy and its card: recipe, metric, probe, tasks, seeds, versions, and the rewards reached in training."""

    policy: FactoredPolicy
    card: Mapping[str, Any]


def save_policy(folder: Path, policy: FactoredPolicy, card: Mapping[str, Any]) -> None:
    """Write the weights, then the card, each atomically. A folder without a card holds no policy, so an interrupted
    call leaves none. BadFile when the folder cannot be written."""
    from safetensors.numpy import save

    tensors = {
        f"{seed}.{field}": np.ascontiguousarray(array)
        for seed, network in enumerate(policy.networks)
        for field, array in vars(network).items()
    }
    if policy.centre_D is not None:
        tensors[CENTRE] = np.ascontiguousarray(policy.centre_D)
    text = json.dumps(
        {"format": FORMAT, "space": str(policy.space), **card}, indent=1, ensure_ascii=False, allow_nan=False
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CARD).unlink(missing_ok=True)
        write_whole(folder / WEIGHTS, save(tensors))
        write_whole(folder / CARD, text.encode() + b"\n")
    except OSError as error:
        raise BadFile(f"cannot write the policy to {folder}: {error.strerror or error}") from error


def load_policy(folder: Path) -> SavedPolicy:
    """Read what `save_policy` wrote; BadFile when it is absent, corrupt or of another shape."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not (folder / CARD).is_file():
        raise BadFile(f"no policy in {folder}: {CARD} is missing; write one with: t2s-offline learn --out {folder}")
    try:
        card = _read_card(folder / CARD)
        space = SimSpace.parse(str(card["space"]))
        shapes = announced(folder / WEIGHTS, ("F32",)).shapes
        seeds = _seeds(shapes, int(space.levels_P.sum()))
        tensors = load_file(folder / WEIGHTS)
    except (OSError, KeyError, ValueError, SafetensorError, BadInput) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadFile(f"cannot read the policy in {folder}: {reason}; learn it again") from error
    if any(not np.isfinite(tensor).all() for tensor in tensors.values()):
        raise BadFile(f"the policy in {folder} is damaged: weights that are not finite; learn it again")
    fields = MLP.__dataclass_fields__
    networks = tuple(MLP(*(tensors[f"{seed}.{field}"] for field in fields)) for seed in range(seeds))
    return SavedPolicy(FactoredPolicy(space, networks, tensors.get(CENTRE)), card)


def _read_card(path: Path) -> dict[str, Any]:
    """The card, with the values that others rely on checked; BadInput says which is wrong."""
    if path.stat().st_size > MAX_CARD:
        raise BadInput(f"{path.name} has {path.stat().st_size} bytes; expected at most {MAX_CARD}")
    try:
        card = json.loads(path.read_text("utf-8"))
    except RecursionError as error:
        raise BadInput(f"{path.name} is nested too deeply") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise BadInput(f"{path.name} is no policy card; expected format {FORMAT!r}")
    for key in ("recipe", "metric", "probe"):
        if not isinstance(card.get(key), str | None):
            raise BadInput(f"{path.name}: {key} is no text")
    tasks = card.get("tasks", [])
    if not isinstance(tasks, list) or not all(isinstance(task, str) for task in tasks):
        raise BadInput(f"{path.name}: tasks is no list of texts")
    return card


def _seeds(shapes: Mapping[str, tuple[int, ...]], levels: int) -> int:
    """Number of networks in tensors of these shapes, by the layout of `save_policy`; BadInput for another layout."""
    width, inputs = (shapes.get("0.weight1") or (0, 0))[:2] if len(shapes.get("0.weight1", ())) == 2 else (0, 0)
    if not width or not inputs:
        raise BadInput("it has no network of one unit or more")
    wanted = {
        "weight1": (width, inputs), "bias1": (width,), "weight2": (width, width), "bias2": (width,),
        "weight3": (levels, width), "bias3": (levels,),
    }  # fmt: skip
    seeds = len(shapes) // len(wanted)
    layout: dict[str, tuple[int, ...]] = {CENTRE: (inputs,)} if CENTRE in shapes else {}
    layout |= {f"{seed}.{field}": shape for seed in range(seeds) for field, shape in wanted.items()}
    if wrong := sorted(name for name in layout.keys() | shapes.keys() if layout.get(name) != shapes.get(name)):
        raise BadInput(f"tensor {wrong[0][:60]} has shape {shapes.get(wrong[0])}; expected {layout.get(wrong[0])}")
    return seeds
