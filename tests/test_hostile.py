"""Every command on files from others that are damaged or malicious: no program starts, nothing else is changed.

`tests/hostile/make.py` makes the corpus, `tests/hostile/run.py` runs commands in one watched process. T2S_HOSTILE=file
writes every outcome to a file, for people.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
import warp

from t2s_offline.files import cache_folder
from t2s_offline.tensor_files import weights_digest
from t2s_offline.training.classifier import Classifier, save_classifier
from t2s_offline.training.networks import SavedBackbone, build
from t2s_offline.training.portable import write_portable
from t2s_offline.training.probes import Affine
from tests.hostile.make import SECRET, make

PROGRAMS = (
    "sh", "bash", "python", "python3", "curl", "wget", "git", "gs", "ldconfig", "TDW.x86_64", "cc", "gcc", "nvcc",
    "cat", "rm", "Xvfb", "Xorg", "inkscape", "convert", "blender", "assimp", "openscad", "gmsh",
)  # fmt: skip
SLOW = 10.0  # seconds of CPU
#: What moves a cursor or turns the direction of text; a newline and a tab do no harm.
COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Case:
    """One command. codes: exit codes that its contract allows here."""

    arguments: tuple[str, ...]
    codes: tuple[int, ...] = (2,)

    def __str__(self) -> str:
        return " ".join("/".join(Path(part).parts[-2:]) if "/corpus/" in part else part[:60] for part in self.arguments)


@dataclass
class Place:
    """Folders of a run: the corpus, where commands work, what they must leave alone, and the traps on PATH."""

    root: Path
    outs: int = 0
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("work", "home", "temporary", "traps"):
            (self.root / "deep" / "deeper" / name).mkdir(parents=True, exist_ok=True)
        self.corpus = self.root / "corpus"
        self.work, self.home, self.temporary, self.traps = (
            self.root / "deep" / "deeper" / name for name in ("work", "home", "temporary", "traps")
        )
        for name in PROGRAMS:
            (self.traps / name).write_text(f"#!/bin/sh\necho {name} >> {self.marker}\n")
            (self.traps / name).chmod(0o755)
        (self.work / "trap_module.py").write_text(f"open({str(self.marker)!r}, 'a').write('trap_module')\n")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("T2S_", "PYTEST"))}
        project = str(Path(__file__).parents[1])
        path = os.pathsep.join([project, str(self.work)])
        self.env = {**kept, "PATH": str(self.traps), "HOME": str(self.home), "TMPDIR": str(self.temporary),
                    "T2S_CACHE": str(cache_folder()), "WARP_CACHE_PATH": str(self.warp_cache),
                    "T2S_TDW_TIMEOUT": "1", "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1",
                    "OMP_NUM_THREADS": "1"}  # fmt: skip

    @property
    def warp_cache(self) -> Path:
        """Where compiled kernels lie: compiling them anew takes a minute."""
        return Path(os.environ.get("WARP_CACHE_PATH") or Path.home() / ".cache" / "warp" / warp.__version__)

    @property
    def marker(self) -> Path:
        return self.root / "deep" / "fired"

    def out(self, suffix: str = "") -> str:
        """A new name to write to."""
        self.outs += 1
        return f"out{self.outs}{suffix}"

    def listing(self) -> dict[str, tuple[int, int, str]]:
        """Size, time and target of everything that no command may touch."""
        found = {}
        for folder, names, files in os.walk(self.root):
            at = Path(folder)
            if at == self.work or at == self.temporary:
                names.clear()
                continue
            for name in (*names, *files):
                status = (at / name).lstat()
                target = os.readlink(at / name) if (at / name).is_symlink() else ""
                found[str((at / name).relative_to(self.root))] = (status.st_size, status.st_mtime_ns, target)
        # folders change their times when a lock lies in them for a moment
        return {name: value for name, value in found.items() if not (self.root / name).is_dir()}


class Runner:
    """A process that performs cases; a new one after a death."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.process: subprocess.Popen[str] | None = None

    def perform(self, case: Case) -> dict[str, Any]:
        process = self.process if self.process is not None and self.process.poll() is None else self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        place = self.place
        allowed = [str(place.work), str(place.temporary), str(place.warp_cache), str(cache_folder())]
        process.stdin.write(json.dumps({"arguments": case.arguments, "allowed": allowed}) + "\n")
        process.stdin.flush()
        late = threading.Timer(40, process.kill)
        late.start()
        line = process.stdout.readline()
        late.cancel()
        if not line:
            return {"code": process.wait(), "out": "", "err": "", "trace": "the process died or hung", "seconds": 0.0,
                    "touched": []}  # fmt: skip
        found: dict[str, Any] = json.loads(line)
        return found

    def _start(self) -> subprocess.Popen[str]:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, cwd=self.place.work, env=self.place.env,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        return self.process

    def close(self) -> None:
        if self.process is not None and self.process.stdin is not None and self.process.stdout is not None:
            self.process.stdin.close()
            self.process.wait(30)
            self.process.stdout.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("hostile"))
    make(place.corpus)
    return place


