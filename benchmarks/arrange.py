"""The cost of an arrangement: planning, applying with links and undoing, against bare calls.

    python -m benchmarks.arrange --files 100000

Small files in folders of a thousand, a fifth of them with names that occur several times, a tenth
with a sidecar. The limit is a loop of `os.link` over the same files, in the same run, on the same
disk; for an undo, a loop of `os.unlink`. Medians of several rounds, as wall-clock time and as
processor time, which other work on the machine does not change.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from blake3 import blake3

from organizer.arrange import (
    ArrangeItem,
    ArrangeMode,
    ArrangePlan,
    FolderTemplate,
    carry_out,
    make_plan,
    undo_journal,
    write_plan,
)
from organizer.arrange.plan_csv import read_plan

_TEMPLATE = "{cluster_name}/{camera}/{taken_at:%Y-%m-%d}_{stem}"
_T = TypeVar("_T")
_BEGIN = datetime(2024, 5, 1)  # noqa: DTZ001 - a camera's clock has no zone


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        items = _items(Path(name) / "in", arguments.files)
        rounds = [_round(Path(name), items, number) for number in range(arguments.rounds)]
    median = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
    steps = median["steps"]
    print(f"{len(items):,} photos, {int(steps):,} steps with sidecars, {arguments.rounds} rounds")
    plan_s = median["plan"] + median["write the CSV"]
    for what in ("plan", "write the CSV", "read the CSV"):
        print(f"{what:<14} {median[what]:>7.2f} s, a core worked {median[what + ' core']:.2f} s")
    print(f"plan with CSV  {plan_s:>7.2f} s, bar < 10 s")
    for what, limit, bar in (("apply", "link", ", bar >= 5,000"), ("undo", "unlink", "")):
        print(
            f"{what:<14} {median[what]:>7.2f} s, a core worked {median[what + ' core']:.2f} s; "
            f"{steps / median[what]:>7,.0f} files/s{bar}; "
            f"bare os.{limit} {steps / median[limit]:>7,.0f} files/s; "
            f"ratio {median[limit] / median[what]:.2f}"
        )


def _round(folder: Path, items: list[ArrangeItem], number: int) -> dict[str, float]:
    to, file = folder / f"out{number}", folder / f"plan{number}.csv"
    took: dict[str, float] = {}
    made = _timed(took, "plan", lambda: _plan(items, to))
    _timed(took, "write the CSV", lambda: write_plan(made, file))
    read = _timed(took, "read the CSV", lambda: read_plan(file))
    assert read.digest == made.digest
    took["link"], took["unlink"] = _bare(made, folder / f"bare{number}")
    journal = folder / "journals" / f"arrangement-{number + 1:06}.jsonl"
    applied = _timed(took, "apply", lambda: carry_out(read, journal=journal))
    assert applied.applied
    assert not applied.reasons
    undone = _timed(took, "undo", lambda: undo_journal(journal))
    assert undone.undone
    assert not to.exists()
    return {"steps": len(made.steps), **took}


def _plan(items: list[ArrangeItem], to: Path) -> ArrangePlan:
    return make_plan(items, to=to, mode=ArrangeMode.LINK, template=FolderTemplate.parse(_TEMPLATE))


def _bare(made: ArrangePlan, to: Path) -> tuple[float, float]:
    """Seconds of only making the links in existing folders, and of removing them."""
    pairs = [
        (os.fspath(step.source), os.fspath(to / step.target.relative_to(made.to)))
        for step in made.steps
    ]
    for folder in {os.path.dirname(target) for _, target in pairs}:  # noqa: PTH120
        os.makedirs(folder)  # noqa: PTH103
    began = time.perf_counter()
    for source, target in pairs:
        os.link(source, target)
    linked = time.perf_counter()
    for _, target in reversed(pairs):
        os.unlink(target)  # noqa: PTH108
    return linked - began, time.perf_counter() - linked


def _timed(took: dict[str, float], what: str, work: Callable[[], _T]) -> _T:
    began, worked = time.perf_counter(), time.process_time()
    result = work()
    took[what], took[f"{what} core"] = time.perf_counter() - began, time.process_time() - worked
    return result


def _items(folder: Path, count: int) -> list[ArrangeItem]:
    """Small files as photos: fifty clusters, eight cameras, one photo per minute."""
    items = []
    for number in range(count):
        below = f"card{number // 1_000:03}"
        if number % 1_000 == 0:
            (folder / below).mkdir(parents=True)
        stem = f"IMG_{number % 1_000 if number % 5 == 0 else number:06}"
        source, data = folder / below / f"{stem}.JPG", f"photo {number}".encode()
        source.write_bytes(data)
        if number % 10 == 0:
            source.with_suffix(".xmp").write_bytes(data)
        status = source.stat()
        cluster = number * 7919 % 51 or None
        items.append(
            ArrangeItem(
                image_id=blake3(data).hexdigest(16),
                source=source,
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
                below=below,
                cluster_id=cluster,
                fields={
                    "cluster_name": f"cluster {cluster}" if cluster else None,
                    "camera": f"RECONYX HC500 {number * 31 % 8}",
                    "taken_at": _BEGIN + timedelta(minutes=number % 4_000),
                },
            )
        )
    return items


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="where the files are made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
