"""Furniture that holds or shows things: tables, desks, shelves, drawers, racks, clocks on legs.

Each function fills the components of a Builder. The front looks along +z; lengths are roughly metres.
"""

from __future__ import annotations

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, lift
from t2s_offline.render.builtin.shapes.parts import handle, knob, panes, roof, turned_leg
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, rod, tube
from t2s_offline.render.builtin.shapes.solid import join


@category("storage", yaw=25)
def table(b: Builder) -> None:
    w, d, h, thick = b.u(0.8, 1.8), b.u(0.7, 0.95), b.u(0.55, 0.78), b.u(0.03, 0.06)
    if b.chance(0.35):
        r = b.u(0.4, 0.65)
        b.add("top", disc(r, thick, 36, 0.01).at(y=h).scale(b.u(1, 1.4), 1, 1), paint=b.pick("wood", "stone", "light"))
        column = lathe(
            [(0.3 * r, 0), (0.3 * r, 0.02), (0.05, 0.06), (0.07, 0.3 * h), (0.035, 0.6 * h), (0.06, h - 0.03)], 16
        )
        b.add("legs", column, paint=b.pick("wood", "metal", "dark"))
        foot = handle([(0.03, 0.22, 0), (0.3 * r, 0.12, 0), (0.7 * r, 0.02, 0)], 0.03)
        b.add("legs", foot.around(b.i(3, 4), start=45))
        return
    b.add("top", box(w, thick, d, 0.012).at(y=h), paint=b.pick("wood", "stone", "light", "plastic"))
    leg = b.u(0.022, 0.045)
    b.add(
        "legs",
        turned_leg(h, leg, b.i(0, 2)).at(w / 2 - 2 * leg, 0, d / 2 - 2 * leg).four(),
        paint=b.pick("wood", "metal"),
    )
    if b.chance(0.7):
        b.add("apron", box(w - 4 * leg, 0.09, d - 4 * leg).at(y=h - 0.05), paint="wood")


@category("storage", yaw=25)
def desk(b: Builder) -> None:
    w, d, h, side = b.u(1.1, 1.6), b.u(0.55, 0.75), 0.74, b.u(0.34, 0.44)
    b.add("top", box(w, 0.04, d, 0.01).at(y=h), paint=b.pick("wood", "light"))
    both = b.chance(0.45)
    for sign in (-1, 1) if both else (b.pick(-1, 1),):
        n = b.i(2, 4)
        b.add("drawers", box(side, h - 0.06, d - 0.06).at(sign * (w - side) / 2, h / 2 + 0.02), paint="wood")
        b.add(
            "fronts",
            panes(side - 0.04, h - 0.12, 1, n, 0.02, 0.03).at(sign * (w - side) / 2, h / 2 + 0.02, d / 2 - 0.02),
            paint="wood",
        )
        step = (h - 0.12) / n
        for k in range(n):
            grip = handle([(-0.06, 0, 0), (-0.05, 0, 0.04), (0.05, 0, 0.04), (0.06, 0, 0)], 0.01, 8)
            b.add("knobs", grip.at(sign * (w - side) / 2, 0.08 + step * (k + 0.5), d / 2), paint="metal")
        if not both:
            b.add("legs", box(0.045, h, 0.045).at(-sign * (w / 2 - 0.04), h / 2, d / 2 - 0.05).twin(2), paint="wood")
    b.add("top", box(w - 0.06, 0.45 * h, 0.02).at(0, 0.7 * h, -d / 2 + 0.06))
    if b.chance(0.6):
        b.add("drawers", box(w - 0.1, 0.1, d - 0.1).at(y=h - 0.07))


@category("storage", yaw=22)
def bookshelf(b: Builder) -> None:
    w, h, d, n = b.u(0.7, 1.2), b.u(1.3, 2.0), b.u(0.25, 0.34), b.i(3, 6)
    t = 0.035
    frame = [box(t, h, d).at(w / 2, h / 2).twin(), box(w, h, 0.015).at(0, h / 2, -d / 2)]
    ys = spread(n + 1, 0.06, h - t / 2)
    frame += [box(w, t, d).at(y=y) for y in ys]
    b.add("case", *frame, paint=b.pick("wood", "light"))
    step, k = ys[1] - ys[0], 0
    for y in ys[:-1]:
        x, stop = -w / 2 + 0.04, w / 2 - 0.06 - b.u(0, 0.5) * w
        while x < stop:
            width, high = b.u(0.025, 0.07), b.u(0.55, 0.9) * (step - t)
            book = box(width * 0.94, high, b.u(0.6, 0.85) * d).at(x + width / 2, y + t / 2 + high / 2, 0)
            b.add(("books", "more_books", "old_books")[k % 3], book, paint="fabric")
            x, k = x + width, k + b.i(1, 2)