@pytest.fixture(scope="module")
def runner(place: Place) -> Iterator[Runner]:
    runner = Runner(place)
    yield runner
    runner.close()


def wrong(case: Case, found: dict[str, Any]) -> list[str]:
    """What is wrong with the outcome of a case."""
    lines = found["err"].splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    shown = found["out"] + found["err"]
    says = []
    if found["trace"]:
        says.append(f"traceback: {found['trace'].strip().splitlines()[-1][:200]}")
    elif found["code"] not in case.codes:
        says.append(f"exit code {found['code']}, expected {case.codes}: {(errors or lines or [''])[-1][:200]}")
    elif found["code"] == 2 and (len(errors) != 1 or lines[-1:] != errors):
        says.append(f"{len(lines)} lines, {len(errors)} errors: {found['err'][:200]!r}")
    if found["code"] == 0 and errors:
        says.append(f"exit code 0 with {errors[0][:100]}")
    if "Traceback" in shown:
        says.append("a traceback is printed")
    if escape := COMMANDS.search(shown):
        says.append(f"prints {escape[0]!r}: {shown[max(0, escape.start() - 40) : escape.start() + 20]!r}")
    if SECRET in shown:
        says.append("shows the contents of a file that the stranger named")
    if max(map(len, lines), default=0) > 2100:
        says.append(f"a line of {max(map(len, lines))} characters")
    if found["seconds"] > SLOW:
        says.append(f"took {found['seconds']:.1f} s")
    return says + [f"touched: {line}" for line in found["touched"]]


def check(place: Place, runner: Runner, cases: list[Case]) -> None:
    """Perform all cases; one assertion lists everything that is wrong."""
    before = place.listing()
    report = []
    for case in cases:
        found = runner.perform(case)
        fired = place.marker.read_text().split() if place.marker.exists() else []
        place.marker.unlink(missing_ok=True)
        says = wrong(case, found) + [f"started {name}" for name in fired]
        report += [f"{case}\n    {line}" for line in says]
        if os.environ.get("T2S_HOSTILE"):
            with Path(os.environ["T2S_HOSTILE"]).open("a") as file:
                file.write(json.dumps({"case": str(case), "says": says, **found, "out": found["out"][:300]}) + "\n")
    after = place.listing()
    moved = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    report += [f"changed outside the working directories: {name}" for name in moved]
    assert not report, f"{len(report)} of {len(cases)} cases:\n" + "\n".join(report)


def names(place: Place, kind: str) -> list[str]:
    return sorted(os.listdir(place.corpus / kind))


SMALL = ("--epochs", "2", "--hidden", "4", "--warmup-epochs", "1", "--jobs", "1", "--on-miss")


def reading(place: Place, store: str, codes: tuple[int, ...], turn: int) -> list[Case]:
    """Commands that read a store: those that most people start from, and in turn one of the others."""
    spec, policy = (str(place.corpus / name) for name in ("specifications/honest.toml", "policies/honest"))
    often: list[tuple[str, ...]] = [
        ("query", "FROM rewards LIMIT 3"),
        ("learn", "--out", place.out(), *SMALL, "skip"),
        ("compare", "--leave-one-out", "--learners", "random,best_fixed", "--jobs", "1") if turn % 2 else
        ("predict", "rocks", "--policy", policy, "--recipe", "ours", "--measure", "1"),
    ]  # fmt: skip
    others: list[tuple[str, ...]] = [
        ("query", "FROM recipes", "--format", "json"),
        ("effects",),
        ("export", place.out()),
        ("status", spec),
        ("learn", "--out", place.out(), *SMALL, "live", "--device", "cpu"),
        ("tables", "--ship", place.out()),
        ("predict", "../../rocks", "--policy", policy),
        ("sweep", spec, "--workers", "1", "--device", "cpu", "--shard", "2/2"),
    ]
    chosen = others if turn == 0 else [others[turn % len(others)]]
    # tables --ship ends with the check of what it wrote
    return [
        Case((*call, "--store", store), (*codes, 1) if call[0] == "tables" else codes) for call in [*often, *chosen]
    ]


