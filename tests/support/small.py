"""Very small worlds: a file of transfers that gives an alert or something to watch, and its customers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

BEGIN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HEAD = (
    "id,time,originator,beneficiary,amount,asset,value,originator_institution,beneficiary_institution,"
    "originator_country,beneficiary_country,originator_name,beneficiary_name"
)
MULE = {
    "name": "Max Mustermann",
    "kind": "natural",
    "birth_date": "1990-05-04",
    "countries": ["DE"],
    "addresses": ["Hauptstr. 1, 10115 Berlin, DE"],
    "identifiers": [{"kind": "passport", "value": "C01X00T47", "country": "DE"}],
}


def fan_in(path: Path, institution: str, account: str, senders: int, *, tag: str = "t") -> Path:
    """A CSV file: so many people pay 900 euro each into one account, ten minutes apart.

    From ten senders on this is an alert, from five it is watched.
    """
    country = institution[:2].upper()
    lines = [HEAD]
    for n in range(senders):
        at = BEGIN + timedelta(minutes=10 * n)
        lines.append(
            f"{tag}-{n:03d},{at:%Y-%m-%dT%H:%M:%SZ},acct:{institution}:{tag}{n},acct:{institution}:{account},"
            f"900,EUR,972,{institution},{institution},{country},{country},Payer {tag.upper()} {n},"
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def customers(path: Path, held: Mapping[str, Mapping[str, object]]) -> Path:
    """The customers' file of these accounts and who holds them."""
    path.write_text("".join(json.dumps({"account": a, "party": p}) + "\n" for a, p in held.items()))
    return path


def quiet(path: Path, institution: str, count: int, *, tag: str = "q") -> Path:
    """A CSV file of transfers that nobody need look at, seven seconds apart."""
    country = institution[:2].upper()
    lines: Sequence[str] = [
        f"{tag}-{n:06d},{BEGIN + timedelta(seconds=7 * n):%Y-%m-%dT%H:%M:%SZ},acct:{institution}:{tag}a{n},"
        f"acct:{institution}:{tag}b{n},{20 + n % 70},EUR,{20 + n % 70},{institution},{institution},"
        f"{country},{country},,"
        for n in range(count)
    ]
    path.write_text("\n".join([HEAD, *lines]) + "\n")
    return path
