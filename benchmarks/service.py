"""The latencies of the service and of the gallery, on a library of many images.

    python -m benchmarks.service --images 100000

Makes a library of small photos of 60 kinds, serves it as a person would (`organizer serve`), and
prints medians and 95th percentiles of what a page waits for: thumbnails, pages of a cluster,
neighbours by eight clients while photos are ingested, decisions; then, in headless Chromium, the
first paint of the wall and the frames a second while a grid of all images is scrolled. Bars are
printed beside the figures. `--library` measures one that is there, `--keep` leaves the made one.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

_KINDS, _STRANGE = 60, 0.03
_PER_FOLDER = 1_000
_CLIENTS = 8
_LOOKS = 0.5  # seconds that a person looks before going on
_API = "/api/v1"
_ANY = {"If-Match": "*"}
_CARD_PHOTOS, _CARD_SIZE = 3_000, (2_048, 1_536)
"""What is ingested while others look: photos of three megapixels, as cameras write them."""

Request = Callable[["Client"], Any]


class Client:
    """One connection that is kept, as a browser does."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)

    def get(self, path: str) -> bytes:
        """The body of an answer."""
        return self._send("GET", path, None, {})

    def post(self, path: str, body: object) -> Any:
        """The answer to a write, whatever the revision is."""
        headers = {"Content-Type": "application/json", **_ANY}
        return json.loads(self._send("POST", path, json.dumps(body), headers))

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> bytes:
        self._connection.request(method, _API + path, body, headers)
        answer = self._connection.getresponse()
        data = answer.read()
        assert answer.status < 300, (method, path, answer.status, data[:300])
        return data


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with _library(arguments) as folder, _served(folder) as url:
        client = Client(url)
        status = json.loads(client.get("/status"))
        kinds = len(json.loads(client.get("/clusters"))["clusters"])
        print(f"{status['images']:,} images, {kinds} clusters, {status['embedder']}")
        _measure(url, client, folder)
        if not arguments.no_browser:
            _browse(url)


def _measure(url: str, client: Client, folder: Path) -> None:
    clusters = json.loads(client.get("/clusters?samples=8"))["clusters"]
    largest = clusters[0]["id"]
    ids = [i["id"] for i in json.loads(client.get("/images?order=path&limit=1000"))["items"]]
    seen = ids[:200]
    for image_id in seen:
        client.get(f"/images/{image_id}/thumbnail/192")
    _row("thumbnail, made before", _times(client, [_thumb(i) for i in seen * 5]), p50=5)
    _row("thumbnail, from the disk or made", _times(client, [_thumb(i) for i in ids[200:400]]))
    _row("all clusters (the wall)", _times(client, [_get("/clusters?samples=8")] * 20))
    page = _get(f"/images?cluster={largest}&limit=100")
    _row("first page of a cluster", _times(client, [page] * 50), p50=100)
    columns = _get("/images/columns?order=path")
    _row("columns of all images", _times(client, [columns] * 5))
    print(f"{'':34} {len(client.get('/images/columns?order=path')) / 1e6:.1f} MB")
    _row("neighbours, one client", _times(client, [_near(i) for i in ids[:100]]), p50=20)
    with _ingesting(url, folder):
        _row("neighbours, 8 people, an ingest", _together(url, ids), p50=20, p95=60)
    _decide(Client(url), clusters, ids)


def _decide(client: Client, clusters: Sequence[dict[str, Any]], ids: Sequence[str]) -> None:
    a, b = clusters[0]["id"], clusters[1]["id"]
    renames = [
        {"kind": "rename", "cluster": a, "name": f"Kind {n} of {time.time_ns()}"} for n in range(60)
    ]
    _row("rename", _times(client, [_decision(d) for d in renames]), p95=100)
    moves = [{"kind": "move", "images": [i], "to": b} for i in ids[:60]]
    _row("move of one image", _times(client, [_decision(d) for d in moves]), p95=100)
    many = [{"kind": "move", "images": ids[n : n + 24], "to": a} for n in range(100, 900, 24)]
    _row("move of 24 images", _times(client, [_decision(d) for d in many]), p95=100)
    _row("undo", _times(client, [lambda c: c.post("/undo", {})] * 60), p95=100)

    def decide_and_look(to: Client) -> None:
        _decision(renames[0])(to)
        to.get("/clusters?samples=8")

    _row("rename, and the wall after it", _times(client, [decide_and_look] * 20))


def _get(path: str) -> Request:
    return lambda client: client.get(path)


def _thumb(image_id: str) -> Request:
    return _get(f"/images/{image_id}/thumbnail/192")


def _near(image_id: str) -> Request:
    return _get(f"/images/{image_id}/neighbours?limit=24")


def _decision(decision: dict[str, Any]) -> Request:
    return lambda client: client.post("/decisions", {"decisions": [decision]})


def _times(client: Client, requests: Sequence[Request]) -> list[float]:
    """Milliseconds of each request, one after the other."""
    times = []
    for request in requests:
        start = time.perf_counter()
        request(client)
        times.append(1_000 * (time.perf_counter() - start))
    return times


