"""How fast is the embedded renderer? ``python -m tests.bench.render [--device cuda]`` prints a table.

On a CPU the figure that counts is images a core-second (CPU time of all threads), since cores may be shared; on a GPU
images a second with the device idle at both ends. Catalogue objects, shadows on.

Measured on two cores that other work kept busy (load 11 to 13), --threads 1 --repeats 2, images a core-second:
   64 px, 1 sample: 1030;  4 samples: 595 (00000000), 550 (11111011), 459 (00000100), 422 (11111111)
  128 px, 4 samples: 212 (00000000), 145 (11111111);  224 px: 84;  peak memory 0.9 GiB
Where the 1.5 ms of a plain 64 px image go: drawing faces 0.33, shadow rays 0.45, background 0.2, shading and 4096
pixels' bookkeeping the rest. A blurred one adds 0.2 for its background and 0.3 for the object. With rays to the object
instead of drawn faces those alone took 1.9 ms, 114 ns a ray, and 1.3 ms where empty pixels were left out.

``--procedural``, one core of the same machine: fractals 1,070 images a core-second at 32 px, 1,150 at 64, 98 at 224;
dead_leaves 970, 360 and 32.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import torch

from t2s_offline.render.builtin.catalogue import load_catalogue
from t2s_offline.render.renderer import Renderer, RenderRequest, get_renderer
from t2s_offline.space import PROCEDURAL, TASK2SIM

CASES = (
    (64, 1, "00000000"),
    (64, 4, "00000000"),
    (64, 4, "11111011"),
    (64, 4, "00000100"),
    (64, 4, "11111111"),
    (128, 4, "00000000"),
    (128, 4, "11111111"),
    (224, 4, "00000000"),
)


def measure(renderer: Renderer, request: RenderRequest, batch: int, repeats: int) -> tuple[float, float]:
    """Images a second, and images a core-second; the best of `repeats`."""
    sync = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    best = [0.0, 0.0]
    for _ in range(repeats):
        sync()
        wall, cpu = time.perf_counter(), time.process_time()
        count = sum(len(b.label_N) for b in renderer.render(request, batch=batch))
        sync()
        best[0] = max(best[0], count / (time.perf_counter() - wall))
        best[1] = max(best[1], count / (time.process_time() - cpu))
    return best[0], best[1]


def catalogue() -> None:
    """Seconds to build the whole catalogue in an empty cache with two processes, and to load it from there."""
    with tempfile.TemporaryDirectory() as cache:
        for what in ("build", "load"):
            start = time.perf_counter()
            meshes = load_catalogue(None, 20, cache=Path(cache), jobs=2)
            print(f"{what} {len(meshes.classes)} x 20 objects: {time.perf_counter() - start:.1f} s")


def procedural(repeats: int) -> None:
    """Images a core-second of the renderers without simulation parameters, and the search for classes before."""
    for name in PROCEDURAL:
        renderer = get_renderer(name, classes=32, objects=20, device="cpu")
        begin = time.process_time()
        measure(renderer, RenderRequest(TASK2SIM.all_off, 1, 16), 256, 1)
        print(f"{name}: 32 classes opened and 32 images in {time.process_time() - begin:.1f} CPU-seconds")
        for size, images in ((32, 16), (64, 8), (224, 1)):
            _, cpu = measure(renderer, RenderRequest(TASK2SIM.all_off, images, size), 256, repeats)
            print(f"  {size:4d} px {cpu:14.0f} images/core-s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--classes", type=int, default=64)
    parser.add_argument("--objects", type=int, default=4)
    parser.add_argument("--images", type=int, default=16, help="images a class at 64 px; fewer above")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--catalogue", action="store_true", help="instead: build and load all 226 x 20 objects")
    parser.add_argument("--procedural", action="store_true", help="instead: fractals and dead leaves")
    args = parser.parse_args()
    if args.catalogue:
        catalogue()
        return
    if args.procedural:
        procedural(args.repeats)
        return
    start = time.perf_counter()
    renderer = get_renderer(
        "builtin", classes=args.classes, objects=args.objects, device=args.device, threads=args.threads
    )
    print(f"open {time.perf_counter() - start:.1f} s; {len(renderer.objects)} objects; torch {torch.__version__}")
    print("  px samples configuration   images/s  images/core-s")
    for size, samples, configuration in CASES:
        images = max(args.objects, args.images * 64 * 64 // (size * size))
        request = RenderRequest(configuration, images, size, samples=samples)
        measure(renderer, RenderRequest(configuration, args.objects, 16, samples=1), args.batch, 1)  # builds the trees
        wall, cpu = measure(renderer, request, args.batch, args.repeats)
        print(f"{size:4d} {samples:7d} {configuration} {wall:13.0f} {cpu:14.0f}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
