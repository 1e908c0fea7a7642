"""Recipes and sweep specifications: frozen dataclasses, checked, read from TOML files.

A recipe is everything that can change a reward apart from configuration, task and seed. Its id is a hash of its
contents, and rewards under different ids are never mixed. In a specification a list for classes, objects or images
stands for several recipes (the paper's Figures 6 to 8). The values are used by `training/pretrain.py`,
`training/evaluate.py` and `sweep/design.py`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any, get_type_hints

from t2s_offline import shipped
from t2s_offline.errors import BadFile, BadInput, check_known

MAX_SPEC, MAX_SEEDS = 4 << 20, 10_000  # bytes of a specification; pre-training seeds
Plain = str | int | float | bool
#: Metrics in percent, 0 to 100; and all of them: `logme` is a score without such bounds.
ACCURACY_METRICS = ("knn5", "linear", "finetune")
METRICS = (*ACCURACY_METRICS, "logme")
#: Fields of a recipe for which a list stands for several recipes.
LISTED = ("classes", "objects", "images")
BACKBONES = ("resnet50", "resnet18", "resnet18-narrow")
ONE_OF = {
    "backbone": BACKBONES,
    "optimiser": ("adamw", "sgd"),
    "precision": ("bfloat16", "float32"),
    "linear_solver": ("lbfgs", "sgd", "task2sim"),
    "val_by": ("part", "folds"),
}
#: Field -> least and greatest value allowed.
BOUNDS: dict[str, tuple[float, float]] = {
    "classes": (2, 10_000), "objects": (1, 100_000), "images": (1, 1_000_000), "size": (16, 1024),
    "render_size": (0, 4096), "samples": (1, 256), "epochs": (0, 10_000), "batch": (2, 65_536), "rate": (0, 1e3),
    "weight_decay": (0, 10), "warmup_epochs": (0, 10_000), "warmup_rate": (0, 1e3), "label_smoothing": (0, 0.99),
    "crop_area": (0.01, 1), "jitter": (0, 1), "randaugment_ops": (0, 10), "randaugment_magnitude": (0, 10),
    "mixup": (0, 100), "cutmix": (0, 100), "holdout": (0, 0.9), "k": (1, 1000), "temperature": (1e-3, 100),
    "eval_size": (0, 1024), "eval_resize": (1, 4), "eval_pictures": (0, 10**9), "linear_c": (1e-9, 1e9),
    "linear_rate": (0, 1e3), "linear_epochs": (1, 10_000), "linear_batch": (2, 65_536), "linear_dropout": (0, 0.99),
    "finetune_rate": (0, 1e3), "finetune_epochs": (1, 10_000), "finetune_batch": (2, 65_536),
    "final_rate": (0, 1e3), "drop_path": (0, 0.9), "test_share": (0.01, 0.9),
}  # fmt: skip

#: Fields that `contents` always writes. A field that was added later is written only where it differs from its default,
#: so that recipes without it keep their id, and with it their seeds.
WRITTEN = {
    "renderer", "renderer_version", "classes", "objects", "images", "size", "render_size", "samples",
    "renderer_options", "backbone", "optimiser", "epochs", "batch", "rate", "weight_decay", "warmup_epochs",
    "warmup_rate", "label_smoothing", "crop_area", "flip", "jitter", "randaugment_ops", "randaugment_magnitude",
    "mixup", "cutmix", "precision", "holdout", "k", "temperature", "eval_size", "eval_resize", "eval_pictures",
    "linear_solver", "linear_c", "linear_rate", "linear_epochs", "linear_batch", "linear_dropout", "finetune_rate",
    "finetune_epochs", "finetune_batch",
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """Sizes are in pixels, rates per step of the optimiser, `holdout` and `crop_area` shares from 0 to 1; 0 switches an
    option off. The defaults are a recipe for CPUs; `sweeps/paper.toml` has the paper's. Raises BadInput for a value of
    the wrong type or out of BOUNDS, UnknownName for a name that ONE_OF does not have.
    """

    renderer: str = "builtin"
    renderer_version: str = ""  # of its pixels, set by a sweep: other pictures are another recipe
    classes: int = 32
    objects: int = 20
    images: int = 192  # of a class
    size: int = 32  # of the pictures given to the network
    render_size: int = 0  # 0: as `size`
    samples: int = 4  # rays a pixel
    renderer_options: Mapping[str, Plain] = field(default_factory=dict)
    backbone: str = "resnet18-narrow"
    optimiser: str = "adamw"
    epochs: int = 6
    batch: int = 64
    rate: float = 1e-3
    weight_decay: float = 0.05  # not of biases and batch norms
    warmup_epochs: float = 0.0
    warmup_rate: float = 1e-6
    label_smoothing: float = 0.1
    crop_area: float = 0.5  # least share of a picture that a random crop keeps; 1: no crops
    flip: bool = True
    jitter: float = 0.0  # of brightness, contrast and saturation
    randaugment_ops: int = 0  # operations a picture; the paper: 2
    randaugment_magnitude: float = 9.0
    mixup: float = 0.0
    cutmix: float = 0.0
    precision: str = "bfloat16"
    holdout: float = 0.125  # of the objects, for the validation accuracy of the pre-training
    k: int = 5
    temperature: float = 0.07
    eval_size: int = 0  # of the tasks' pictures; 0: as `size`
    eval_resize: float = 1.0  # the paper's 256 then 224: 8/7
    eval_pictures: int = 0  # at most, of a part; 0: all
    linear_solver: str = "lbfgs"  # sgd: the paper's schedule; task2sim: the authors' code, see `authors_probe.py`
    linear_c: float = 0.01  # inverse regularisation, as scikit-learn's C, on standardised features
    linear_rate: float = 0.01
    linear_epochs: int = 50
    linear_batch: int = 32
    linear_dropout: float = 0.2
    finetune_rate: float = 0.01
    finetune_epochs: int = 50
    finetune_batch: int = 32
    final_rate: float = 0.0  # rate at the end of the cosine
    cosine_from_start: bool = False  # the cosine counts from epoch 0, not from the end of the warm-up
    drop_path: float = 0.0  # share of residual branches left out in the last block
    val_by: str = "part"  # folds: val accuracy of knn5 and linear from all training pictures, each left out in turn
    test_share: float = 0.2  # of each class of a task that has no test part; the paper: 0.3
    compiled: bool = (
        False  # pre-train by torch.compile, on a GPU with CUDA graphs: faster, other rounding, another recipe
    )

    def __post_init__(self) -> None:
        for name, kind in _KINDS.items():
            value = getattr(self, name)
            if kind is float and type(value) is int:
                object.__setattr__(self, name, float(value) if abs(value) < 1e300 else math.inf)
            elif kind in (int, float, bool, str) and type(value) is not kind:
                raise BadInput(f"{name} = {value!r} in a recipe; expected {_WORDS[kind]}")
            if name in ONE_OF:
                check_known(name, value, ONE_OF[name])
            if name in BOUNDS:
                low, high = BOUNDS[name]
                if not low <= value <= high:
                    raise BadInput(f"{name} = {value} in a recipe; expected {low:g} to {high:g}")
        options = self.renderer_options
        if not isinstance(options, Mapping) or not all(isinstance(v, Plain) for v in options.values()):
            raise BadInput(f"renderer_options = {options!r}; expected a table of texts and numbers")
        object.__setattr__(self, "renderer_options", dict(sorted(options.items())))
        if self.warmup_epochs and self.warmup_epochs >= self.epochs:
            raise BadInput(f"warmup_epochs = {self.warmup_epochs:g}; expected fewer than the {self.epochs} epochs")

    def __hash__(self) -> int:
        return hash(self.contents())

    @property
    def rendered(self) -> int:
        """Pixels a picture is rendered at."""
        return self.render_size or self.size

    @property
    def evaluated(self) -> int:
        """Pixels of a task's pictures."""
        return self.eval_size or self.size

    def contents(self) -> str:
        """The recipe as JSON with sorted keys, for the store; `from_contents` reads it back."""
        usual = type(self)()
        values = {
            name: value for name, value in asdict(self).items() if name in WRITTEN or value != getattr(usual, name)
        }
        return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @property
    def digest(self) -> str:
        """Eight hex digits of the hash of the contents."""
        return hashlib.sha256(self.contents().encode()).hexdigest()[:8]

    def recipe_id(self, prefix: str = "") -> str:
        """A readable prefix and the digest: the key of the recipe in a store."""
        return f"{prefix or self.backbone}-{self.digest}"

    @classmethod
    def from_contents(cls, text: str) -> Recipe:
        """Read what `contents` wrote; BadInput for anything else."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"a recipe's contents are not JSON: {error}") from error
        if not isinstance(values, dict):
            raise BadInput("a recipe's contents are no JSON object; expected its fields")
        return cls.from_table(values)

    @classmethod
    def from_table(cls, table: Mapping[str, Any], where: str = "recipe") -> Recipe:
        """A recipe from named values; UnknownName names the nearest known key."""
        for key in table:
            check_known(f"key in {where}", key, _KINDS)
        return cls(**table)


def check_id(recipe_id: str, contents: str | None) -> None:
    """BadInput when the id of a stored recipe ends in a digest that is not of its contents.

    For tables from others. Recipes of other programs (other contents, or no digest in the id) are accepted.
    """
    written = re.search("-([0-9a-f]{8})$", recipe_id)
    if not written or not contents:
        return
    try:
        digest = Recipe.from_contents(contents).digest
    except BadInput:
        return
    # the digest of the text itself: an earlier version, with fewer fields, wrote that
    if written[1] not in (digest, hashlib.sha256(contents.encode()).hexdigest()[:8]):
        raise BadInput(
            f"recipe {recipe_id[:80]!r} has other contents than its id says (their digest is {digest}): the table was "
            f"changed; get it again from whoever made it"
        )


_KINDS: dict[str, Any] = {item.name: get_type_hints(Recipe)[item.name] for item in fields(Recipe)}
_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


@dataclass(frozen=True)
class SweepSpec:
    """What a sweep does. tasks: empty for all that are present; design: kind and settings, see `sweep/design.py`."""

    name: str
    recipes: Mapping[str, Recipe]  # by recipe_id
    design: Mapping[str, Any]
    tasks: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ("knn5",)
    seeds: tuple[int, ...] = (0,)


SPEC_KEYS = ("name", "recipe", "design", "tasks", "metrics", "seeds", "together")


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file's contents; BadFile names the line that is wrong."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SPEC + 1)
        if len(content) > MAX_SPEC:
            raise BadFile(f"{path} has more than {MAX_SPEC} bytes; expected a specification")
        return tomllib.loads(content.decode())
    except RecursionError as error:
        raise BadFile(f"{path} is nested too deeply; expected a specification") from error
    except OSError as error:
        raise BadFile(f"cannot read {path}: {error.strerror}; expected a TOML file") from error
    except ValueError as error:  # bad UTF-8, bad TOML, or a number with too many digits
        raise BadFile(f"{path} is not TOML: {error}") from error


def expand(table: Mapping[str, Any], name: str, where: str = "recipe", *, together: bool = False) -> dict[str, Recipe]:
    """Recipes by id; a list for one of LISTED gives one recipe a value, named after it: ``cpu-images192-1a2b3c4d``.

    Several lists give every combination, or with `together` the first values of all, the second, and so on.
    """
    lists = {key: table[key] for key in LISTED if isinstance(table.get(key), list)}
    if empty := [key for key, values in lists.items() if not values]:
        raise BadInput(f"{empty[0]} = [] in {where}; expected one value or more")
    base = Recipe.from_table({key: value for key, value in table.items() if key not in lists}, where)
    if together and len({len(values) for values in lists.values()}) > 1:
        raise BadInput(
            f"{where}: lists of {', '.join(lists)} differ in length; with together = true expected one length"
        )
    recipes = {}
    for values in zip(*lists.values(), strict=True) if together and lists else product(*lists.values()):
        chosen = dict(zip(lists, values, strict=True))
        prefix = "-".join([name, *(f"{key}{value}" for key, value in chosen.items() if len(lists[key]) > 1)])
        recipe = replace(base, **chosen)
        recipes[recipe.recipe_id(prefix)] = recipe
    return recipes


def read_recipe(path: Path) -> tuple[str, Recipe]:
    """The one recipe of a file, and its id: the file's [recipe] table, or its keys when it has none."""
    table = read_toml(path)
    values = _value(path, "recipe", table.get("recipe", table), dict)
    recipes = expand(values, str(table.get("name", path.stem)), str(path))
    if len(recipes) > 1:
        raise BadInput(f"{path} stands for {len(recipes)} recipes; expected one: give one value instead of a list")
    return next(iter(recipes.items()))