def _together(url: str, ids: Sequence[str]) -> list[float]:
    """Milliseconds of each request of several clients at once, each of which looks a little."""
    parts = [[_near(i) for i in ids[at::_CLIENTS][:60]] for at in range(_CLIENTS)]

    def browse(part: list[Request]) -> list[float]:
        client, draw = Client(url), np.random.default_rng(len(part))
        times: list[float] = []
        for request in part:
            time.sleep(draw.uniform(0, 2 * _LOOKS))
            times += _times(client, [request])
        return times

    with ThreadPoolExecutor(_CLIENTS) as pool:
        return [time for times in pool.map(browse, parts) for time in times]


@contextmanager
def _ingesting(url: str, folder: Path) -> Iterator[None]:
    """Ingest a card while something else is measured."""
    card = folder / "cards" / str(time.time_ns())
    pictures(card, _CARD_PHOTOS, first=int(time.time()), size=_CARD_SIZE)
    job = Client(url).post("/ingests", {"paths": [str(card)]})

    def state() -> str:
        """By a connection of its own: one that is not used is closed after a while."""
        return str(json.loads(Client(url).get(f"/jobs/{job['id']}"))["state"])

    while state() == "queued":
        time.sleep(0.05)
    time.sleep(2)
    yield
    print(f"{'':34} the ingest is {state()} after it")
    while state() == "running":
        time.sleep(0.5)


def _browse(url: str) -> None:
    """The first paint of the wall, and a grid of all images scrolled, in headless Chromium."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-background-networking"]
        )
        paints, rates = [], []
        for _ in range(5):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            start = time.perf_counter()
            page.goto(url)
            page.wait_for_selector("[data-cluster] img")
            paints.append(1_000 * (time.perf_counter() - start))
            page.close()
        _row("first paint of the wall", paints, p50=1_000)
        for _ in range(3):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"{url}#/images")
            page.wait_for_selector(".grid img")
            page.mouse.move(640, 500)
            rates.append(page.evaluate(_SCROLL))
            page.close()
        browser.close()
    frames, longest = zip(*rates, strict=True)
    print(
        f"{'frames a second while scrolling':34} {statistics.median(frames):8.1f}      "
        f"longest frame {max(longest):.0f} ms     bar: 50, software rendering"
    )


_SCROLL = """() => new Promise((resolve) => {
  const grid = document.querySelector(".grid");
  const times = [];
  const begin = performance.now();
  const frame = (now) => {
    times.push(now);
    const event = new WheelEvent("wheel", {deltaY: 240, bubbles: true, cancelable: true});
    grid.dispatchEvent(event);
    if (now - begin < 5000) requestAnimationFrame(frame);
    else {
      const gaps = times.slice(1).map((time, at) => time - times[at]);
      resolve([1000 * gaps.length / (times[times.length - 1] - times[0]), Math.max(...gaps)]);
    }
  };
  requestAnimationFrame(frame);
})"""


def _row(
    what: str, times: Sequence[float], *, p50: float | None = None, p95: float | None = None
) -> None:
    median, high = np.percentile(times, [50, 95])
    bars = ", ".join(
        f"{name} {bar:g} ms" for name, bar in (("p50", p50), ("p95", p95)) if bar is not None
    )
    end = f"  bar: {bars}" if bars else ""
    print(f"{what:34} p50 {median:8.1f} ms  p95 {high:8.1f} ms{end}", flush=True)


@contextmanager
def _library(arguments: argparse.Namespace) -> Iterator[Path]:
    if arguments.library is not None:
        yield arguments.library
        return
    folder = Path(tempfile.mkdtemp())
    try:
        pictures(folder / "photos", arguments.images)
        _typed(folder, "ingest", "photos", "--embedder", arguments.embedder)
        _typed(folder, "recluster", "--k", str(_KINDS))
        yield folder
    finally:
        if arguments.keep:
            print(f"library in {folder}")
        else:
            shutil.rmtree(folder)


def pictures(
    folder: Path, count: int, *, first: int = 0, size: tuple[int, int] = (160, 120)
) -> None:
    """Photos of some kinds, and a few of none."""
    kinds = np.random.default_rng(7).normal(0, 60, (_KINDS, 6, 8, 3))
    draw = np.random.default_rng(first)
    for number in range(first, first + count):
        place = folder / f"{number // _PER_FOLDER:06}"
        place.mkdir(parents=True, exist_ok=True)
        is_strange = draw.random() < _STRANGE
        kind = draw.normal(0, 60, (6, 8, 3)) if is_strange else kinds[draw.integers(_KINDS)]
        coarse = np.clip(128 + kind + draw.normal(0, 14, (6, 8, 3)), 0, 255).astype(np.uint8)
        picture = Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR)
        picture.save(place / f"IMG_{number:08}.jpg", quality=80)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "organizer", "serve", "--port", "0", "--json"]
    with subprocess.Popen(
        command, cwd=folder, env=_environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def _typed(folder: Path, *typed: str) -> None:
    command = [sys.executable, "-m", "organizer", *typed]
    subprocess.run(command, cwd=folder, env=_environment(), check=True, capture_output=True)


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("ORGANIZER_")}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--embedder", default="hsv")
    parser.add_argument("--library", type=Path, default=None)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--no-browser", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
