"""A CUDA device without a GPU: tensors on it have a shape, a dtype and a device, and no values.

`FakeCuda` is a context in which what is made on or moved to "cuda" is a FakeTensor of torch, while tensors of the host
are real. Operations on tensors of two devices fail as they do on a GPU. What a GPU would do but the host would have to
wait for is counted, with the line of this package that asked for it: see `Wait`.

torch's engine for gradients wants a CUDA driver even for such tensors, so the graph is walked here, node by node.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

PACKAGE = str(Path(__file__).parents[2] / "t2s_offline")
aten = torch.ops.aten
#: Operations whose result's size or value the host must know: it waits for the device.
WAITING = {
    aten._local_scalar_dense, aten.nonzero, aten.masked_select, aten._unique2, aten.unique_dim, aten.equal,
    aten.repeat_interleave, aten._linalg_check_errors, aten._linalg_svd, aten._linalg_eigh, aten.unique_consecutive,
}  # fmt: skip
#: Copies of so many bytes from ordinary memory are staged at once; larger ones keep the host until they are done.
STAGED = 64 << 10


class FakeCuda(TorchDispatchMode):
    """Counts while it is entered. waits: Counter of (what, line) where the host waits for the device; wide: the same
    of results in float64 on the device; sent: bytes copied from the host to the device."""

    def __init__(self) -> None:
        super().__init__()
        self.fake = FakeTensorMode(allow_non_fake_inputs=True)
        self.device = torch.device("cuda")
        self.memory = 16 << 30
        self.begin()

    def begin(self) -> None:
        """Forget what was counted."""
        self.waits: Counter[tuple[str, str]] = Counter()
        self.wide: Counter[tuple[str, str]] = Counter()
        self.sent = 0

    def __enter__(self) -> FakeCuda:
        self.patches = ExitStack()
        self.patches.enter_context(self.fake)
        # autocast asks whether there is a driver, and would do nothing without one
        self.patches.enter_context(patch("torch.cuda.amp.common.amp_definitely_not_available", lambda: False))
        self.patches.enter_context(patch("torch.cuda.is_bf16_supported", lambda *_: True))
        self.patches.enter_context(patch("torch.Tensor.backward", backward))
        self.patches.enter_context(patch("torch.autograd.grad", grad))
        self.patches.enter_context(patch("torch.cuda.empty_cache", lambda: None))
        self.patches.enter_context(patch("torch.cuda.mem_get_info", lambda *_: (self.memory, self.memory)))
        self.patches.enter_context(patch("torch.cuda.memory_reserved", lambda *_: 0))
        self.patches.enter_context(patch("torch.cuda.memory_allocated", lambda *_: 0))
        self.patches.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "Accessing the data pointer of FakeTensor")  # by copy.deepcopy
        return super().__enter__()  # type: ignore[no-any-return]

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.patches.close()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = tree_leaves((args, kwargs))
        there = [leaf for leaf in given if isinstance(leaf, FakeTensor)]
        target = kwargs.get("device")
        to_device = target is not None and torch.device(target).type == "cuda"
        if not there and not to_device:
            with unset_fake_temporarily():  # all on the host
                return func(*args, **kwargs)
        packet = func.overloadpacket
        if packet in (aten._to_copy, aten.copy_):
            return self.copied(func, packet, args, kwargs)
        if packet in (aten.index, aten.index_put_, aten.index_put) and any(
            leaf is not None and leaf.dtype in (torch.bool, torch.uint8) for leaf in args[1]
        ):
            self.wait(f"{packet.__name__} by a mask")
        elif packet in WAITING:
            self.wait(packet.__name__)
            if packet is aten.nonzero:  # one is found
                return torch.zeros((1, args[0].dim()), dtype=torch.int64, device="cuda")
            if packet is aten._unique2:  # two are found
                kinds, whole = torch.zeros(2, dtype=args[0].dtype, device="cuda"), torch.zeros_like(args[0])
                return kinds, whole, kinds.long()
            if packet is aten._local_scalar_dense:
                return {torch.bool: True}.get(args[0].dtype, 1.0 if args[0].is_floating_point() else 1)
        if packet is aten._fused_sgd_:  # has no rule for such tensors; it writes into its first arguments
            assert {leaf.device.type for leaf in tree_leaves(args) if isinstance(leaf, torch.Tensor)} == {"cuda"}
            return None
        result = func(*args, **kwargs)
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor) and leaf.dtype == torch.float64 and leaf.device.type == "cuda":
                self.wide[packet.__name__, line()] += 1
        return result

    def copied(self, func: Any, packet: Any, args: Any, kwargs: Any) -> Any:
        """A copy between places. To the device: the host's values are kept beside it. From there: they come back where
        they are known, else ones."""
        source = args[0] if packet is aten._to_copy else args[1]
        target = kwargs.get("device", source.device) if packet is aten._to_copy else args[0].device
        here, there = source.device.type, torch.device(target).type
        relaxed = kwargs.get("non_blocking", False) or (packet is aten.copy_ and len(args) > 2 and args[2])
        if here == "cpu" and there == "cuda":
            size = source.numel() * source.element_size()
            self.sent += size
            if not relaxed or size > STAGED:
                self.wait(f"{size} bytes to the device")
        if here == "cuda" and there == "cpu":
            self.wait("to the host")
            known = getattr(source, "on_host", None)
            dtype = kwargs.get("dtype") or source.dtype
            with unset_fake_temporarily():
                whole = torch.ones(source.shape, dtype=dtype) if known is None else known.to(dtype)
                return args[0].copy_(whole) if packet is aten.copy_ else whole.clone()
        result = func(*args, **kwargs)
        if here == "cpu" and there == "cuda" and packet is aten._to_copy:
            with unset_fake_temporarily():
                result.on_host = source.detach().clone()
        return result

    def wait(self, what: str) -> None:
        """Count one."""
        self.waits[what, line()] += 1


def line() -> str:
    """The innermost line of the package, or of a test, that is running."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(PACKAGE) or Path(name).name.startswith("test_"):
            return f"{Path(name).name}:{frame.f_code.co_name}"
        frame = frame.f_back
    return "elsewhere"


