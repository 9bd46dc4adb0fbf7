"""A public name means one thing in the whole program."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_SOURCES = (
    "organizer",
    "plugins/organizer-camera-trap",
    "plugins/organizer-channel-mean",
    "plugins/organizer-deep-clustering",
)


def _public_names(file: Path) -> Iterator[str]:
    """Classes and functions of a module, each once: an overload is no second meaning.

    The client's models are those of the service, seen from the other side.
    """
    if file.match("organizer/client/models.py"):
        return
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = (n.name for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef))
    yield from dict.fromkeys(name for name in found if not name.startswith("_"))


def test_a_public_class_or_function_name_means_one_thing() -> None:
    modules: dict[str, list[str]] = defaultdict(list)
    for source in _SOURCES:
        for file in sorted((_ROOT / source).rglob("*.py")):
            for name in _public_names(file):
                modules[name].append(str(file.relative_to(_ROOT)))
    assert len(modules) > 500
    assert {name: files for name, files in modules.items() if len(files) > 1} == {}
