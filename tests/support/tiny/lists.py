"""A tiny list: a header with the day and the count, an entry a line, and the word ``end``."""

from __future__ import annotations

from typing import BinaryIO

from comity.errors import BadInput
from comity.intake import day
from comity.lists import Edition, ListSpec
from comity.model import AccountId, Listing, ListingKind, Party

SPEC = ListSpec("tiny", "The tiny authority", "Tiny list", "", 1, "for tests")
SAMPLE = b"tiny-list 2026-02-03 2\n1|Tiny Tim|acct:TINY:1\n2|Tina Tiny|acct:TINY:2\nend\n"


def sniff(head: bytes) -> bool:
    """Whether the file begins as a tiny list does."""
    return head.startswith(b"tiny-list ")


def read(stream: BinaryIO) -> Edition:
    """Read a whole tiny list. Raises BadInput."""
    try:
        lines = stream.read(1 << 20).decode().split("\n")
        word, version, count = lines[0].split(" ")
        rows = [line.split("|") for line in lines[1:-2]]
        sound = word == "tiny-list" and lines[-2:] == ["end", ""] and len(rows) == int(count)
        if not sound or "\0" in "".join(lines):
            raise ValueError("it is cut short or damaged")
        entries = [_listing(*row) for row in rows]
    except (ValueError, TypeError, IndexError) as error:
        raise BadInput("not a tiny list", why=str(error), remedy="fetch it again") from None
    return Edition("tiny", day(version, "tiny list").isoformat(), iter(entries))


def _listing(entry: str, name: str, account: str) -> Listing:
    return Listing("tiny", entry, ListingKind.SANCTION, Party(name), ("TINY",), (AccountId.parse(account),))
