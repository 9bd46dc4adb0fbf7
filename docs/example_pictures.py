"""Draw pictures for the tutorials: five kinds of things, no two pictures alike.

    python docs/example_pictures.py pictures        96 suns, boats, trees and houses
    python docs/example_pictures.py card --card     24 boats and owls that come later

Everything is drawn, so that anybody may have and show the pictures. The same arguments give the
same files.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 320, 240

Colour = tuple[int, int, int]


class Sketch:
    """A picture that is being drawn, and what it draws its choices from.

    Args:
        seed: What the choices follow from.
    """

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.image = Image.new("RGB", (WIDTH, HEIGHT))
        self.pen = ImageDraw.Draw(self.image)

    def number(self, low: float, high: float) -> float:
        """A number between two."""
        return float(self.random.uniform(low, high))

    def near(self, colour: Colour, by: int = 25) -> Colour:
        """A colour like the one given."""
        red, green, blue = np.clip(np.array(colour) + self.random.integers(-by, by, 3), 0, 255)
        return int(red), int(green), int(blue)

    def ground(self, above: Colour, below: Colour, horizon: float) -> None:
        """Fill the picture: one colour above the horizon, another below."""
        self.pen.rectangle((0, 0, WIDTH, HEIGHT), fill=self.near(above))
        self.pen.rectangle((0, horizon, WIDTH, HEIGHT), fill=self.near(below))

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle."""
        self.pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def sun(sketch: Sketch) -> None:
    """A sun with rays over bare hills."""
    sketch.ground((250, 205, 130), (190, 120, 70), 170)
    x, y, radius = sketch.number(80, 240), sketch.number(60, 110), sketch.number(28, 42)
    for angle in np.linspace(0, 2 * np.pi, 14, endpoint=False) + sketch.number(0, 1):
        far = radius * 1.7
        end = (x + far * float(np.cos(angle)), y + far * float(np.sin(angle)))
        sketch.pen.line(((x, y), end), fill=(250, 170, 30), width=5)
    sketch.disc(x, y, radius, sketch.near((252, 190, 40), 15))
    for _ in range(3):
        sketch.disc(
            sketch.number(0, WIDTH), 300, sketch.number(90, 130), sketch.near((150, 90, 50))
        )


def boat(sketch: Sketch) -> None:
    """A boat with white sails on the sea."""
    sketch.ground((170, 215, 245), (30, 90, 160), 150)
    x, y, size = sketch.number(100, 220), sketch.number(150, 185), sketch.number(0.8, 1.3)
    hull = [(-60, 0), (60, 0), (40, 28), (-42, 28)]
    sketch.pen.polygon(
        [(x + size * a, y + size * b) for a, b in hull], fill=sketch.near((120, 50, 40))
    )
    sketch.pen.line(((x, y), (x, y - 100 * size)), fill=(60, 40, 30), width=4)
    sail = [(5, -8), (5, -98), (58, -8)]
    sketch.pen.polygon([(x + size * a, y + size * b) for a, b in sail], fill=(250, 250, 245))
    jib = [(-5, -8), (-5, -80), (-40, -8)]
    sketch.pen.polygon(
        [(x + size * a, y + size * b) for a, b in jib], fill=sketch.near((225, 230, 235), 12)
    )
    for _ in range(12):
        a, b = sketch.number(0, WIDTH), sketch.number(200, HEIGHT)
        sketch.pen.line(((a, b), (a + 22, b)), fill=(120, 170, 215), width=2)


def tree(sketch: Sketch) -> None:
    """A tree in leaf on a meadow."""
    sketch.ground((200, 225, 240), (110, 170, 80), 165)
    x, size = sketch.number(90, 230), sketch.number(0.8, 1.25)
    sketch.pen.rectangle((x - 9, 120, x + 9, 205), fill=sketch.near((95, 65, 40)))
    for _ in range(26):
        a, b = x + size * sketch.number(-48, 48), 95 + size * sketch.number(-50, 35)
        sketch.disc(a, b, size * sketch.number(12, 24), sketch.near((40, 115, 50), 28))
    for _ in range(30):
        a, b = sketch.number(0, WIDTH), sketch.number(175, HEIGHT)
        sketch.pen.line(((a, b), (a + 2, b - 9)), fill=sketch.near((70, 130, 50)), width=2)


