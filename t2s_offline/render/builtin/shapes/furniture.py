"""Furniture to sit on and lie on: chairs, stools, benches, sofas, beds.

Each function fills the components of a Builder. The front looks along +z; lengths are roughly metres.
"""

from __future__ import annotations

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, lift, smooth, stroke
from t2s_offline.render.builtin.shapes.parts import handle, turned_leg, tyre
from t2s_offline.render.builtin.shapes.primitives import box, cushion, disc, prism, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import Solid, join


def _back(b: Builder, width: float, height: float, thick: float) -> Solid:
    """A chair's back that stands on y = 0 in the xy plane, in one of five styles."""
    style = b.i(0, 4)
    post = rod((width / 2 - thick, 0, 0), (width / 2 - thick, height, 0), thick, count=8).twin()
    rail = box(width, b.u(0.08, 0.2) * height, thick * 1.4, 0.01).at(y=height)
    if style == 0:
        slats = [box(0.06, height, 0.02).at(x, height / 2) for x in spread(b.i(3, 6), -0.36 * width, 0.36 * width)]
    elif style == 1:
        slats = [
            box(width - thick, 0.12 * height, 0.025).at(0, y) for y in spread(b.i(2, 4), 0.3 * height, 0.8 * height)
        ]
    elif style == 2:
        slats = [box(0.8 * width, 0.6 * height, 0.04, 0.015).at(y=0.62 * height)]
    elif style == 3:
        slats = [rod((-0.45 * width, 0, 0), (0.45 * width, height, 0), 0.022, count=8).twin()]
    else:
        slats = [
            rod((0.6 * x, 0, 0), (x, height, 0), 0.014, count=6) for x in spread(b.i(5, 8), -0.42 * width, 0.42 * width)
        ]
    return join(post, rail, *slats)


@category("furniture", yaw=28)
def chair(b: Builder) -> None:
    w, d, seat, back = b.u(0.42, 0.52), b.u(0.4, 0.5), b.u(0.4, 0.48), b.u(0.4, 0.65)
    leg = b.u(0.018, 0.032)
    b.add("seat", box(w, b.u(0.03, 0.07), d, 0.012).at(y=seat), paint=b.pick("wood", "fabric", "plastic"))
    one = turned_leg(seat, leg, b.i(0, 2))
    b.add("legs", one.at(w / 2 - leg, 0, d / 2 - leg).four(), paint=b.pick("wood", "metal"))
    if b.chance(0.5):
        y = b.u(0.3, 0.6) * seat
        b.add("legs", rod((w / 2 - leg, y, -d / 2), (w / 2 - leg, y, d / 2), 0.012, count=6).twin())
        b.add("legs", rod((-w / 2, y, 0), (w / 2, y, 0), 0.012, count=6))
    b.add(
        "back",
        _back(b, w, back, 0.018).turn(x=-b.u(2, 12)).at(0, seat, -d / 2 + 0.02),
        paint=b.pick("wood", "plastic", "metal"),
    )