def backward(loss: torch.Tensor, gradient: torch.Tensor | None = None, **_: Any) -> None:
    """In place of `Tensor.backward`."""
    walk(loss, {})


def grad(loss: torch.Tensor, inputs: Sequence[torch.Tensor], **_: Any) -> tuple[torch.Tensor, ...]:
    """In place of `torch.autograd.grad`; inputs: leaves or results of operations."""
    edges = [torch.autograd.graph.get_gradient_edge(tensor) for tensor in inputs]
    found: dict[tuple[Any, int], Any] = {(edge.node, edge.output_nr): None for edge in edges}
    walk(loss, found)
    return tuple(found[edge.node, edge.output_nr] for edge in edges)


def walk(loss: torch.Tensor, wanted: dict[tuple[Any, int], Any]) -> None:
    """Gradients of `loss` into the leaves, or, where some are wanted, only into these."""
    root = loss.grad_fn
    waiting: Counter[Any] = Counter()
    seen, queue = {root}, deque([root])
    while queue:
        for node, _ in queue.popleft().next_functions:
            if node is None:
                continue
            waiting[node] += 1
            if node not in seen:
                seen.add(node)
                queue.append(node)
    buffers: dict[Any, dict[int, Any]] = {root: {0: torch.ones_like(loss)}}
    ready = deque([root])
    with torch.no_grad():
        while ready:
            node = ready.popleft()
            got = buffers.pop(node, {})
            for place in [key for key in wanted if key[0] is node]:
                wanted[place] = got.get(place[1])
            leaf = hasattr(node, "variable")
            if got and not (leaf and wanted):
                inputs = [got.get(number) for number in range(len(node._input_metadata))]
                given = node(*inputs)
                given = given if isinstance(given, tuple) else (given,)
            else:
                given = (None,) * len(node.next_functions)
            for (after, number), gradient in zip(node.next_functions, given, strict=False):
                if after is None:
                    continue
                if gradient is not None:
                    gradient = fitted(gradient, after._input_metadata[number])
                    slot = buffers.setdefault(after, {})
                    slot[number] = gradient if number not in slot else slot[number] + gradient
                waiting[after] -= 1
                if not waiting[after]:
                    ready.append(after)


def fitted(gradient: torch.Tensor, meta: Any) -> torch.Tensor:
    """What the engine makes of a gradient before it is passed on; an error where it is on another device."""
    if gradient.device.type != meta.device.type:
        raise RuntimeError(f"a gradient on {gradient.device} for a tensor on {meta.device}")
    if tuple(gradient.shape) != tuple(meta.shape):
        gradient = gradient.sum_to_size(tuple(meta.shape))
    return gradient.to(meta.dtype)


@contextmanager
def fake_cuda() -> Iterator[FakeCuda]:
    """A fake CUDA device, entered."""
    with FakeCuda() as mode:
        yield mode
