"""``organizer serve`` and ``organizer open``: the service, and the gallery in a browser."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.completion import complete_clusters
from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    UserOption,
    WeightsOption,
    command,
    say,
    settings_of,
)
from organizer.errors import SettingsError

if TYPE_CHECKING:
    from types import FrameType

    from organizer.library import Library
    from organizer.service import ServiceOptions

PORT = 8765
_PORTS_TRIED = 20
_LOOPBACK = "127.0.0.1"
_END_SECONDS = 3

TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        help="What clients have to know; needed where other machines reach the service. Otherwise "
        "ORGANIZER_TOKEN, which other users of this machine do not see.",
    ),
]


def serve(
    host: Annotated[
        str, typer.Option("--host", help="The address to listen at; 0.0.0.0 for all.")
    ] = _LOOPBACK,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="The port; 0 takes a free one.")
    ] = PORT,
    token: TokenOption = None,
    weights: WeightsOption = None,
    with_people: PeopleOption = False,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Serve the library to browsers and other programs, until Ctrl-C.

    Only this machine reaches it, unless another --host is named: then a token is needed.
    """
    with command(debug=debug):
        options = _options(host, token)
        with (
            _listening(host, port) as listener,
            _opened(library, weights=weights, with_people=with_people or None, user=user) as found,
        ):
            _serve(found, listener, host, options, json=json)


def open_gallery(
    cluster: Annotated[
        str | None,
        typer.Argument(
            metavar="[CLUSTER]",
            help="The name or id of a cluster to begin with.",
            autocompletion=complete_clusters,
        ),
    ] = None,
    weights: WeightsOption = None,
    with_people: PeopleOption = False,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Look at the clusters in the browser: name them, correct them, search. Ends with Ctrl-C."""
    with command(debug=debug):
        options = _options(_LOOPBACK, None)
        with (
            _listening(_LOOPBACK, PORT, more=_PORTS_TRIED) as listener,
            _opened(library, weights=weights, with_people=with_people or None, user=user) as found,
        ):
            view = "" if cluster is None else f"#/cluster/{found.clusters.id_of(cluster)}"
            _serve(found, listener, _LOOPBACK, options, json=json, browse=view)


def _options(host: str, token: str | None) -> ServiceOptions:
    """Who may use the service: settled before a library is opened or made."""
    from organizer.service import ServiceOptions

    return ServiceOptions.for_host(host, token=token or os.environ.get("ORGANIZER_TOKEN") or None)


@contextmanager
def _opened(library: Path | None, **flags: object) -> Iterator[Library]:
    """Open the library; an empty one is made where it is named and not there yet."""
    from organizer.library import Library, require_library

    settings = settings_of(library, **flags)
    if settings.library is not None:
        with Library.open_or_create(settings.library, settings) as found:
            yield found
        return
    with Library.open(require_library(None, below=Path.cwd()), settings) as found:
        yield found


@contextmanager
def _listening(host: str, port: int, *, more: int = 0) -> Iterator[socket.socket]:
    """A socket that listens at a port, or at one of the next ones where that is taken.

    Raises:
        SettingsError: It cannot listen there.
    """
    last = None
    for tried in range(port, port + more + 1):
        try:
            listener = _bound(host, tried)
        except (OSError, OverflowError) as error:
            last = error
            continue
        with listener:
            yield listener
        return
    raise SettingsError(
        f"cannot listen at {host}:{port}: {getattr(last, 'strerror', None) or last}",
        "another program may be there; name another --port, or --port 0 for a free one",
    )


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    # asyncio sends small answers at once only where it reads that the protocol is TCP.
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _serve(
    library: Library,
    listener: socket.socket,
    host: str,
    options: ServiceOptions,
    *,
    json: bool,
    browse: str | None = None,
) -> None:
    import uvicorn

    from organizer.cli.output import print_json_line, print_line
    from organizer.service import make_app

    port = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}/"

    def announce() -> None:
        if json:
            print_json_line({"url": url, "library": library.store.path})
        else:
            print_line(f"{library.store.path} at {url}")
            say("Ctrl-C ends the service")
        if browse is not None:
            _browse(url + browse)

    app = make_app(library, options)

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            app.state.service.events.close()  # else the streams of open pages keep it waiting
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_END_SECONDS,
    )
    announce()  # what connects before the first answer waits in the socket's queue
    Server(config).run(sockets=[listener])


def _browse(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        say(f"no browser was found; open {url}")
