"""Cutting and fusing solids.

Closed solids become one closed solid, by manifold3d. Cut before components are named: names are lost.
"""

from __future__ import annotations

import manifold3d
import numpy as np

from t2s_offline.render.builtin.shapes.primitives import from_manifold
from t2s_offline.render.builtin.shapes.solid import Solid


def _body(solid: Solid) -> manifold3d.Manifold:
    vertex = np.array(solid.vertex, dtype=np.float64, order="C")
    face = np.array(solid.face, dtype=np.uint64, order="C")
    return manifold3d.Manifold(manifold3d.Mesh64(vertex, face))


def cut(solid: Solid, *tools: Solid) -> Solid:
    """`solid` without what lies inside `tools`. Each argument must be closed; a tool may hold several bodies."""
    body = _body(solid)
    for tool in tools:
        body = body - _body(tool)
    return from_manifold(body)


def fuse(*solids: Solid) -> Solid:
    """The union as one skin, without the parts that lie inside each other."""
    body = _body(solids[0])
    for other in solids[1:]:
        body = body + _body(other)
    return from_manifold(body)


def common(solid: Solid, other: Solid) -> Solid:
    """What lies inside both."""
    return from_manifold(_body(solid) ^ _body(other))


def simplify(solid: Solid, most: int) -> Solid:
    """`solid` with edges collapsed where it is flattest, until it has at most `most` faces or would visibly change.

    A solid that is not an oriented manifold is returned as it is.
    """
    body = _body(solid)
    size = float(np.ptp(solid.vertex, axis=0).max())
    for tolerance in (0.0015, 0.003, 0.005, 0.008):
        if body.status() != manifold3d.Error.NoError or body.num_tri() <= most:
            break
        body = body.simplify(tolerance * size)
    return solid if body.status() != manifold3d.Error.NoError else from_manifold(body)
