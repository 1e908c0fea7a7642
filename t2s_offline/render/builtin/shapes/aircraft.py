"""Things with wings and rotors.

Each function fills the components of a Builder. They head towards +x and are turned to show side and front.
"""

from __future__ import annotations

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.hulls import wing
from t2s_offline.render.builtin.shapes.outline import smooth
from t2s_offline.render.builtin.shapes.parts import handle
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, rod


@category("craft", yaw=-42, tilt=22)
def airliner(b: Builder) -> None:
    long, r = b.u(1.5, 1.8), b.u(0.09, 0.115)
    profile = [
        (0, -long / 2),
        *smooth(
            [(0.02, -long / 2), (0.6 * r, -0.35 * long), (r, -0.18 * long), (r, 0.36 * long), (0.75 * r, 0.45 * long)],
            12,
        ),
        (0, long / 2),
    ]
    b.add("fuselage", lathe(profile, 20).turn(z=-90), paint=b.pick("light", "metal", "plastic"))
    span, sweep = b.u(0.65, 0.85), b.u(0.25, 0.45)
    b.add(
        "wings",
        wing(0.34, 0.12, span, sweep, 0.13, 0.08).at(0.06 * long, -0.4 * r).twin(2),
        paint=b.pick("light", "metal", "plastic"),
    )
    b.add(
        "tail",
        wing(0.2, 0.1, 0.28, 0.16).at(-0.42 * long, 0.1 * r).twin(2),
        wing(0.26, 0.13, 0.32, 0.2).turn(x=-90).at(-0.41 * long, 0.5 * r),
        paint=b.pick("plastic", "light"),
    )
    for z in (0.32,) if b.chance(0.6) else (0.26, 0.5):
        pod = lathe([(0, -0.11), (0.045, -0.1), (0.055, 0.06), (0.045, 0.1), (0.03, 0.07), (0, 0.07)], 14).turn(z=-90)
        b.add(
            "engines",
            pod.at(0.14 * long - sweep * z / span * 0.9, -0.4 * r + 0.08 * z / span - 0.06, z).twin(2),
            paint=b.pick("metal", "plastic", "dark"),
        )
    b.add(
        "windows",
        *(
            ball(0.012, count=6).at(x, 0.25 * r, 0.96 * r).twin(2)
            for x in spread(b.i(10, 14), -0.26 * long, 0.34 * long)
        ),
        ball(0.05, 0.03, 0.06, 10).at(0.445 * long, 0.5 * r),
        paint="dark",
    )


@category("craft", yaw=-38, tilt=12)
def biplane(b: Builder) -> None:
    long, r = b.u(0.95, 1.1), b.u(0.1, 0.13)
    b.add(
        "fuselage",
        lathe(
            [
                (0, -0.55 * long),
                *smooth([(0.02, -0.55 * long), (0.8 * r, 0.0), (1.05 * r, 0.25 * long), (0.95 * r, 0.38 * long)], 9),
                (0.5 * r, 0.42 * long),
                (0, 0.43 * long),
            ],
            16,
        ).turn(z=-90),
        paint="plastic",
    )
    span, chord, gap = b.u(0.62, 0.78), b.u(0.2, 0.25), b.u(0.26, 0.33)
    plane = box(chord, 0.02, 2 * span, 0.008)
    b.add(
        "wings",
        plane.at(0.16 * long, -0.5 * r),
        plane.scale(1, 1, 1.05).at(0.2 * long, -0.5 * r + gap),
        paint="plastic",
    )
    for z in spread(b.i(1, 3), 0.3 * span, 0.8 * span):
        for dx in (-0.06, 0.06):
            b.add(
                "struts",
                rod((0.16 * long + dx, -0.5 * r, z), (0.2 * long + dx, -0.5 * r + gap, z), 0.009, count=6).twin(2),
                paint="wood",
            )
    b.add(
        "tail",
        wing(0.16, 0.1, 0.26, 0.05, 0.06).at(-0.48 * long).twin(2),
        wing(0.18, 0.1, 0.22, 0.08, 0.06).turn(x=-90).at(-0.48 * long),
        paint="plastic",
    )
    b.add(
        "propeller",
        ball(0.012, b.u(0.2, 0.26), 0.03, 10).turn(x=b.u(0, 180)).at(0.45 * long),
        ball(0.03, count=10).at(0.45 * long),
        paint="wood",
    )
    b.add(
        "wheels",
        disc(0.07, 0.04, 16).turn(x=90).at(0.22 * long, -r - 0.17, 0.16).twin(2),
        rod((0.16 * long, -0.6 * r, 0.05), (0.22 * long, -r - 0.17, 0.15), 0.012, count=6).twin(2),
        paint="dark",
    )


@category("craft", yaw=-28)
def helicopter(b: Builder) -> None:
    r, tail = b.u(0.24, 0.3), b.u(0.75, 0.95)
    b.add("cabin", ball(1.35 * r, r, 0.85 * r, 20), paint=b.pick("plastic", "metal", "leaf"))
    b.add(
        "boom",
        rod((-0.8 * r, 0.25 * r, 0), (-tail - 0.2, 0.4 * r, 0), 0.09, 0.035, 12),
        wing(0.2, 0.1, 0.24, 0.1).turn(x=-90).at(-tail - 0.15, 0.35 * r),
        wing(0.12, 0.08, 0.16, 0.04).at(-tail + 0.1, 0.35 * r).twin(2),
        paint=b.pick("plastic", "metal"),
    )
    b.add("window", ball(0.95 * r, 0.8 * r, 0.8 * r, 18).at(0.5 * r, 0.1 * r), paint="dark")
    n = b.i(2, 5)
    blade = box(0.85, 0.014, 0.075, 0.005).at(0.45).turn(x=6)
    b.add(
        "rotor",
        blade.around(n, start=b.u(0, 90)).at(0, 1.28 * r),
        rod((0, 0.8 * r, 0), (0, 1.36 * r, 0), 0.03),
        ball(0.06, 0.035, count=10).at(y=1.3 * r),
        paint=b.pick("dark", "metal"),
    )
    b.add(
        "rotor",
        box(0.03, 0.34, 0.012).turn(z=b.u(0, 90)).at(-tail - 0.2, 0.5 * r, 0.06),
        box(0.34, 0.03, 0.012).turn(z=20).at(-tail - 0.2, 0.5 * r, 0.06),
    )
    skid = handle([(0.6, -1.25 * r, 0), (0.48, -1.35 * r, 0), (-0.35, -1.35 * r, 0)], 0.018, 10)
    b.add(
        "skids",
        skid.at(z=0.2).twin(2),
        *(rod((x, -0.75 * r, 0.1), (x, -1.35 * r, 0.2), 0.014, count=6).twin(2) for x in (-0.18, 0.22)),
        paint="metal",
    )