def test_tables(place: Place, runner: Runner) -> None:
    cases = []
    for turn, name in enumerate(["honest", *(name for name in names(place, "tables") if name != "honest")]):
        folder = str(place.corpus / "tables" / name)
        cases += [
            Case(("tables", folder), (1,)),
            Case(("import" if turn % 2 else "merge", folder, "--store", place.out(".duckdb")), (0, 2)),
            *reading(place, folder, (0, 2), turn),
        ]
    check(place, runner, cases)


def test_tables_that_name_programs_and_folders(place: Place, runner: Runner) -> None:
    """What renders, trains or reads by a recipe of a stranger."""
    cases = []
    policy = str(place.corpus / "policies" / "honest")
    for name in names(place, "tables"):
        if not name.startswith("recipe_"):
            continue
        store = ("--store", str(place.corpus / "tables" / name), "--recipe", "ours")
        predict = ("predict", "rocks", "--policy", policy, *store, "--device", "cpu", "--out", place.out())
        cases += [
            Case((*predict, "--render", "1"), (2,)),
            Case((*predict, "--pretrain"), (2,)),
        ]
        if name in ("recipe_build", "recipe_module", "recipe_meshes", "recipe_absurd"):
            cases.append(Case(("report", "--out", place.out(".html"), "--images", *store), (0, 2)))
    check(place, runner, cases)


def test_stores(place: Place, runner: Runner) -> None:
    cases = []
    copies = place.work / "corpus" / "stores"  # what a sweep keeps lies beside its store
    shutil.copytree(place.corpus / "stores", copies, symlinks=True)
    for turn, name in enumerate(["honest.duckdb", *(name for name in names(place, "stores") if "honest" not in name)]):
        path = str(copies / name)
        fits = name.startswith(("honest", "view_", "macro", "columns"))  # what a command does not need may be foreign
        cases += reading(place, path, (0, 2) if fits else (2,), turn)
        if turn % 4 == 1:
            cases.append(Case(("merge", path, "--store", place.out(".duckdb")), (0, 2)))
    check(place, runner, cases)


def test_policies(place: Place, runner: Runner) -> None:
    store = ("--store", str(place.corpus / "tables" / "honest"))
    cases = []
    for name in names(place, "policies"):
        policy = ("--policy", str(place.corpus / "policies" / name))
        codes = (0,) if name == "honest" else (2,)
        cases += [
            Case(("predict", "rocks", *policy, *store), codes),
            Case(("report", "--out", place.out(".html"), *policy, *store), codes),
        ]
    check(place, runner, cases)


def test_backbones_and_probes(place: Place, runner: Runner) -> None:
    policy, pictures = (str(place.corpus / name) for name in ("policies/honest", "pictures/svg"))
    store = ("--store", str(place.corpus / "tables" / "honest"))
    cases = []
    for name in names(place, "backbones"):
        path = str(place.corpus / "backbones" / name)
        cases += [
            Case(("evaluate", path, "--task", "digits", "--device", "cpu")),
            Case(("embed", "digits", "--probe", path, "--out", place.out(".parquet"), "--device", "cpu")),
            Case(("predict", pictures, "--policy", policy, *store, "--probe", path, "--device", "cpu")),
            Case(("tables", "--ship", place.out(), *store, "--probe", path)),
        ]
    check(place, runner, cases)


def test_specifications(place: Place, runner: Runner) -> None:
    cases = []
    for name in names(place, "specifications"):
        path = str(place.corpus / "specifications" / name)
        fits = name.startswith(("honest", "name_", "images", "options", "unknown_options", "module", "system", "build"))
        codes = (0, 2) if fits or name.startswith(("reference", "replicates_absurd")) else (2,)
        cases += [
            Case(("sweep", path, "--store", place.out(".duckdb"), "--dry-run", "--workers", "1"), codes),
            Case(("status", path, "--store", place.out(".duckdb")), codes),
            Case(("evaluate", "scratch", "--recipe", path, "--task", str(place.corpus / "pictures/alone")), (2,)),
        ]
        if name.startswith(("module", "deep", "design_runs", "terminal", "task_", "name_terminal")):
            cases.append(Case(("doctor", path, "--store", place.out(".duckdb")), (0, 1, 2)))
        if name.startswith(("module", "system", "options", "unknown_options", "deep", "infinite", "power")):
            cases.append(
                Case(("pretrain", "--config", "00000000", "--recipe", path, "--out", place.out(".safetensors")), (2,))
            )
    check(place, runner, cases)


