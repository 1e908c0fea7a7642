"""Augmentation of batches of uint8 pictures, on the device that has them; results are floats, 0 to 255.

Random numbers are drawn for each picture on the host, from the given generator: they are the same on every device, and
choosing the pictures for an operation does not wait for a GPU. Operations on single values (brightness, contrast,
posterise, equalise and others) are a table of 256 values for each picture and channel; operations that move pixels are
one affine grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

#: RandAugment's operations; each picture draws one with equal chances. First those that are tables of values.
TABLE_OPS = ("identity", "autocontrast", "equalize", "invert", "posterize", "solarize", "solarize_add", "brightness",
             "contrast")  # fmt: skip
OPS = (*TABLE_OPS, "colour", "sharpness", "rotate", "shear_x", "shear_y", "translate_x", "translate_y")
GREY = (0.299, 0.587, 0.114)  # weights of red, green and blue in luma
FILL = 128.0 / 255  # value of the pixels that a moved picture leaves empty


@dataclass(frozen=True)
class Augment:
    """The augmentations of a recipe, see `Recipe`; 0 (a crop area of 1) switches one off."""

    size: int
    crop_area: float = 0.5
    flip: bool = True
    jitter: float = 0.0
    randaugment_ops: int = 0
    randaugment_magnitude: float = 9.0
    mixup: float = 0.0
    cutmix: float = 0.0

    def __call__(self, image_NCHW: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """uint8 (N, 3, H, W) to float32 (N, 3, size, size), 0 to 255."""
        x = crop_flip(image_NCHW, self.size, self.crop_area, self.flip, generator)
        for _ in range(self.randaugment_ops):
            x = randaugment(x, self.randaugment_magnitude, generator)
        return jittered(x, self.jitter, generator) if self.jitter else x


def uniform(count: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    """`count` numbers between `low` and `high`."""
    return torch.rand(count, generator=generator) * (high - low) + low


def crop_flip(image_NCHW: torch.Tensor, size: int, area: float, flip: bool, generator: torch.Generator) -> torch.Tensor:
    """Random crops of `area` to 1 of a picture and 3/4 to 4/3 in shape, resized to `size`; mirrored half the time.

    A crop that does not fit is cut to the side. Sampling is bilinear, without smoothing: for pictures of about `size`.
    """
    n = len(image_NCHW)
    share = uniform(n, area, 1.0, generator)
    shape = (
        torch.exp(uniform(n, math.log(3 / 4), math.log(4 / 3), generator) / 2) if area < 1 else torch.ones_like(share)
    )
    width, height = ((share.sqrt() * side).clamp(max=1.0) for side in (shape, 1 / shape))
    across, down = (uniform(n, -1.0, 1.0, generator) for _ in range(2))
    mirror = torch.where(uniform(n, 0.0, 1.0, generator) < 0.5, -1.0, 1.0) if flip else torch.ones_like(share)
    if area >= 1 and image_NCHW.shape[-1] == size:
        x = image_NCHW.float()
        return torch.where(mirror.to(x.device, non_blocking=True)[:, None, None, None] < 0, x.flip(3), x)
    theta = torch.zeros((n, 2, 3))
    theta[:, 0, 0], theta[:, 0, 2] = mirror * width, across * (1 - width)
    theta[:, 1, 1], theta[:, 1, 2] = height, down * (1 - height)
    return moved(image_NCHW.float(), theta, size, "reflection")


def moved(x: torch.Tensor, theta_N23: torch.Tensor, size: int, padding: str) -> torch.Tensor:
    """Sample pictures through affine maps of output to input coordinates (-1 to 1)."""
    grid = F.affine_grid(theta_N23.to(x.device, non_blocking=True), [len(x), 3, size, size], align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=False)


def grey(x: torch.Tensor) -> torch.Tensor:
    """Luma, (N, 1, H, W)."""
    return (x * weights(x.device)[:, None, None]).sum(1, keepdim=True)


def weights(device: torch.device) -> torch.Tensor:
    """GREY on a device, (3,). A tensor made there from numbers would keep the host waiting for all work before it."""
    return torch.tensor(GREY).to(device, non_blocking=True)


def blend(other: torch.Tensor, x: torch.Tensor, factor_N: torch.Tensor) -> torch.Tensor:
    """From `other` (factor 0) to x (factor 1) and beyond, clamped to 0 to 255."""
    return torch.lerp(other, x, factor_N[:, None, None, None]).clamp(0, 255)


def jittered(x: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    """Brightness, contrast, then saturation, each by a factor of 1 - strength to 1 + strength."""
    factors = [uniform(len(x), 1 - strength, 1 + strength, generator) for _ in range(3)]
    factors = [factor.to(x.device, non_blocking=True) for factor in factors]
    x = (x * factors[0][:, None, None, None]).clamp(0, 255)
    x = blend(grey(x).mean((1, 2, 3), keepdim=True).expand_as(x), x, factors[1])
    return blend(grey(x).expand_as(x), x, factors[2])


def randaugment(x: torch.Tensor, magnitude: float, generator: torch.Generator) -> torch.Tensor:
    """One operation of OPS a picture, at `magnitude` of 10 with half a step of spread (timm's rand-m9-mstd0.5-inc1)."""
    n = len(x)
    op = torch.randint(len(OPS), (n,), generator=generator)
    level = torch.randn(n, generator=generator).mul_(0.5).add_(magnitude).clamp_(0, 10) / 10
    signed = torch.where(uniform(n, 0, 1, generator) < 0.5, -level, level)
    op[uniform(n, 0, 1, generator) < 0.5] = OPS.index("identity")  # applied half the time, as timm does
    x = x.clone()
    first = len(TABLE_OPS)

    def change(chosen: torch.Tensor, how: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        at = torch.nonzero(chosen).squeeze(1)
        if len(at):
            there = at.to(x.device, non_blocking=True)
            x[there] = how(x[there], at)

    def factor(at: torch.Tensor) -> torch.Tensor:
        return (1 + 0.9 * signed[at]).to(x.device, non_blocking=True)

    change((op > 0) & (op < first), lambda part, at: looked_up(part, op[at], level[at], signed[at]))
    change(op == first, lambda part, at: recoloured(part, factor(at)))
    change(op == first + 1, lambda part, at: sharpened(part, factor(at)))
    change(op > first + 1, lambda part, at: shifted(part, op[at] - first - 2, signed[at]))
    return x


def recoloured(x: torch.Tensor, factor_N: torch.Tensor) -> torch.Tensor:
    """Saturation scaled by a factor for each picture."""
    return blend(grey(x).expand_as(x), x, factor_N)


def sharpened(x: torch.Tensor, factor_N: torch.Tensor) -> torch.Tensor:
    """Sharpness by a factor; 0 is the picture smoothed by PIL's 3x3 kernel: 5 at the centre, 1 around it."""
    kernel = torch.ones((3, 1, 3, 3), device=x.device)
    kernel[:, :, 1, 1] = 5.0
    smooth = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel / 13.0, groups=3)
    return blend(smooth, x, factor_N)


def shifted(x: torch.Tensor, op_M: torch.Tensor, level_M: torch.Tensor) -> torch.Tensor:
    """Operations numbered from "rotate" in OPS; the uncovered parts are mid grey."""
    return moved(x - 255 * FILL, affine(op_M, level_M), x.shape[-1], "zeros") + 255 * FILL


def affine(op_M: torch.Tensor, level_M: torch.Tensor) -> torch.Tensor:
    """Maps (M, 2, 3) of operations numbered from "rotate" in OPS: up to 30 degrees, a shear of 0.3, 0.45 of a side."""
    angle = torch.where(op_M == 0, level_M * math.radians(30), 0.0)
    theta = torch.zeros((len(op_M), 2, 3))
    theta[:, 0, 0] = theta[:, 1, 1] = torch.cos(angle)
    theta[:, 0, 1] = torch.sin(angle) + torch.where(op_M == 1, 0.3 * level_M, 0.0)
    theta[:, 1, 0] = -torch.sin(angle) + torch.where(op_M == 2, 0.3 * level_M, 0.0)
    for axis in range(2):
        theta[:, axis, 2] = torch.where(op_M == 3 + axis, 0.9 * level_M, 0.0)  # the grid is 2 wide
    return theta


def looked_up(x: torch.Tensor, op_M: torch.Tensor, level_M: torch.Tensor, signed_M: torch.Tensor) -> torch.Tensor:
    """Operations numbered as in TABLE_OPS."""
    part = x.round().to(torch.int64).clamp_(0, 255)
    flat = part.flatten(2)
    values = (value.to(x.device, non_blocking=True) for value in (op_M, level_M, signed_M))
    return tables(flat, *values).gather(2, flat).view(part.shape)


def tables(flat_MCP: torch.Tensor, op_M: torch.Tensor, level_M: torch.Tensor, signed_M: torch.Tensor) -> torch.Tensor:
    """Tables (M, 3, 256) for pictures given as int64 values (M, 3, pixels)."""
    value = torch.arange(256, device=flat_MCP.device, dtype=torch.float32).expand(len(op_M), 3, 256)
    level, factor = level_M[:, None, None], (1 + 0.9 * signed_M)[:, None, None]
    low, high = (edge.float() for edge in torch.aminmax(flat_MCP, dim=2, keepdim=True))
    mean = (flat_MCP.float().mean(2) * weights(flat_MCP.device)).sum(1)[:, None, None]
    step = 2.0 ** (4 + (4 * level).floor()).clamp(max=7)  # keeps 4 to 1 of 8 bits
    candidates = {
        "autocontrast": (value - low) * (255 / (high - low).clamp(min=1)),
        "equalize": equalized(flat_MCP),
        "invert": 255 - value,
        "posterize": (value / step).floor() * step,
        "solarize": torch.where(value >= 256 * (1 - level), 255 - value, value),
        "solarize_add": torch.where(value < 128, value + 110 * level, value),
        "brightness": value * factor,
        "contrast": mean + (value - mean) * factor,
    }
    out = value
    for place, name in enumerate(TABLE_OPS):
        if name in candidates:
            out = torch.where((op_M == place)[:, None, None], candidates[name], out)
    return out.clamp(0, 255)


def equalized(flat_MCP: torch.Tensor) -> torch.Tensor:
    """Tables that spread each channel's values evenly."""
    ones = torch.ones(1, device=flat_MCP.device).expand(flat_MCP.shape)
    count = torch.zeros((*flat_MCP.shape[:2], 256), device=flat_MCP.device).scatter_add_(2, flat_MCP, ones)
    before = count.cumsum(2) - count
    rest = flat_MCP.shape[2] - count.gather(2, flat_MCP.amax(2, keepdim=True))  # all but the brightest value
    spread = (before * 255 / rest.clamp(min=1)).round()
    return torch.where(rest > 0, spread, torch.arange(256, device=flat_MCP.device, dtype=torch.float32))


def mix(
    x: torch.Tensor, mixup: float, cutmix: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor | None, float]:
    """Mixup or cutmix of a batch with a shuffled copy, one of them by chance where both are on.

    Returns the pictures, the partner (N,) of each picture (None when both are off), and the share of its own label.
    """
    if not mixup and not cutmix:
        return x, None, 1.0
    partner_N = torch.randperm(len(x), generator=generator).to(x.device, non_blocking=True)
    use_cutmix = bool(cutmix) and (not mixup or float(torch.rand(1, generator=generator)) < 0.5)
    share = beta(cutmix if use_cutmix else mixup, generator)
    if not use_cutmix:
        return torch.lerp(x[partner_N], x, share), partner_N, share
    side = x.shape[-1]
    half = side * math.sqrt(1 - share) / 2
    centre = (torch.rand(2, generator=generator) * side).tolist()
    (top, bottom), (left, right) = ((max(round(c - half), 0), min(round(c + half), side)) for c in centre)
    x = x.clone()
    x[:, :, top:bottom, left:right] = x[partner_N][:, :, top:bottom, left:right]
    return x, partner_N, 1 - (bottom - top) * (right - left) / side**2


def beta(alpha: float, generator: torch.Generator) -> float:
    """One draw from Beta(alpha, alpha)."""
    pair = torch._standard_gamma(torch.full((2,), alpha), generator=generator)
    return float(pair[0] / pair.sum().clamp(min=1e-12))
