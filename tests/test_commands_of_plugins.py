"""The entry-point group of commands: what is listed, loaded and refused."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from organizer.cli.plugins import GROUP
from tests.conftest import Ran, Run, Site

_APP = '''
"""The module."""
import typer
from organizer.errors import SettingsError
app = typer.Typer(help="""Counts sheep.

More of it.""")

@app.command()
def asleep(many: int) -> None:
    """How many."""
    print(f"{many} sheep")

@app.command()
def awake() -> None:
    """None."""
    print("no sheep")
'''

_FUNCTION = '''
"""The module."""
import typer

def count(many: int, loud: bool = False) -> None:
    """Counts goats.

    And more.
    """
    print(f"{many} goats" + "!" * loud)
    raise typer.Exit(3)
'''

_BROKEN = '"""Counts nothing."""\nraise RuntimeError("its engine is gone")\n'
_NO_SOURCE = "this is no Python at all ("


def _listed(ran: Ran, name: str) -> str:
    found = re.search(rf"^\W*{re.escape(name)} +(.*?)\W*$", ran.out, re.MULTILINE)
    assert found, ran.out
    return found[1]


def test_an_app_becomes_commands_below_its_name(typed: Run, site: Site) -> None:
    site.install("a-flock", _APP, group=GROUP, sheep="app")
    assert _listed(typed("--help"), "sheep") == "Counts sheep"
    assert "Counts sheep" in typed("sheep", "--help").out
    assert "How many" in typed("sheep", "-h").out
    ran = typed("sheep", "asleep", 4)
    assert (ran.code, ran.out, ran.err) == (0, "4 sheep\n", "")


def test_a_function_becomes_a_command(typed: Run, site: Site) -> None:
    site.install("a-herd", _FUNCTION, group=GROUP, goats="count")
    assert _listed(typed("--help"), "goats") == "Counts goats"
    ran = typed("goats", 2, "--loud")
    assert (ran.code, ran.out) == (3, "2 goats!\n")
    wrong = typed("goats", "many")
    assert (wrong.code, wrong.out) == (2, "")
    assert "organizer goats" in wrong.err


@pytest.mark.usefixtures("site")
def test_the_help_imports_nothing_of_a_plugin(site: Site) -> None:
    site.install("a-flock", _APP, group=GROUP, sheep="app")
    script = (
        "import sys; from organizer.cli import main\n"
        "sys.argv = ['organizer', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('a_flock' in sys.modules, 'numpy' in sys.modules, file=sys.stderr)\n"
    )
    here = [str(site.folder), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {here!r}\n{script}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Counts sheep" in done.stdout
    assert done.stderr == "False False\n"


def test_a_plugin_that_cannot_be_loaded_is_named_when_it_is_called(typed: Run, site: Site) -> None:
    site.install("a-wreck", _BROKEN, group=GROUP, wreck="app")
    site.install("a-riddle", _NO_SOURCE, group=GROUP, riddle="app")
    site.install("a-flock", _APP, group=GROUP, sheep="app")
    help_ = typed("--help")
    assert (help_.code, help_.err) == (0, "")
    assert _listed(help_, "wreck") == "Counts nothing"
    for name, reason in {"wreck": "its engine is gone", "riddle": "invalid syntax"}.items():
        ran = typed(name, "whatever")
        assert (ran.code, ran.out) == (1, "")
        error, hint = ran.err.splitlines()
        assert f"command '{name}' of a-{name} cannot be loaded" in error
        assert reason in error
        assert hint == f"hint: update or remove a-{name}"
    assert typed("sheep", "awake").out == "no sheep\n"
    assert "RuntimeError" in typed("wreck", "--debug").err


def test_what_is_no_command_is_refused(typed: Run, site: Site) -> None:
    site.install("a-stone", "stone = 4\n", group=GROUP, stone="stone")
    ran = typed("stone")
    assert ran.code == 1
    assert "the command 'stone' of a-stone is no Typer app and no function" in ran.err


def test_a_function_that_typer_cannot_use_is_refused(typed: Run, site: Site) -> None:
    site.install("a-knot", "def knot(a: int | str): ...\n", group=GROUP, knot="knot")
    ran = typed("knot")
    assert ran.code == 1
    assert "the command 'knot' of a-knot cannot be made" in ran.err


def test_a_name_that_organizer_has_is_refused_and_its_owner_named(typed: Run, site: Site) -> None:
    site.install("a-thief", _FUNCTION, group=GROUP, status="count", **{"two words": "count"})
    ran = typed("--help")
    assert _listed(ran, "status").startswith("What is in the library")
    assert ran.err.splitlines() == [
        "left out: the command 'status' of a-thief: organizer has one of that name itself",
        "left out: the command 'two words' of a-thief: that is no name of a command",
    ]
    assert "goats" not in typed("status", "4").out


def test_two_plugins_of_one_name_are_both_named(typed: Run, site: Site) -> None:
    site.install("a-flock", _APP, group=GROUP, sheep="app")
    site.install("b-flock", _APP, group=GROUP, sheep="app")
    assert typed("--help").code == 0
    ran = typed("sheep", "awake")
    assert ran.code == 1
    assert "from a-flock and b-flock" in ran.err


# Every plugin that is installed ------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted({p.name for p in entry_points(group=GROUP)}))
def test_every_command_of_a_plugin_has_a_line_and_a_help_with_an_example(
    typed: Run, name: str
) -> None:
    assert _listed(typed("--help"), name)
    ran = typed(name, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"Example: organizer {name}" in " ".join(ran.out.split())
