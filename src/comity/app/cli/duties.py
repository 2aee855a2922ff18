"""``comity standard duties``: what the law of every country makes whom do, for one transfer or a ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.app.cli._common import Json, Limit, OnDate, day, emit, facts, pairs, table, working
from comity.app.cli.compare import mark

if TYPE_CHECKING:
    from comity.model import AccountId, Duty, Institution
    from comity.standard.bulk import Owed
    from comity.standard.law import Standard

SELF_HOSTED = "wallet"
_WALLET = "eip155:1:0x0000000000000000000000000000000000000000"


def register(app: typer.Typer) -> None:
    """Add the command to ``comity standard``."""
    app.command("duties")(duties)


def duties(
    worth: Annotated[str, typer.Argument(help="Worth, such as `1000 EUR`; none with --ledger.")] = "",
    sender: Annotated[
        str, typer.Option("--from", help="Country of the sending institution; `wallet`: self-hosted.")
    ] = "",
    receiver: Annotated[
        str, typer.Option("--to", help="Country of the receiving institution; `wallet`: self-hosted.")
    ] = "",
    through: Annotated[list[str] | None, typer.Option(help="Country of an intermediary.")] = None,
    bank: Annotated[bool, typer.Option("--bank", help="The institutions are banks, not VASPs.")] = False,
    money: Annotated[bool, typer.Option("--money", help="What moves is money, not a virtual asset.")] = False,
    fact: Annotated[
        list[str] | None, typer.Option(help="FACT=VALUE, such as suspicion=alert or customer=occasional.")
    ] = None,
    rate: Annotated[
        list[str] | None,
        typer.Option(help="CODE=WORTH in US dollars. Default: the rough rates laws are compared at."),
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="All transfers of this ledger instead of one.")] = None,
    institution: Annotated[
        list[str] | None,
        typer.Option(help="ID=CC or ID=CC:bank: where an institution of the ledger is. May be repeated."),
    ] = None,
    on: OnDate = "",
    limit: Limit = 200,
    as_json: Json = False,
) -> None:
    """Show the duties a transfer brings in every country it touches: what, who, by when, on which article.

    What only FATF asks is *recommended*. With a ledger: how many there are of each in each country, the
    law being that of each transfer's own day.

    Example: comity standard duties "1500 EUR" --from us --to de --fact suspicion=alert --on 2026-11-25
    """
    from comity.errors import BadInput
    from comity.standard.load import load

    law = load()
    rates = _rates(rate)
    if ledger:
        if on or worth:
            raise BadInput(
                "a ledger's transfers have their own days and worths", remedy="leave out --on and the worth"
            )
        all_owed, rough = _of_ledger(law, ledger, _institutions(institution), rates, as_json)
        _emit_ledger(all_owed, rough, limit, as_json)
        return
    if not (worth and sender and receiver):
        raise BadInput(
            "no transfer to judge",
            remedy="give a worth, --from and --to, or --ledger; see `comity standard duties --help`",
        )
    route = _Route(sender, receiver, tuple(through or ()), bank)
    found = _of_one(law, worth, route, money, _facts(law, fact), rates, on)
    _emit_one(found, f"Duties of {worth} on {day(on)}", limit, as_json)


def _emit_one(found: tuple[Duty, ...], title: str, limit: int, as_json: bool) -> None:
    rows = [
        (
            each.who,
            each.force.value,
            each.kind,
            f"{each.due:%Y-%m-%d %H:%M} UTC" if each.due else str(each.deadline or ""),
            mark(each.provision.confidence),
            _terms(each),
        )
        for each in found
    ]
    heads, whole = ("who", "force", "duty", "by", "sure", "source"), ("who", "force", "duty", "sure")
    emit(as_json, found, table(title, heads, rows[:limit], whole=whole, total=len(found)))


def _terms(duty: Duty) -> str:
    """The source; from what worth binding law asks where it does not here; a rough rate it rests on."""
    from comity.standard.resolve import cited

    told = dict(duty.details)
    limit, rate = told.get("required from"), told.get("rate")
    more = (f"; required from {limit}" if limit else "") + (f"; ◐ {rate}" if rate else "")
    return cited(duty.provision.source) + more


def _rates(given: list[str] | None) -> dict[str, Decimal]:
    """``--rate`` options, in US dollars. Raises BadInput."""
    from comity import intake
    from comity.errors import BadInput

    named = pairs(given, "--rate")
    stated = {code.upper(): intake.amount(said, f"--rate {code}") for code, said in named.items()}
    for code, worth in stated.items():
        if not worth:
            raise BadInput(f"--rate {code}: nothing is worth 0", remedy="give what one unit is worth")
    if stated.get("USD", 1) != 1:
        raise BadInput("--rate USD is always 1", remedy="give the other currencies' worth in US dollars")
    return stated | {"USD": Decimal(1)}


def _facts(law: Standard, given: list[str] | None) -> dict[str, str]:
    """``--fact`` options, in the vocabulary's words. Raises BadInput."""
    from comity import intake

    known = law.vocabulary.facts
    found = pairs(given, "--fact")
    for name, said in found.items():
        values = intake.choice(name, known, "--fact")
        intake.choice(said, {value: value for value in values}, f"--fact {name}")
    return found