@category("furniture", yaw=28)
def armchair(b: Builder) -> None:
    w, d, seat, back = b.u(0.55, 0.7), b.u(0.6, 0.75), b.u(0.26, 0.34), b.u(0.45, 0.7)
    arm, soft = b.u(0.12, 0.2), b.u(0.25, 0.5)
    b.add("frame", box(w + 1.6 * arm, seat, d, 0.03).at(y=seat / 2 + 0.08), paint="fabric")
    b.add("cushion", cushion(w, 0.2, d, soft).at(0, seat + 0.13, 0.05), paint="fabric")
    lean = b.u(4, 14)
    b.add("frame", cushion(w + arm, back + 0.3, 0.26, soft).turn(x=-lean).at(0, seat + back / 2, -d / 2 + 0.05))
    if b.chance(0.5):
        b.add(
            "arms",
            tube([(0, 0, -d / 2), (0, 0, d / 2 + 0.02)], arm * 0.72, 14).at(w / 2 + arm / 2, seat + 0.26).twin(),
            paint="fabric",
        )
        b.add("arms", box(1.1 * arm, seat + 0.2, d + 0.012, 0.03).at(w / 2 + arm / 2, seat / 2 + 0.18).twin())
    else:
        b.add("arms", cushion(arm * 1.3, 0.5, d, 0.35).at(w / 2 + arm / 2, seat + 0.1).twin(), paint="fabric")
    b.add("feet", rod((w / 2, 0, d / 2 - 0.07), (w / 2, 0.1, d / 2 - 0.07), 0.025, 0.035, 8).four(), paint="wood")
    if b.chance(0.3):
        b.add("back", cushion(0.18, 0.3, 0.3, 0.5).at(w / 2 + 0.03, seat + back, -d / 2 + 0.1).twin(), paint="fabric")


@category("furniture", yaw=25)
def sofa(b: Builder) -> None:
    w, d, seat, back, n = b.u(1.5, 2.4), b.u(0.75, 0.95), b.u(0.28, 0.36), b.u(0.35, 0.5), b.i(2, 4)
    arm, soft = b.u(0.14, 0.28), b.u(0.2, 0.45)
    b.add(
        "frame",
        box(w, seat, d, 0.03).at(y=seat / 2 + 0.1),
        box(w, back + seat, 0.2, 0.05).at(0, (back + seat) / 2 + 0.1, -d / 2 + 0.05),
        paint="fabric",
    )
    step = (w - 2 * arm) / n
    for x in spread(n, -(w - 2 * arm - step) / 2, (w - 2 * arm - step) / 2):
        b.add("cushions", cushion(step, 0.22, d * 0.85, soft).at(x, seat + 0.17, 0.08), paint="fabric")
        b.add(
            "cushions", cushion(step, back + 0.12, 0.24, soft).turn(x=-12).at(x, seat + 0.12 + back / 2, -d / 2 + 0.24)
        )
    high = b.u(0.2, 0.34)
    b.add("frame", box(arm, seat + high, d, b.u(0.02, 0.08)).at((w - arm) / 2, (seat + high) / 2 + 0.1).twin())
    b.add(
        "feet",
        rod((w / 2 - 0.1, 0, d / 2 - 0.1), (w / 2 - 0.1, 0.12, d / 2 - 0.1), 0.025, 0.04, 8).four(),
        paint=b.pick("wood", "metal"),
    )
    if b.chance(0.5):
        pillow = cushion(0.4, 0.4, 0.16, 0.5).turn(x=-15, z=b.u(-20, 20))
        b.add("pillows", pillow.at(b.u(-0.3, 0.3) * w, seat + 0.45, 0), paint="fabric")


@category("furniture", yaw=20)
def stool(b: Builder) -> None:
    r, h, n = b.u(0.15, 0.22), b.u(0.4, 0.85), b.i(3, 4)
    top = disc(r, b.u(0.03, 0.08), 28, 0.012).at(y=h) if b.chance(0.7) else cushion(2 * r, 0.1, 2 * r, 0.6).at(y=h)
    b.add("seat", top, paint=b.pick("wood", "fabric", "plastic"))
    splay = b.u(1.0, 1.5)
    b.add(
        "legs",
        rod((splay * r, 0, 0), (0.7 * r, h, 0), 0.016, 0.024, 8).around(n, start=45),
        paint=b.pick("wood", "metal"),
    )
    for y in ([0.3, 0.55] if h > 0.6 else [0.35])[: b.i(1, 2)]:
        b.add("ring", torus(r * (splay + (0.7 - splay) * y), 0.011, 28, 8).at(y=y * h), paint="metal")


