"""A stub of a TDW build: a process that dials the controller, keeps the state of a scene and draws a simple picture.

``python -m tests.render.tdw.stub -port=1071 [-fault=dies:5] [-log=FILE]``. It speaks the real protocol: ZeroMQ REQ,
lists of commands in JSON, answers as FlatBuffers made with the builders of the tdw package. A command it does not know,
or one that names an object that is not there, makes it quit as the real one does. It knows the size of a model from the
library of the package. Faults: silent, hang:N, dies:N, quits:N, errors:N, ftre:N, truncated:N (N: after so many
pictures), size, version, no-picture, dim (its sun is 0.25 brighter than asked for), big (its models are twice as big as
their records say), heavy (a message that loads a bundle takes it a second).
"""

from __future__ import annotations

import json
import shlex
import socket
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zmq

from t2s_offline.render.renderer import RenderRequest, get_renderer
from tests.render.tdw.payloads import log_payload, quit_payload
from tests.render.tdw.scene import Refused, Scene, records

__all__ = ["Opened", "Scene", "command", "free_port", "images", "records", "sent"]

ROOT = Path(__file__).resolve().parents[3]


def command(fault: str = "", log: Path | None = None) -> str:
    """What --tdw-build takes to start this stub."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.render.tdw.stub import main; main()"
    words = [sys.executable, "-c", code, *([f"-fault={fault}"] if fault else [])]
    return shlex.join([*words, *([f"-log={log}"] if log else [])])


class Opened:
    """Renderers on stubs, closed at the end. 3 classes of 2 objects unless told otherwise."""

    def __init__(self) -> None:
        self.made: list[Any] = []

    def __call__(self, fault: str = "", log: Path | None = None, **options: Any) -> Any:
        usual = {"classes": 3, "objects": 2, "device": "cpu", "patience": 30.0}
        place = {"port": free_port(), "build": command(fault, log)}
        self.made.append(get_renderer("tdw", **{**usual, **place, **options}))
        return self.made[-1]

    def close(self) -> None:
        for renderer in self.made:
            renderer.close()


def images(renderer: Any, configuration: str, n: int = 4, size: int = 64, **more: Any) -> npt.NDArray[np.uint8]:
    """Pictures (N, 3, size, size) of n images a class."""
    request = RenderRequest(configuration, n, size, seed=more.pop("seed", 0))
    return np.concatenate([batch.image_NCHW.numpy() for batch in renderer.render(request, **more)])


def sent(log: Path) -> list[list[dict[str, Any]]]:
    """Every message that a stub was sent."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def free_port(number: int = 1) -> int:
    """A port that is free now, and so are the next ones."""
    for _ in range(100):
        with closing(socket.socket()) as first:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
        with ExitStack() as held:
            try:
                for other in range(port, port + number):
                    held.enter_context(closing(socket.socket())).bind(("127.0.0.1", other))
            except (OSError, OverflowError):
                continue
            return port
    raise OSError("no free port")


def serve(address: str, port: int, fault: str, log: Path | None) -> None:
    """Dial the controller and answer until it is told to end or a fault ends it."""
    kind, _, after = fault.partition(":")
    count, pictures, frame, resends = int(after or 0), 0, 0, 0
    context = zmq.Context()

    def dial() -> Any:
        dialled = context.socket(zmq.REQ)
        dialled.setsockopt(zmq.LINGER, 0)
        dialled.connect(f"tcp://{address}:{port}")
        return dialled

    if kind == "silent":
        time.sleep(600)
    link, scene = dial(), Scene(kind)
    link.send(b"hello")
    while True:
        message = link.recv()
        commands = json.loads(message)
        if log:
            with log.open("a") as file:
                file.write(message.decode() + "\n")
        asked = any(command["$type"] == "send_images" for command in commands)
        if kind == "heavy" and any("url" in command for command in commands):
            time.sleep(1.0)
        if kind == "ftre" and asked and resends < count:
            resends += 1
            link.close()
            link = dial()
            link.send_multipart([b"\0\0\0\0ftre", b"\0\0\0\0"])
            continue
        if asked and pictures >= count and kind in ("dies", "hang", "quits"):
            if kind == "dies":
                print("stub: out of memory", file=sys.stderr, flush=True)
                raise SystemExit(9)
            if kind == "hang":
                time.sleep(600)
            link.send_multipart([log_payload("the stub has had enough"), quit_payload(False), b"\0\0\0\1"])
            raise SystemExit(1)
        try:
            for command in commands:
                scene.do(command)
            payloads = scene.payloads()
        except (Refused, TypeError, KeyError) as error:
            link.send_multipart([log_payload(str(error)), quit_payload(False), frame.to_bytes(4, "big")])
            time.sleep(0.2)
            raise SystemExit(1) from error
        pictures += asked
        frame += 1
        if asked and kind == "errors" and pictures > count:
            payloads.append(log_payload("a bundle could not be loaded"))
        if asked and kind == "truncated" and pictures > count:
            payloads = [payload[: len(payload) // 2] for payload in payloads]
            kind = ""
        link.send_multipart([*payloads, frame.to_bytes(4, "big")])


def main() -> None:
    options = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
    log = Path(options["log"]) if "log" in options else None
    serve(options.get("address", "127.0.0.1"), int(options["port"]), options.get("fault", ""), log)


if __name__ == "__main__":
    main()
