"""The standard: what loading the law costs beside parsing its YAML, and the duties of one transfer."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import yaml

from bench import Row
from bench._measure import both, cpu
from comity import jurisdictions
from comity.model import BTC, AccountId, Amount, Institution, Role, Transfer
from comity.standard.duties import duties
from comity.standard.load import load

CLAIM = "Law that is checked provision by provision is loaded for at most five times the parsing of its YAML."
GOAL = 0.2

_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
_RATES = {code: Decimal(1) for code in ("USD", "EUR", "SGD", "GBP", "CHF", "JPY", "AED", "HKD", "INR")}


def _parse() -> list[str]:
    files = jurisdictions.files()
    return [yaml.load(file.read_bytes(), Loader=yaml.CBaseLoader)["jurisdiction"] for file in files.values()]


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    ours, theirs = both(load, _parse)
    standard = ours.answer
    assert sorted(standard.jurisdictions) == theirs.answer
    members = {
        f"{country}-vasp": Institution(f"{country}-vasp", country, Role.VASP, (country.upper(),))
        for country in ("us", "de")
    }
    transfer = Transfer(
        id="t",
        time=_AT,
        originator=AccountId("acct:us-vasp:1"),
        beneficiary=AccountId("acct:de-vasp:2"),
        amount=Amount(Decimal("0.1"), BTC),
        value=Decimal(6_000),
    )
    times = max(5, round(300 * scale))

    def each() -> int:
        for _ in range(times):
            found = duties(standard, transfer, parties=members, on=_AT, rates=_RATES)
        return len(found)

    asked = cpu(each)
    assert asked.answer
    provisions = sum(len(found) for law in standard.provisions.values() for found in law.values())
    return [
        Row(
            work=f"load {len(theirs.answer)} law files, {provisions:,} provisions",
            ours=ours.best,
            peer=theirs.best,
            peer_version=f"PyYAML {yaml.__version__} with libyaml: parses them, checks nothing",
            goal=GOAL,
        ),
        Row(
            work=f"the {asked.answer} duties of one transfer from the United States to Germany",
            ours=asked.best / times,
            peer=None,
            peer_version="",
            note=f"{times / asked.best:,.0f} transfers a CPU s",
        ),
    ]