@category("furniture", yaw=25)
def park_bench(b: Builder) -> None:
    w, seat = b.u(1.3, 1.9), 0.44
    for z in spread(b.i(3, 5), -0.2, 0.22):
        b.add("slats", box(w, 0.03, 0.075).at(0, seat, z), paint="wood")
    for k, y in enumerate(spread(b.i(2, 4), 0.58, 0.86)):
        b.add("slats", box(w, 0.085, 0.03).turn(x=-10).at(0, y, -0.25 - 0.02 * k))
    side = tube(lift(smooth([(-0.3, 0.0), (-0.22, 0.3), (-0.24, 0.55), (-0.33, 0.9)], 9), 2), 0.025, 8).turn(y=-90)
    front = tube(
        lift(smooth([(0.28, 0.0), (0.2, 0.2), (0.24, 0.42), (0.26, 0.62), (0.0, 0.66), (-0.25, 0.62)], 12), 2), 0.022, 8
    ).turn(y=-90)
    bar = rod((0, 0.4, -0.25), (0, 0.4, 0.25), 0.022, count=8)
    b.add(
        "sides",
        (
            join(side, bar, front)
            if b.chance(0.7)
            else join(side, bar, rod((0, 0, 0.24), (0, 0.43, 0.22), 0.024, count=8))
        )
        .at(w / 2 - b.u(0.05, 0.2))
        .twin(),
        paint="dark",
    )


@category("furniture", yaw=-52)
def rocking_chair(b: Builder) -> None:
    # built sideways on, since the rockers are what tells it apart
    w, seat, back = b.u(0.46, 0.56), b.u(0.38, 0.44), b.u(0.6, 0.8)
    rocker = tube(lift(arc(b.u(0.85, 1.1), 238, 312, 16), 2), 0.03, 8, flat=1.0)
    low = rocker.vertex[:, 1].min()
    rail = rocker.at(y=-low).turn(y=-90).at(x=w / 2)
    b.add("rockers", rail.twin(), paint="wood")
    b.add("seat", box(w, 0.05, 0.48, 0.015).turn(x=-4).at(y=seat), paint=b.pick("wood", "fabric"))
    b.add("legs", rod((w / 2, 0.05, 0.2), (w / 2, seat + 0.22, 0.22), 0.02, count=8).twin(), paint="wood")
    b.add("legs", rod((w / 2, 0.05, -0.2), (w / 2, seat, -0.2), 0.02, count=8).twin())
    b.add("back", _back(b, w, back, 0.018).turn(x=-b.u(14, 20)).at(0, seat, -0.22), paint="wood")
    b.add("arms", box(0.06, 0.03, 0.5, 0.01).at(w / 2, seat + 0.23, 0.02).twin(), paint="wood")


@category("furniture", yaw=28)
def office_chair(b: Builder) -> None:
    n, reach, seat, back = 5, b.u(0.28, 0.34), b.u(0.44, 0.52), b.u(0.5, 0.75)
    arm = rod((0, 0.12, 0), (reach, 0.075, 0), 0.035, 0.02, 8) + tyre(0.04, 0.04, 12).at(reach, 0.04)
    b.add(
        "base",
        arm.around(n, start=b.u(0, 72)),
        rod((0, 0.08, 0), (0, seat, 0), 0.03, count=10),
        paint=b.pick("dark", "metal"),
    )
    b.add("seat", cushion(0.5, 0.12, 0.5, 0.4).at(y=seat), paint="fabric")
    b.add(
        "back",
        cushion(b.u(0.4, 0.5), back, 0.12, b.u(0.35, 0.6)).turn(x=-b.u(4, 12)).at(0, seat + 0.12 + back / 2, -0.25),
        paint="fabric",
    )
    b.add("frame", handle([(0, seat - 0.05, -0.1), (0, seat, -0.3), (0, seat + 0.35, -0.3)], 0.025), paint="dark")
    if b.chance(0.75):
        rest = handle([(0.22, seat - 0.02, 0), (0.3, seat + 0.02, 0), (0.31, seat + 0.2, -0.02)], 0.016)
        b.add("frame", rest.twin(), box(0.06, 0.03, 0.26, 0.012).at(0.31, seat + 0.21).twin())


