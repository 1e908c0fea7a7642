"""The materials: about 150 named surfaces in ten groups, as rows of numbers.

MATERIALS holds them with their names, `material_rows()` is what a renderer takes. A row says two colours, how a pattern
mixes them, how rough and how metallic the surface is; the meaning of a pattern lies in the renderer's kernel. Any
material may lie on any component.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from t2s_offline.render.builtin.srgb import linear

#: Patterns, by their number in a row.
PATTERNS = (
    "plain", "checker", "stripes", "noise", "wood", "marble", "bricks", "dots", "brushed", "weave", "speckle", "camo",
)  # fmt: skip

#: Columns of `material_rows`: two linear RGB colours, roughness, metalness, pattern, repeats a unit, contrast.
COLUMNS = (
    "r0", "g0", "b0", "r1", "g1", "b1", "roughness", "metalness", "pattern", "scale", "contrast",
)  # fmt: skip


@dataclass(frozen=True)
class Material:
    """One surface; colours are sRGB 0 to 1, `scale` is repeats of the pattern over an object's diameter."""

    name: str
    group: str
    colour: tuple[float, float, float]
    second: tuple[float, float, float]
    pattern: str = "plain"
    scale: float = 8.0
    contrast: float = 1.0
    roughness: float = 0.6
    metalness: float = 0.0


def _rgb(code: str) -> tuple[float, float, float]:
    red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue


# One line a material: name, the two colours, and what differs from its group's settings.
# group: (pattern, scale, contrast, roughness, metalness)
_GROUPS: dict[str, tuple[tuple[str, float, float, float, float], str]] = {
    "wood": (
        ("wood", 7.0, 1.0, 0.5, 0.0),
        "oak c89b63 8f6336|walnut 6b4428 3b2415|pine e2bd83 bf8d4e|mahogany 7f3a22 4d1d10"
        "|ebony 3a2f2a 1b1512|birch ead5b0 cfae7c|cherry b5673f 83402a|teak a9743f 754a22"
        "|ash_wood d9c29a a98a5c|bamboo d8c176 9e8a3f|driftwood a79d8c 6f675a|redwood 9a4a35 64291d"
        "|maple e6c08a c99755|charred_wood 4a4340 191615|painted_blue_wood 5f88a8 3a5a74"
        "|painted_green_wood 7d9a66 4d683c",
    ),
    "metal": (
        ("brushed", 10.0, 0.35, 0.32, 1.0),
        "steel c9ccd0 9a9ea3|aluminium e3e4e6 bfc1c4|gold f3c454 c9902a|copper e39a72 b3603a"
        "|brass d9b860 a3802f|bronze b08447 6f4e24|iron 8c8681 56514d|chrome f2f4f6 d4d8dc"
        "|titanium a9a49c 7d7871|rose_gold eab4a0 c48470|gunmetal 5b6168 33383d|zinc b4bdc2 88929a"
        "|blue_anodised 4a78d0 2a4a94|red_anodised cf3d44 8c1e28|green_anodised 4fae68 27703d"
        "|violet_anodised 8a58c8 54308c",
    ),
    "worn_metal": (
        ("noise", 7.0, 1.0, 0.55, 0.7),
        "rust 9c4f25 5a2a16|verdigris 5aa58f 7a5a35|tarnished_silver b8b4aa 5f5a52|old_bronze 7a6236 3d4a38"
        "|cast_iron 5c5a58 333231|scratched_paint 3f6fa0 9a9a98|galvanised b9c0c4 8e979c"
        "|burnt_steel 8a7a9a 54607f|flaking_red_paint b5382c 6b5a50|flaking_green_paint 54805a 7a6a5a",
    ),
    "stone": (
        ("marble", 5.0, 1.0, 0.35, 0.0),
        "white_marble f2efe9 b9b4ab|black_marble 26262a b5b0a5|green_marble 2f5b48 a5bfa8"
        "|rose_marble d9a79c a0655c|onyx c98d42 f0d9a5|travertine dcc9a6 b39a70|slate 4c5560 323941"
        "|alabaster efe0cc d2b48f|lapis 2a4a9c c9a850|malachite 1f8060 7fd0a5|jade 6fa889 3f7a5c"
        "|sandstone d2a878 b5824f",
    ),
    "granite": (
        ("speckle", 22.0, 1.0, 0.5, 0.0),
        "grey_granite a8a6a2 55524f|red_granite b06a58 3d2c2a|black_granite 2c2c2e 8d8f92"
        "|terrazzo ece6da a8583f|blue_terrazzo e3e7ea 3f6a9a|concrete a9a7a1 8a8882"
        "|pebble_dash c9bfa8 7a6d58|asphalt 48484a 2b2b2c|sand dcc595 b79a63|snow f4f7fa d6e2ee"
        "|cork c49a62 83592f|sponge e6cf5a b08f2c|soil 5f4530 33241a|moss 5f8038 34521f",
    ),
    "fabric": (
        ("weave", 26.0, 0.9, 0.9, 0.0),
        "denim 3f5f8f 7a94b8|linen dcd0b4 b8a884|burlap b39562 7d6138|red_wool a8323a 70181f"
        "|green_felt 3d7a4a 28573a|navy_cotton 2a3558 46558a|grey_tweed 8a8680 57534e"
        "|orange_knit e0803a b0551c|purple_velvet 6a3a80 42204f|pink_cotton e8a0b4 c87490"
        "|turquoise_silk 4ab8b8 2a8a90|mustard_canvas d0a030 9c721a|black_canvas 2e2e32 18181a"
        "|white_cotton f2f0ec d4d0c8",
    ),
    "striped": (
        ("stripes", 9.0, 1.0, 0.7, 0.0),
        "red_white_stripes d0333a f2eee6|blue_white_stripes 2f5fa8 f0f0ea|black_white_stripes 1c1c1e f0f0ee"
        "|green_stripes 3a8a50 c9e0a8|orange_stripes e88a30 f6e0b0|candy_stripes e86aa0 f8e0ea"
        "|navy_gold_stripes 22305a d0a848|brown_stripes 6a4a30 c8a880|hazard_stripes f2c81c 1e1e1e"
        "|teal_stripes 2a8080 d8ece4|zebra f4f4f0 141414|violet_stripes 6a48a8 d8c8f0",
    ),
    "checked": (
        ("checker", 7.0, 1.0, 0.5, 0.0),
        "chessboard f0ead8 2a2420|red_check c8323a f4ece0|blue_check 3a68b0 e8ecf2"
        "|green_check 3f8a4c e8ecd0|yellow_check f0c83a 5a4a2a|racing_check f4f4f4 161616"
        "|purple_check 7a4a9a dcccea|terracotta_tiles c06a40 e0b890|aqua_tiles 58b8c0 e4f2f0"
        "|pink_check e890b0 faf0f2|grey_tiles 8a8e92 c8ccd0|brown_check 7a5230 d8b888",
    ),
    "masonry": (
        ("bricks", 6.0, 1.0, 0.85, 0.0),
        "red_brick a84a34 cfc4b4|yellow_brick d0a860 e0d8c4|grey_brick 85827e bdb8b0"
        "|white_brick ece8e0 b8b0a4|dark_brick 54362e 8a7c70|sandstone_blocks c8a878 8a7048"
        "|blue_tiles 3a6aa8 e8ecee|green_tiles 4a8a6a e4e8dc|castle_stone 7c7a74 4a4844"
        "|clay_roof b8583a 6a2c1c",
    ),
    "plastic": (
        ("plain", 1.0, 0.0, 0.28, 0.0),
        "red_plastic d82a2a d82a2a|orange_plastic f07a1a f07a1a|yellow_plastic f4cc20 f4cc20"
        "|lime_plastic 9ad028 9ad028|green_plastic 24a048 24a048|teal_plastic 18a0a0 18a0a0"
        "|sky_plastic 4ab0e8 4ab0e8|blue_plastic 2450c8 2450c8|violet_plastic 7038c0 7038c0"
        "|magenta_plastic d030a0 d030a0|pink_plastic f48ab0 f48ab0|white_plastic f0f0f0 f0f0f0"
        "|grey_plastic 808488 808488|black_plastic 1e1e20 1e1e20|brown_rubber 5a3c28 5a3c28"
        "|cream_plastic f0e4c4 f0e4c4",
    ),
    "ceramic": (
        ("dots", 8.0, 1.0, 0.15, 0.0),
        "white_polka_dots d03048 f6f2ea|blue_polka_dots f0f0ea 2a50a0|black_polka_dots f2f0ea 1c1c1e"
        "|ladybird 181818 d02420|green_polka_dots f4f0d8 3a9050|yellow_polka_dots 3a3a60 f4cc30"
        "|pink_polka_dots ffffff f08ab0|orange_polka_dots 4a2c1c f09030|violet_polka_dots e0d0f4 6a3aa0"
        "|teal_polka_dots f0e8c8 208888",
    ),
    "hide": (
        ("camo", 5.0, 1.0, 0.75, 0.0),
        "cow f2eee6 1f1c1a|giraffe c08038 ecd8a8|woodland_camo 4a5a30 9a8a58|desert_camo c8ac78 8a6a44"
        "|urban_camo 8a8e92 3a3e44|lava 2a1c1a f06018|planet 2a6ab0 6aa04a|leather 7a4a2a 5a331b"
        "|red_leather 8a2420 601512|cloud_print 7ab8e8 f4f8fa|leaf_print 2f6a30 8ac048"
        "|snake_skin 6a7a3a 2a3018",
    ),
}  # fmt: skip


def _build() -> tuple[Material, ...]:
    by_group = []
    for group, ((pattern, scale, contrast, roughness, metalness), lines) in _GROUPS.items():
        rows = [line.split() for line in lines.split("|")]
        by_group.append(
            [
                # neighbours of one group differ a little in scale and polish too, not in colour alone
                Material(
                    name, group, _rgb(first), _rgb(second), pattern, scale * (0.75, 1.0, 1.4)[i % 3], contrast,
                    min(1.0, roughness * (1.0, 0.7, 1.25, 0.85)[i % 4]), metalness,
                )
                for i, (name, first, second) in enumerate(rows)
            ]
        )  # fmt: skip
    # One of each group in turn, so that the first half of the list (a middle level) holds every group.
    longest = max(len(group) for group in by_group)
    return tuple(group[i] for i in range(longest) for group in by_group if i < len(group))


MATERIALS: tuple[Material, ...] = _build()


def material_rows() -> npt.NDArray[np.float32]:
    """Every material as numbers, float32 (M, 11), columns as in COLUMNS."""
    return np.stack(
        [
            np.r_[
                linear(m.colour),
                linear(m.second),
                np.array([m.roughness, m.metalness, PATTERNS.index(m.pattern), m.scale, m.contrast]),
            ]
            for m in MATERIALS
        ]
    ).astype(np.float32)
