"""Bad input, one row each: a clear error, its own exit code, and the store exactly as it was.

Every file is made here. A row is a command of the real command line; ``FILE`` is the bytes it is given,
``HOME`` a node that has joined a network, ``LEDGER`` and ``EXERCISE`` what their names say.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import importlib.util
import io
import json
import lzma
import resource
import shlex
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from pyarrow import parquet

from comity import errors, plugins
from comity.chains._bitcoin_wire import double_sha256
from comity.chains.bitcoin import REGTEST
from comity.model import BITCOIN
from comity.node.node import Node


def support(name: str) -> Any:
    """A module of tests/support."""
    path = Path(__file__).parents[1] / "support" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"comity_test_{name}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOMORROW = datetime.now(UTC) + timedelta(days=3)
DOCTYPE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]>"
)


def sample(seam: str, name: str) -> bytes:
    found: bytes = plugins.load(seam, name).SAMPLE
    return found


OFAC, UN, EU, PACK = (sample("lists", name) for name in ("ofac_sdn", "un_sc", "eu_fsf", "tagpack"))
EXTRACT, GENESIS, PACS = sample("lists", "extract"), sample("chains", "bitcoin"), sample("chains", "pacs008")


def changed(data: bytes, old: bytes | str, new: bytes | str) -> bytes:
    """``data`` with the first ``old`` changed, which must be there."""
    old, new = (one.encode() if isinstance(one, str) else one for one in (old, new))
    assert old in data
    return data.replace(old, new, 1)


def declared(data: bytes, doctype: bytes) -> bytes:
    return changed(data, b"?>", b"?>" + doctype)


def bomb(head: bytes, filler: bytes = b" ") -> bytes:
    """A gzip file that claims ten gigabytes: ``head``, then filler; made of one piece, repeated."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    made = pack.compress(head) + pack.flush(zlib.Z_FULL_FLUSH)
    for _ in range(2):  # the second piece no longer depends on what stood before it
        piece = pack.compress(filler * (2**20 // len(filler))) + pack.flush(zlib.Z_FULL_FLUSH)
    return made + piece * 10_240


def row(**cells: str) -> bytes:
    """A CSV file of one transfer, with these cells instead of sound ones."""
    sound = {
        "id": "B-1",
        "time": "2026-03-02T09:00:00Z",
        "originator": "iban:DE89370400440532013000",
        "beneficiary": "acct:EXCHSG:7",
        "amount": "10.00",
        "asset": "EUR",
    }
    made = sound | cells
    return f"{','.join(made)}\n{','.join(made.values())}\n".encode()


def many(count: int) -> bytes:
    """A CSV file of so many sound transfers."""
    head, one, _ = row().split(b"\n")
    return b"\n".join([head, *(one.replace(b"B-1", b"B-%d" % n) for n in range(count)), b""])


def table(**columns: Any) -> bytes:
    """A Parquet file of one transfer, with these columns instead of sound ones."""
    sound = {
        "id": ["B-1"],
        "time": ["2026-03-02T09:00:00Z"],
        "originator": ["acct:A:1"],
        "beneficiary": ["acct:A:2"],
        "amount": ["1"],
        "asset": ["EUR"],
    }
    out = io.BytesIO()
    made = {name: cells for name, cells in (sound | columns).items() if cells is not None}
    parquet.write_table(pa.table(made), out)
    return out.getvalue()


def block(satoshis: int, *, time: int = 1_772_323_200, claimed: int | None = None) -> bytes:
    """A mined block of a regression test network whose coinbase pays this much; framed."""
    coinbase = bytes.fromhex("02000000" + "01" + "00" * 32 + "ffffffff" + "03" + "026f6b" + "ffffffff" + "01")
    coinbase += satoshis.to_bytes(8, "little") + b"\x01\x51" + bytes(4)
    start = b"\x01\x00\x00\x20" + bytes(32) + double_sha256(coinbase)
    start += time.to_bytes(4, "little") + (0x207FFFFF).to_bytes(4, "little")
    headers = (start + nonce.to_bytes(4, "little") for nonce in range(1000))
    mined = next(h for h in headers if int.from_bytes(double_sha256(h), "little") <= REGTEST.limit)
    whole = mined + b"\x01" + coinbase
    return REGTEST.magic + (len(whole) if claimed is None else claimed).to_bytes(4, "little") + whole


def law(*lines: str) -> bytes:
    """A law file that would be sound without these further lines under ``provisions``."""
    head = ("jurisdiction: zz", "name: Nowhere", "extends: fatf", "provisions:")
    return ("\n".join([*head, *(f"  {line}" for line in lines), "cases: []"]) + "\n").encode()


def answers(kind: str, accounts: list[str], schemes: int = 1) -> bytes:
    return json.dumps({"schemes": [{"kind": kind, "accounts": accounts}] * schemes}).encode()


def root_of_nobody() -> bytes:
    key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"  # RFC 8032, test 2
    return json.dumps({"version": 1, "keys": [key], "threshold": 1}).encode()


class Row(NamedTuple):
    """``error`` is the branch whose exit code and name are due, ``words`` stand in what is said."""

    name: str
    command: str
    error: type[errors.ComityError]
    words: str
    data: Callable[[], bytes] = bytes
    suffix: str = ".dat"


LOAD = "lists load FILE --home HOME"
INGEST = "ledger ingest FILE --into LEDGER"
REGTEST_INGEST = f"{INGEST} --option network=regtest"
CHECK = "standard check FILE"
REPORT = "report check FILE"
QUERY = "ledger query SQL --ledger LEDGER"
GRADE = "train grade EXERCISE"
INIT = "node init --name X --role fiu --id x --home HOME/new"
NOBODY = "postgresql+psycopg://nobody@127.0.0.1:1/none"
BAD, LARGE, STRANGE = errors.BadInput, errors.TooLarge, errors.UnknownFormat
GONE, CLASH, FALSE = errors.NotFound, errors.Conflict, errors.Unverified
BROKEN, UNSET = errors.StoreError, errors.SettingsError
ACCOUNT = "acct:EXCHSG:7"

ROWS = [
    # Lists
    Row("empty list", LOAD, STRANGE, "not a file that any", bytes),
    Row("noise", LOAD, STRANGE, "not a file that any", lambda: hashlib.sha256(b"noise").digest() * 100),
    Row("a web page for a list", LOAD, STRANGE, "not a file", lambda: b"<html><body>Sorry</body></html>"),
    Row("no such file", "lists load nowhere.xml --home HOME", BAD, "cannot open nowhere.xml"),
    Row("a directory for a list", "lists load HOME --home HOME", BAD, "a directory"),
    Row("OFAC cut short", LOAD, BAD, "not well-formed", lambda: OFAC[: len(OFAC) // 2]),
    Row(
        "OFAC with an entry taken out",
        LOAD,
        BAD,
        "2 entries where the file says 3",
        lambda: OFAC[: OFAC.rindex(b"<sdnEntry>")] + b"</sdnList>",
    ),
    Row("OFAC that reads a file", LOAD, BAD, "document type", lambda: declared(OFAC, DOCTYPE)),
    Row("OFAC with a billion laughs", LOAD, BAD, "document type", lambda: declared(OFAC, LAUGHS)),
    Row(
        "OFAC from the future",
        LOAD,
        BAD,
        "lies in the future",
        lambda: changed(OFAC, "02/03/2026", f"{TOMORROW:%m/%d/%Y}"),
    ),
    Row("OFAC without its date", LOAD, BAD, "Publish_Date", lambda: changed(OFAC, "02/03/2026", "soon")),
    Row("OFAC of last year", LOAD, CLASH, "is older", lambda: changed(OFAC, "02/03/2026", "02/03/2025")),
    Row(
        "OFAC with a name of a megabyte",
        LOAD,
        LARGE,
        "characters in a list",
        lambda: changed(OFAC, b"QUILLFEATHER STAR", b"Q" * 2**20),
    ),
    Row(
        "OFAC nested a thousand deep",
        LOAD,
        BAD,
        "not well-formed",
        lambda: changed(OFAC, b"<sdnEntry>", b"<a>" * 1000 + b"</a>" * 1000 + b"<sdnEntry>"),
    ),
    Row(
        "OFAC of ten gigabytes", LOAD, LARGE, "decompression bomb", lambda: bomb(OFAC[:-12] + b"<!--"), ".gz"
    ),
    Row("OFAC packed and cut", LOAD, BAD, "cannot be unpacked", lambda: gzip.compress(OFAC)[:-20], ".gz"),
    Row("OFAC packed and cut (bz2)", LOAD, BAD, "cannot be unpacked", lambda: bz2.compress(OFAC)[:-9]),
    Row("OFAC packed and cut (xz)", LOAD, BAD, "cannot be unpacked", lambda: lzma.compress(OFAC)[:-9]),
    Row(
        "UN without its date", LOAD, BAD, "no date of the edition", lambda: changed(UN, b"2026-02-03T", b"T")
    ),
    Row("UN in a wrong encoding", LOAD, BAD, "not well-formed", lambda: changed(UN, b"TARIQ", b"\xff\xfeT")),
    Row("UN with one id twice", LOAD, BAD, "two entries", lambda: changed(UN, b"9000002", b"9000001")),
    Row("EU with one reference twice", LOAD, BAD, "two entries", lambda: changed(EU, b"EU.90.2", b"EU.90.1")),
    Row("EU in UTF-16 that says UTF-8", LOAD, STRANGE, "not a file", lambda: EU.decode().encode("utf-16")),
    Row("a pack with an alias", LOAD, BAD, "anchor or alias", lambda: changed(PACK, b"tags:", b"tags: &a")),
    Row("a pack with a field twice", LOAD, BAD, "appears twice", lambda: PACK + b"title: again\n"),
    Row("a pack without an address", LOAD, BAD, "tag 1", lambda: changed(PACK, b"- address:", b"- ad:")),
    Row(
        "an extract that escapes its directory",
        LOAD,
        BAD,
        "not a list id",
        lambda: EXTRACT.replace(b'"sample"', b'"../../x"'),
    ),
    Row(
        "an extract more certain than certain",
        LOAD,
        BAD,
        "confidence",
        lambda: changed(EXTRACT, b"1.0", b"9.0"),
    ),
    Row("a list under a bad name", f"{LOAD} --as ../../x", BAD, "not a list id", lambda: OFAC),
    # Bitcoin
    Row("a block cut short", INGEST, BAD, "block", lambda: GENESIS[:-30]),
    Row(
        "a block with one bit changed",
        INGEST,
        FALSE,
        "Merkle",
        lambda: changed(GENESIS, b"Chancellor", b"Chancellos"),
    ),
    Row(
        "a block with its work undone",
        INGEST,
        FALSE,
        "work",
        lambda: changed(GENESIS, b"\x1d\xac\x2b\x7c", b"\x1d\xac\x2b\x7d"),
    ),
    Row("a block that is there already", INGEST, CLASH, "already", lambda: GENESIS),
    Row(
        "a block that pays too much",
        REGTEST_INGEST,
        BAD,
        "more than there will ever be",
        lambda: block(22_000_000 * 10**8),
    ),
    Row(
        "a block that pays less than nothing",
        REGTEST_INGEST,
        BAD,
        "more than there will ever be",
        lambda: block(2**64 - 1),
    ),
    Row(
        "a block from the future",
        REGTEST_INGEST,
        BAD,
        "a time out of range",
        lambda: block(1, time=int(TOMORROW.timestamp())),
    ),
    Row("a frame of four gigabytes", REGTEST_INGEST, LARGE, "frame", lambda: block(1, claimed=2**32 - 1)),
    Row("a block and ten gigabytes", REGTEST_INGEST, LARGE, "bomb", lambda: bomb(block(1), b"\0"), ".gz"),
    Row("no such network", f"{INGEST} --option network=moon", BAD, "'moon'", lambda: GENESIS),
    # pacs.008
    Row("a payment cut short", INGEST, BAD, "not well-formed", lambda: PACS[:-200]),
    Row("a payment with entities", INGEST, BAD, "document type", lambda: declared(PACS, LAUGHS)),
    Row(
        "a payment below zero",
        INGEST,
        BAD,
        "not an amount",
        lambda: changed(PACS, b">10000.00<", b">-10000.00<"),
    ),
    Row(
        "an absurd payment",
        INGEST,
        BAD,
        "out of bounds",
        lambda: changed(PACS, b">10000.00<", b">9" + b"9" * 25 + b"<"),
    ),
    Row("a payment in no currency", INGEST, BAD, "XXQ", lambda: changed(PACS, b'Ccy="EUR"', b'Ccy="XXQ"')),
    Row(
        "a tenth of a yen",
        INGEST,
        BAD,
        "decimal places",
        lambda: changed(PACS, b'Ccy="EUR">10000.00', b'Ccy="JPY">10000.10'),
    ),
    Row(
        "a payment from the future",
        INGEST,
        BAD,
        "out of range",
        lambda: changed(PACS, b"2026-03-02T10:00:00+01:00", f"{TOMORROW:%Y-%m-%dT%H:%M:%SZ}"),
    ),
    Row(
        "payments that do not add up",
        INGEST,
        BAD,
        "add up to 10250.50",
        lambda: changed(PACS, b"10250.5<", b"10250.4<"),
    ),
    Row(
        "a payment lost on the way",
        INGEST,
        BAD,
        "2 payments where",
        lambda: changed(PACS, b"<NbOfTxs>2", b"<NbOfTxs>3"),
    ),
    Row(
        "one payment twice",
        INGEST,
        CLASH,
        "in the message twice",
        lambda: PACS.replace(
            b"NOTPROVIDED</EndToEndId>",
            b"INV-7</EndToEndId><UETR>0b9c2a52-5c1a-4a5e-9d3e-0c6b0a3f7c11</UETR>",
        ).replace(b"</UETR><TxId>T-2</TxId>", b"</UETR>"),
    ),
    Row("a payment there already", INGEST, CLASH, "already", lambda: PACS),
    Row(
        "an IBAN with a slip",
        INGEST,
        BAD,
        "IBAN",
        lambda: changed(PACS, b"DE89370400440532013000", b"DE89370400440532013001"),
    ),
    # Tables
    Row("an amount below zero", INGEST, BAD, "row 2: amount: not an amount", lambda: row(amount="-1")),
    Row("an amount that is no number", INGEST, BAD, "not an amount", lambda: row(amount="NaN")),
    Row("an absurd amount", INGEST, BAD, "out of bounds", lambda: row(amount="1" + "0" * 20)),
    Row("an amount with an exponent", INGEST, BAD, "not an amount", lambda: row(amount="1e9")),
    Row("an unknown currency", INGEST, BAD, "XXQ", lambda: row(asset="XXQ")),
    Row("a date in the future", INGEST, BAD, "out of range", lambda: row(time=TOMORROW.isoformat())),
    Row("a date before time", INGEST, BAD, "out of range", lambda: row(time="1969-07-20T20:17:00Z")),
    Row("a time nowhere", INGEST, BAD, "without its offset", lambda: row(time="2026-03-02T09:00:00")),
    Row("a reference twice", INGEST, CLASH, "is there twice", lambda: row() + row().split(b"\n")[1]),
    Row("a reference there already", INGEST, CLASH, "already", lambda: row(id="T-1")),
    Row("a bad last row of many", INGEST, BAD, "row 3,002", lambda: many(3_000) + b"B-X,now,a,b,1,EUR\n"),
    Row("a column missing", INGEST, STRANGE, "not a file", lambda: row().replace(b"amount", b"sum")),
    Row("a cell missing", INGEST, BAD, "5 cells where", lambda: changed(row(), b",EUR", b"")),
    Row("a quote left open", INGEST, BAD, "not CSV", lambda: changed(row(), b"B-1", b'"B-1')),
    Row("a line of two megabytes", INGEST, LARGE, "longer than", lambda: row(id="B" * 2**21)),
    Row("Latin-1", INGEST, BAD, "not UTF-8", lambda: row(reference="M\u00fcller").decode().encode("latin-1")),
    Row("a NUL byte", INGEST, BAD, "NUL", lambda: row(reference="a\0b")),
    Row("UTF-16", INGEST, STRANGE, "not a file", lambda: row().decode().encode("utf-16")),
    Row(
        "an account of no kind", INGEST, BAD, "not an account id", lambda: row(beneficiary="'; DROP TABLE x")
    ),
    Row("a country of three letters", INGEST, BAD, "not a country", lambda: row(originator_country="DEU")),
    Row("a table of ten gigabytes", INGEST, LARGE, "longer than", lambda: bomb(row()), ".csv.gz"),
    Row("a first file cut short", f"{INGEST}/new", BAD, "block", lambda: GENESIS[:-30]),
    Row("a first rate that is no number", f"{INGEST}/new --rate iso4217:EUR=much", BAD, "--rate", row),
    Row("a rate that is no number", f"{INGEST} --rate iso4217:EUR=much", BAD, "--rate", row),
    Row("a rate of nothing known", f"{INGEST} --rate EUR=1.08", BAD, "not an asset id", row),
    Row("an option of nobody", f"{INGEST} --option shade=blue", BAD, "no option 'shade'", row),
    Row("a format of nobody", f"{INGEST} --chain punchcards", STRANGE, "no 'punchcards'", row),
    Row("Parquet cut short", INGEST, BAD, "Parquet", lambda: table()[:-40]),
    Row("Parquet of noise", INGEST, BAD, "Parquet", lambda: b"PAR1" + bytes(range(256)) * 9 + b"PAR1"),
    Row("Parquet with floats", INGEST, BAD, "a float is not exact", lambda: table(amount=[0.1])),
    Row("Parquet below zero", INGEST, BAD, "not an amount", lambda: table(amount=[Decimal("-5.00")])),
    Row(
        "Parquet at the end of time",
        INGEST,
        BAD,
        "out of range",
        lambda: table(time=pa.array([2**62], pa.timestamp("us", "UTC"))),
    ),
    Row("Parquet without amounts", INGEST, BAD, "columns missing", lambda: table(amount=None)),
    Row("Parquet in gzip", f"{INGEST} --chain table", BAD, "packed Parquet", lambda: gzip.compress(table())),
    # Law
    Row(
        "law that is no YAML",
        CHECK,
        errors.LawFileError,
        "line 2",
        lambda: b"jurisdiction: zz\n\tx: [",
        "zz.yaml",
    ),
    Row(
        "law in Latin-1",
        CHECK,
        errors.LawFileError,
        "UTF-8",
        lambda: law("# \u00fc").decode().encode("latin-1"),
        "zz.yaml",
    ),
    Row("law with an alias", CHECK, errors.LawFileError, "anchor", lambda: law("a: &a [*a]"), "zz.yaml"),
    Row(
        "law that runs code",
        CHECK,
        errors.LawFileError,
        "tag",
        lambda: law("a: !!python/object/apply:os.system [id]"),
        "zz.yaml",
    ),
    Row(
        "law of three megabytes",
        CHECK,
        errors.LawFileError,
        "larger than",
        lambda: law(*["# x"] * 700_000),
        "zz.yaml",
    ),
    Row(
        "law that answers what nobody asked",
        CHECK,
        errors.LawFileError,
        "no question",
        lambda: law("shoes.size: []"),
        "zz.yaml",
    ),
    Row(
        "law without a source",
        CHECK,
        errors.LawFileError,
        "`source`",
        lambda: law("vasp.regulated:", "- {value: true, confidence: high, reviewed: 2026-11-22}"),
        "zz.yaml",
    ),
    Row(
        "law in a circle",
        CHECK,
        errors.LawFileError,
        "circle",
        lambda: changed(law(), b"extends: fatf", b"extends: zz").replace(b"provisions:", b"provisions: {}"),
        "zz.yaml",
    ),
    Row(
        "law for another country",
        CHECK,
        errors.LawFileError,
        "name of the file",
        lambda: changed(law(), b"zz", b"yy").replace(b"provisions:", b"provisions: {}"),
        "zz.yaml",
    ),
    Row("no such law", "standard check nowhere.yaml", BAD, "nowhere.yaml"),
    Row("no such country", "standard show qq", GONE, "qq"),
    Row("no such question", "standard show sg shoes.size", GONE, "shoes.size"),
    Row("no such day", "standard show sg --on 2026-02-30", BAD, "not a date"),
    # Reports
    Row("a report that is no XML", REPORT, STRANGE, "not a file", lambda: b"%PDF-1.7"),
    Row(
        "a report cut short",
        REPORT,
        BAD,
        "not well-formed",
        lambda: b"<?xml version='1.0'?>\n<report><rentity_id>1</",
    ),
    Row(
        "a report with entities",
        REPORT,
        BAD,
        "document type",
        lambda: b"<?xml version='1.0'?>" + DOCTYPE + b"<report><rentity_id>1</rentity_id></report>",
    ),
    Row(
        "a report with a billion laughs",
        REPORT,
        BAD,
        "amplification",
        lambda: b"<?xml version='1.0'?>" + LAUGHS + b"<report><rentity_id>&a9;</rentity_id></report>",
    ),
    Row("a report of ten gigabytes", REPORT, LARGE, "more than", lambda: bomb(b"<report>"), ".gz"),
    Row("a device for a report", "report check /dev/zero", BAD, "device"),
    Row(
        "a report, but no schema",
        f"{REPORT} --schema EXERCISE",
        BAD,
        "no schema",
        lambda: b"<report><rentity_id>1</rentity_id></report>",
    ),
    # Screening
    Row("nothing to screen", "screen BLANK --home HOME", BAD, "nothing to screen"),
    Row("an address cut short", "screen 0xd882cfc20f52f2599d84b8e8d58c7fb62cfe34 --home HOME", BAD, "0xd882"),
    Row(
        "an address with a slip",
        f"screen {BITCOIN}:1BitcoinEaterAddressDontSendf59kuF --home HOME",
        BAD,
        "checksum",
    ),
    Row("a birthday that never was", "screen Jones --birth 31.02.1970 --home HOME", BAD, "31.02.1970"),
    Row("a country that is none", "screen Jones --country Atlantis --home HOME", BAD, "Atlantis"),
    # Queries
    Row("no SQL", QUERY.replace("SQL", "'gimme all'"), BAD, "query"),
    Row("a deletion", QUERY.replace("SQL", "'DELETE FROM transfers'"), BAD, "not one SELECT"),
    Row("two statements", QUERY.replace("SQL", "'SELECT 1; SELECT 2'"), BAD, "not one SELECT"),
    Row(
        "a file of the machine",
        QUERY.replace("SQL", "\"SELECT * FROM read_text('/etc/passwd')\""),
        BAD,
        "did not run",
    ),
    Row("a copy out", QUERY.replace("SQL", "\"COPY transfers TO '/tmp/stolen.csv'\""), BAD, "not one SELECT"),
    Row("an attached database", QUERY.replace("SQL", "\"ATTACH '/tmp/x.db'\""), BAD, "not one SELECT"),
    Row("no such ledger", "ledger query 'SELECT 1' --ledger HOME/lists", GONE, "no ledger"),
    # Monitoring and tracing
    Row("a parameter below zero", "monitor LEDGER --set fan_in.min_senders=-1", BAD, "cannot be -1"),
    Row("half a sender", "monitor LEDGER --set fan_in.min_senders=2.5", BAD, "whole number"),
    Row("a parameter that is no number", "monitor LEDGER --set fan_in.min_senders=nan", BAD, "cannot be nan"),
    Row("a parameter in words", "monitor LEDGER --set fan_in.min_senders=many", BAD, "NUMBER"),
    Row("a parameter of nobody", "monitor LEDGER --set fan_in.colour=1", BAD, "no parameter"),
    Row("a typology of nobody", "monitor LEDGER --only astrology", STRANGE, "no 'astrology'"),
    Row("lists that are not there", "monitor LEDGER --lists EXERCISE", GONE, "no lists"),
    Row("an account of nobody", "trace LEDGER acct:NOBODY:1", GONE, "no account"),
    Row("no hops", f"trace LEDGER {ACCOUNT} --hops 0", BAD, "bounds"),
    Row("a share that is no number", f"trace LEDGER {ACCOUNT} --min-share nan", BAD, "bounds"),
    Row("a drawing nowhere", f"trace LEDGER {ACCOUNT} --svg HOME/no/where.svg", BROKEN, "where.svg"),
    # A network
    Row(
        "a root of somebody else",
        "node join --root FILE --commons HOME/commons.json --home HOME",
        CLASH,
        "another root",
        lambda: root_of_nobody(),
    ),
    Row(
        "a root that is none",
        "node join --root FILE --commons HOME/commons.json --home OTHER",
        BAD,
        "Root",
        lambda: b"{}",
    ),
    Row(
        "a root whose threshold is nought",
        "node join --root FILE --commons HOME/commons.json --home OTHER",
        BAD,
        "threshold",
        lambda: b'{"version":1,"keys":[],"threshold":0}',
    ),
    Row(
        "a bundle another root signed",
        "node join --root FILE --commons HOME/commons.json --home OTHER",
        FALSE,
        "signatures",
        lambda: root_of_nobody(),
    ),
    Row(
        "a bundle that is none",
        "node join --root HOME/commons-root.json --commons FILE --home HOME",
        BAD,
        "not a Bundle",
        lambda: b"[[[[" * 9999,
    ),
    Row(
        "a bundle out of noise",
        "node join --root HOME/commons-root.json --commons FILE --home HOME",
        BAD,
        "not base64",
        lambda: b'{"payload":"?","signatures":{}}',
    ),
    Row(
        "a bundle of ten gigabytes",
        "node join --root HOME/commons-root.json --commons FILE --home HOME",
        LARGE,
        "more than",
        lambda: bomb(b"{"),
        ".gz",
    ),
    Row("no bundle", "node join --root HOME/commons-root.json --commons nowhere --home HOME", BAD, "nowhere"),
    Row(
        "a node where one is",
        "node init --id x --name X --role fiu --country SG --home HOME",
        CLASH,
        "already",
    ),
    Row("a node of no country", f"{INIT} --country SGP", BAD, "not a country"),
    Row("a node of no id", f"{INIT} --country SG --id a/b", BAD, "not a member id"),
    Row("a node that reports in words", f"{INIT} --country SG --currency dollars", BAD, "not a currency"),
    Row("a node with a rate of words", f"{INIT} --country SG --rate EUR=much", BAD, "not a rate"),
    Row("a node on a database of no kind", f"{INIT} --country SG --database x://y", UNSET, "database URL"),
    Row("a node on a database of nobody", f"{INIT} --country SG --database {NOBODY}", BROKEN, "database"),
    Row("no node", "node status --home EXERCISE", UNSET, "no node"),
    # Cases and the log
    Row("a case on nothing found", "case open f-0 --home HOME", GONE, "f-0"),
    Row("no such case", "case decide c-0 report --by A --grounds B --home HOME", GONE, "c-0"),
    Row("no such entry", "audit receipt 999999 --home HOME", GONE, "999"),
    Row("an entry past all numbers", f"audit receipt {10**30} --home HOME", GONE, "entry"),
    Row("an entry before the first", "audit show --start -1 --home HOME", BAD, "--start"),
    Row("less than no rows", "case findings --limit -1 --home HOME", BAD, "--limit"),
    Row(
        "a checkpoint of noise",
        "audit verify --checkpoint FILE --home HOME",
        FALSE,
        "not a signed note",
        lambda: b"\xff\xfe" * 99,
    ),
    Row("no such message", "exchange read m-0 --home HOME", GONE, "m-0"),
    # Training
    Row("answers that are no JSON", GRADE, BAD, "Answers", lambda: b"{", "answers.json"),
    Row(
        "answers of no kind", GRADE, BAD, "kind", lambda: answers("witchcraft", ["acct:A:1"]), "answers.json"
    ),
    Row("answers about nobody", GRADE, BAD, "0 accounts", lambda: answers("cycle", []), "answers.json"),
    Row(
        "answers that name everybody",
        GRADE,
        BAD,
        "accounts",
        lambda: answers("cycle", [f"acct:A:{n}" for n in range(9_999)]),
        "answers.json",
    ),
    Row(
        "a thousand answers",
        GRADE,
        BAD,
        "1000 schemes",
        lambda: answers("cycle", ["acct:A:1"], 1_000),
        "answers.json",
    ),
    Row("answers ten thousand deep", GRADE, BAD, "Answers", lambda: b"[" * 10_000, "answers.json"),
    Row("answers of two megabytes", GRADE, LARGE, "more than", lambda: b" " * 2**21, "answers.json"),
    Row(
        "answers under another seed",
        f"{GRADE} --seed 8",
        FALSE,
        "seed",
        lambda: answers("cycle", ["acct:A:1"]),
        "answers.json",
    ),
    # The command line itself
    Row("an option of no command", "lists show --home HOME --shade blue", BAD, "--shade"),
    Row("a command of nobody", "launder", BAD, "launder"),
]


class Store(NamedTuple):
    """What the commands act on."""

    home: Path
    other: Path
    ledger: Path
    exercise: Path

    def state(self) -> dict[str, str]:
        """What is stored, by file: the digest of its bytes; of a database, of its contents."""
        found = {}
        for path in sorted(self.home.rglob("*")):
            name = str(path.relative_to(self.home))
            if not path.is_file() or path.name == "lock" or path.suffix in {".db-wal", ".db-shm"}:
                continue
            if path.suffix == ".db":
                with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                    content = "\n".join(database.iterdump()).encode()
            else:
                content = path.read_bytes()
            found[name] = hashlib.sha256(content).hexdigest()
        return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, comity: Callable[..., Any]) -> Iterator[Store]:
    """A node in a network, with lists in force and transfers in its ledger; another; and an exercise."""
    place = tmp_path_factory.mktemp("store")
    found = Store(place / "node", place / "other", place / "node" / "ledger", place / "exercise")
    for home, name in ((found.home, "sg-vasp"), (found.other, "de-vasp")):
        who = ("--id", name, "--name", name, "--role", "vasp", "--country", name[:2])
        assert comity("node", "init", *who, "--home", home).code == 0
    node = Node.open(found.home)
    root, bundle = support("network").found([node], datetime.now(UTC))
    node.join(root, bundle)
    node.close()
    for seam, name, command in (
        ("lists", "ofac_sdn", LOAD),
        ("lists", "tagpack", LOAD),
        ("chains", "table", INGEST),
        ("chains", "pacs008", INGEST),
        ("chains", "bitcoin", INGEST),
    ):
        (place / "file").write_bytes(sample(seam, name))
        assert comity(*arguments(command, found, place / "file")).code == 0
    assert comity("train", "play", "--to", found.exercise).code == 0
    assert comity("monitor", found.ledger, "--lists", found.home / "lists").code == 0  # makes the columns
    yield found


def arguments(command: str, store: Store, file: Path) -> list[str]:
    """The command's arguments, with what they name put in."""
    names = {
        "FILE": file,
        "HOME": store.home,
        "OTHER": store.other,
        "LEDGER": store.ledger,
        "EXERCISE": store.exercise,
        "BLANK": " ",
    }
    found = []
    for word in shlex.split(command):
        first, slash, rest = word.partition("/")
        found.append(f"{names[first]}{slash}{rest}" if first in names else word)
    return found


@pytest.fixture
def untouched(store: Store) -> Iterator[None]:
    """The store is after the test what it was before."""
    before = store.state()
    assert {"ledger/manifest.json", "lists/ofac_sdn.jsonl.gz", "comity.db", "commons.json"} <= set(before)
    yield
    assert store.state() == before


def place(row: Row, store: Store, folder: Path) -> Path:
    """The row's file, where its command looks for it."""
    file = folder / f"input{row.suffix}" if row.suffix.startswith(".") else folder / row.suffix
    if row.suffix == "answers.json":
        file = store.exercise / row.suffix
    file.write_bytes(row.data())
    return file


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_bad_input_is_refused_and_changes_nothing(
    row: Row, store: Store, tmp_path: Path, comity: Callable[..., Any]
) -> None:
    command = arguments(row.command, store, place(row, store, tmp_path))
    ran = comity(*command, "--json")
    assert ran.code == row.error.exit_code, ran.err
    said = json.loads(ran.err)
    assert set(said) == {"error", "what", "why", "remedy"} and said["what"] and said["remedy"], said
    assert said["error"] == row.error.__name__
    assert row.words and row.words in said["what"] + said["why"], said
    assert ran.out == ""
    ran = comity(*command)
    assert ran.code == row.error.exit_code, ran.err
    assert "Traceback" not in ran.err and ran.out == ""
    if ran.err.startswith("comity: "):
        assert said["what"] in ran.err and f"What to do: {said['remedy']}" in ran.err
    else:
        assert "Error" in ran.err and row.words in ran.err  # Typer's own words


IN_A_PROCESS = (
    "OFAC of ten gigabytes",
    "a block and ten gigabytes",
    "a payment with entities",
    "a deletion",
    "a command of nobody",
)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("row", [row for row in ROWS if row.name in IN_A_PROCESS], ids=lambda row: row.name)
def test_the_same_in_a_process_with_little_memory(row: Row, store: Store, tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**30))

    command = [sys.executable, "-m", "comity", *arguments(row.command, store, place(row, store, tmp_path))]
    done = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, check=False, timeout=60, preexec_fn=limit
    )
    assert done.returncode == row.error.exit_code, done.stderr
    assert json.loads(done.stderr)["error"] == row.error.__name__
    assert done.stdout == ""


def test_the_table_is_long_and_names_each_row_once() -> None:
    assert len(ROWS) >= 40
    assert len({row.name for row in ROWS}) == len(ROWS)
