"""The client: problems as errors, jobs that are waited for, events over lost connections."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from organizer.client import Client, ServiceError, StreamedEvent
from organizer.client.events import parse_events
from organizer.client.models import (
    ArrangeRequest,
    ExportRequest,
    JobItem,
    ReclusterRequest,
    ReportRequest,
)
from tests.conftest import make_photo
from tests.service.servers import SECONDS
from tests.traps import FOX


def test_it_needs_neither_the_library_nor_the_service() -> None:
    code = (
        "import sys, organizer.client\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'fastapi', 'starlette', 'lancedb', 'torch', 'numpy', 'PIL', 'pyarrow'}))\n"
        "print(*(name for name in sys.modules if name.startswith('organizer.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    heavy, own = done.stdout.splitlines()
    assert heavy == ""
    assert {name.split(".")[1] for name in own.split()} == {"client", "errors"}


def test_where_nobody_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(ServiceError, match="no answer") as raised:
            client.status()
        assert raised.value.status is None
        assert "organizer serve" in raised.value.hint
        with pytest.raises(ServiceError):
            client.save_original("0" * 32, tmp_path / "x.jpg")
        with pytest.raises(ServiceError):
            next(client.events(attempts=1))


@contextmanager
def _answering(answer: bytes) -> Iterator[str]:
    """Something that is no organizer."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_what_a_proxy_says_is_an_error_too() -> None:
    answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\nConnection: close\r\n\r\noops!"
    with _answering(answer) as url, Client(url) as client:
        with pytest.raises(ServiceError, match="502 Bad Gateway") as raised:
            client.status()
        assert (raised.value.status, raised.value.kind, raised.value.problem) == (502, "", {})


def test_nothing_is_written_where_there_is_no_original(reader: Client, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="no picture"):
        reader.save_original("0" * 32, tmp_path / "x.jpg")
    assert list(tmp_path.iterdir()) == []
    image = next(reader.images())
    reader.save_original(image.id, tmp_path / image.name)
    with pytest.raises(FileExistsError):
        reader.save_original(image.id, tmp_path / image.name)


# Searching ----------------------------------------------------------------------------------


def test_search_by_likes_and_unlikes(reader: Client) -> None:
    items = {item.name: item for item in reader.images()}
    fox, owl = items["fox0-0.jpg"], items["owl0-0.jpg"]
    near = reader.neighbours(fox.id, limit=5).hits
    assert len(near) == 5
    assert {hit.cluster for hit in near} == {fox.cluster}
    distances = [hit.distance or 0 for hit in near]
    assert distances == sorted(distances)
    found = reader.search(likes=[fox.id], unlikes=[owl.id], limit=8).hits
    assert owl.id not in [hit.id for hit in found]
    assert {hit.cluster for hit in found[:3]} == {fox.cluster}
    with pytest.raises(ServiceError) as raised:
        reader.search()
    assert raised.value.status == 422
    with pytest.raises(ServiceError) as raised:
        reader.search(text="a fox")
    assert raised.value.status == 422
    assert raised.value.hint, "which embedder reads texts"
    with pytest.raises(ServiceError):
        reader.search(likes=["0" * 32])


# Jobs ---------------------------------------------------------------------------------------


def test_an_ingest_is_waited_for(client: Client, home: Path) -> None:
    make_photo(home / "more" / "one.jpg", 900, colour=FOX)
    seen: list[JobItem] = []
    job = client.jobs.ingest([str(home / "more")])
    assert (job.kind, job.problem) == ("ingest", None)
    ended = client.jobs.wait(job, timeout=SECONDS, progress=seen.append)
    assert ended.state == "done"
    assert ended.result is not None
    assert ended.result["added"] == 1
    assert seen[-1] == ended
    assert [item.id for item in client.jobs.list().jobs] == [job.id]
    assert client.status().images == 42
    again = client.jobs.wait(client.jobs.ingest(), timeout=SECONDS)
    assert again.result is not None
    assert again.result["unchanged"] == 42, "without folders those that are known"


def test_a_recluster_refers_to_a_revision(client: Client) -> None:
    client.status()
    dry = client.jobs.wait(
        client.jobs.recluster(ReclusterRequest(k=3, dry_run=True)), timeout=SECONDS
    )
    assert dry.result is not None
    assert (dry.result["k"], dry.result["dry_run"]) == (3, True)
    assert len(client.clusters().clusters) == 4
    with pytest.raises(ServiceError) as raised:
        client.jobs.recluster(ReclusterRequest(k=3), revision=99)
    assert raised.value.status == 412
    client.jobs.wait(client.jobs.recluster(ReclusterRequest(k=(2, 3))), timeout=SECONDS)
    assert len(client.clusters().clusters) in {2, 3}
    assert client.evidence().k in {2, 3}


def test_a_job_that_fails_is_an_error(client: Client) -> None:
    client.status()
    job = client.jobs.recluster(ReclusterRequest(k=5_000))
    with pytest.raises(ServiceError) as raised:
        client.jobs.wait(job, timeout=SECONDS)
    assert raised.value.status in {409, 422}
    assert client.jobs.get(job.id).state == "failed"