def house(sketch: Sketch) -> None:
    """A house with a red roof, a door and lit windows."""
    sketch.ground((215, 215, 225), (150, 150, 145), 180)
    x, wide, high = sketch.number(70, 130), sketch.number(120, 160), sketch.number(75, 100)
    top = 195 - high
    sketch.pen.rectangle((x, top, x + wide, 195), fill=sketch.near((225, 205, 175)))
    roof = [(x - 14, top), (x + wide + 14, top), (x + wide / 2, top - sketch.number(40, 65))]
    sketch.pen.polygon(roof, fill=sketch.near((170, 50, 45)))
    sketch.pen.rectangle((x + wide / 2 - 13, 150, x + wide / 2 + 13, 195), fill=(90, 60, 40))
    for at in (0.12, 0.68):
        left = x + wide * at
        sketch.pen.rectangle((left, top + 18, left + 26, top + 44), fill=(250, 225, 120))
        sketch.pen.line(((left + 13, top + 18), (left + 13, top + 44)), fill=(90, 60, 40), width=2)


def owl(sketch: Sketch) -> None:
    """An owl on a branch by night."""
    sketch.ground((25, 28, 60), (20, 22, 45), 200)
    for _ in range(25):
        sketch.disc(sketch.number(0, WIDTH), sketch.number(0, 190), 1.5, (235, 235, 210))
    x, y, size = sketch.number(110, 210), sketch.number(105, 130), sketch.number(0.85, 1.25)
    sketch.pen.line(((0, y + 62 * size), (WIDTH, y + 70 * size)), fill=(80, 55, 40), width=12)
    body = (x - 38 * size, y - 50 * size, x + 38 * size, y + 64 * size)
    sketch.pen.ellipse(body, fill=sketch.near((140, 105, 70)))
    for side in (-1, 1):
        ear = [(x + side * 34 * size, y - 62 * size), (x + side * 8 * size, y - 44 * size)]
        sketch.pen.polygon([*ear, (x + side * 34 * size, y - 28 * size)], fill=(120, 85, 55))
        eye = x + side * 16 * size
        sketch.disc(eye, y - 20 * size, 14 * size, (245, 235, 200))
        sketch.disc(eye, y - 20 * size, 6 * size, (20, 20, 20))
    beak = [(x - 5 * size, y - 8 * size), (x + 5 * size, y - 8 * size), (x, y + 6 * size)]
    sketch.pen.polygon(beak, fill=(230, 170, 50))


FIRST = {"sun": 30, "boat": 26, "tree": 22, "house": 18}
"""Pictures of each kind to begin with."""

CARD = {"boat": 10, "owl": 14}
"""Pictures of each kind on the card that comes later."""

KINDS: dict[str, Callable[[Sketch], None]] = {
    "sun": sun,
    "boat": boat,
    "tree": tree,
    "house": house,
    "owl": owl,
}


def draw_pictures(folder: Path, counts: dict[str, int], *, after: dict[str, int]) -> None:
    """Draw pictures into folders by kind.

    Args:
        folder: The folder; made where it is not there.
        counts: Pictures of each kind.
        after: Pictures of each kind that were drawn before: the numbers go on from there.
    """
    for place, (kind, draw) in enumerate(KINDS.items()):
        begin = after.get(kind, 0) + 1
        for number in range(begin, begin + counts.get(kind, 0)):
            sketch = Sketch(10_000 * place + number)
            draw(sketch)
            grain = sketch.random.normal(0, 5, (HEIGHT, WIDTH, 3))
            pixels = np.clip(np.asarray(sketch.image) + grain, 0, 255).astype(np.uint8)
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / kind / f"{kind}{number:03}.jpg", quality=85)


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description="Draw pictures for organizer's tutorials.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--card", action="store_true", help="what a card brings later")
    asked = parser.parse_args()
    if asked.card:
        draw_pictures(asked.folder, CARD, after=FIRST)
    else:
        draw_pictures(asked.folder, FIRST, after={})


if __name__ == "__main__":
    main()
