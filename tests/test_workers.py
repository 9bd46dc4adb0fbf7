"""A file may crash, stop or fill a worker process: that file is a problem, and the run goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from organizer.errors import ImageError, OrganizerError, SettingsError
from organizer.workers.pool import Call, WorkerPool
from tests.conftest import make_photo

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory")

_MIB = 2**20


_SUBJECT = "tests.worker_subjects:Subject"


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(_SUBJECT, 2) as found:
        yield found


def result(call: Call, method: str, *arguments: Any) -> Any:
    steps = call(method, *arguments)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


def ask(pool: WorkerPool, method: str, *arguments: Any) -> Any:
    return pool.attempt(lambda call: result(call, method, *arguments), size=0)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


# What is asked and answered --------------------------------------------------------------------


def test_what_is_yielded_is_answered(pool: WorkerPool) -> None:
    def talk(call: Call) -> tuple[list[int], int]:
        steps, seen = call("add", 4), []
        try:
            told = next(steps)
            while True:
                seen.append(told)
                told = steps.send(10 * told)
        except StopIteration as end:
            return seen, end.value

    assert pool.attempt(talk, size=0) == ([0, 1, 2, 3], 60)


def test_arrays_come_as_they_are(pool: WorkerPool) -> None:
    import numpy as np

    sent = np.random.default_rng(0).integers(0, 255, (700, 900, 3), dtype=np.uint8)
    got = ask(pool, "echo", {"here": sent, "there": sent[:0]})
    assert (got["here"] == sent).all()
    assert got["there"].shape == (0, 900, 3)
    got["here"][0] = 0  # it is one's own


def test_a_worker_is_used_again(pool: WorkerPool) -> None:
    assert [ask(pool, "count") for _ in range(3)] == [1, 2, 3]


def test_what_libraries_print_is_no_message(pool: WorkerPool) -> None:
    assert ask(pool, "say") == "nothing broken"


def test_what_is_wrong_with_a_file_is_told_as_it_was_raised(pool: WorkerPool) -> None:
    with pytest.raises(ImageError, match="too yellow") as caught:
        ask(pool, "refuse")
    assert caught.value.too_large
    assert not caught.value.lasting
    with pytest.raises(SettingsError) as other:
        ask(pool, "ask_for")
    assert other.value.hint == "ask for another"
    assert ask(pool, "count") == 1


def test_a_bug_is_no_problem_of_a_file(pool: WorkerPool) -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError: a bug"):
        ask(pool, "fail")


def test_a_bug_on_this_side_leaves_no_worker_in_the_middle(pool: WorkerPool) -> None:
    def give_up(call: Call) -> None:
        next(call("add", 4))
        raise ZeroDivisionError

    before = ask(pool, "pid")
    with pytest.raises(ZeroDivisionError):
        pool.attempt(give_up, size=0)
    assert ask(pool, "pid") != before
    assert not is_alive(before)


# What kills -------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL"])
def test_a_crash_costs_one_file_and_is_told(pool: WorkerPool, name: str) -> None:
    before = ask(pool, "pid")
    with pytest.raises(ImageError, match=rf"crashes on it \({name}\)") as caught:
        ask(pool, "end_by", getattr(signal, name))
    assert caught.value.lasting
    assert not is_alive(before)
    assert ask(pool, "count") == 1


@posix
def test_a_library_that_reads_where_nothing_is(pool: WorkerPool) -> None:
    with pytest.raises(ImageError, match="SIGSEGV"):
        ask(pool, "read_nowhere")


def test_a_library_that_ends_the_process(pool: WorkerPool) -> None:
    with pytest.raises(ImageError, match=r"crashes on it \(exit code 7\)"):
        ask(pool, "exit")


@posix
def test_who_is_killed_from_outside_may_be_tried_again(pool: WorkerPool) -> None:
    with pytest.raises(ImageError, match=r"from outside, twice \(SIGKILL\)") as caught:
        ask(pool, "end_by", signal.SIGKILL)
    assert not caught.value.lasting


@posix
def test_no_file_is_blamed_for_what_another_did(pool: WorkerPool) -> None:
    asked: list[int] = []

    def job(call: Call) -> Any:
        asked.append(result(call, "pid"))
        if len(asked) == 1:
            os.kill(asked[0], signal.SIGSEGV)
        return result(call, "count")

    assert pool.attempt(job, size=0) == 1
    assert len(set(asked)) == 2


@posix
def test_a_worker_that_died_with_nothing_to_do_is_replaced(pool: WorkerPool) -> None:
    victim = ask(pool, "pid")
    os.kill(victim, signal.SIGKILL)
    assert until(lambda: not is_alive(victim))
    assert ask(pool, "count") == 1


@posix
@pytest.mark.parametrize("how", ["loop", "stop"])
def test_what_takes_too_long_is_ended(how: str) -> None:
    with WorkerPool(_SUBJECT, 1, seconds=lambda _: 1.5) as pool:
        before = ask(pool, "pid")
        with pytest.raises(ImageError, match="takes more than 2 seconds") as caught:
            ask(pool, how)
        assert not caught.value.lasting
        assert not is_alive(before)
        assert ask(pool, "count") == 1


def test_waiting_for_an_answer_is_no_time_of_the_file() -> None:
    def slowly(call: Call) -> Any:
        steps = call("add", 2)
        next(steps)
        time.sleep(2.0)
        return steps.send(1)

    with WorkerPool(_SUBJECT, 1, seconds=lambda _: 1.5) as pool:
        assert pool.attempt(slowly, size=0) == 1


@linux
def test_too_much_memory_costs_one_file() -> None:
    with WorkerPool(_SUBJECT, 1, memory=256 * _MIB) as pool:
        before = ask(pool, "pid")
        assert ask(pool, "fill", 100 * _MIB) == 100 * _MIB
        with pytest.raises(ImageError, match=r"more memory than a file may \(256 MiB\)") as caught:
            ask(pool, "fill", 300 * _MIB)
        assert not caught.value.lasting
        assert not is_alive(before)
        assert ask(pool, "count") == 1
        done = pool.attempt(lambda call: result(call, "fill", 300 * _MIB), size=100 * _MIB)
        assert done == 300 * _MIB  # the file itself does not count


# Beginning and end ------------------------------------------------------------------------------


def test_processes_that_do_not_start_are_an_error_and_no_endless_loop() -> None:
    with (
        WorkerPool("tests.worker_subjects:Unborn", 2) as pool,
        pytest.raises(OrganizerError, match="do not start: exit code 3") as caught,
    ):
        ask(pool, "echo", 1)
    assert "import organizer.reading" in caught.value.hint


@posix
def test_the_end_of_a_pool_ends_what_is_going_on() -> None:
    pool, raised = WorkerPool(_SUBJECT, 1), list[BaseException]()
    pid = ask(pool, "pid")

    def wait() -> None:
        try:
            ask(pool, "loop")
        except ImageError as error:
            raised.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert until(lambda: not pool._free)
    pool.close()
    thread.join(10)
    assert [str(error) for error in raised] == ["the work was ended"]
    assert not is_alive(pid)
    with pytest.raises(ImageError, match="was ended"):
        ask(pool, "count")


def test_no_more_processes_than_asked_for_and_none_that_is_not_needed() -> None:
    with WorkerPool(_SUBJECT, 3) as pool:
        assert len({ask(pool, "pid") for _ in range(5)}) == 1
        together = threading.Barrier(3)

        def meet() -> None:
            pool.attempt(lambda call: (together.wait(10), result(call, "pid")), size=0)

        threads = [threading.Thread(target=meet) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(pool._workers) == 3


def test_processes_without_work_end() -> None:
    with WorkerPool(_SUBJECT, 1, idle_seconds=0.1) as pool:
        ask(pool, "pid")
        assert until(lambda: not pool._workers)
        assert ask(pool, "count") == 1


_SCRIPT = """
import sys, time
from organizer.workers.pool import WorkerPool
pool = WorkerPool("tests.worker_subjects:Subject", 1)
def job(call):
    for told in call("add", 5):
        print(pool._workers[0].pid, flush=True)
        time.sleep(60)