def read_spec(path: Path) -> SweepSpec:
    """A sweep's specification from a TOML file, or from one that ships by its name, such as ``tiny``; UnknownName names
    the nearest known name or key."""
    known = shipped.specifications()
    found = shipped.named(path, known)
    if not found.suffix and not found.exists() and found.name == str(path):
        check_known("specification", str(path), known, "or give the path of a TOML file")
    return spec_of(read_toml(found), found)


def spec_of(table: Mapping[str, Any], path: Path = Path("sweep")) -> SweepSpec:
    """The specification of a table of its keys; `path`: what messages call it, and its name when it has none."""
    for key in table:
        check_known(f"key in {path}", key, SPEC_KEYS)
    name = _value(path, "name", table.get("name", path.stem), str)
    tasks = _value(path, "tasks", table.get("tasks", "present"), (str, list))
    if isinstance(tasks, str) and tasks != "present":
        raise BadInput(f"{path}: tasks = {tasks!r}; expected 'present' or a list of names")
    design = _value(path, "design", table.get("design", {"kind": "full"}), dict)
    if not isinstance(design.get("kind"), str):
        raise BadInput(f"{path}: [design] has no kind; expected kind = 'full' or another design")
    _value(path, "references", design.get("references", []), list)
    metrics = _value(path, "metrics", table.get("metrics", ["knn5"]), list)
    for metric in metrics:
        check_known("metric", str(metric), METRICS)
    seeds = _value(path, "seeds", table.get("seeds", 1), (int, list))
    if isinstance(seeds, int) and seeds > MAX_SEEDS:
        raise BadInput(f"{path}: seeds = {seeds}; expected at most {MAX_SEEDS}")
    seeds = list(range(seeds)) if isinstance(seeds, int) else seeds
    if not seeds or any(type(seed) is not int or seed < 0 for seed in seeds) or len(set(seeds)) < len(seeds):
        raise BadInput(f"{path}: seeds = {table.get('seeds')!r}; expected how many, or a list of different numbers")
    together = table.get("together", False)
    if not isinstance(together, bool):
        raise BadInput(f"{path}: together = {together!r}; expected true or false")
    recipe = _value(path, "recipe", table.get("recipe", {}), dict)
    return SweepSpec(
        name=name,
        recipes=expand(recipe, name, f"[recipe] of {path}", together=together),
        design=design,
        tasks=() if isinstance(tasks, str) else tuple(_value(path, "a task", task, str) for task in tasks),
        metrics=tuple(metrics),
        seeds=tuple(seeds),
    )


def _value(path: Path, key: str, value: Any, kind: Any) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        words = " or ".join({str: "text", int: "a whole number", list: "a list", dict: "a table"}[k] for k in kinds)
        raise BadInput(f"{path}: {key} = {value!r}; expected {words}")
    return value
