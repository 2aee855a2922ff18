"""Distrust: bounded streams, hardened XML, strict figures."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from comity import intake
from comity.errors import BadInput, TooLarge

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress, bz2.compress, lzma.compress])
def test_sources_are_unpacked_by_their_first_bytes(tmp_path: Path, pack: object) -> None:
    path = tmp_path / "file"
    path.write_bytes(pack(b"hello" * 1000))  # type: ignore[operator]
    with intake.open_source(path) as stream:
        assert intake.peek(stream, 5) == b"hello"
        assert stream.read() == b"hello" * 1000


def test_bombs_and_oversized_files_are_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(b"\0" * (intake.RATIO_GRACE + 1024 * 1024), 9))
    with pytest.raises(TooLarge, match="times its size"), intake.open_source(bomb) as stream:
        while stream.read(1 << 20):
            pass
    with pytest.raises(TooLarge, match="more than 10"), intake.open_source(bomb, limit=10):
        pass
    small = tmp_path / "small.gz"
    small.write_bytes(gzip.compress(b"x" * 500))
    with pytest.raises(TooLarge, match="more than 100 bytes"), intake.open_source(small, limit=100) as stream:
        stream.read()


def test_a_large_bomb_is_stopped_as_early_as_a_small_one(tmp_path: Path) -> None:
    """What counts is what was read of the packed file so far, not how large it is."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = pack.compress(bytes(1 << 20)) + pack.flush(zlib.Z_FULL_FLUSH)
    again = pack.compress(bytes(1 << 20)) + pack.flush(zlib.Z_FULL_FLUSH)
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(piece + again * 10_239)  # ten gigabytes in ten megabytes
    read = 0
    with pytest.raises(TooLarge, match="times its size"), intake.open_source(bomb) as stream:
        while data := stream.read(1 << 16):
            read += len(data)
    assert intake.RATIO_GRACE - (1 << 16) <= read <= intake.RATIO_GRACE


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_damaged_packing_is_bad_input(tmp_path: Path, pack: object) -> None:
    path = tmp_path / "cut"
    path.write_bytes(pack(bytes(range(256)) * 400)[:-20])  # type: ignore[operator]
    with pytest.raises(BadInput, match="cannot be unpacked"), intake.open_source(path) as stream:
        stream.read()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot open gone"):
        intake.open_source(tmp_path / "gone")


def test_elements_stream_and_are_freed() -> None:
    xml = b"<r v='1'>" + b"<e><n>x</n></e>" * 1000 + b"</r>"
    elements = intake.xml_elements(io.BytesIO(xml), "e")
    root = next(elements)
    assert root.get("v") == "1"
    assert sum(element.findtext("n") == "x" for element in elements) == 1000
    assert len(root) <= 1, "what was read is let go"


@pytest.mark.parametrize(
    "xml",
    [
        b'<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r>&e;</r>',
        b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><r>&b;</r>',
        b"<!DOCTYPE r><r/>",
        b"<r><e></r>",
        b"<r>",
        b"",
        b"\xff\xfe<\0r\0",
        b"<r>\x00</r>",
        b"<r>" + b"<d>" * 300 + b"</d>" * 300 + b"</r>",
    ],
)
def test_hostile_xml_is_refused(xml: bytes) -> None:
    with pytest.raises(BadInput):
        list(intake.xml_elements(io.BytesIO(xml), "e"))
    with pytest.raises(BadInput):
        intake.xml_document(xml)


def test_documents_are_bounded() -> None:
    assert intake.xml_document(b"<r/>").tag == "r"
    with pytest.raises(TooLarge):
        intake.xml_document(b"<r/>", limit=3)


@pytest.mark.parametrize("text", ["0", "1.50", "999999999999999999.999999999999999999", " 7 "])
def test_amounts_are_exact(text: str) -> None:
    assert intake.amount(text, "row 1") == Decimal(text.strip())


@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "+1",
        "1e9",
        "NaN",
        "Infinity",
        "1,000",
        "",
        "1.",
        ".5",
        "10" * 10,
        "0." + "0" * 18 + "1",
        "1" * 18 + "." + "1" * 19,
        "٣",
    ],
)
def test_absurd_amounts_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="row 1"):
        intake.amount(text, "row 1")


def test_times_carry_an_offset_and_lie_in_the_past() -> None:
    assert intake.instant("2026-01-01T08:00:00+08:00", "x", NOW) == datetime(2026, 1, 1, tzinfo=UTC)
    for text in (
        "2026-01-01T00:00:00",
        "soon",
        "1969-12-31T23:59:59Z",
        "2999-01-01T00:00:00Z",
        "",
        "0001-01-01T00:00:00+23:00",
    ):
        with pytest.raises(BadInput, match="x:"):
            intake.instant(text, "x", NOW)
    assert intake.past(NOW + timedelta(hours=23), "x", NOW)


def test_days() -> None:
    assert intake.day("2026-02-28", "x").isoformat() == "2026-02-28"
    with pytest.raises(BadInput, match="not a date"):
        intake.day("2026-02-30", "x")
