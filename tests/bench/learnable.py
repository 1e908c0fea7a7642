"""Is the catalogue learnable and not trivial? ``python -m tests.bench.learnable [CONFIGURATION ...]``

A small network learns from renders of half of the objects of each category and names the category of the other half,
meshes that it has not seen. Prints top-1 accuracy on both halves, beside chance.

Measured with the defaults on one busy CPU thread; 226 categories x 20 objects (chance 0.44 %), 11,300 images learnt:
  00111001  seen objects 99.9 %, unseen objects 99.1 % (render 82 s, train 297 s)
  11111111  seen objects 12.2 %, unseen objects  4.1 % (render 243 s, train 255 s); it underfits at this budget
"""

from __future__ import annotations

import argparse
import time

import torch
from torch import nn

from t2s_offline.render.renderer import Renderer, RenderRequest, get_renderer

CONFIGURATIONS = ("00111001", "11111111")  # light and materials vary, no rotation; everything varies


def block(inside: int, outside: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)
    )


def network(classes: int) -> nn.Sequential:
    """Five convolutions, 64 px to 4 px, 0.5 million weights."""
    widths = ((3, 32, 2), (32, 64, 2), (64, 96, 2), (96, 128, 1), (128, 192, 2))
    layers = [block(*width) for width in widths]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.2), nn.Linear(192 * 4, classes))


def dataset(renderer: Renderer, request: RenderRequest) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images (N, 3, H, W), labels (N,), and whether the object is of the half that is learnt from (N,)."""
    batches = list(renderer.render(request))
    image, label, shown = (
        torch.cat([getattr(b, name).cpu() for b in batches]) for name in ("image_NCHW", "label_N", "object_N")
    )
    return image, label, shown % 2 == 0


def prepared(image: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Floats; with a generator also moved by up to 4 pixels and mirrored, one way for the whole batch."""
    x = (image.float() / 255 - 0.45) / 0.25
    if generator is None:
        return x
    down, right, mirror = torch.randint(0, 9, (3,), generator=generator).tolist()
    x = nn.functional.pad(x, (4, 4, 4, 4), mode="replicate")
    x = x[..., down : down + image.shape[2], right : right + image.shape[3]]
    return x.flip(3) if mirror % 2 else x


def top1(net: nn.Module, image: torch.Tensor, label: torch.Tensor) -> float:
    net.eval()
    with torch.no_grad():
        named = torch.cat([net(prepared(part)).argmax(1) for part in image.split(512)])
    return 100 * float((named == label).float().mean())


def learn(
    image: torch.Tensor, label: torch.Tensor, classes: int, epochs: int, seed: int, batch: int = 64
) -> nn.Sequential:
    """Train with AdamW and a one-cycle rate."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net = network(classes).to(memory_format=torch.channels_last)
    steps = epochs * (len(image) // batch)
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps, pct_start=0.2)
    for _ in range(epochs):
        net.train()
        order = torch.randperm(len(image), generator=generator)
        for start in range(0, len(image) - batch + 1, batch):
            chosen = order[start : start + batch]
            with torch.autocast("cpu", torch.bfloat16):
                out = net(prepared(image[chosen], generator).contiguous(memory_format=torch.channels_last))
            loss = nn.functional.cross_entropy(out.float(), label[chosen], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("configurations", nargs="*", default=CONFIGURATIONS)
    parser.add_argument("--images", type=int, default=100, help="images a class; half are learnt from")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    renderer = get_renderer("builtin", device="cpu", threads=args.threads)
    classes = len(renderer.classes)
    print(f"{classes} categories, {len(renderer.objects)} objects, chance {100 / classes:.2f} %")
    for configuration in args.configurations:
        start = time.perf_counter()
        image, label, known = dataset(renderer, RenderRequest(configuration, args.images, 64, seed=args.seed))
        rendered = time.perf_counter()
        net = learn(image[known], label[known], classes, args.epochs, args.seed)
        scores = [top1(net, image[half], label[half]) for half in (known, ~known)]
        spent = f"render {rendered - start:.0f} s, train {time.perf_counter() - rendered:.0f} s"
        print(f"{configuration}: seen objects {scores[0]:.1f} %, unseen objects {scores[1]:.1f} % ({spent})")


if __name__ == "__main__":
    main()