@dataclass(frozen=True)
class _Route:
    """Where a transfer starts, ends and passes through: countries, or a self-hosted wallet."""

    sender: str
    receiver: str
    through: tuple[str, ...]
    bank: bool

    def ends(self) -> tuple[AccountId, AccountId, tuple[str, ...], dict[str, Institution]]:
        """The two accounts, the ids of the institutions between, and all institutions. Raises BadInput."""
        from comity.model import AccountId

        parties: dict[str, Institution] = {}
        accounts = [
            AccountId(_WALLET)
            if country.lower() == SELF_HOSTED
            else AccountId(f"acct:{self._place(country, name, parties)}:1")
            for country, name in ((self.sender, "from"), (self.receiver, "to"))
        ]
        middle = tuple(
            self._place(country, f"through-{number}", parties)
            for number, country in enumerate(self.through, 1)
        )
        return accounts[0], accounts[1], middle, parties

    def _place(self, country: str, name: str, parties: dict[str, Institution]) -> str:
        from comity import intake
        from comity.model import Institution, Role

        code = intake.country(country, f"--{name}")
        who = f"{code.lower()}-{name}"
        parties[who] = Institution(who, who, Role.BANK if self.bank else Role.VASP, (code,))
        return who


def _of_one(
    law: Standard,
    worth: str,
    route: _Route,
    money: bool,
    given: Mapping[str, str],
    rates: Mapping[str, Decimal],
    on: str,
) -> tuple[Duty, ...]:
    """The duties of one transfer at noon UTC, judged exactly in the currency it is stated in."""
    from comity import intake
    from comity.errors import BadInput
    from comity.model import Amount, AssetId, Transfer
    from comity.standard.duties import duties as find

    quantity, _, code = worth.strip().partition(" ")
    if not code:
        raise BadInput(f"no currency in {worth[:40]!r}", remedy='write a worth as "1500 EUR"')
    asset = AssetId.money(code.strip().upper())
    amount = intake.amount(quantity, "the worth")
    own, known = _in_units_of(law, asset.currency or "", rates)
    origin, target, middle, parties = route.ends()
    at = datetime.combine(day(on), time(12), UTC)
    transfer = Transfer(
        "transfer",
        at,
        origin,
        target,
        Amount(amount, asset) if money else None,
        amount,
        intermediaries=middle,
    )
    return find(law, transfer, parties=parties, on=at, rates=own, facts=given, rough=known)


def _in_units_of(
    law: Standard, code: str, rates: Mapping[str, Decimal]
) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """The rates that were given, and those with the rough ones for the rest, in units of one currency.

    A currency without a rate of its own makes all others rough. Raises BadInput where it has not even a
    rough one.
    """
    from comity import intake

    known = {**law.vocabulary.rates, **rates}
    base = intake.choice(code, known, "no rate for this currency; --rate gives one")
    units = {name: rate / base for name, rate in known.items()} | {code: Decimal(1)}
    given = {code, *(rates if code in rates else ())}
    return {name: units[name] for name in given}, units


def _institutions(given: list[str] | None) -> dict[str, Institution]:
    from comity import intake
    from comity.model import Institution, Role

    found = {}
    for name, said in pairs(given, "--institution").items():
        where, _, kind = said.partition(":")
        role = intake.choice(kind or "vasp", {"vasp": Role.VASP, "bank": Role.BANK}, "--institution")
        found[name] = Institution(name, name, role, (intake.country(where, f"--institution {name}"),))
    return found


def _of_ledger(
    law: Standard, path: Path, parties: dict[str, Institution], rates: dict[str, Decimal], quiet: bool
) -> tuple[Owed, frozenset[str]]:
    """The duties of all transfers, and the currencies whose thresholds were judged at rough rates."""
    from comity.errors import BadInput
    from comity.ledger.store import Ledger
    from comity.standard.bulk import converted, owed
    from comity.standard.table import FIELDS, batch

    ledger = Ledger.open(path)
    code = ledger.reference.currency
    if code is None:
        raise BadInput(
            f"values of this ledger are in {ledger.reference}",
            why="thresholds of law are in money",
            remedy="make a ledger whose reference asset is money",
        )
    own, known = _in_units_of(law, code, rates)
    with working("Reading the ledger", quiet) as say:
        columns = ledger.table(FIELDS)
        say("judging its transfers")
        found = owed(law, batch(columns, parties), rates=known)
    return found, converted(found, code) - frozenset(own)


def _emit_ledger(owed: Owed, rough: frozenset[str], limit: int, as_json: bool) -> None:
    from comity.standard.bulk import lowest

    counts, trust = owed.count(), lowest(owed)
    unjudged = len(set(owed.rows.transfer[owed.unjudged != 0].tolist()))
    answer: dict[str, Any] = {
        "transfers": len(owed.batch),
        "duties": sum(counts.values()),
        "unjudged": unjudged,
        "rough_rates": sorted(rough),
        "by_country": [
            {
                "jurisdiction": country,
                "kind": kind,
                "force": force.value,
                "duties": number,
                "lowest_confidence": trust[country, kind, force].value,
            }
            for (country, kind, force), number in counts.items()
        ],
    }
    rows = [
        (country, force.value, kind, number, mark(trust[country, kind, force]))
        for (country, kind, force), number in counts.items()
    ]
    head = facts(
        "Duties of a ledger",
        [
            ("transfers", answer["transfers"]),
            ("duties", answer["duties"]),
            ("at rough rates", f"◐ {', '.join(sorted(rough))}: give --rate" if rough else "none"),
            ("not judged", f"{unjudged:,} transfers whose worth is not known"),
        ],
    )
    body = table("By country", ("law", "force", "duty", "how many", "sure"), rows[:limit], total=len(rows))
    emit(as_json, answer, lambda out: (head(out), body(out))[0])
