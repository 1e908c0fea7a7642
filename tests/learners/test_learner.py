from __future__ import annotations

import ast
from pathlib import Path

import t2s_offline

PACKAGE = Path(t2s_offline.__file__).parent


def test_the_protocol_of_a_learner_is_said_once() -> None:
    """A protocol with a `fit` is the protocol of a learner, whatever its name."""
    found = [
        f"{path.relative_to(PACKAGE)}: {node.name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
        and any("Protocol" in ast.unparse(base) for base in node.bases)
        and any(isinstance(part, ast.FunctionDef) and part.name == "fit" for part in node.body)
    ]
    assert found == ["learners/learner.py: Learner"]
