"""Pictures of pictures: a contact sheet, a gallery of every category, a grid of configurations.

Each function takes a renderer and returns a PIL image; `save` writes a PNG file of modest size.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from t2s_offline.errors import UnknownName
from t2s_offline.render.dataset import atomic_write
from t2s_offline.render.renderer import Renderer, RenderRequest
from t2s_offline.space import DIGITS

GAP, CAPTION = 2, 12


def tile(image_NCHW: npt.NDArray[np.uint8], columns: int, captions: Sequence[str] = (), side: str = "") -> Image.Image:
    """Lay uint8 (N, 3, H, W) out in rows of `columns`; captions: one an image, or with side="row" one a row."""
    n, _, height, width = image_NCHW.shape
    rows = -(-n // columns)
    fonts = [ImageFont.load_default(size) for size in (10, 9, 8, 7)]
    font = fonts[0]
    left = 8 + int(max(map(font.getlength, captions))) if side == "row" else 0
    below = CAPTION if captions and not side else 0
    size = (left + columns * (width + GAP) + GAP, rows * (height + GAP + below) + GAP)
    sheet = Image.new("RGB", size, (250, 250, 250))
    pen = ImageDraw.Draw(sheet)
    for i, picture in enumerate(image_NCHW):
        x, y = left + GAP + i % columns * (width + GAP), GAP + i // columns * (height + GAP + below)
        sheet.paste(Image.fromarray(np.ascontiguousarray(picture.transpose(1, 2, 0))), (x, y))
        if below and i < len(captions):
            text = captions[i].replace("_", " ")
            fitting = next((f for f in fonts if f.getlength(text) <= width), fonts[-1])
            at = (x + max(0.0, (width - fitting.getlength(text)) / 2), y + height - 1)
            pen.text(at, text, fill=(20, 20, 20), font=fitting)
    if side == "row":
        for row, text in enumerate(captions):
            pen.text((4, GAP + row * (height + GAP) + height / 2 - 6), text, fill=(20, 20, 20), font=font)
    return sheet


def save(sheet: Image.Image, file: Path) -> None:
    """Write a PNG whole or not at all."""
    out = io.BytesIO()
    sheet.save(out, format="PNG", optimize=True)
    atomic_write(file, out.getvalue())


def pictures(renderer: Renderer, request: RenderRequest, indices: Sequence[int]) -> npt.NDArray[np.uint8]:
    """Images `indices` of a request: uint8 (N, 3, H, W) in host memory."""
    batches = renderer.render(request, indices=np.array(indices, dtype=np.int64))
    return np.concatenate([batch.image_NCHW.cpu().numpy() for batch in batches])


def contact_sheet(renderer: Renderer, request: RenderRequest, columns: int = 12, most: int = 144) -> Image.Image:
    """Up to `most` images of a dataset, spread over its classes, named."""
    total = request.images * len(renderer.classes)
    chosen = np.unique(np.linspace(0, total - 1, min(most, total)).astype(int)).tolist()
    names = [renderer.classes[i // request.images] for i in chosen]
    return tile(pictures(renderer, request, chosen), min(columns, len(chosen)), names)


def gallery(renderer: Renderer, request: RenderRequest, columns: int = 14) -> Image.Image:
    """The first image of every category, named."""
    chosen = [label * request.images for label in range(len(renderer.classes))]
    return tile(pictures(renderer, request, chosen), min(columns, len(chosen)), renderer.classes)


def find_object(renderer: Renderer, request: RenderRequest, name: str) -> tuple[RenderRequest, int]:
    """A request wide enough to show object NAME or NAME:INDEX, and the first of its images that does.

    NAME: a class; INDEX: which of its objects, from 0. Raises UnknownName.
    """
    kind, _, number = name.partition(":")
    if kind not in renderer.classes:
        raise UnknownName("category", kind, renderer.classes)
    label = renderer.classes.index(kind)
    wide = replace(request, images=max(len(renderer.objects), 1))
    own = np.arange(label * wide.images, (label + 1) * wide.images)
    shown = renderer.describe(wide, own)[1]
    objects = np.unique(shown)
    if number and not (number.isdecimal() and int(number) < len(objects)):
        raise UnknownName("object", name, [f"{kind}:{i}" for i in range(len(objects))])
    return wide, int(own[np.argmax(shown == objects[int(number or 0)])])


def one_bit(renderer: Renderer, request: RenderRequest, name: str, columns: int = 8) -> Image.Image:
    """One object with nothing varied, then each parameter at its highest level alone, a row each, then all of them."""
    space = request.space
    rows = [("nothing varied", space.all_off)]
    for i, param in enumerate(space.params):
        digits = "0" * i + DIGITS[param.levels - 1] + "0" * (len(space.params) - i - 1)
        rows.append((f"{digits}  {param.name}", digits))
    rows.append((f"{space.domain_randomization}  all", space.domain_randomization))
    images = []
    for _, configuration in rows:
        images.append(_same_object(renderer, replace(request, configuration=configuration), name, columns))
    return tile(np.concatenate(images), columns, [text for text, _ in rows], side="row")


def all_configurations(renderer: Renderer, request: RenderRequest, name: str) -> Image.Image:
    """One object under every configuration of the space, in index order; captions are the digits."""
    space, images = request.space, []
    for number, configuration in enumerate(space):
        wanted = replace(request, configuration=configuration)
        images.append(_same_object(renderer, wanted, name, 1, skip=number % 8))
    return tile(np.concatenate(images), round(len(space) ** 0.5), space.configurations)


def _same_object(
    renderer: Renderer, request: RenderRequest, name: str, count: int, skip: int = 0
) -> npt.NDArray[np.uint8]:
    """`count` different images of one object, leaving out the first `skip`: uint8 (count, 3, H, W)."""
    wide, first = find_object(renderer, request, name)
    label, k = divmod(first, wide.images)
    size = len(np.unique(renderer.describe(wide, np.arange(wide.images) + label * wide.images)[1]))
    wide_enough = replace(wide, images=(count + skip + 1) * size)
    chosen = [label * wide_enough.images + k + size * (skip + i) for i in range(count)]
    return pictures(renderer, wide_enough, chosen)
