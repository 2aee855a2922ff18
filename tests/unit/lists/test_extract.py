from __future__ import annotations

import io
import json

import pytest

from comity.errors import BadInput, TooLarge
from comity.lists import extract
from comity.lists.extract import Header, lines
from comity.model import AccountId, Identifier, Listing, ListingKind, Party, PartyKind

ENTRY = Listing(
    "mine",
    "1",
    ListingKind.ATTRIBUTION,
    Party(
        "Ünal Örnek", PartyKind.NATURAL, ("مثال",), "1971", ("TR",), ("1 Street",), (Identifier("tax", "0"),)
    ),
    ("scam",),
    (AccountId("eip155:1:0x00000000000000000000000000000000c0ffee01"),),
    "2020-01-01",
    "urn:x",
    0.0,
    "x",
)


def packed(*entries: Listing, **changes: object) -> bytes:
    header = Header("mine", "2026-02-03", "o", "t", len(entries), **changes)  # type: ignore[arg-type]
    return b"".join(lines(header, entries))


def read(data: bytes) -> list[Listing]:
    return list(extract.read(io.BytesIO(data)).listings)


def test_what_is_written_is_read() -> None:
    plain = Listing("mine", "2", ListingKind.SANCTION, Party("X"))
    assert read(packed(ENTRY, plain))[1] == plain
    assert read(packed(ENTRY))[0].party == ENTRY.party


def test_a_confidence_of_nothing_survives() -> None:
    """Zero is a figure here, not an empty field: dropped, it would come back as certainty."""
    assert read(packed(ENTRY)) == [ENTRY]


def test_an_empty_list_is_written() -> None:
    assert json.loads(packed().splitlines()[0])["entries"] == 0
    assert read(packed()) == []


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (packed(ENTRY).replace(b'"entries":1', b'"entries":2'), "1 entries where the file says 2"),
        (packed(ENTRY, ENTRY), "two entries"),
        (packed(ENTRY).replace(b'"mine","listed_on"', b'"other","listed_on"'), "does not belong"),
        (packed(ENTRY).replace(b'"confidence":0.0', b'"confidence":7'), "does not belong"),
        (
            packed(ENTRY).replace(b'"version":"2026-02-03"', b'"version":"20260203"'),
            "Comity extract|no date",
        ),
        (packed(ENTRY).replace(b'"version":"2026-02-03"', b'"version":"2026-02-03T00:00"'), "Comity extract"),
        (packed(ENTRY).replace(b"comity-extract", b"other"), "Comity extract"),
        (packed(ENTRY).replace(b'"entries":1', b'"entries":-1'), "Comity extract"),
        (packed(ENTRY).replace(b'"kind":"attribution"', b'"kind":"rumour"'), "not a Listing"),
        (packed(ENTRY).replace(b"eip155:1:", b"eip155 1 "), "not a Listing|not an account"),
        (packed(ENTRY).replace("Ünal Örnek".encode(), b""), "does not belong"),
        (packed(ENTRY)[:-20], "not a Listing"),
    ],
)
def test_refused(data: bytes, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        read(data)


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(TooLarge):
        read(packed(ENTRY) + b'{"' + b"x" * (extract.MAX_LINE + 10))
