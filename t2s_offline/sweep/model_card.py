"""The README.md beside a backbone that is handed over: what it is, and how to load it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from t2s_offline.recipe import Recipe
from t2s_offline.space import SimSpace
from t2s_offline.text_tables import one_line
from t2s_offline.training.networks import MEAN, SD
from t2s_offline.training.portable import ELSEWHERE

LICENCE = "Apache-2.0, the licence of t2s-offline."
TDW_LICENCE = (
    "It was trained on pictures of ThreeDWorld's models, for which no licence text was found: ask its authors before "
    "you pass it on."
)
OURS = """\
import torch
import t2s_offline as t2s

net = t2s.load_backbone("backbone.safetensors")
features = net(torch.rand(4, 3, {size}, {size}))  # RGB, 0 to 1; normalised inside
"""
TORCHVISION = """\
import torch, torchvision
from safetensors.torch import load_file
net = torchvision.models.{arch}().eval()
net.load_state_dict(load_file("backbone.safetensors"), strict=False)  # misses the last layer alone
net.fc = torch.nn.Identity()
"""
TIMM = """\
import timm
from safetensors.torch import load_file

net = timm.create_model("{arch}", num_classes=0).eval()
net.load_state_dict(load_file("backbone.safetensors"))
"""


@dataclass(frozen=True)
class ModelCard:
    """What a card says. backbone: the card in the backbone's file; classes: of the task's pictures, empty where they
    are not known; expected: sentences on accuracy; files: (name, what it is) of what lies beside the backbone."""

    task: str
    configuration: str
    space: SimSpace
    recipe_id: str
    recipe: Recipe
    backbone: dict[str, Any]
    classes: Sequence[str] = ()
    expected: Sequence[str] = ()
    files: Sequence[tuple[str, str]] = ()

    def text(self) -> str:
        """The card as Markdown. Names of others stand in it as code on one line."""
        sections = [
            self._summary(), self._configuration(), self._accuracy(), self._classes(), self._pictures(), self._load(),
            self._recipe(), self._licence(),
        ]  # fmt: skip
        return "\n\n".join(section for section in sections if section) + "\n"

    def _summary(self) -> str:
        recipe, arch = self.recipe, self.backbone["arch"]
        listed = "".join(f"\n- `{name}`: {what}" for name, what in self.files)
        return (
            f"# A backbone for {code(self.task)}\n\n"
            f"A {arch} without its last layer, pre-trained on synthetic pictures of {recipe.classes} classes "
            f"({recipe.images} a class, {recipe.size} px) under the configuration {code(self.configuration)}. Written "
            f"by `t2s-offline predict`.\n\n- `backbone.safetensors`: the weights, with a JSON card in the "
            f"header{listed}"
        )

    def _configuration(self) -> str:
        rows = "".join(
            f"\n| {param.name.replace('_', ' ')} | {digit} | {meaning(digit, param.levels)} |"
            for param, digit in zip(self.space.params, self.configuration, strict=True)
        )
        return f"## What the configuration means\n\n| parameter | digit | over the pictures |\n|---|---|---|{rows}"

    def _accuracy(self) -> str:
        said = self.expected or ["Not measured."]
        return "## Expected accuracy\n\n" + "\n".join(f"- {one_line(sentence)}" for sentence in said)

    def _classes(self) -> str:
        if not self.classes:
            return ""
        return f"## Classes\n\n{len(self.classes)}: {', '.join(map(code, self.classes))}"

    def _pictures(self) -> str:
        size, resize = self.recipe.evaluated, self.recipe.eval_resize
        return (
            f"## Pictures\n\nRGB, {size} x {size} pixels: the shorter side resized to {round(size * resize)} "
            f"(bilinear), then the centre. Values from 0 to 1 are normalised by (value - mean) / sd, with mean "
            f"{MEAN} and sd {SD}."
        )

    def _load(self) -> str:
        arch, size = self.backbone["arch"], self.recipe.evaluated
        blocks = [("t2s-offline (normalises inside)", OURS)]
        if arch in ELSEWHERE:
            blocks += [("torchvision (give it normalised pictures)", TORCHVISION)]
            blocks += [("timm (give it normalised pictures)", TIMM)]
        shown = "\n\n".join(
            f"In {title}:\n\n```python\n{text.format(arch=arch, size=size)}```" for title, text in blocks
        )
        if "classifier.safetensors" in dict(self.files):
            shown += "\n\nTo name new pictures:\n\n```sh\nt2s-offline classify new/ --with .\n```"
        return f"## Load it\n\nFrom this folder. {shown}"

    def _recipe(self) -> str:
        return f"## Recipe\n\n{code(self.recipe_id)}:\n\n```json\n{self.recipe.contents()}\n```"

    def _licence(self) -> str:
        more = f" {TDW_LICENCE}" if self.recipe.renderer == "tdw" else ""
        return f"## Licence\n\n{LICENCE}{more}"


def meaning(digit: str, levels: int) -> str:
    """What a digit of a configuration says of its parameter."""
    if digit == "0":
        return "constant"
    return "varied" if levels == 2 else f"varied, level {digit} of {levels - 1}"


def code(text: str) -> str:
    """Text as code on one line of Markdown, also text that somebody else chose."""
    return f"`{one_line(text, 200).replace('`', chr(39)) or ' '}`"
