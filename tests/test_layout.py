"""How the modules of organizer depend on each other, beyond what import-linter holds."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import organizer
from organizer import errors

_PACKAGE = Path(organizer.__file__).parent


def _module_name(file: Path) -> str:
    parts = file.relative_to(_PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _imported(node: ast.AST, modules: Collection[str]) -> Iterator[str]:
    """What a module imports anywhere, also in functions, but not for types alone.

    Of ``from package import module`` the module counts, not the package.
    """
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.module, "imports are absolute"
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            yield inner if inner in modules else node.module
    elif isinstance(node, ast.If) and _is_type_checking(node):
        for statement in node.orelse:
            yield from _imported(statement, modules)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _imported(child, modules)


def _import_graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Which modules each module imports."""
    found = {name: set(_imported(ast.parse(source), sources)) for name, source in sources.items()}
    return {name: (imported & sources.keys()) - {name} for name, imported in found.items()}


def _circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules of one import circle, in its order; none where there is no circle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    files = sorted(_PACKAGE.rglob("*.py"))
    graph = _import_graph({_module_name(file): file.read_text("utf-8") for file in files})
    assert len(graph) > 200
    assert not _circle(graph), " -> ".join(_circle(graph))


@pytest.mark.parametrize(
    ("first", "circle"),
    [
        ("import b", True),
        ("from b import x", True),
        ("def f():\n    from b import x", True),
        ("if TYPE_CHECKING:\n    from b import x\nelse:\n    import b", True),
        ("if TYPE_CHECKING:\n    from b import x", False),
        ("if typing.TYPE_CHECKING:\n    import b", False),
        ("import c", False),
    ],
)
def test_a_circle_is_found_wherever_the_import_stands(first: str, *, circle: bool) -> None:
    graph = _import_graph({"a": first, "b": "import c\nimport a", "c": ""})
    assert bool(_circle(graph)) is circle


def test_every_error_is_in_the_tree_of_the_docstring() -> None:
    raised = [name for name, found in vars(errors).items() if isinstance(found, type)]
    assert "OrganizerError" in raised
    assert [name for name in raised if name not in (errors.__doc__ or "")] == []
