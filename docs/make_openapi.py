"""Write the OpenAPI description from the service itself, and the client's models from that.

    python docs/make_openapi.py

The table of routes below the marker in ``docs/reference/api.md`` is made of it too.
``tests/service/test_openapi.py`` fails where one of these is not current: a change of the API is
seen in the diff, and is meant.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "reference" / "api.md"
MARKER = "<!-- what follows is made by docs/make_openapi.py -->\n"
DESCRIPTION = Path(__file__).parent / "reference" / "openapi.json"
MODELS = Path(__file__).parents[1] / "organizer" / "client" / "models.py"

_REF = "#/components/schemas/"
_SIMPLE = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "object": "dict[str, Any]",
}
_WIDTH = 96

_HEAD = '''"""What the API takes and answers with.

Made by docs/make_openapi.py of the OpenAPI description: change the service, then run it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
'''


def describe() -> dict[str, Any]:
    """The OpenAPI description of the service."""
    from organizer.library import Library
    from organizer.service import make_app
    from organizer.settings import Settings

    with (
        tempfile.TemporaryDirectory() as folder,
        Library.open_or_create(folder, Settings()) as library,
    ):
        found: dict[str, Any] = make_app(library).openapi()
        return found


def description_text(description: Mapping[str, Any]) -> str:
    """The description as it is committed."""
    return json.dumps(description, indent=1, ensure_ascii=False) + "\n"


def models_text(description: Mapping[str, Any]) -> str:
    """The client's models: a class for every schema of an object, an alias for every other."""
    schemas = description["components"]["schemas"]
    aliases = {name: schema for name, schema in schemas.items() if schema["type"] != "object"}
    parts = [_HEAD]
    parts += [f"{name} = {_type(schema)}" for name, schema in sorted(aliases.items())]
    for name, schema in sorted(schemas.items()):
        if name not in aliases:
            parts += ["", "", *_class(name, schema)]
    return _formatted("\n".join(parts) + "\n")


def page_text(description: Mapping[str, Any]) -> str:
    """The page with the table of all routes."""
    introduction, _, _ = PAGE.read_text(encoding="utf-8").partition(MARKER)
    rows = [
        f"| `{method.upper()}` | `{path.removeprefix('/api/v1')}` | {_first_line(operation)} |"
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    ]
    return "\n".join([f"{introduction}{MARKER}", "| | | |", "|---|---|---|", *rows, ""])


def main() -> None:
    """Rewrite the three files."""
    description = describe()
    PAGE.write_text(page_text(description), encoding="utf-8")
    DESCRIPTION.write_text(description_text(description), encoding="utf-8")
    MODELS.write_text(models_text(description), encoding="utf-8")


def _first_line(operation: Mapping[str, Any]) -> str:
    first = operation["description"].strip().partition("\n\n")[0]
    return " ".join(first.split()).replace("|", "\\|")


def _class(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"class {name}(BaseModel):"
    yield from _docstring(schema.get("description") or f"{name}.")
    if schema.get("additionalProperties") is True:
        yield '    model_config = ConfigDict(extra="allow")'
        yield ""
    required = schema.get("required", ())
    for field, value in schema["properties"].items():
        yield f"    {field}: {_annotation(value, is_required=field in required)}"


def _docstring(text: str) -> Iterator[str]:
    first, _, rest = text.strip().partition("\n")
    if not rest.strip() and len(first) < _WIDTH - 8:
        yield f'    """{first}"""'
    else:
        yield f'    """{first}'
        yield from (f"    {line}".rstrip() for line in rest.splitlines())
        yield '    """'
    yield ""


def _annotation(schema: Mapping[str, Any], *, is_required: bool) -> str:
    """A type, and the value that stands where none is given."""
    if "const" in schema:  # what tells the kinds of a union apart need not be said twice
        return f"{_type(schema)} = {schema['const']!r}"
    if is_required:
        return _type(schema)
    if schema.get("default") is not None:
        return f"{_type(schema)} = {schema['default']!r}"
    if schema.get("type") == "array":
        return f"{_type(schema)} = []"
    found = _type(schema)
    return f"{found if 'None' in found.split(' | ') else f'{found} | None'} = None"


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REF)
    if "const" in schema or "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema.get('enum') or [schema['const']]))}]"
    if union := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(map(_type, union)))
    if schema.get("type") == "array":
        return _array(schema)
    if isinstance(values := schema.get("additionalProperties"), Mapping):
        return f"dict[str, {_type(values)}]"
    return _SIMPLE[schema["type"]] if "type" in schema else "Any"


def _array(schema: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"tuple[{', '.join(map(_type, schema['prefixItems']))}]"
    return f"list[{_type(schema['items'])}]"


def _formatted(code: str) -> str:
    """The code as the formatter of this repository leaves it."""
    done = subprocess.run(  # noqa: S603 - the formatter of this environment
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(MODELS), "-"],
        input=code,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    main()
