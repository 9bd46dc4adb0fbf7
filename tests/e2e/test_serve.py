"""``organizer serve`` and ``organizer open`` as typed: the address, the token, and a quick end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from organizer.client import Client, ServiceError
from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Run, make_groups

TOKEN = "a-token-of-some-length"  # noqa: S105 - of these tests alone


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos and a library in which they are clustered."""
    home = tmp_path_factory.mktemp("served")
    make_groups(home / "photos")
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=3)
    return home


class Typed:
    """The program while it serves."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.line = process.stdout.readline()

    @property
    def url(self) -> str:
        words = self.line.split()
        return json.loads(self.line)["url"] if self.line.startswith("{") else words[-1]

    def end(self, number: int) -> tuple[int, str, float]:
        """The exit code after a signal, what was printed to stderr, and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err, time.monotonic() - began


@contextmanager
def typed(home: Path, *words: object, **env: str) -> Iterator[Typed]:
    """``organizer ...`` in a folder, until it is ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "organizer", *map(str, words)],
        cwd=home,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Typed(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_serve_prints_where_it_is_and_ends_with_ctrl_c(made: Path) -> None:
    with typed(made, "serve", "--port", 0) as served:
        assert served.line == f"{made / '.organizer'} at {served.url}\n"
        with Client(served.url) as client:
            assert client.status().images == 24
        code, err, seconds = served.end(signal.SIGINT)
    assert code in {0, 130}
    assert "Ctrl-C ends the service" in err
    assert "Traceback" not in err
    assert seconds < 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_also_while_a_page_listens(made: Path, number: int) -> None:
    with (
        typed(made, "serve", "--port", 0) as served,
        httpx.stream("GET", f"{served.url}api/v1/events", timeout=60) as stream,
    ):
        lines = stream.iter_lines()
        assert next(line for line in lines if line.startswith("event:")) == "event: hello"
        _, err, seconds = served.end(number)
    assert seconds < 8, "it does not wait for pages that are open"
    assert "Traceback" not in err
    assert "Error" not in err


def test_json_is_one_line(made: Path) -> None:
    promised = json.loads(Path(__file__).with_name("json_fields.json").read_text(encoding="utf-8"))
    with typed(made, "serve", "--port", 0, "--json") as served:
        found = json.loads(served.line)
        assert found == {"url": served.url, "library": str(made / ".organizer")}
        assert sorted(found) == promised["serve"] == promised["open"]
        assert httpx.get(f"{served.url}api/v1/health").json() == {"status": "ok"}


def test_a_port_that_is_taken_is_said(made: Path, run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", port, cwd=made)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: cannot listen at 127.0.0.1:{port}")
    assert "--port" in done.err


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - it is refused
def test_other_machines_need_a_token(tmp_path: Path, run: Run, host: str) -> None:
    done = run("serve", "--host", host, "--port", 0, "--library", "new")
    assert (done.code, done.out) == (2, "")
    assert not (tmp_path / "new").exists(), "nothing was made"
    assert "no token" in done.err
    assert "ORGANIZER_TOKEN" in done.err


def test_a_short_token_is_refused(made: Path, run: Run) -> None:
    done = run("serve", "--port", 0, "--token", "short", cwd=made)
    assert (done.code, done.out) == (2, "")
    assert "5 characters" in done.err


def test_a_host_that_is_none_is_said(made: Path, run: Run) -> None:
    done = run("serve", "--host", "no.such.host.invalid", "--token", TOKEN, cwd=made)
    assert done.code == 2
    assert "cannot listen at no.such.host.invalid" in done.err


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_token_is_asked_for(made: Path, how: str) -> None:
    words = ("--token", TOKEN) if how == "option" else ()
    env = {"ORGANIZER_TOKEN": TOKEN} if how == "environment" else {}
    with typed(made, "serve", "--host", "0.0.0.0", "--port", 0, *words, **env) as served:  # noqa: S104
        url = served.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert TOKEN not in served.line
        with Client(url) as client, pytest.raises(ServiceError) as raised:
            client.status()
        assert raised.value.status == 401
        with Client(url, token=TOKEN) as client:
            assert client.status().images == 24


def test_a_library_is_made_where_one_is_named(tmp_path: Path) -> None:
    home = tmp_path / "new"
    home.mkdir()
    with typed(tmp_path, "serve", "--port", 0, "--library", home) as served:
        with Client(served.url) as client:
            assert client.status().images == 0
        assert (home / ".organizer").is_dir()


def test_without_a_library_it_says_how_to_make_one(tmp_path: Path, run: Run) -> None:
    done = run("serve", "--port", 0, cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert "organizer ingest" in done.err


def test_who_decides_is_the_user_of_the_service(made: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(made, tmp_path / "own")
    with typed(tmp_path / "own", "serve", "--port", 0, "--user", "Ann Ålund") as served:
        with Client(served.url) as client:
            assert client.status().user == "Ann Ålund"
            client.rename(1, "Fox")
            assert client.history().events[0].user == "Ann Ålund"
        with Client(served.url, user="Bö / 2") as client:
            client.status()
            client.rename(1, "Dog")
            assert client.history().events[0].user == "Bö / 2"


def _browser(folder: Path) -> dict[str, str]:
    """A browser that notes what it is told to open."""
    file = folder / "browser"
    file.write_text(f'#!/bin/sh\necho "$1" > "{folder}/opened"\n')
    file.chmod(0o755)
    return {"BROWSER": str(file)}


def _opened(folder: Path) -> str:
    until = time.monotonic() + 20
    while not (folder / "opened").exists() or not (folder / "opened").read_text():
        assert time.monotonic() < until, "no browser was opened"
        time.sleep(0.05)
    return (folder / "opened").read_text().strip()


@pytest.mark.parametrize(("words", "view"), [((), ""), ((3,), "#/cluster/3")])
def test_open_opens_the_browser(
    made: Path, tmp_path: Path, words: tuple[int, ...], view: str
) -> None:
    with typed(made, "open", *words, **_browser(tmp_path)) as opened:
        assert _opened(tmp_path) == opened.url + view
        page = httpx.get(opened.url)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        code, err, _ = opened.end(signal.SIGINT)
    assert code in {0, 130}
    assert "Traceback" not in err


def test_a_second_library_is_opened_beside_the_first(made: Path, tmp_path: Path) -> None:
    env = _browser(tmp_path)
    with typed(made, "open", **env) as one, typed(made, "open", "--json", **env) as other:
        assert one.url != other.url
        assert httpx.get(f"{other.url}api/v1/health").status_code == 200


def test_open_refuses_what_is_no_cluster(made: Path, run: Run) -> None:
    done = run("open", "fox", cwd=made)
    assert (done.code, done.out) == (2, "")
