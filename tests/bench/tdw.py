"""Is the TDW adapter ever the bottleneck? ``python -m tests.bench.tdw`` prints images a second against the stub build.

256 px JPEG, the stub in a process of its own, median of --repeats. What is measured is everything between a request
and a batch of decoded pictures: scene values, commands, messages, waiting for the stub, decoding. In `warm` rows the
stub has drawn and encoded every picture before (it keeps them by state), so they show the adapter's own limit; in
`cold` rows it draws and encodes each, in Python and on the same cores, where a real build has its GPU. `CPU ms` is the
adapter's own processor time an image. The real build is slower: the fastest published rate is 234 images/s at this
size, with no object ever loaded.

Measured on two cores that other work kept busy (load 4 to 5, this at nice 19), --repeats 3, images/s (CPU ms an image):
  nothing varied          668 cold, 1137 warm (0.9)
  all but the background  390 cold,  576 warm (1.2)
  everything              410 cold,  546 warm (1.4), two messages an image
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from t2s_offline.render.renderer import RenderRequest, get_renderer
from tests.render.tdw import stub as tdw_stub

BAR = 300  # images a second


def rate(renderer: Any, request: RenderRequest) -> tuple[float, float]:
    """Images a second, and milliseconds of this process's CPU time an image."""
    start, cpu = time.perf_counter(), time.process_time()
    count = sum(len(batch.label_N) for batch in renderer.render(request))
    return count / (time.perf_counter() - start), 1000 * (time.process_time() - cpu) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--classes", type=int, default=8)
    parser.add_argument("--objects", type=int, default=4)
    parser.add_argument("--images", type=int, default=128, help="images a class")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    renderer: Any = get_renderer(
        "tdw", classes=args.classes, objects=args.objects, device="cpu",
        port=tdw_stub.free_port(), build=tdw_stub.command(), patience=60.0,
    )  # fmt: skip
    print(f"{args.size} px JPEG, {args.classes * args.objects} models, {args.classes * args.images} images a row")
    print("configuration  what                     images/s  least  most  CPU ms")
    for configuration, what in (
        ("00000000", "nothing varied"), ("11111101", "all but the background"), ("11111111", "everything"),
    ):  # fmt: skip
        list(renderer.render(RenderRequest(configuration, args.objects, args.size)))  # loads the models
        for kind in ("cold", "warm"):
            found = []
            for repeat in range(args.repeats + (kind == "warm")):
                seed = repeat + 1 if kind == "cold" else 0
                request = RenderRequest(configuration, args.images, args.size, seed=seed)
                found.append(rate(renderer, request))
            rates, cpu = zip(*found[kind == "warm" :], strict=True)  # the first warm one has warmed
            middle = statistics.median(rates)
            mark = "" if middle >= BAR else f"  below {BAR}"
            print(
                f"{configuration} {kind} {what:24} {middle:8.0f} {min(rates):6.0f} {max(rates):5.0f}"
                f"{statistics.median(cpu):8.2f}{mark}",
                flush=True,
            )
    renderer.close()


if __name__ == "__main__":
    main()
