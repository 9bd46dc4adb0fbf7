"""Output of ``organizer deployments check``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from organizer.cli.output import count_text, print_json, print_line, short
from organizer.cli.session import say
from organizer_camera_trap.camera_health import CameraHealth

_SHOWN = 3


def show_health(cameras: Sequence[CameraHealth], *, json: bool) -> None:
    """Print what there is to look at, camera by camera."""
    if json:
        print_json({"cameras": [asdict(camera) for camera in cameras]})
        return
    doubtful = [camera for camera in cameras if camera.is_doubtful]
    for camera in doubtful:
        print_line(f"{camera.camera or 'camera unknown'} ({short(Path(camera.example).parent)})")
        for line in health_lines(camera):
            print_line(f"  {line}")
    fine = len(cameras) - len(doubtful)
    cameras_text = count_text(len(cameras), "camera")
    print_line(f"{cameras_text} examined, {fine:,} of them with nothing to look at")
    if any(camera.clock.is_doubtful for camera in doubtful):
        say("a clock is corrected by: organizer deployments shift ID +1h; a part of a card: split")


def health_lines(camera: CameraHealth, *, most: int = _SHOWN) -> Iterator[str]:
    """What there is to look at about a camera, a line each.

    Args:
        camera: What was found about it.
        most: Times that a clock went back which are told one by one.
    """
    clock = camera.clock
    counts = {
        "before the start of the deployment": clock.early,
        "after its end": clock.late,
        "in the future": clock.future,
        "in an hour that summer time makes doubtful": clock.changed_hours or 0,
    }
    for what, count in counts.items():
        if count:
            yield f"{count:,} of {count_text(camera.images, 'photo')} {what}"
    for step in clock.set_back[:most]:
        before, after = step.before.replace("T", " "), step.after.replace("T", " ")
        yield f"the clock went back from {before} to {after}: {Path(step.path).name}"
    if len(clock.set_back) > most:
        yield f"and {len(clock.set_back) - most:,} times more"
    if camera.black_nights:
        yield "its photos of the nights are black: did the flash fail?"
    if camera.silent_days is not None:
        yield f"no photo in the last {count_text(camera.silent_days, 'day')} before its end"
    if camera.view is not None:
        day, _, time = camera.view.at.partition("T")
        yield (
            f"its view changed on {day} at {time[:5]} and stayed so, from "
            f"{Path(camera.view.path).name} on: was the camera moved, or its lens covered?"
        )
