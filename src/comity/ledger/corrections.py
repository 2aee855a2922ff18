"""A file of corrections: which transfers to replace, and by what; and which never were.

CSV has the columns of `comity.chains.table` and two more: ``corrects``, the id of the earlier transfer,
and, where there are such rows, ``void``: with ``yes`` in it that transfer never was, and the other cells are
empty. An empty ``id`` keeps the id that is corrected. JSON is a list of ``{"corrects": ID, "transfer": {…}}``
and ``{"corrects": ID, "void": true}``; a transfer is written as the API writes one.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from comity import codec, intake
from comity.chains import Intake, table
from comity.errors import BadInput, TooLarge
from comity.model import AccountId, Transfer

MAX_FILE = 64 * 1024 * 1024
MAX_ROWS = 200_000
_VOID = {"": False, "no": False, "yes": True}


@dataclass(frozen=True, slots=True)
class Corrections:
    """What `Ledger.correct` takes, and what there is to say about the file."""

    replacements: Mapping[str, Transfer]
    voids: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_corrections(path: Path, *, now: datetime, options: Mapping[str, str] | None = None) -> Corrections:
    """The corrections of a file. ``options`` are those of the table's reader, for CSV.

    Raises BadInput naming the row, TooLarge beyond `MAX_FILE` bytes or `MAX_ROWS` corrections.
    """
    with intake.open_source(path, limit=MAX_FILE) as stream:
        data = stream.read()
    if data.lstrip()[:1] in {b"[", b"{"}:
        return _json(path.name, data, now)
    return _csv(path.name, data, Intake(now, dict(options or {})))


def _csv(name: str, data: bytes, state: Intake) -> Corrections:
    """Rows that void are read here; the others become a table, with an empty line for each of the former so
    that its reader names the right row."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{name} is not UTF-8", remedy="save the file as UTF-8") from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=_delimiter(text))
    given = io.StringIO(newline="")
    writer = csv.writer(given, lineterminator="\n")
    corrects: list[str] = []
    voids: list[str] = []
    try:
        header = [cell.strip() for cell in next(rows, [])]
        if "corrects" not in header:
            raise BadInput(
                f"{name} has no column `corrects`",
                why="a correction names the transfer that it corrects",
                remedy="add the column, with the id of the earlier transfer in each row",
            )
        identity = state.options.get("map.id", "id")
        if identity not in header:
            header.append(identity)  # every row keeps the id that it corrects
        writer.writerow(cell for cell in header if cell not in {"corrects", "void"})
        for number, row in enumerate(rows, 2):
            if not row:
                given.write("\n")
                continue
            cells = _cells(header, row, number)
            earlier = _id(cells.pop("corrects"), f"row {number:,}")
            if intake.choice(cells.pop("void", ""), _VOID, f"row {number:,}: void"):
                _only(cells, number)
                voids.append(earlier)
                given.write("\n")
                continue
            cells[identity] = cells[identity] or earlier
            corrects.append(earlier)
            writer.writerow(cells.values())
    except csv.Error as error:
        raise BadInput(f"{name}: not CSV", why=str(error), remedy="quote as RFC 4180 says") from None
    found = list(table.read(io.BytesIO(given.getvalue().encode()), state)) if corrects else []
    return _whole(list(zip(corrects, found, strict=True)), voids, tuple(state.notes))


def _cells(header: list[str], row: list[str], number: int) -> dict[str, str]:
    if len(set(header)) < len(header):
        raise BadInput("a column occurs twice", remedy="rename one of them")
    if not len(header) - 1 <= len(row) <= len(header):
        raise BadInput(
            f"row {number:,}: {len(row)} cells where the header has {len(header)}",
            why="a separator is missing, or a text with one is not in quotes",
            remedy="correct that row",
        )
    return dict(zip(header, (*(cell.strip() for cell in row), ""), strict=False))


def _only(cells: Mapping[str, str], number: int) -> None:
    if filled := sorted(name for name, cell in cells.items() if cell):
        raise BadInput(
            f"row {number:,}: void, and yet {filled[0]!r} is filled in",
            why="a transfer either never was, or was another",
            remedy="empty the other cells, or leave `void` empty",
        )


def _json(name: str, data: bytes, now: datetime) -> Corrections:
    try:
        plain = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{name}: not JSON", why=str(error)[:200], remedy="correct it") from None
    replacements: list[tuple[str, Transfer]] = []
    voids: list[str] = []
    for number, item in enumerate(plain if isinstance(plain, list) else [plain], 1):
        where = f"correction {number:,}"
        shape = set(item) if isinstance(item, dict) else set()
        if shape == {"corrects", "void"} and item["void"] is True:
            voids.append(_id(item["corrects"], where))
        elif shape == {"corrects", "transfer"}:
            earlier = _id(item["corrects"], where)
            replacements.append((earlier, _transfer(item["transfer"], earlier, where, now)))
        else:
            raise BadInput(
                f"{where}: neither a replacement nor void",
                why="it has `corrects` and `transfer`, or `corrects` and `void`: true, and nothing else",
                remedy='write {"corrects": "ID", "transfer": {…}} or {"corrects": "ID", "void": true}',
            )
    return _whole(replacements, voids, ())


def _transfer(plain: Any, earlier: str, where: str, now: datetime) -> Transfer:
    """A transfer from JSON, held to what a table's reader holds rows to."""
    try:
        found = codec.from_plain(Transfer, {"id": earlier, **plain} if isinstance(plain, dict) else plain)
        for end in (found.originator, found.beneficiary):
            AccountId.parse(end.value)
        if found.time.tzinfo is None:
            raise BadInput("a time without its offset", remedy="add Z or an offset such as +08:00")
        intake.past(found.time, "time", now)
        for number, field in ((found.amount and found.amount.quantity, "amount"), (found.value, "value")):
            if number is not None:
                intake.amount(format(number, "f"), field)
    except BadInput as error:
        raise type(error)(f"{where}: {error.what}", why=error.why, remedy=error.remedy) from None
    return replace(found, id=_id(found.id, where))


def _id(given: Any, where: str) -> str:
    text = given.strip() if isinstance(given, str) else ""
    if not (0 < len(text) <= 512 and text.isprintable()):
        raise BadInput(f"{where}: no id of a transfer: {str(given)[:40]!r}", remedy="write the id")
    return text


def _whole(replacements: list[tuple[str, Transfer]], voids: list[str], notes: tuple[str, ...]) -> Corrections:
    """Each id once, and not too many."""
    count = len(replacements) + len(voids)
    if count > MAX_ROWS:
        raise TooLarge(
            f"{count:,} corrections at once", remedy=f"at most {MAX_ROWS:,} are read: split the file"
        )
    by_id = dict(replacements)
    if len(by_id.keys() | set(voids)) < count:
        seen: set[str] = set()
        for name in [*(name for name, _ in replacements), *voids]:
            if name in seen:
                raise BadInput(f"transfer {name!r} is corrected twice", remedy="correct it once")
            seen.add(name)
    if not count:
        raise BadInput("no correction in the file", remedy="write one in each row")
    return Corrections(by_id, tuple(voids), notes)


def _delimiter(text: str) -> str:
    line = text.partition("\n")[0]
    return max(",;\t", key=line.count)
