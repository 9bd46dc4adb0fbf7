"""Jobs: queued, run, cancelled, remembered; whoever decides waits for no ingest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.service.job_runner import Job, JobAccess, JobResult, JobRun, JobRunner, JobState
from organizer.service.worker import Worker
from organizer.settings import Settings
from tests.conftest import make_groups

_SECONDS = 60


@pytest.fixture
def writer() -> Iterator[Worker]:
    made = Worker("writer")
    yield made
    made.close()


@pytest.fixture
def runner(writer: Worker) -> Iterator[JobRunner]:
    made = JobRunner(writer)
    yield made
    made.close()


def _wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.005)


def _ended(job: Job) -> Job:
    _wait(lambda: job.state.has_ended)
    return job


class _Steps:
    """Work that reports a step whenever it is told to, until it is told to end."""

    def __init__(self, *, asks: bool = False) -> None:
        self._asks = asks
        self.began, self._go_on = threading.Event(), threading.Semaphore(0)

    def __call__(self, run: JobRun) -> JobResult:
        run.begin("counting", 3)
        self.began.set()
        for step in range(3):
            assert self._go_on.acquire(timeout=_SECONDS)
            run.advance()
            if self._asks and run.should_stop():
                return JobResult({"steps": step + 1})
        return JobResult({"steps": 3})

    def go_on(self, steps: int = 1) -> None:
        self._go_on.release(steps)


def test_a_job_from_queued_to_done(runner: JobRunner) -> None:
    first, second = _Steps(), _Steps()
    jobs = [runner.submit("count", first, user="Ann"), runner.submit("count", second)]
    assert first.began.wait(_SECONDS)
    assert [job.state for job in jobs] == [JobState.RUNNING, JobState.QUEUED]
    assert runner.running() == [jobs[1].id, jobs[0].id]
    first.go_on()
    _wait(lambda: jobs[0].done == 1)
    assert (jobs[0].task, jobs[0].total, jobs[0].user) == ("counting", 3, "Ann")
    first.go_on(2)
    second.go_on(3)
    for job in map(_ended, jobs):
        assert job.state is JobState.DONE
        assert job.result == JobResult({"steps": 3})
        assert job.created_at <= (job.started_at or "") <= (job.ended_at or "")
    assert runner.running() == []


def test_a_job_that_only_reads_does_not_wait_for_one_that_writes(runner: JobRunner) -> None:
    writes = _Steps()
    runner.submit("count", writes)
    assert writes.began.wait(_SECONDS)
    reads = runner.submit("look", lambda _: JobResult({}), access=JobAccess.READS)
    assert _ended(reads).state is JobState.DONE
    writes.go_on(3)


def test_cancelling_what_waits_what_runs_and_what_has_ended(runner: JobRunner) -> None:
    steps = _Steps()
    runs, waits = runner.submit("count", steps), runner.submit("count", _Steps())
    assert steps.began.wait(_SECONDS)
    runner.cancel(waits.id)
    assert waits.state is JobState.CANCELLED
    runner.cancel(runs.id)
    assert runs.state is JobState.RUNNING
    steps.go_on()
    assert _ended(runs).state is JobState.CANCELLED
    assert runs.result is None
    done = _ended(runner.submit("look", lambda _: JobResult({})))
    runner.cancel(done.id)
    assert done.state is JobState.DONE


def test_work_that_ends_by_itself_keeps_what_it_did(runner: JobRunner) -> None:
    steps = _Steps(asks=True)
    job = runner.submit("count", steps, ends_by_itself=True)
    assert steps.began.wait(_SECONDS)
    runner.cancel(job.id)
    steps.go_on()
    assert _ended(job).state is JobState.CANCELLED
    assert job.result == JobResult({"steps": 1})


def test_a_failure_is_kept_and_the_next_job_runs(runner: JobRunner) -> None:
    def refuse(_: JobRun) -> JobResult:
        raise SettingsError("there is no k", "give one")

    def break_down(_: JobRun) -> JobResult:
        raise ZeroDivisionError

    refused, broken = runner.submit("count", refuse), runner.submit("count", break_down)
    assert _ended(refused).state is JobState.FAILED
    assert isinstance(refused.error, SettingsError)
    assert isinstance(_ended(broken).error, ZeroDivisionError)
    assert _ended(runner.submit("count", lambda _: JobResult({}))).state is JobState.DONE


def test_a_job_that_only_reads_does_not_keep_the_service_from_ending(writer: Worker) -> None:
    runner = JobRunner(writer)
    deaf = threading.Event()

    def draw(_: JobRun) -> JobResult:
        assert deaf.wait(_SECONDS)
        return JobResult({})

    job = runner.submit("map", draw, access=JobAccess.READS)
    _wait(lambda: job.state is JobState.RUNNING)
    began = time.monotonic()
    runner.close()
    assert time.monotonic() - began < 5
    assert not job.state.has_ended
    deaf.set()


def test_memory_is_bounded_and_files_go(writer: Worker) -> None:
    runner = JobRunner(writer)

    def write(run: JobRun) -> JobResult:
        file = run.folder / "result.txt"
        file.write_text("done")
        return JobResult({}, file)

    jobs = [_ended(runner.submit("write", write, access=JobAccess.READS)) for _ in range(60)]
    files = [job.result.file for job in jobs if job.result is not None and job.result.file]
    assert len(runner.all()) == 50
    assert runner.get(jobs[0].id) is None
    assert [file.exists() for file in files] == [False] * 52 + [True] * 8
    runner.close()
    assert not files[-1].parent.parent.exists()


def test_changes_are_told_but_not_every_step(writer: Worker) -> None:
    told: list[tuple[JobState, int]] = []
    runner = JobRunner(writer, changed=lambda job: told.append((job.state, job.done)))

    def count(run: JobRun) -> JobResult:
        run.begin("counting", 10_000)
        for _ in range(10_000):
            run.advance()
        return JobResult({})

    _ended(runner.submit("count", count))
    runner.close()
    assert [state for state, _ in told][:2] == [JobState.QUEUED, JobState.RUNNING]
    assert told[-1] == (JobState.DONE, 10_000)
    assert len(told) < 50


def test_decisions_during_an_ingest_wait_for_a_commit_and_not_for_the_ingest(
    runner: JobRunner, writer: Worker, tmp_path: Path
) -> None:
    """500 pictures in batches of 8, a decision whenever the last one is made, and its twin."""
    settings = Settings(batch_size=8, commit_images=32)
    cards = make_groups(tmp_path / "card", each=500 // 3, seed=700)
    libraries = []
    for name in ("decided", "twin"):
        make_groups(tmp_path / name / "photos")
        library = Library.open_or_create(tmp_path / name, settings)
        library.ingest([tmp_path / name / "photos"], embedder="channel-mean")
        library.recluster(k=3)
        libraries.append(library)
    decided, twin = libraries
    cluster = next(iter(decided.clusters)).id

    def ingest(run: JobRun) -> JobResult:
        report = decided.ingest([cards], progress=run, stop=run.should_stop)
        return JobResult({outcome.value: n for outcome, n in report.counts.items() if n})

    began = time.monotonic()
    job = runner.submit("ingest", ingest, access=JobAccess.COMMITS, ends_by_itself=True)
    _wait(lambda: job.task.startswith("embedding"))
    waits: list[float] = []
    while not job.state.has_ended:
        asked = time.monotonic()
        rename = partial(decided.corrections.rename, cluster, f"name {len(waits)}")
        writer.submit(rename).result(_SECONDS)
        waits.append(time.monotonic() - asked)
    whole = time.monotonic() - began
    twin_report = twin.ingest([cards])
    assert job.result == JobResult({o.value: n for o, n in twin_report.counts.items() if n})
    assert len(waits) > 10
    waits.sort()
    assert waits[len(waits) // 2] < whole / 10

    def contents(library: Library) -> list[tuple[str, int]]:
        rows = library.assignments().to_pylist()
        return sorted((row["image_id"], row["cluster_id"]) for row in rows)

    assert contents(decided) == contents(twin)
    for library in libraries:
        library.close()