def test_meshes(place: Place, runner: Runner) -> None:
    folders = [str(place.corpus / "meshes" / name) for name in names(place, "meshes")]
    # some hold a triangle that can be shown; what else they name is not read
    shown = ("mtllib.obj", "texture.obj", "bomb_texture.obj")
    cases = [
        Case(("render", "00000000", "--meshes", folder, "--images", "1", "--size", "16", "--out", place.out()))
        for folder in folders
        if not folder.endswith(shown)
    ]
    for name in ("bomb", "png_postscript", "device"):
        backgrounds = str(place.corpus / "pictures" / name)
        arguments = ("render", "--gallery", place.out(".png"), "--classes", "1", "--backgrounds", backgrounds)
        cases.append(Case(arguments))
    check(place, runner, cases)


def test_meshes_that_name_files(place: Place) -> None:
    from t2s_offline.render.builtin.user_meshes import read_mesh

    for name in ("mtllib.obj", "texture.obj", "bomb_texture.obj"):
        assert len(read_mesh(place.corpus / "meshes" / name / "thing" / name).face) == 1


def test_pictures(place: Place, runner: Runner) -> None:
    policy, probe = (str(place.corpus / name) for name in ("policies/honest", "backbones/F32.safetensors"))
    folder = place.corpus / "pictures"
    good = ("nested", "loop", "fifo", "class_up", "secret")
    cases = [
        Case(("tasks", "--check", "--data", str(folder)), (0,)),
        Case(("tasks", "--present", "--data", str(folder)), (0,)),
    ]
    for name in names(place, "pictures"):
        path = str(folder / name)
        codes = (0, 2) if name in good else (2,)
        cases.append(Case(("evaluate", "scratch", "--task", path, "--device", "cpu"), codes))
        if name == "bomb.npz":
            continue
        cases.append(
            Case(
                ("predict", path, "--policy", policy, "--store", str(place.corpus / "tables/honest"), "--probe", probe),
                (2,),
            )
        )
        if not name.endswith(".npz"):
            spec = str(place.corpus / "specifications" / "honest.toml")
            cases.append(
                Case(
                    (
                        "pretrain",
                        "--images",
                        path,
                        "--recipe",
                        spec,
                        "--out",
                        place.out(".safetensors"),
                        "--device",
                        "cpu",
                    ),
                    (0, 2),
                )
            )
    check(place, runner, cases)


def hand_over(folder: Path) -> None:
    """What predict hands over, with a classifier of two classes that has learned nothing."""
    network = build("resnet18-narrow", seed=0)
    write_portable(folder / "backbone.safetensors", SavedBackbone(network, None, {}))
    backbone = weights_digest(folder / "backbone.safetensors")
    card = {"classes": ["a", "b"], "accuracy": None, "backbone": backbone, "size": 32, "resize": 1.0}
    plain = Affine(torch.zeros(256), torch.ones(256), torch.zeros(256, 2), torch.zeros(2))
    save_classifier(folder / "classifier.safetensors", Classifier(plain, card))


def test_new_pictures_and_what_names_them(place: Place, runner: Runner) -> None:
    hand_over(place.work / "mine")
    options = ("--device", "cpu", "--format", "csv", "--with")
    cases = [
        Case(("classify", str(place.corpus / "pictures" / name), *options, "mine"), (0, 2))
        for name in names(place, "pictures")
    ]
    for name in names(place, "backbones"):
        for part in ("backbone", "classifier"):
            folder = place.work / "theirs" / part / name
            folder.mkdir(parents=True)
            for file in ("backbone", "classifier"):
                theirs = place.corpus / "backbones" / name
                source = theirs if file == part else place.work / "mine" / f"{file}.safetensors"
                (folder / f"{file}.safetensors").symlink_to(source)
            cases.append(Case(("classify", str(place.corpus / "pictures"), *options, str(folder))))
    check(place, runner, cases)


def test_imports(place: Place, runner: Runner) -> None:
    cases = [
        Case(("import", str(place.corpus / "imports" / name), "--store", place.out(".duckdb")))
        for name in names(place, "imports")
    ]
    check(place, runner, cases)