pool.attempt(job, size=0)
"""


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_the_one_that_asked(number: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _SCRIPT], stdout=subprocess.PIPE, text=True
    ) as script:
        assert script.stdout is not None
        pid = int(script.stdout.readline())
        assert is_alive(pid)
        script.send_signal(number)
    assert until(lambda: not is_alive(pid))


@posix
def test_a_hung_process_ends_by_itself_where_nobody_asks_any_more() -> None:
    script = _SCRIPT.replace("1)", "1, seconds=lambda _: 0.5)", 1).replace(
        "time.sleep(60)", "break\n    next(call('loop'))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    assert until(lambda: not is_alive(pid))


def test_scripts_need_no_guard_and_their_folder_is_not_imported_from(tmp_path: Path) -> None:
    make_photo(tmp_path / "photos" / "a.jpg")
    strange = tmp_path / "photos" / "json.py"
    strange.write_text("raise SystemExit('imported what lies among the photos')")
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import organizer
            print("imported once")
            with organizer.open(".") as library:
                print(library.ingest(".", embedder="channel-mean").counts)
            """
        )
    )
    done = subprocess.run(
        [sys.executable, "-P", script],
        cwd=tmp_path / "photos",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.count("imported once") == 1, done.stderr
    assert "added" in done.stdout, done.stderr
