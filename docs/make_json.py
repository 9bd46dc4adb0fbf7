"""Write the types of every command's JSON from the models of the program.

    python docs/make_json.py

Everything below the marker in ``docs/reference/json-types.md`` is made of
`organizer.fields.shapes`, and so is ``docs/reference/json-schema.json``, a JSON Schema for programs
in any language.
``tests/test_docs.py`` fails where they are not current.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from organizer.fields.shapes import ERROR, SHAPES
from organizer.fields.shapes.base import Shape
from organizer_camera_trap import shapes as camera_trap

PAGE = Path(__file__).parent / "reference" / "json-types.md"
SCHEMA = PAGE.with_name("json-schema.json")
MARKER = "<!-- what follows is made by docs/make_json.py -->\n"

PRINTED = SHAPES | camera_trap.SHAPES
"""What each command prints, those of the plugin for camera traps included."""

_PLAIN = {int: "whole number", float: "number", str: "text", bool: "true or false"}


def tables() -> str:
    """Which command prints what, and the fields of each, as Markdown."""
    lines = ["| command | prints |", "|---|---|"]
    for command, shapes in PRINTED.items():
        lines.append(f"| `organizer {command}` | {' or '.join(map(_link, shapes))} |")
    lines += [f"| where it fails | {_link(ERROR)} |", ""]
    for shape in _every_shape():
        lines += _section(shape)
    return "\n".join(lines)


def schema() -> str:
    """The same as JSON Schema: a definition for each object, and the ones that commands print."""
    from pydantic.json_schema import models_json_schema

    shapes = [*_every_shape()]
    _, made = models_json_schema([(shape, "validation") for shape in shapes])
    with_error: dict[str, tuple[type[Shape], ...]] = {**PRINTED, "error": (ERROR,)}
    printed = {
        command: {"anyOf": [{"$ref": f"#/$defs/{shape.__name__}"} for shape in found]}
        for command, found in with_error.items()
    }
    for definition in made["$defs"].values():
        definition.pop("additionalProperties", None)  # new fields may come
        for value in definition["properties"].values():
            value.pop("title", None)  # the same as its name
    title = "What the commands of organizer print with --json"
    parts = [
        '"$schema": "https://json-schema.org/draft/2020-12/schema"',
        f'"title": {json.dumps(title)}',
        f'"properties": {_a_line_each(printed)}',
        f'"$defs": {_a_line_each(made["$defs"])}',
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _a_line_each(values: Mapping[str, Any]) -> str:
    """An object with a line for each of its fields, so that changes are easy to see."""
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in values.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def main() -> None:
    """Rewrite the page below its marker, and the schema."""
    introduction, marker, _ = PAGE.read_text(encoding="utf-8").partition(MARKER)
    PAGE.write_text(f"{introduction}{marker or MARKER}\n{tables()}", encoding="utf-8")
    SCHEMA.write_text(schema(), encoding="utf-8")


def _every_shape() -> list[type[Shape]]:
    """The shapes that commands print, each followed by those inside it."""
    found: dict[type[Shape], None] = {}
    waiting: list[type[Shape]] = [
        *(shape for shapes in PRINTED.values() for shape in shapes),
        ERROR,
    ]
    while waiting:
        shape = waiting.pop(0)
        if shape not in found:
            found[shape] = None
            inside = [s for f in shape.model_fields.values() for s in _shapes_in(f.annotation)]
            waiting = [*inside, *waiting]
    return list(found)


def _shapes_in(kind: Any) -> Iterator[type[Shape]]:
    if isinstance(kind, type) and issubclass(kind, Shape):
        yield kind
    for inner in get_args(kind):
        yield from _shapes_in(inner)


def _section(shape: type[Shape]) -> list[str]:
    rows = []
    for name, field in shape.model_fields.items():
        optional = "" if field.is_required() else ", or not there"
        rows.append(f"| `{field.alias or name}` | {_text(field.annotation)}{optional} |")
    about = (shape.__doc__ or "").strip()
    return [f"## {_title(shape)}\n", f"{about}\n", "| field | type |", "|---|---|", *rows, ""]


def _text(kind: Any) -> str:
    """A type in words."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is list:
        return f"list of {_text(inner[0])}"
    if origin is dict:
        return f"object: {_text(inner[1])} by name"
    if origin in {Union, types.UnionType}:
        known = [_text(one) for one in inner if one is not type(None)]
        return " or ".join([*known, "null"] if type(None) in inner else known)
    return _PLAIN.get(kind) or _link(kind)


def _title(shape: type[Shape]) -> str:
    return shape.__name__.removesuffix("Json")


def _link(shape: type[Shape]) -> str:
    return f"[{_title(shape)}](#{_title(shape).lower()})"


if __name__ == "__main__":
    main()
