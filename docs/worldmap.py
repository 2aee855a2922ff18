"""Writes src/comity/app/standard/worldmap.json, the shapes of the world map of the standard.

Run by hand, once for each new original: ``python docs/worldmap.py countries-110m.json``. The original is
the TopoJSON of Natural Earth at 1:110 million (public domain), as world-atlas 2.0.2 carries it; it is not
kept here. What is written is ours: projected to Equal Earth (equal areas, so that no country looks larger
than it is), rounded to tenths of a unit, one SVG path for each ISO 3166-1 alpha-2 code. Antarctica is left
out.
"""

from __future__ import annotations

import json
import math
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from comity.lists import _countries

TARGET = Path(__file__).parents[1] / "src" / "comity" / "app" / "standard" / "worldmap.json"
WIDTH = 1000.0
NORTH, SOUTH = 87.0, -57.5
# Names that Natural Earth shortens.
SHORTENED = {
    "W. Sahara": "EH", "Dem. Rep. Congo": "CD", "Dominican Rep.": "DO", "Falkland Is.": "FK",
    "Fr. S. Antarctic Lands": "TF", "Central African Rep.": "CF", "Eq. Guinea": "GQ", "Solomon Is.": "SB",
    "Bosnia and Herz.": "BA", "Macedonia": "MK", "S. Sudan": "SS",
}  # fmt: skip
# Territories too small for 1:110 million: degrees east and north.
PLACES = {
    "AD": (1.6, 42.5), "AG": (-61.8, 17.1), "AW": (-70.0, 12.5), "BB": (-59.5, 13.2), "BH": (50.5, 26.0),
    "BM": (-64.8, 32.3), "GG": (-2.6, 49.5), "GI": (-5.35, 36.1), "HK": (114.2, 22.3), "IM": (-4.5, 54.2),
    "JE": (-2.1, 49.2), "KY": (-81.2, 19.3), "LI": (9.5, 47.2), "MC": (7.4, 43.7), "MH": (171.2, 7.1),
    "MO": (113.5, 22.2), "MT": (14.4, 35.9), "MU": (57.6, -20.2), "MV": (73.5, 4.2), "SC": (55.5, -4.7),
    "SG": (103.8, 1.35), "SM": (12.5, 43.9), "TC": (-71.8, 21.8), "VC": (-61.2, 13.2), "VG": (-64.6, 18.4),
    "WS": (-172.1, -13.8),
}  # fmt: skip

Point = tuple[float, float]


