"""Training states: the tensors of a network and its optimiser by name, in memory or in a safetensors file.

On a CPU, training that continues from a restored state gives the same bits as training without a stop.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from t2s_offline.errors import BadFile, brief
from t2s_offline.files import write_whole
from t2s_offline.tensor_files import announced

FORMAT = "t2s-offline checkpoint 1"
State = dict[str, torch.Tensor]


def snapshot(network: nn.Module, optimiser: torch.optim.Optimizer) -> State:
    """Copies of every weight, buffer and moment of the optimiser, on their device."""
    state = {f"network.{name}": tensor.detach().clone() for name, tensor in network.state_dict().items()}
    for at, moments in optimiser.state_dict()["state"].items():
        for name, value in moments.items():
            if value is not None:
                state[f"optimiser.{at}.{name}"] = torch.as_tensor(value).detach().clone()
    return state


def restore(state: Mapping[str, torch.Tensor], network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Set network and optimiser to a state; BadFile when it is of another network."""
    try:
        _restore(state, network, optimiser)
    except (RuntimeError, KeyError, IndexError, ValueError) as error:
        reason = brief(error, 120)
        raise BadFile(f"the checkpoint is of another network: {reason}; remove it to start over") from error


def _restore(state: Mapping[str, torch.Tensor], network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    network.load_state_dict({name[8:]: tensor for name, tensor in state.items() if name.startswith("network.")})
    content = optimiser.state_dict()
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in state.items():
        if name.startswith("optimiser."):
            _, at, kind = name.split(".", 2)
            parameter = parameters[int(at)]
            if tensor.shape == parameter.shape:  # fused optimisers need the moments in the parameter's memory format
                tensor = torch.empty_like(parameter).copy_(tensor)
            moments.setdefault(int(at), {})[kind] = tensor.clone()
    optimiser.load_state_dict({"state": moments, "param_groups": content["param_groups"]})


def write_checkpoint(path: Path, state: State, card: Mapping[str, Any]) -> None:
    """Replace the file by this state; BadFile when it cannot be written, for example on a full disk."""
    from safetensors.torch import save

    text = json.dumps({**card, "format": FORMAT}, allow_nan=False)
    tensors = {name: tensor.cpu().contiguous() for name, tensor in state.items()}
    try:
        write_whole(path, save(tensors, metadata={"t2s_offline": text}))
    except OSError as error:
        raise BadFile(f"cannot write the checkpoint {path}: {error.strerror or error}; free space there") from error


def read_checkpoint(path: Path) -> tuple[State, dict[str, Any]] | None:
    """State and card of a file, or None when there is none that can be read: the training then starts over."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        return None
    try:
        card = json.loads(announced(path, ("F32", "F64", "I64")).metadata.get("t2s_offline", "null"))
        state = load_file(path)
    except (SafetensorError, OSError, ValueError, RecursionError, BadFile):
        return None
    return (state, card) if isinstance(card, dict) and card.get("format") == FORMAT else None