@category("storage", yaw=24)
def dresser(b: Builder) -> None:
    w, h, d, rows, columns = b.u(0.8, 1.3), b.u(0.7, 1.15), b.u(0.42, 0.52), b.i(3, 5), b.i(1, 2)
    b.add(
        "case", box(w, h, d, 0.01).at(y=h / 2 + 0.1), box(w + 0.06, 0.035, d + 0.05, 0.01).at(y=h + 0.11), paint="wood"
    )
    b.add(
        "fronts",
        panes(w - 0.08, h - 0.08, columns, rows, 0.025, 0.03).at(0, h / 2 + 0.1, d / 2),
        paint=b.pick("wood", "light"),
    )
    for y in spread(rows, 0.14 + (h - 0.08) / rows / 2, h + 0.06 - (h - 0.08) / rows / 2):
        for x in spread(columns, -w / 4, w / 4):
            for offset in (-0.12 * w, 0.12 * w):
                b.add("knobs", knob(0.024).at(x + offset, y, d / 2 + 0.03), paint="metal")
    b.add("legs", turned_leg(0.12, 0.03, b.i(0, 1)).at(w / 2 - 0.05, 0, d / 2 - 0.05).four(), paint="wood")
    if b.chance(0.35):
        mirror = disc(0.3 * w, 0.03, 32).turn(x=90).scale(1, b.u(0.9, 1.3), 1).at(0, h + 0.45, -d / 2 + 0.06)
        b.add("mirror", mirror, box(0.1, 0.3, 0.03).at(0, h + 0.15, -d / 2 + 0.05), paint="light")


@category("storage", yaw=25)
def grandfather_clock(b: Builder) -> None:
    w, h, d = b.u(0.36, 0.46), b.u(1.7, 2.1), b.u(0.22, 0.3)
    head = b.u(0.45, 0.55)
    b.add("case", box(w * 1.15, 0.4, d * 1.1, 0.02).at(y=0.2), paint="wood")
    b.add("case", box(w * 0.82, h - 0.4 - head, d).at(y=0.4 + (h - 0.4 - head) / 2))
    b.add("case", box(w * 1.1, head, d * 1.1, 0.01).at(y=h - head / 2))
    b.add("case", box(w * 1.25, 0.05, d * 1.25, 0.015).at(y=h), box(w * 1.25, 0.04, d * 1.2, 0.015).at(y=h - head))
    if b.chance(0.5):
        b.add("case", roof(w * 1.1, 0.16, d, 0, 0).at(y=h + 0.03))
    else:
        b.add("case", disc(0.5 * w, d, 28).turn(x=90).at(y=h), ball(0.05).at(y=h + 0.6 * w))
    b.add("dial", disc(0.42 * w, 0.03, 32).turn(x=90).at(0, h - head / 2, d * 0.56), paint="light")
    b.add(
        "hands",
        box(0.02, 0.3 * w, 0.012).at(y=0.13 * w).turn(z=b.u(0, 360)).at(0, h - head / 2, d * 0.56 + 0.02),
        paint="dark",
    )
    b.add("hands", box(0.026, 0.2 * w, 0.012).at(y=0.08 * w).turn(z=b.u(0, 360)).at(0, h - head / 2, d * 0.56 + 0.02))
    b.add("window", box(0.5 * w, h - head - 0.65, 0.01).at(0, 0.45 + (h - head - 0.5) / 2, d / 2 + 0.003), paint="dark")
    swing = b.u(-8, 8)
    pendulum = rod((0, 0, 0), (0, -0.55, 0), 0.012, count=8) + disc(0.09, 0.03, 24).turn(x=90).at(y=-0.58)
    b.add("pendulum", pendulum.turn(z=swing).at(0, h - head - 0.1, d / 2 + 0.02), paint="metal")


