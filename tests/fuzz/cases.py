"""Files and texts that were changed at random, given to the functions that the commands read them with.

A case is a kind, one of its seeds (files that are right, and the hostile corpus), and some edits of its bytes. Each
ends in success or in one line of a T2SError, within 10 s and 2 GB, and writes nothing outside its folder.
"""

from __future__ import annotations

import faulthandler
import io
import json
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from t2s_offline.errors import T2SError
from t2s_offline.images.image_files import decode, opened
from t2s_offline.images.task_files import npz_arrays
from t2s_offline.learners.policy import load_policy
from t2s_offline.recipe import read_recipe, read_spec
from t2s_offline.render.builtin.user_meshes import read_mesh
from t2s_offline.space import TASK2SIM, SimSpace
from t2s_offline.store.fetch_published import parse_embeddings, parse_rewards
from t2s_offline.store.import_export import import_path
from t2s_offline.store.query import _bounded, query
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.sweep.design import make_design
from t2s_offline.training.networks import load_backbone
from tests.hostile import make
from tests.hostile.run import Watch

LONGEST = 10.0  # seconds of CPU a case
ROOM = 2 << 30  # bytes that the process may grow by
#: What edits put in: numbers at their limits, text that means something to a format, and controls.
WORDS = [
    b"", b"\0", b"\xff" * 4, b"\x7f" + b"\xff" * 7, b"\n", b'"', b"'", b",", b"[" * 300, b"{", b"]", b"nan", b"inf",
    b"-1", b"1e999", b"9" * 30, b"null", b"true", b"../../x", b"/etc/passwd", b"\x1b[2J", "\u202e\U0001f98a".encode(),
    b"\r\n", b"=", b";", b"SELECT ", b" FROM rewards", b"range(1000000000)", b"#", b"\\u0000", b"\xc3",
]  # fmt: skip
Edit = tuple[str, float, int, bytes]


@dataclass
class Kind:
    """Seeds by their bytes, the name that the file has, and what reads it."""

    seeds: list[bytes]
    name: str
    read: Callable[[Path], object]