def test_files_that_jobs_make_are_downloaded(client: Client, tmp_path: Path) -> None:
    export = client.jobs.wait(client.jobs.export(ExportRequest(format="csv")), timeout=SECONDS)
    client.jobs.download(export, tmp_path / "images.csv")
    assert (tmp_path / "images.csv").read_text().count("\n") == 42
    assert "csv" in {one.format for one in client.export_formats().formats}
    page = client.jobs.wait(client.jobs.report(ReportRequest(map="pca")), timeout=240)
    client.jobs.download(page, tmp_path / "report.html")
    assert "<html" in (tmp_path / "report.html").read_text()
    with pytest.raises(ServiceError, match="there is no job"):
        client.jobs.get("0")


def test_folders_are_arranged_and_taken_back(client: Client, home: Path) -> None:
    request = ArrangeRequest(target=str(home / "sorted"), action="copy")
    client.jobs.wait(client.jobs.arrange(request), timeout=SECONDS)
    assert len(list((home / "sorted").rglob("*.jpg"))) >= 20
    (found,) = client.arrangements().arrangements
    assert (found.target, found.action, found.finished) == (str(home / "sorted"), "copy", True)
    client.jobs.wait(client.jobs.undo_arrangement(str(home / "sorted")), timeout=SECONDS)
    assert client.arrangements().arrangements == []
    assert list((home / "sorted").rglob("*.jpg")) == []


def test_a_job_is_cancelled(client: Client) -> None:
    ended = client.jobs.wait(client.jobs.cancel(client.jobs.ingest()), timeout=SECONDS)
    assert ended.state in {"cancelled", "done"}
    with pytest.raises(TimeoutError, match="ingest is still running"):
        client.jobs.wait(ended.model_copy(update={"state": "running"}), timeout=-1)


def test_the_map_is_drawn_and_read(client: Client) -> None:
    assert client.map(method="pca").drawn is False
    client.jobs.wait(client.jobs.map(method="pca"), timeout=240)
    found = client.map(method="pca")
    assert (found.drawn, found.count) == (True, 41)
    points = client.map_points(method="pca")
    assert {image_id for image_id, _, _ in points} == {item.id for item in client.images()}
    assert all(-1 <= x <= 1 and -1 <= y <= 1 for _, x, y in points)
    assert len(client.map_column("cluster", method="pca")) == 41


def test_the_timeline_and_the_groups(reader: Client) -> None:
    events = reader.timeline(camera="A").events
    assert [event.camera for event in events] == ["A"]
    assert events[0].images == 12
    assert reader.group("people").items == []


# Events -------------------------------------------------------------------------------------


def test_the_lines_of_a_stream() -> None:
    lines = [
        ": a comment", "", "retry: 1000", "id: 7", "event: hello", 'data: {"revision": 1}', "",
        "event: job", 'data: {"a":', "data: 2}", "id:8", "", "event: nothing", "",
        'data: {"cut": 1}',
    ]  # fmt: skip
    assert list(parse_events(lines)) == [
        StreamedEvent("7", "hello", {"revision": 1}),
        StreamedEvent("8", "job", {"a": 2}),
    ]


def test_events_of_another_client(client: Client, url: str) -> None:
    with Client(url, user="Ann") as other:
        events = client.events(attempts=1)
        hello = next(events)
        assert (hello.name, hello.data) == ("hello", {"revision": 1})
        other.status()
        other.rename(1, "Fox")
        state = next(event for event in events if event.name == "state")
        assert (state.data["revision"], state.data["clusters"]) == (2, [1])
        assert "Fox" in state.data["what"][0]
        assert int(state.id) > int(hello.id)
        other.rename(1, "Dog")
        again = client.events(after=state.id, attempts=1)
        assert next(again).name == "hello"
        assert "Dog" in next(again).data["what"][0]


class _Cutting:
    """A proxy that cuts the first connection after the first event."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def close(self) -> None:
        self._server.close()
        self._thread.join()

    def _serve(self) -> None:
        for is_cut in (True, False):
            client, _ = self._server.accept()
            with client, socket.create_connection(("127.0.0.1", self._port)) as service:
                request = client.recv(65_536)
                self.requests.append(request)
                service.sendall(request)
                try:
                    while part := service.recv(65_536):
                        client.sendall(part)
                        if is_cut and b"event: hello" in part:
                            break
                except OSError:
                    return


def test_a_lost_connection_is_made_again_and_nothing_is_missed(client: Client, url: str) -> None:
    with closing(_Cutting(int(url.rpartition(":")[2]))) as proxy, Client(proxy.url) as cut:
        events = cut.events(attempts=5)
        hello = next(events)
        client.status()
        client.rename(1, "Fox")
        assert next(events).name == "hello"
        state = next(event for event in events if event.name == "state")
        assert "Fox" in state.data["what"][0]
        assert f"Last-Event-ID: {hello.id}".encode().lower() in proxy.requests[1].lower()
