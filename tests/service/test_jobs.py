"""Jobs over HTTP: ingest, recluster, exports, folders and reports, as a client sees them."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pyarrow.parquet
import pytest

from organizer.library import Library
from organizer.settings import Settings
from tests.cards import blobs, fill, ids_of, library_at
from tests.conftest import Run, make_groups
from tests.service.servers import begun, ended, listening, problem, serving

ANY = {"If-Match": "*"}


@pytest.fixture
def clustered(filled: Library) -> Library:
    filled.recluster(k=3)
    return filled


@pytest.fixture
def client(clustered: Library) -> Iterator[httpx.Client]:
    with serving(clustered) as client:
        yield client


def _rename(client: httpx.Client, cluster: int, name: str) -> httpx.Response:
    decisions = [{"kind": "rename", "cluster": cluster, "name": name}]
    return client.post("/decisions", json={"decisions": decisions}, headers=ANY)


def _done(client: httpx.Client, response: httpx.Response) -> Any:
    job = ended(client, begun(response))
    assert job["state"] == "done", job
    assert job["problem"] is None
    return job


# Ingest ------------------------------------------------------------------------------------


def test_ingest_gives_what_the_command_prints(
    client: httpx.Client, tmp_path: Path, run: Run
) -> None:
    make_groups(tmp_path / "card", each=4, seed=300)
    (tmp_path / "card" / "red" / "000.jpg").rename(tmp_path / "card" / "20240501_1200.jpg")
    body = {"paths": [str(tmp_path / "card")], "time_from_name": "%Y%m%d_%H%M"}
    job = _done(client, client.post("/ingests", json=body))
    assert (job["kind"], job["result"]["added"], job["result"]["images"]) == ("ingest", 12, 36)
    assert job["result"]["time_sources"] == {"file name": 1}
    printed = run("ingest", tmp_path / "card", "--json").json
    assert printed.keys() == job["result"].keys()
    again = _done(client, client.post("/ingests", json={}))
    assert again["result"]["unchanged"] == 24 + 12


def test_an_ingest_of_nonsense_is_refused(client: httpx.Client) -> None:
    bodies: list[Any] = [
        {"paths": ["photos"]},
        {"paths": ["../../etc"]},
        {"paths": ["/no/such/folder"]},
        {"paths": ["/etc/\0"]},
        {"paths": [""]},
        {"paths": ["/" + "a" * 5_000]},
        {"paths": "/"},
        {"paths": None},
        {"paths": ["/"], "embedder": "nonsense"},
        {"paths": ["/"], "embedder": ""},
        {"paths": ["/"], "time_from_name": "%Y"},
        {"paths": ["/"], "more": 1},
        [],
    ]
    for body in bodies:
        assert problem(client.post("/ingests", json=body), 422, "invalid")["hint"]
    assert client.get("/jobs").json() == {"jobs": []}


def test_decisions_and_reads_during_an_ingest(tmp_path: Path) -> None:
    """500 pictures: every decision waits for a batch at most, and no read waits at all."""
    settings = Settings(batch_size=8, commit_images=32)
    make_groups(tmp_path / "photos")
    make_groups(tmp_path / "card", each=167, seed=700)
    with Library.open_or_create(tmp_path, settings) as library:
        library.ingest([tmp_path / "photos"], embedder="channel-mean")
        library.recluster(k=3)
        with serving(library) as client:
            response = client.post("/ingests", json={"paths": [str(tmp_path / "card")]})
            job = begun(response)
            decided: list[float] = []
            read: list[float] = []
            while job["state"] in {"queued", "running"}:
                for times, ask in ((decided, _rename), (read, _read_clusters)):
                    began = time.monotonic()
                    answer = ask(client, 1, f"name {len(decided)}")
                    times.append(time.monotonic() - began)
                    assert answer.status_code == 200, answer.text
                job = client.get(f"/jobs/{job['id']}").json()
            assert job["state"] == "done", job
            assert job["result"]["added"] == 501
            assert len(decided) > 10
            assert sorted(decided)[len(decided) // 2] < 1
            assert sorted(read)[len(read) // 2] < 1
            names = {c["name"] for c in client.get("/clusters").json()["clusters"]}
            assert f"name {len(decided) - 1}" in names
        assert sorted(cluster.size for cluster in library.clusters) == [175, 175, 175]


def _read_clusters(client: httpx.Client, _: int, __: str) -> httpx.Response:
    return client.get("/clusters")


def test_a_cancelled_ingest_keeps_what_it_committed(tmp_path: Path) -> None:
    settings = Settings(batch_size=2, commit_images=2)
    make_groups(tmp_path / "photos", each=20)
    with Library.open_or_create(tmp_path, settings) as library, serving(library) as client:
        body = {"paths": [str(tmp_path / "photos")], "embedder": "channel-mean"}
        with listening(client) as stream:
            job = begun(client.post("/ingests", json=body))
            while not stream.next("job").data["progress"]["what"].startswith("embedding"):
                pass
        assert client.delete(f"/jobs/{job['id']}").status_code in {200, 202}
        job = ended(client, job)
        assert job["state"] == "cancelled"
        assert job["result"]["interrupted"]
        assert 0 < job["result"]["added"] < 60
        assert client.delete(f"/jobs/{job['id']}").status_code == 200
        again = _done(client, client.post("/ingests", json=body))
        assert again["result"]["added"] == 60 - job["result"]["added"]


def test_jobs_are_listed_and_those_that_wait_are_dropped(tmp_path: Path) -> None:
    settings = Settings(batch_size=2, commit_images=2)
    make_groups(tmp_path / "photos", each=8)
    with Library.open_or_create(tmp_path, settings) as library, serving(library) as client:
        body = {"paths": [str(tmp_path / "photos")], "embedder": "channel-mean"}
        first = begun(client.post("/ingests", json=body))
        second = begun(client.post("/ingests", json=body))
        answer = client.delete(f"/jobs/{second['id']}")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        assert [job["id"] for job in client.get("/jobs").json()["jobs"]] == [
            second["id"],
            first["id"],
        ]
        assert ended(client, first)["state"] == "done"
        problem(client.get("/jobs/nothing"), 404, "not-found")
        problem(client.delete("/jobs/nothing"), 404, "not-found")
        problem(client.get(f"/jobs/{first['id']}/download"), 404, "not-found")


# Recluster ---------------------------------------------------------------------------------


def test_recluster_needs_the_revision_that_was_seen(client: httpx.Client) -> None:
    problem(client.post("/reclusters", json={"k": 2}), 428, "revision-required")
    _rename(client, 1, "Lion")
    stale = problem(
        client.post("/reclusters", json={"k": 2}, headers={"If-Match": '"1"'}),
        412,
        "stale-revision",
    )
    assert (stale["revision"], [event["what"] for event in stale["since"]]) == (
        2,
        ["cluster 1 named 'Lion'"],
    )
    answer = client.post("/reclusters", json={"k": 2}, headers={"If-Match": '"2"'})
    job = _done(client, answer)
    assert (job["result"]["k"], job["result"]["dry_run"]) == (2, False)
    assert client.get("/status").json()["revision"] == 3


def test_a_recluster_that_waited_is_refused_when_somebody_decided_meanwhile(
    tmp_path: Path,
) -> None:
    settings = Settings(batch_size=2, commit_images=2)
    make_groups(tmp_path / "photos")
    make_groups(tmp_path / "card", each=10, seed=800)
    with Library.open_or_create(tmp_path, settings) as library:
        library.ingest([tmp_path / "photos"], embedder="channel-mean")
        library.recluster(k=3)
        with serving(library) as client:
            ingest = begun(client.post("/ingests", json={"paths": [str(tmp_path / "card")]}))
            headers = {"If-Match": '"1"'}
            waiting = begun(client.post("/reclusters", json={"k": 2}, headers=headers))
            assert _rename(client, 1, "Lion").status_code == 200
            assert ended(client, ingest)["state"] == "done"
            job = ended(client, waiting)
            assert (job["state"], job["result"]) == ("failed", None)
            assert job["problem"]["type"] == "/problems/stale-revision"
            assert job["problem"]["since"][0]["what"] == "cluster 1 named 'Lion'"
            assert client.get("/status").json()["revision"] == 2


def test_who_decides_does_not_wait_for_a_recluster(tmp_path: Path) -> None:
    ids = ids_of(range(1_500))
    with library_at(tmp_path) as library:
        fill(library, ids, blobs([500, 500, 500]))
        library.recluster(k=3)
        with serving(library) as client:
            headers = {"If-Match": '"1"'}
            job = begun(client.post("/reclusters", json={"k": [2, 8]}, headers=headers))
            while client.get(f"/jobs/{job['id']}").json()["progress"]["what"] != "choosing k":
                time.sleep(0.02)
            assert _rename(client, 1, "Lion").status_code == 200
            assert client.get(f"/jobs/{job['id']}").json()["state"] == "running"
            done = ended(client, job)
            assert done["state"] == "done"
            assert any("decisions were made meanwhile" in note for note in done["notes"])
            assert "Lion" in {row["name"] for row in client.get("/clusters").json()["clusters"]}


def test_a_preview_changes_nothing(client: httpx.Client) -> None:
    _rename(client, 1, "Lion")
    job = _done(client, client.post("/reclusters", json={"k": 2, "dry_run": True}))
    assert job["result"]["dropped"] == []
    assert (job["result"]["k"], job["result"]["clustering_id"]) == (2, None)
    assert {"kept", "retired", "merged", "split"} <= job["result"]["lineage"].keys()
    assert client.get("/status").json()["revision"] == 2


def test_a_recluster_of_nonsense_is_refused(client: httpx.Client) -> None:
    bodies: list[Any] = [
        {"k": 0},
        {"k": "many"},
        {"k": [5, 2]},
        {"k": True},
        {"algorithm": "guessing"},
        {"reduce": "pca:none"},
        {"center": "moon"},
        {"embedder": "nonsense"},
        {"dry_run": "maybe"},
        {"seed": 1},
    ]
    for body in bodies:
        assert problem(client.post("/reclusters", json=body, headers=ANY), 422, "invalid")["detail"]


def test_a_recluster_that_cannot_be_fails_with_the_library_s_words(client: httpx.Client) -> None:
    job = ended(client, begun(client.post("/reclusters", json={"k": 25}, headers=ANY)))
    assert (job["state"], job["result"]) == ("failed", None)
    assert job["problem"]["type"] in {"/problems/invalid", "/problems/cannot-be-clustered"}
    assert "25" in job["problem"]["detail"]
    assert job["problem"]["hint"]


def test_an_other_process_that_writes_is_named(client: httpx.Client, clustered: Library) -> None:
    with Library.open(clustered.store.path) as other, other.store.writing():
        assert problem(_rename(client, 1, "Lion"), 503, "library-unavailable")["hint"]
        job = ended(client, begun(client.post("/ingests", json={})))
        assert (job["state"], job["problem"]["status"]) == ("failed", 503)


# Exports -----------------------------------------------------------------------------------


def test_every_format_can_be_downloaded(client: httpx.Client) -> None:
    formats = client.get("/exports").json()["formats"]
    names = {found["format"] for found in formats}
    assert {"csv", "parquet", "fiftyone", "embedding-atlas", "megadetector-json"} <= names
    for found in formats:
        if any(option["needed"] for option in found["options"]):
            continue
        response = client.post("/exports", json={"format": found["format"]})
        job = ended(client, begun(response))
        if job["state"] == "failed":  # a format for camera traps says what these photos lack
            assert job["problem"]["hint"]
            continue
        assert job["result"]["format"] == found["format"]
        answer = client.get(job["download"].removeprefix("/api/v1"))
        assert answer.status_code == 200
        assert job["result"]["to"] in answer.headers["Content-Disposition"]
        _check_export(found["format"], answer.content)


def _check_export(name: str, data: bytes) -> None:
    if name == "csv":
        assert len(list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))) == 24
    elif name in {"parquet", "embedding-atlas"}:
        assert pyarrow.parquet.read_table(io.BytesIO(data)).num_rows == 24
    elif name == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        assert [row[3] for row in book["Summary"].iter_rows(values_only=True)][-1] == 24
    elif name == "megadetector-json":
        assert len(json.loads(data)["images"]) == 24
    elif name == "fiftyone":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.namelist() == [
                "organizer-fiftyone/metadata.json",
                "organizer-fiftyone/samples.json",
            ]
            samples = json.loads(archive.read("organizer-fiftyone/samples.json"))
            assert len(samples["samples"]) == 24


def test_the_options_of_an_export(client: httpx.Client) -> None:
    cluster = client.get("/clusters").json()["clusters"][0]
    body = {
        "format": "embedding-atlas",
        "vectors": False,
        "clusters": [cluster["id"]],
        "params": {"thumbnails": 0},
    }
    job = _done(client, client.post("/exports", json=body))
    assert job["result"]["images"] == 8
    assert job["result"]["open_with"].startswith("embedding-atlas organizer-atlas.parquet")
    body = {"format": "xlsx", "clusters": [cluster["id"]], "params": {"thumbnails": 64}}
    job = _done(client, client.post("/exports", json=body))
    answer = client.get(job["download"].removeprefix("/api/v1"))
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[1]
    assert (sheet.max_row, len(sheet._images)) == (9, 8)
    for wrong in (
        {"format": "nonsense"},
        {"format": "csv", "params": {"nonsense": 1}},
        {"format": "csv", "relative_to": "here"},
        {"format": "csv", "to": "/photos/x.csv"},
        {"format": "csv", "force": True},
        {},
    ):
        problem(client.post("/exports", json=wrong), 422, "invalid")


# Folders -----------------------------------------------------------------------------------


def test_planned_arranged_and_undone(client: httpx.Client, tmp_path: Path) -> None:
    target = tmp_path / "sorted"
    body = {"target": str(target), "template": "{cluster}/{stem}"}
    job = _done(client, client.post("/arrangements", json=body | {"dry_run": True}))
    assert (job["result"]["done"], job["result"]["plan"]) == (24, "plan.csv")
    assert len(job["result"]["rows"]) == 20
    assert Path(job["result"]["rows"][0]["target"]).is_relative_to(target)
    plan = client.get(job["download"].removeprefix("/api/v1")).content.decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(plan)))) == 24
    assert not target.exists()

    job = _done(client, client.post("/arrangements", json=body))
    assert (job["result"]["done"], job["result"]["finished"]) == (24, True)
    assert len(list(target.rglob("*.jpg"))) == 24
    (arrangement,) = client.get("/arrangements").json()["arrangements"]
    assert (arrangement["target"], arrangement["done"]) == (str(target), 24)
    assert (arrangement["finished"], arrangement["undoing"]) == (True, False)

    elsewhere = {"target": str(tmp_path / "elsewhere")}
    problem(client.post("/arrangements/undo", json=elsewhere), 409, "needs-confirmation")
    job = _done(client, client.post("/arrangements/undo", json={"target": str(target)}))
    assert (job["result"]["undone"], job["result"]["finished"]) == (24, True)
    assert not list(target.rglob("*.jpg"))
    problem(client.post("/arrangements/undo", json={}), 422, "invalid")
    problem(client.post("/arrangements/continue"), 422, "invalid")


def test_files_are_moved_by_a_plan_that_was_seen(
    client: httpx.Client, tmp_path: Path, photos: Path
) -> None:
    body = {"target": str(tmp_path / "sorted"), "action": "move"}
    problem(client.post("/arrangements", json=body), 409, "needs-confirmation")
    seen = _done(client, client.post("/arrangements", json=body | {"dry_run": True}))
    other = body | {"keep_tree": True}
    problem(client.post("/arrangements", json=other), 409, "needs-confirmation")
    job = _done(client, client.post("/arrangements", json=body))
    assert job["result"]["done"] == seen["result"]["done"] == 24
    assert not list(photos.rglob("*.jpg"))
    _done(client, client.post("/arrangements/undo", json={}))
    assert len(list(photos.rglob("*.jpg"))) == 24


def test_an_arrangement_of_nonsense_is_refused(client: httpx.Client) -> None:
    bodies: list[Any] = [
        {},
        {"target": "sorted"},
        {"target": "/photos/\0"},
        {"target": "/photos/x", "action": "burn"},
        {"target": "/photos/x", "by": "mood"},
        {"target": "/photos/x", "template": "{mood}/{stem}"},
        {"target": "/photos/x", "template": "../{stem}"},
        {"target": "/photos/x", "plan": "/etc/passwd"},
    ]
    for body in bodies:
        problem(client.post("/arrangements", json=body), 422, "invalid")


def test_nothing_is_written_into_the_library(client: httpx.Client, clustered: Library) -> None:
    body = {"target": str(clustered.store.path / "sorted")}
    job = ended(client, begun(client.post("/arrangements", json=body)))
    assert (job["state"], job["problem"]["status"]) == ("failed", 422)


# Reports -----------------------------------------------------------------------------------


def test_report_and_evidence(client: httpx.Client, run: Run) -> None:
    answer = client.get("/report", params={"labels": "folders"})
    assert answer.headers["ETag"] == '"1"'
    printed = run("report", "--labels", "folders", "--json").json
    assert answer.json() == {"revision": 1, "report": printed}
    assert answer.json()["report"]["purity"] == 1
    assert "purity" not in client.get("/report").json()["report"]
    problem(client.get("/report", params={"labels": "/etc/passwd"}), 422, "invalid")

    _done(client, client.post("/reclusters", json={"k": [2, 5]}, headers=ANY))
    evidence = client.get("/evidence").json()
    assert evidence["k"] == evidence["chosen"]
    assert {2, 5} <= {candidate["k"] for candidate in evidence["candidates"]}
    assert evidence["revision"] == 2


def test_a_page_that_runs_its_own_scripts_and_reaches_nothing(client: httpx.Client) -> None:
    job = _done(client, client.post("/reports", json={"labels": "folders", "map": "pca"}))
    assert job["result"]["purity"] == 1
    answer = client.get(job["download"].removeprefix("/api/v1"))
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    assert "<html" in answer.text
    problem(client.post("/reports", json={"labels": "/etc/passwd"}), 422, "invalid")
    problem(client.post("/reports", json={"html": "/photos/x.html"}), 422, "invalid")


def test_no_report_before_the_first_clustering(library: Library) -> None:
    with serving(library) as client:
        assert problem(client.get("/report"), 409, "cannot-be-clustered")["hint"]
        assert problem(client.get("/evidence"), 409, "cannot-be-clustered")["hint"]
        job = ended(client, begun(client.post("/reports", json={})))
        assert (job["state"], job["problem"]["status"]) == ("failed", 409)


def test_deployments(client: httpx.Client, clustered: Library) -> None:
    assert client.get("/deployments").json() == {
        "deployments": [],
        "template": None,
        "without_deployment": 24,
    }
    clustered.deployments.set_template("{camera}")
    found = client.get("/deployments").json()
    assert [(d["id"], d["images"]) for d in found["deployments"]] == [
        ("blue", 8),
        ("green", 8),
        ("red", 8),
    ]
