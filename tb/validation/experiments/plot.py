# SPDX-License-Identifier: Apache-2.0
"""The picture of a curve: what was published and what was simulated."""
import math
import os
import subprocess
import sys

sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../docs/pictures")))
from svg import Picture  # noqa: E402


def round_step(span):
    """A step of 1, 2 or 5 times a power of ten that makes about five of the span."""
    power = 10 ** math.floor(math.log10(span / 5))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= span / 5)


def draw(curve):
    p = Picture(760, 400, curve.title)
    left, right, top, bottom = 70, 590, 50, 340
    everything = curve.published + curve.simulated
    lowest = curve.lowest
    step = round_step(max(y for _, y in everything) - lowest)
    highest = math.ceil(max(y for _, y in everything) / step) * step
    first, last = min(x for x, _ in everything), max(x for x, _ in everything)

    def x_of(x):
        return left + 12 + (right - left - 24) * (x - first) / (last - first)

    def y_of(y):
        return bottom - (bottom - top) * (y - lowest) / (highest - lowest)

    p.text(20, 28, f"{curve.title}", size=14, anchor="start", bold=True)
    at = math.ceil(lowest / step) * step
    while at <= highest + step / 1000:
        p.line([(left, y_of(at)), (right, y_of(at))], "grid", 1)
        p.text(left - 10, y_of(at) + 4, f"{at:g}", "quiet", 12, "end")
        at += step
    for x, text in curve.ticks:
        if first - 1e-9 <= x <= last + 1e-9:
            p.line([(x_of(x), bottom), (x_of(x), bottom + 4)], "line", 1)
            p.text(x_of(x), bottom + 20, text, "quiet", 12)
    p.text((left + right) / 2, bottom + 44, curve.x_label, "quiet", 12)
    p.text(24, (top + bottom) / 2, curve.y_label, "quiet", 12, turn=-90)
    for colour, points, joined, dots in (("series1", curve.published, True, not curve.scatter),
                                         ("series0", curve.simulated, not curve.scatter, True)):
        places = [(x_of(x), y_of(y)) for x, y in points]
        if joined:
            p.line(places, colour, 2, dashed=colour == "series1")
        for place in places if dots else ():
            p.dot(*place, colour, 4.5 if colour == "series1" else 3)
    for i, (colour, name) in enumerate(zip(("series1", "series0"), curve.names)):
        p.dot(right + 24, top + 10 + 22 * i, colour)
        p.text(right + 36, top + 14 + 22 * i, name, colour, 12.5, "start", True)
    return p


def write(curve, folder):
    """FILE.svg, which follows the reader's colours, and FILE.png."""
    picture = draw(curve)
    path = os.path.join(folder, f"validation-{curve.file}")
    with open(path + ".svg", "w", encoding="utf-8") as file:
        file.write(picture.svg())
    subprocess.run(["rsvg-convert", "--zoom", "1.5", "--output", path + ".png"], input=picture.svg("light"),
                   text=True, check=True)