def equal_earth(east: float, north: float) -> Point:
    """Šavrič, Patterson and Jenny (2018), in units of the sphere's radius."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    t = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(north)))
    slope = 9 * a4 * t**8 + 7 * a3 * t**6 + 3 * a2 * t**2 + a1
    x = 2 * math.sqrt(3) * math.radians(east) * math.cos(t) / (3 * slope)
    return x, a4 * t**9 + a3 * t**7 + a2 * t**3 + a1 * t


EDGE = equal_earth(180, 0)[0]
TOP = equal_earth(0, NORTH)[1]


def place(east: float, north: float) -> Point:
    """Where a point lies on the map, to tenths of a unit."""
    x, y = equal_earth(east, north)
    scale = WIDTH / 2 / EDGE
    return round((x + EDGE) * scale, 1), round((TOP - y) * scale, 1)


def arcs(topology: dict[str, Any]) -> list[list[Point]]:
    """The borders, each as degrees: TopoJSON keeps whole numbers, each the step from the one before."""
    (east, north), (x0, y0) = topology["transform"]["scale"], topology["transform"]["translate"]
    found = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * east + x0, y * north + y0))
        found.append(points)
    return found


def ring(numbers: list[int], borders: list[list[Point]]) -> list[list[Point]]:
    """One closed line on the map, or two where it crosses the edge; a negative number is walked backwards."""
    line: list[Point] = []
    for number in numbers:
        border = borders[number] if number >= 0 else borders[~number][::-1]
        for east, north in border[1:] if line else border:
            while line and east - line[-1][0] > 180:
                east -= 360
            while line and line[-1][0] - east > 180:
                east += 360
            line.append((east, north))
    pieces = [cut(cut(line, turn - 180, 1), turn + 180, -1) for turn in (-360, 0, 360)]
    found = []
    for turn, piece in zip((-360, 0, 360), pieces, strict=True):
        points = [place(east - turn, north) for east, north in piece]
        found.append([point for index, point in enumerate(points) if not index or point != points[index - 1]])
    return [points for points in found if points]


def cut(line: list[Point], edge: float, side: int) -> list[Point]:
    """What of a closed line lies east (1) or west (-1) of a meridian (Sutherland and Hodgman)."""
    kept: list[Point] = []
    for (x0, y0), (x1, y1) in zip([*line[-1:], *line[:-1]], line, strict=True):
        before, after = (x0 - edge) * side >= 0, (x1 - edge) * side >= 0
        if before != after:
            kept.append((edge, y0 + (y1 - y0) * (edge - x0) / (x1 - x0)))
        if after:
            kept.append((x1, y1))
    return kept


def area(points: list[Point]) -> float:
    closed = zip(points, [*points[1:], points[0]], strict=True)
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in closed) / 2


def middle(points: list[Point]) -> Point:
    """The centre of gravity of a ring."""
    x = y = 0.0
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        part = x0 * y1 - x1 * y0
        x, y = x + (x0 + x1) * part, y + (y0 + y1) * part
    size = 6 * area(points)
    return round(x / size, 1), round(y / size, 1)


def figure(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def path(rings: list[list[Point]]) -> str:
    """Relative steps: they are shorter than places."""
    parts = []
    for points in rings:
        (x, y), text = points[0], ""
        for nx, ny in points[1:] if points[0] != points[-1] else points[1:-1]:
            step = f"{figure(round(nx - x, 1))} {figure(round(ny - y, 1))}"
            text += step if not text or step.startswith("-") else f" {step}"
            x, y = nx, ny
        parts.append(f"M{figure(points[0][0])} {figure(points[0][1])}l{text}z")
    return "".join(parts)


def draw(topology: dict[str, Any]) -> dict[str, Any]:
    """The whole file."""
    borders = arcs(topology)
    shapes: dict[str, list[list[Point]]] = {}
    for each in topology["objects"]["countries"]["geometries"]:
        name = each["properties"]["name"]
        code = SHORTENED.get(name) or _countries.code(name)
        if code == "AQ":
            continue
        polygons = [each["arcs"]] if each["type"] == "Polygon" else each["arcs"]
        rings = [one for polygon in polygons for numbers in polygon for one in ring(numbers, borders)]
        # Parts smaller than a dot are left out. Land without a code of its own is drawn, and named nothing.
        shapes.setdefault(code, []).extend(one for one in rings if len(one) > 3 and abs(area(one)) > 0.15)
    middles = {
        code: middle(max(rings, key=lambda one: abs(area(one)))) for code, rings in shapes.items() if code
    }
    return {
        "origin": "Natural Earth, 1:110 million, public domain; TopoJSON of world-atlas 2.0.2",
        "made": f"{datetime.now(UTC).date()} by docs/worldmap.py; Equal Earth projection",
        "width": WIDTH,
        "height": place(0, SOUTH)[1],
        "places": {code: place(*degrees) for code, degrees in sorted(PLACES.items())},
        "middles": dict(sorted(middles.items())),
        "shapes": {code: path(rings) for code, rings in sorted(shapes.items())},
    }  # fmt: skip


if __name__ == "__main__":
    found = draw(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items() if key != "shapes"]
    shapes = ",\n".join(f"{json.dumps(code)}: {json.dumps(text)}" for code, text in found["shapes"].items())
    TARGET.write_text("{\n" + ",\n".join([*lines, f'"shapes": {{\n{shapes}\n}}']) + "\n}\n", "utf-8")
