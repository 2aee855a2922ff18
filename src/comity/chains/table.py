"""Tables of transfers: CSV (UTF-8; comma, semicolon or tab) and Apache Parquet.

Source: our own layout. One row is one transfer. Columns, in any order:

- ``id``, ``time`` (ISO 8601 with its offset, or a Parquet timestamp), ``originator`` and ``beneficiary``
  (accounts: CAIP-10, ``iban:…`` or ``acct:INSTITUTION:NUMBER``), ``amount`` (digits and a point; in Parquet
  text, a decimal or a whole number, never a float), ``asset`` (CAIP-19, ``iso4217:EUR`` or ``EUR``)
- optionally ``value`` (in the ledger's reference currency) and ``reference``; and for each side, as
  ``originator_…`` and ``beneficiary_…``: ``institution``, ``country``, ``name``, ``birth_date`` and
  ``document`` (``KIND/COUNTRY/NUMBER``, the country may be empty); and ``intermediaries`` (``;`` between)

The option ``map.COLUMN=THEIRS`` reads COLUMN from their column THEIRS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from stdnum import iban
from stdnum.exceptions import ValidationError

from comity import intake as distrust
from comity.chains import ChainSpec, Intake
from comity.chains._currencies import currency
from comity.chains._table_rows import COLUMNS, REQUIRED, Cell, csv_rows, delimiter, parquet_rows
from comity.chains._time import utc, zone
from comity.errors import BadInput, TooLarge
from comity.model import AccountId, Amount, AssetId, Identifier, Party, PartyKind, Transfer

SPEC = ChainSpec(
    id="table",
    title="Tables of transfers: CSV and Parquet",
    source="Comity's own columns; CSV as RFC 4180; Apache Parquet",
    options={
        "asset": "the asset of every row, where there is no such column: EUR, iso4217:EUR or CAIP-19",
        "timezone": "IANA name of the zone of times written without an offset",
        "map.COLUMN": "the name of their column that holds COLUMN",
    },
)

SAMPLE = b"""id,time,originator,beneficiary,amount,asset,originator_name,originator_document
T-1,2026-03-02T09:00:00Z,iban:DE89370400440532013000,acct:EXCHSG:7,1000.50,EUR,Anna Muster,passport/DE/C01X
T-2,2026-03-02T10:00:00+01:00,acct:EXCHSG:7,eip155:1:0x8ba1f109551bD432803012645Ac136ddd64DBA72,2,EUR,,
"""
SAMPLE_TRANSFERS = 2

_LONGEST = 512
_CACHED = 1 << 18
_COUNTRY = re.compile(r"[A-Z]{2}")
_INSTITUTION = re.compile(r"[-_.a-zA-Z0-9]{1,64}")
_BIRTH = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def sniff(head: bytes) -> bool:
    """A Parquet file, or a first line that names the columns. With other names: state the format."""
    if head[:4] == b"PAR1":
        return True
    try:
        line = head.split(b"\n", 1)[0].decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    names = {name.strip().strip('"') for name in line.split(delimiter(line))}
    return names.issuperset(REQUIRED)


def read(stream: BinaryIO, intake: Intake) -> Iterator[Transfer]:
    """One transfer a row. Raises BadInput or TooLarge, naming the row and the column."""
    local = zone(intake.options["timezone"]) if "timezone" in intake.options else None
    default = None
    if "asset" in intake.options:
        default = _asset(intake.options["asset"])
    mapping = _mapping(intake)
    head = stream.read(4)
    packed = head == b"PAR1"
    rows = parquet_rows(stream, mapping, intake) if packed else csv_rows(head, stream, mapping, intake)
    for number, row in rows:
        try:
            transfer = _transfer(row, default, local, intake.now)
        except BadInput as error:
            raise type(error)(f"row {number:,}: {error.what}", why=error.why, remedy=error.remedy) from None
        intake.transactions += 1
        yield transfer


def _mapping(intake: Intake) -> dict[str, str]:
    mapping = {name[4:]: theirs for name, theirs in intake.options.items() if name.startswith("map.")}
    for column in mapping:
        if column not in COLUMNS:
            raise BadInput(
                f"map.{column}: there is no such column", remedy=f"map one of: {', '.join(COLUMNS)}"
            )
    return mapping


def _transfer(
    row: tuple[Any, ...], default: AssetId | None, local: ZoneInfo | None, now: datetime
) -> Transfer:
    name, time, originator, beneficiary, amount, asset, value, *more = row
    from_bank, to_bank, from_country, to_country, between, reference, *people = more
    if asset:
        unit = _asset(asset)
    elif default is not None:
        unit = default
    else:
        raise BadInput("asset: empty", remedy="fill the column, or give the option asset=…")
    payer, payee = people[:3], people[3:]
    return Transfer(
        _text(name, "id") or _missing("id"),
        _time(time, local, now),
        _account(originator, "originator"),
        _account(beneficiary, "beneficiary"),
        Amount(_number(amount, "amount"), unit),
        None if value is None or value == "" else _number(value, "value"),
        _institution(from_bank, "originator_institution") if from_bank else "",
        _institution(to_bank, "beneficiary_institution") if to_bank else "",
        _country(from_country, "originator_country") if from_country else "",
        _country(to_country, "beneficiary_country") if to_country else "",
        _party("originator", *payer) if any(payer) else None,
        _party("beneficiary", *payee) if any(payee) else None,
        _between(between) if between else (),
        _text(reference, "reference"),
    )


def _text(cell: Cell, column: str) -> str:
    if not cell:
        return ""
    text = cell if isinstance(cell, str) else str(cell)
    if len(text) > _LONGEST:
        raise TooLarge(f"{column}: a text of {len(text):,} characters", remedy=f"at most {_LONGEST} are read")
    if not text.isprintable() and _CONTROL.search(text):
        raise BadInput(
            f"{column}: control characters in {text[:40]!r}", remedy="remove them, or fix the encoding"
        )
    return text.strip()


def _missing(column: str) -> str:
    raise BadInput(f"{column}: empty", remedy="every row needs it")


def _number(cell: Cell, column: str) -> Decimal:
    if isinstance(cell, str):
        return distrust.amount(cell, column)
    if not isinstance(cell, Decimal):
        return distrust.amount(_missing(column) if cell is None else str(cell), column)
    exponent = cell.as_tuple().exponent
    if 0 <= cell < distrust.MAX_AMOUNT and isinstance(exponent, int) and -exponent <= distrust.MAX_PLACES:
        return cell
    return distrust.amount(format(cell, "f"), column)


def _time(cell: Cell, local: ZoneInfo | None, now: datetime) -> datetime:
    if isinstance(cell, datetime):
        time = cell
    else:
        text = str(cell or "").strip()
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise BadInput(
                f"time: not a time: {text[:40]!r}",
                remedy="write ISO 8601, for example 2026-03-01T12:00:00Z",
            ) from None
    if time.tzinfo is None:
        if local is None:
            raise BadInput(
                f"time: without its offset: {time.isoformat()}",
                why="deadlines and order depend on it",
                remedy="add Z or an offset such as +08:00, or give the option timezone=…",
            )
        time = time.replace(tzinfo=local)
    return utc(time, "time", now)


@lru_cache(_CACHED)
def _account(cell: Cell, column: str) -> AccountId:
    """The canonical account: addresses that ignore case in lower case, IBANs with right check digits."""
    text = _text(cell, column)
    try:
        account = AccountId.parse(text)
        if text.startswith("iban:"):
            iban.validate(text[5:], check_country=False)
    except BadInput as error:
        raise BadInput(f"{column}: {error.what}", why=error.why, remedy=error.remedy) from None
    except ValidationError:
        raise BadInput(
            f"{column}: not an IBAN: {text[5:]!r}",
            why="its length, form or check digits do not hold (ISO 13616)",
            remedy="correct it, or write acct:INSTITUTION:NUMBER",
        ) from None
    chain, address = account.chain or "", account.address
    if chain.startswith("eip155:") or (chain.startswith("bip122:") and address[:3].lower() == "bc1"):
        return AccountId(f"{chain}:{address.lower()}")
    return account


@lru_cache(1024)
def _asset(cell: Cell) -> AssetId:
    text = _text(cell, "asset")
    code = text.removeprefix("iso4217:")
    if len(code) == 3:
        return currency(code, "asset")
    try:
        return AssetId.parse(text)
    except BadInput as error:
        raise BadInput(f"asset: {error.what}", why=error.why, remedy=error.remedy) from None


@lru_cache(_CACHED)
def _institution(cell: Cell, column: str) -> str:
    text = _text(cell, column)
    if text and not _INSTITUTION.fullmatch(text):
        raise BadInput(
            f"{column}: not an institution id: {text[:40]!r}",
            why="letters, digits and - _ . are read, at most 64",
            remedy="write the id that the directory gives it",
        )
    return text


@lru_cache(1024)
def _country(cell: Cell, column: str) -> str:
    text = _text(cell, column)
    if text and not _COUNTRY.fullmatch(text):
        raise BadInput(
            f"{column}: not a country: {text[:40]!r}",
            why="two letters of ISO 3166-1, in capitals",
            remedy="write for example DE",
        )
    return text


@lru_cache(_CACHED)
def _party(side: str, name: Cell, birth: Cell, document: Cell) -> Party:
    born = _text(birth, f"{side}_birth_date")
    if born and not _BIRTH.fullmatch(born):
        raise BadInput(
            f"{side}_birth_date: not a date of birth: {born[:40]!r}",
            remedy="write YYYY-MM-DD, YYYY-MM or YYYY",
        )
    column = f"{side}_document"
    identifiers: tuple[Identifier, ...] = ()
    if text := _text(document, column):
        kind, _, rest = text.partition("/")
        country, _, number = rest.partition("/")
        if not (kind and number):
            raise BadInput(f"{column}: not a document: {text[:40]!r}", remedy="write KIND/COUNTRY/NUMBER")
        identifiers = (Identifier(kind, number, _country(country, column)),)
    kind_of = PartyKind.NATURAL if born else PartyKind.UNKNOWN
    return Party(_text(name, f"{side}_name"), kind_of, birth_date=born, identifiers=identifiers)


@lru_cache(_CACHED)
def _between(cell: Cell) -> tuple[str, ...]:
    parts = _text(cell, "intermediaries").split(";")
    return tuple(_institution(part.strip(), "intermediaries") for part in parts if part.strip())