@dataclass
class Corpus:
    """Every kind of case, in a folder of its own."""

    folder: Path
    kinds: dict[str, Kind] = field(default_factory=dict)
    slowest: float = 0.0
    ran: int = 0

    def __post_init__(self) -> None:
        made, secret = self.folder / "made", self.folder / "secret.txt"
        made.mkdir()
        secret.write_text(make.SECRET)
        make.imports(made / "imports")
        make.specifications(made / "specifications")
        make.meshes(made / "meshes", secret)
        make.policies(made / "policies", secret)
        make.backbones(made / "backbones", secret)
        make.write_table(made / "table", make.honest())
        table = made / "table"
        store = RewardStore(self.folder / "s.duckdb")
        import_path(store, table)
        triangle = trimesh.creation.box()
        picture, arrays, vectors = io.BytesIO(), io.BytesIO(), io.BytesIO()
        Image.fromarray(np.arange(768, dtype=np.uint8).reshape(16, 16, 3)).save(picture, "PNG")
        np.savez(arrays, x_train=np.zeros((4, 8, 8, 3), np.uint8), y_train=np.array([0, 1, 0, 1]))
        torch.save({"CUB": {"hessian": torch.ones(4), "scale": torch.ones(4)}}, vectors)
        rewards = json.dumps({"CUB": {"0_0_0_0_0_1_0_0_0": 5.0}}).encode()
        policy = (made / "policies/honest/policy.safetensors").read_bytes()
        card = (made / "policies/honest/policy.json").read_bytes()
        csv = b"recipe,task,configuration,accuracy\nr,a,00000000,50\nr,b,00000001,51\n"

        def files(folder: str, suffix: str) -> list[bytes]:
            found = sorted(path for path in (made / folder).rglob(f"*{suffix}") if path.is_file())
            texts = [path.read_bytes() for path in found if not path.is_symlink()]
            return [text for text in texts if len(text) < 100_000]

        def policy_of(path: Path) -> object:
            parts = {"policy.safetensors": policy, "policy.json": card}
            for name, content in parts.items():
                if name != path.name:
                    (path.parent / name).write_bytes(content)
            return load_policy(path.parent)

        def table_of(path: Path) -> object:
            for file in table.iterdir():
                if file.name != path.name:
                    (path.parent / file.name).write_bytes(file.read_bytes())
            return RewardStore(path.parent).matrix()

        def spec_of(path: Path) -> object:
            spec = read_spec(path)
            return make_design(spec.design)

        def picture_of(path: Path) -> object:
            with opened(path) as file:
                return decode(file, path, 16, 1.0)

        def text(read: Callable[[str], object]) -> Callable[[Path], object]:
            return lambda path: read(path.read_text(errors="replace"))

        def mesh(kind: str) -> Kind:
            content = triangle.export(file_type=kind)
            whole = content.encode() if isinstance(content, str) else content
            return Kind([whole, *files("meshes", f".{kind}")], f"x.{kind}", read_mesh)

        def imported(path: Path) -> object:
            return import_path(store, path)

        jpeg = io.BytesIO()
        Image.fromarray(np.arange(768, dtype=np.uint8).reshape(16, 16, 3)).save(jpeg, "JPEG")
        parquets = [file.read_bytes() for file in sorted(table.iterdir())]
        self.kinds = {
            "json": Kind([rewards], "x.json", lambda path: parse_rewards(path.read_bytes())),
            "csv": Kind([csv, *files("imports", ".csv")], "x.csv", imported),
            "parquet": Kind(parquets, "x.parquet", imported),
            "pt": Kind([vectors.getvalue(), make.PICKLE], "x.pt", parse_embeddings),
            "npz": Kind([arrays.getvalue()], "x.npz", npz_arrays),
            "policy": Kind([policy], "policy.safetensors", policy_of),
            "policy card": Kind([card], "policy.json", policy_of),
            "backbone": Kind(files("backbones", ".safetensors"), "x.safetensors", load_backbone),
            "specification": Kind(files("specifications", ".toml"), "x.toml", spec_of),
            "recipe": Kind([b"classes = 2\nimages = 2\nrate = 0.1\n"], "x.toml", read_recipe),
            "configuration": Kind([b"00000000", b"real:a"], "x", text(TASK2SIM.digits)),
            "space": Kind([str(TASK2SIM).encode(), b"a:2,b:3"], "x", text(SimSpace.parse)),
            "sql": Kind([b"SELECT task, max(accuracy) FROM rewards GROUP BY task", b"FROM rewards LIMIT 3"], "x",
                        text(lambda sql: query(store, sql, timeout=2))),
            "picture": Kind([picture.getvalue(), jpeg.getvalue(), make.PICTURE], "x.png", picture_of),
            "table folder": Kind([(table / "rewards.parquet").read_bytes()], "rewards.parquet", table_of),
            **{kind: mesh(kind) for kind in ("obj", "ply", "stl", "glb")},
        }  # fmt: skip
        for name, kind in self.kinds.items():  # what is imported on the first use makes folders of its own
            for content in kind.seeds:
                self.run(name, content)
        self.ran, self.slowest = 0, 0.0

    def run(self, name: str, content: bytes) -> str:
        """What is wrong with the outcome of a case; empty when nothing is."""
        kind, folder = self.kinds[name], self.folder / f"case{self.ran}"
        folder.mkdir()
        (folder / kind.name).write_bytes(content)
        WATCH.touched.clear()
        begin, wrong = time.process_time(), ""
        before = signal.signal(signal.SIGVTALRM, _late)
        signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
        faulthandler.dump_traceback_later(20 * LONGEST, exit=True)  # of code that looks at no signal
        # as the command line does: what libraries warn of is no error
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), _bounded(ROOM):
            warnings.simplefilter("ignore")
            WATCH.allowed = [str(self.folder)]
            try:
                kind.read(folder / kind.name)
            except T2SError as error:
                if "\n" in str(error) and name != "sql":
                    wrong = f"more than one line: {str(error)[:200]!r}"
            except BaseException as error:
                where = traceback.extract_tb(error.__traceback__)
                ours = [part for part in where if "t2s_offline" in part.filename][-1:]
                wrong = f"{type(error).__name__}: {str(error)[:150]} at {ours}"
            finally:
                WATCH.allowed = None
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
                signal.signal(signal.SIGVTALRM, before)
                faulthandler.cancel_dump_traceback_later()
        self.ran += 1
        self.slowest = max(self.slowest, time.process_time() - begin)
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        return wrong or "; ".join(WATCH.touched[:2])


def _late(_signal: int, _frame: object) -> None:
    raise TimeoutError("too long")


WATCH = Watch()
sys.addaudithook(WATCH)

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["put", "over", "cut", "end", "double", "flip"]),
        st.floats(0, 1),
        st.integers(1, 64),
        st.one_of(st.sampled_from(WORDS), st.binary(max_size=8)),
    ),
    max_size=6,
)


def edited(content: bytes, edits: list[Edit]) -> bytes:
    for what, share, size, word in edits:
        at = int(share * len(content))
        head, tail = content[:at], content[at:]
        if what == "put":
            content = head + word + tail
        elif what == "over":
            content = head + word + tail[len(word) :]
        elif what == "cut":
            content = head + tail[size:]
        elif what == "end":
            content = head
        elif what == "double":
            content = head + tail[:size] + tail
        elif tail:
            content = head + bytes([tail[0] ^ (1 << size % 8)]) + tail[1:]
    return content


def fuzz(corpus: Corpus, cases: int, *, seed: int | None = None) -> dict[str, tuple[int, str, bytes]]:
    """Failures by kind and what is wrong: how many, and the shortest content. Without a seed the same at every run."""
    failures: dict[str, tuple[int, str, bytes]] = {}

    @settings(max_examples=cases, derandomize=seed is None, database=None, deadline=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.sampled_from(sorted(corpus.kinds)), st.integers(0, 999), EDITS)
    def one(name: str, number: int, edits: Any) -> None:
        seeds = corpus.kinds[name].seeds
        content = edited(seeds[number % len(seeds)], edits)
        if wrong := corpus.run(name, content):
            key = f"{name}: {wrong[:60]}"
            count, _, shortest = failures.get(key, (0, wrong, content))
            failures[key] = count + 1, wrong, min(shortest, content, key=len)

    if seed is not None:
        from hypothesis import seed as seeded

        one = seeded(seed)(one)
    one()
    return failures