@category("furniture", yaw=-35)
def bed(b: Builder) -> None:
    w, long, h = b.u(0.9, 1.7), b.u(1.9, 2.1), b.u(0.25, 0.4)
    b.add("frame", box(w, 0.14, long, 0.02).at(y=h), paint=b.pick("wood", "metal", "dark"))
    b.add("frame", box(0.07, h, 0.07).at(w / 2 - 0.05, h / 2, long / 2 - 0.05).four())
    high = b.u(0.45, 0.85)
    if b.chance(0.5):
        b.add("board", box(w, high, 0.06, 0.02).at(0, h + high / 2, -long / 2), paint=b.pick("wood", "fabric"))
        b.add("board", box(w, 0.4 * high, 0.05, 0.02).at(0, h + 0.15 * high, long / 2))
    else:
        for z, share in ((-long / 2, 1.0), (long / 2, 0.5)):
            b.add(
                "board",
                handle(
                    [
                        (-w / 2, h - 0.1, z),
                        (-w / 2, h + share * high, z),
                        (w / 2, h + share * high, z),
                        (w / 2, h - 0.1, z),
                    ],
                    0.025,
                    20,
                ),
                paint="metal",
            )
            for x in spread(b.i(4, 8), -0.4 * w, 0.4 * w):
                b.add("board", rod((x, h, z), (x, h + share * high, z), 0.013, count=6))
    b.add("mattress", box(w - 0.06, 0.22, long - 0.08, 0.05).at(y=h + 0.16), paint="light")
    cover = b.u(0.55, 0.75) * long
    b.add("blanket", box(w + 0.02, 0.2, cover, 0.05).at(0, h + 0.2, (long - cover) / 2 - 0.04), paint="fabric")
    n = 1 if w < 1.2 else 2
    for x in spread(n, -0.23 * w * (n - 1) * 2 / 2, 0.23 * w):
        b.add(
            "pillows",
            cushion(0.75 * w / n, 0.16, 0.36, 0.5).at(x if n > 1 else 0, h + 0.32, -long / 2 + 0.28),
            paint="light",
        )


@category("furniture", yaw=20)
def cradle(b: Builder) -> None:
    w, h, long = b.u(0.5, 0.6), b.u(0.4, 0.5), b.u(0.85, 1.0)
    n = b.i(6, 9)
    rocker = tube(lift(arc(0.55, 235, 305, 12), 2), 0.03, 8)
    rocker = rocker.at(y=-rocker.vertex[:, 1].min()).turn(y=90)
    b.add("rockers", rocker.at(x=long / 2 - 0.08).twin(), paint="wood")
    end = box(0.03, h, w, 0.01).at(long / 2, h / 2 + 0.1).twin()
    b.add(
        "frame",
        end,
        box(long, 0.04, w).at(y=0.13),
        box(long, 0.04, 0.03).at(0, h + 0.08, w / 2 - 0.02).twin(2),
        paint="wood",
    )
    for x in spread(n, -long / 2 + 0.08, long / 2 - 0.08):
        b.add("bars", rod((x, 0.12, w / 2 - 0.02), (x, h + 0.08, w / 2 - 0.02), 0.012, count=6).twin(2), paint="wood")
    b.add("bedding", cushion(long - 0.08, 0.2, w - 0.06, 0.3).at(y=0.24), paint="light")
    if b.chance(0.6):
        shell = prism(stroke(arc(w / 2, 0, 180, 14), 0.03), depth=0.4) + prism(arc(w / 2, 0, 180, 14), depth=0.03).at(
            z=-0.19
        )
        b.add("hood", shell.turn(y=90).at(-long / 2 + 0.22, h + 0.09), paint="fabric")
