"""The renderer's CUDA path without a GPU: its kernels become PTX for every generation of GPUs, and its launches, with
each device recorded and carried out on the CPU, give the bytes of the CPU's path."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import warp as wp

from t2s_offline.render.builtin import coverage, kernel, lens
from t2s_offline.render.builtin import renderer as builtin
from t2s_offline.render.builtin.renderer import BuiltinRenderer
from t2s_offline.render.builtin.warp_device import start_warp
from t2s_offline.render.renderer import RenderRequest
from tests.render.builtin.toys import toy_meshes, toy_renderer, toy_sky

#: Module -> kernels that a picture needs of it.
KERNELS = {coverage: ("cover",), lens: ("tally", "backdrop", "compose"), kernel: ("trace",)}


@pytest.mark.parametrize("arch", [75, 80, 90, 120])
def test_kernels_compile(arch: int, tmp_path: Path) -> None:
    """NVRTC, which Warp brings, needs no GPU. Cards from Turing (sm_75) to Blackwell (sm_120)."""
    start_warp()
    for module, names in KERNELS.items():
        wp.compile_aot_module(module, device=None, arch=arch, module_dir=tmp_path, use_ptx=True)
        (path,) = tmp_path.glob(f"*{module.__name__}*.sm{arch}.ptx")
        text = path.read_text()
        assert f".target sm_{arch}" in text
        entries = re.findall(r"\.entry (\w+)", text)
        assert all(any(entry.startswith(f"{name}_") for entry in entries) for name in names)


class Recorded:
    """Warp, or torch, for one test: `devices` that were asked for are noted, and everything is done on the CPU."""

    def __init__(self, real: Any, placed: tuple[str, ...], instead: dict[str, Any]) -> None:
        self.real, self.placed, self.instead = real, placed, instead
        self.devices: list[str] = []
        self.launches: list[tuple[str, tuple[int, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        if name in self.instead:
            return self.instead[name]
        found = getattr(self.real, name)
        if name not in self.placed:
            return found

        def on_the_cpu(*args: Any, device: Any, **more: Any) -> Any:
            self.devices.append(str(device))
            if name == "launch":
                assert more.pop("stream") is None, "the launches follow the stream that is in force"
                dim = more["dim"]
                self.launches.append((args[0].key, tuple(dim)))
            return found(*args, device="cpu", **more)

        return on_the_cpu


@pytest.mark.parametrize("configuration", ["00000000", "11111111", "00000100"])
def test_the_cuda_path_launches_what_the_cpus_does(configuration: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = toy_renderer()
    request = RenderRequest(configuration, 3, 32)
    _, shown, scenes = here.describe(request)
    expected = here.draw(scenes, shown, 32, 4)

    entered: list[str] = []

    def scoped(stream: str) -> Any:
        entered.append(stream)
        return nullcontext()

    warp = Recorded(
        wp,
        ("array", "empty", "zeros", "launch", "load_module"),
        {"stream_from_torch": lambda stream: f"warp's {stream}", "ScopedStream": scoped},
    )
    cuda = SimpleNamespace(current_stream=lambda device: "stream", device=lambda device: nullcontext())
    tensors = Recorded(torch, ("empty",), {"cuda": cuda})
    for module in (builtin, kernel):
        monkeypatch.setattr(module, "wp", warp)
    monkeypatch.setattr(builtin, "torch", tensors)
    monkeypatch.setattr(builtin, "open_device", lambda name: "cuda:0")
    there = BuiltinRenderer(toy_meshes(), toy_sky(), device="cuda")
    assert there.device == "cuda:0"
    assert there.threads == 1
    drawn = there.draw(scenes, shown, 32, 4)
    assert set(warp.devices) == set(tensors.devices) == {"cuda:0"}, "everything lies on the GPU"
    assert entered == ["warp's stream"], "torch's stream, so that who reads the pictures waits for the kernels"
    names = [name for name, _ in warp.launches]
    assert names == ["cover", "trace", "tally", "backdrop", "compose"]
    assert dict(warp.launches)["trace"] == (9, 32, 32), "one launch for all pictures"
    assert np.array_equal(drawn.numpy(), expected.numpy())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_pictures_stay_on_the_device() -> None:
    """From the kernel to a batch of torch without a copy: what Warp writes is the tensor's own memory."""
    there = BuiltinRenderer(toy_meshes(), toy_sky(), device="cuda")
    (batch,) = there.render(RenderRequest("11111111", 2, 32))
    assert batch.image_NCHW.is_cuda
    assert wp.from_torch(batch.image_NCHW).ptr == batch.image_NCHW.data_ptr()