@category("storage")
def coat_rack(b: Builder) -> None:
    h, n = b.u(1.6, 1.9), b.i(4, 6)
    b.add(
        "pole",
        lathe(
            [
                (0.03, 0.05),
                (0.03, 0.3 * h),
                (0.04, 0.32 * h),
                (0.025, 0.5 * h),
                (0.022, h),
                (0.035, h + 0.03),
                (0, h + 0.08),
            ],
            14,
        ),
        paint=b.pick("wood", "metal", "dark"),
    )
    if b.chance(0.6):
        foot = handle([(0, 0.22, 0), (0.18, 0.16, 0), (0.3, 0.02, 0)], 0.022)
        b.add("base", foot.around(b.i(3, 4), start=30), paint=b.pick("wood", "metal", "dark"))
    else:
        b.add(
            "base",
            lathe([(0.24, 0), (0.24, 0.02), (0.05, 0.06), (0.02, 0.08)], 28),
            paint=b.pick("metal", "stone", "dark"),
        )
    hook = tube(lift(arc(0.07, 200, 400, 7), 2), 0.013, 6, ends=True).at(0.1, 0) + rod(
        (0, 0, 0), (0.05, -0.03, 0), 0.013, count=8
    )
    for y, start in ((h - 0.05, 0.0), (h - 0.3, 180.0 / n))[: b.i(1, 2)]:
        b.add("hooks", hook.around(n, start=start + 15).at(y=y), paint=b.pick("metal", "wood"))
    if b.chance(0.4):
        brim = lathe([(0, 0.0), (0.19, 0.01), (0.19, 0.02), (0.1, 0.03), (0.1, 0.13), (0.08, 0.15), (0, 0.15)], 20)
        b.add("hat", brim.turn(z=8).at(0, h + 0.05), paint="fabric")


@category("storage", yaw=35)
def stepladder(b: Builder) -> None:
    h, w, n, lean = b.u(1.0, 1.9), b.u(0.4, 0.5), b.i(3, 6), b.u(0.28, 0.36)
    top = 0.82 * w / 2
    rail = box(0.025, 1, 0.06).warp(lambda v: v * [1, h, 1] + [w / 2, h / 2, 0]).warp(
        lambda v: v + (1 - v[:, 1:2] / h) * [[0.06, 0, lean * h]])  # fmt: skip
    b.add("rails", rail.twin(), paint=b.pick("metal", "wood"))
    back = box(0.02, h, 0.03).at(w / 2, h / 2).warp(lambda v: v - (1 - v[:, 1:2] / h) * [[-0.06, 0, lean * h]])
    b.add("back", back.twin(), paint=b.pick("metal", "wood"))
    for y in spread(2, 0.2 * h, 0.6 * h):
        b.add("back", rod((-w / 2 - 0.02, y, -lean * (h - y)), (w / 2 + 0.02, y, -lean * (h - y)), 0.012, count=6))
    for y in spread(n, h / (n + 1), h * n / (n + 1)):
        b.add(
            "treads",
            box(w + 0.1 * (1 - y / h), 0.03, 0.1).at(0, y, lean * (h - y)),
            paint=b.pick("metal", "wood", "plastic"),
        )
    b.add("cap", box(2 * top + 0.14, 0.05, 0.24, 0.015).at(y=h + 0.02), paint="plastic")


@category("storage", yaw=12)
def folding_screen(b: Builder) -> None:
    n, w, h, angle = b.i(3, 5), b.u(0.38, 0.5), b.u(1.2, 1.6), b.u(28, 40)
    latticed = b.chance(0.6)
    x, z, sign = 0.0, 0.0, 1
    for _ in range(n):
        frame = join(
            box(0.035, h, 0.035).at(w / 2 - 0.02, h / 2).twin(),
            box(w, 0.04, 0.03).at(y=0.12),
            box(w, 0.04, 0.03).at(y=h - 0.02),
        )
        panel = [box(w - 0.06, h - 0.16, 0.01).at(y=h / 2 + 0.05)]
        turn = sign * angle
        place = {"x": x, "z": z}
        rows = b.i(3, 5) if latticed else 0
        lattice = [box(w - 0.06, 0.018, 0.025).at(y=0.12 + (h - 0.14) * k / rows) for k in range(1, rows)]
        b.add("frame", join(frame, *lattice).at(x=w / 2).turn(y=turn).at(**place), paint=b.pick("wood", "dark"))
        b.add("panels", join(*panel).at(x=w / 2).turn(y=turn).at(**place), paint=b.pick("light", "fabric"))
        tip = join(frame).at(x=w / 2).turn(y=turn).at(**place).vertex
        far = tip[tip[:, 0] > tip[:, 0].max() - 0.03]
        x, z, sign = float(far[:, 0].mean()), float(far[:, 2].mean()), -sign
