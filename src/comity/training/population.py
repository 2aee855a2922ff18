"""Who lives in a world: people and firms, their accounts at the institutions, and self-hosted wallets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from comity.model import AccountId, Identifier, Institution, Party, PartyKind, Role
from comity.training import names, places, wallets
from comity.training.places import OUTSIDE, PLACES, Place

Accounts = NDArray[np.int32]

# Of every person: the chance of an account at the bank and at each of the two VASPs of the home country.
_AT_HOME = (0.72, 0.34, 0.28)
# Of every hundred people, how many also hold accounts in other countries.
_TRAVELLERS = 0.04
# How many accounts those have abroad: the shares of one, two, three, four.
_ABROAD = (0.3, 0.35, 0.2, 0.15)
# Numbers drawn by i -> (i * step + seed) mod 10^9 never repeat: the step has no factor in common with it.
_STEP, _SPACE = 387_420_489, 10**9


@dataclass(frozen=True, slots=True)
class Person:
    """A natural or legal person: the record each institution holds of it, and the key of its document."""

    party: Party
    place: int

    @property
    def key(self) -> str:
        """``KIND/COUNTRY/NUMBER`` of the identity document: what institutions can recognise a person by."""
        document = self.party.identifiers[0]
        return f"{document.kind}/{document.country}/{document.value}"


@dataclass(slots=True)
class Population:
    """Accounts by number: id, institution, country, name, holder (index into ``people``, -1 unknown).

    ``groups`` names sets of accounts that behave alike, such as ``people/sg-bank`` or ``wallets/btc``;
    ``held`` lists each person's accounts, ``own`` each person's own (Bitcoin, Ethereum) wallets.
    """

    seed: int
    rng: np.random.Generator
    members: tuple[Institution, ...]
    accounts: list[str] = field(default_factory=list)
    institution: list[str] = field(default_factory=list)
    country: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    holder: list[int] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    held: dict[int, list[int]] = field(default_factory=dict)
    own: dict[int, tuple[int, int]] = field(default_factory=dict)
    groups: dict[str, Accounts] = field(default_factory=dict)
    _wallets: int = 0

    def number(self, index: int) -> int:
        return (index * _STEP + self.seed * 7919) % _SPACE

    def account(self, institution: str, country: str, bank: str, name: str, holder: int = -1) -> int:
        """Open an account: an IBAN where ``bank`` is a bank code, else ``acct:``; its number."""
        number = self.number(len(self.accounts))
        made = (
            f"iban:{places.iban(country, bank, number % 10**8)}"
            if bank
            else f"acct:{institution}:{number:09d}"
        )
        return self._add(made, institution, country, name, holder)

    def wallet(self, chain: str, address: str = "") -> int:
        """A self-hosted wallet on ``btc`` or ``eth``, or the one whose account id is given."""
        if not address:
            self._wallets += 1
            make = wallets.bitcoin if chain == "btc" else wallets.ethereum
            address = make(self.seed, self._wallets)
        return self._add(address, "", "", "", -1)

    def _add(self, account: str, institution: str, country: str, name: str, holder: int) -> int:
        self.accounts.append(account)
        self.institution.append(institution)
        self.country.append(country)
        self.name.append(name)
        self.holder.append(holder)
        if holder >= 0:
            self.held.setdefault(holder, []).append(len(self.accounts) - 1)
        return len(self.accounts) - 1

    def open(self, member: Institution, holder: int) -> int:
        """An account of ``holder`` at one of the members."""
        country = member.jurisdictions[0]
        bank = (
            next(place.iban for place in PLACES if place.code == country) if member.role is Role.BANK else ""
        )
        return self.account(member.id, country, bank, self.people[holder].party.name, holder)

    def party(self, account: int) -> Party:
        """The holder as the account's institution has him: at some his own script comes first."""
        party = self.people[self.holder[account]].party
        if party.aliases and self.number(account) % 3 == 0:
            return Party(
                party.aliases[0],
                party.kind,
                (party.name,),
                party.birth_date,
                party.countries,
                party.addresses,
                party.identifiers,
            )
        return party


def _document(place: Place, number: int, born: date) -> Identifier:
    match place.code:
        case "SG":
            text = f"S{number % 10**7:07d}{'ABCDEFGHIZJ'[number % 11]}"
        case "AE":
            text = f"784-{born.year}-{number % 10**7:07d}-{number % 9}"
        case "DE":
            text = f"C{number:09d}"
        case _:
            text = f"{number:09d}"
    return Identifier(place.document, text, place.code)


def _natural(population: Population, place: int) -> int:
    rng, at = population.rng, PLACES[place]
    pool = at.people[np.searchsorted(np.cumsum([share for _, share in at.people]), rng.random() * 0.999)][0]
    latin, original = names.person(rng, pool)
    born = date(1945, 1, 1) + timedelta(days=int(rng.integers(0, 22_500)))
    document = _document(at, population.number(len(population.people) + _SPACE // 2), born)
    aliases = (original,) if original != latin else ()
    party = Party(latin, PartyKind.NATURAL, aliases, born.isoformat(), (at.code,), (), (document,))
    population.people.append(Person(party, place))
    return len(population.people) - 1


def _legal(population: Population, place: int) -> int:
    at = PLACES[place]
    party = Party(
        names.company(population.rng, at.suffix),
        PartyKind.LEGAL,
        countries=(at.code,),
        identifiers=(Identifier("lei", places.lei(population.rng, "8945"), at.code),),
    )
    population.people.append(Person(party, place))
    return len(population.people) - 1


def _residents(population: Population, count: int) -> None:
    """People, their accounts at home and, for some, in other countries."""
    rng = population.rng
    houses = places.obliged(population.members)
    home = [[h for h in houses if h.jurisdictions[0] == place.code] for place in PLACES]
    joined: dict[str, list[int]] = {house.id: [] for house in houses}
    pairs: list[tuple[int, int]] = []
    travellers = set(range(max(120, int(count * _TRAVELLERS))))
    for index in range(count):
        place = int(rng.integers(4))
        person = _natural(population, place)
        vasp_1, vasp_2, bank = home[place]
        picks = rng.random(3)
        chosen = [h for h, p, share in zip((bank, vasp_1, vasp_2), picks, _AT_HOME, strict=True) if p < share]
        chosen = chosen or [bank]
        if index in travellers:
            abroad = [h for h in houses if h.jurisdictions[0] != PLACES[place].code]
            many = rng.choice(4, p=_ABROAD) + 1
            chosen += [abroad[int(i)] for i in rng.choice(len(abroad), many, replace=False)]
        opened = {house.id: population.open(house, person) for house in chosen}
        for house, account in opened.items():
            joined[house].append(account)
        if bank.id in opened:
            pairs += [(opened[bank.id], a) for h, a in opened.items() if h in (vasp_1.id, vasp_2.id)]
        if any("vasp" in house for house in opened):
            population.own[person] = (population.wallet("btc"), population.wallet("eth"))
    for house_id, accounts in joined.items():
        # in no order: who comes first is more active, and those with accounts abroad are no more so
        population.groups[f"people/{house_id}"] = rng.permutation(np.array(accounts, np.int32))
    population.groups["ramp/bank"] = np.array([bank for bank, _ in pairs], np.int32)
    population.groups["ramp/vasp"] = np.array([vasp for _, vasp in pairs], np.int32)


def _firms(population: Population, count: int) -> None:
    """Merchants, employers, payment firms and traders, at the members and outside them."""
    houses = places.obliged(population.members)
    for house in houses:
        place = next(i for i, p in enumerate(PLACES) if p.code == house.jurisdictions[0])
        kinds = (
            {
                "merchants": count,
                "acquirers": 2,
                "employers": max(4, count // 6),
                "payers": 3,
                "firms": count,
                "groups": 2,
            }
            if house.role is Role.BANK
            else {"merchants": max(3, count // 12), "payers": 2, "traders": 3}
        )
        for kind, many in kinds.items():
            opened = [population.open(house, _legal(population, place)) for _ in range(many)]
            population.groups[f"{kind}/{house.id}"] = np.array(opened, np.int32)
    for bank, country, code in OUTSIDE:
        suffix = {"NL": "B.V.", "GB": "Ltd", "HK": "Ltd", "IN": "Pvt. Ltd."}.get(country, "Inc.")
        opened = [
            population.account(bank, country, code, names.company(population.rng, suffix))
            for _ in range(count * 4 if code or country in ("SG", "US") else max(8, count // 2))
        ]
        population.groups[f"outside/{country}"] = np.array(opened, np.int32)


def _addresses(population: Population, count: int, listed: Sequence[tuple[AccountId, str]]) -> None:
    """Wallets of strangers, popular wallets (shops, services, contracts), and the sanctioned ones."""
    for chain in ("btc", "eth"):
        made = [population.wallet(chain) for _ in range(count + 24)]
        population.groups[f"popular/{chain}"] = np.array(made[:24], np.int32)
        population.groups[f"wallets/{chain}"] = np.array(made[24:], np.int32)
    known = dict.fromkeys(str(account) for account, _ in listed)
    for chain, prefix in (("btc", "bip122:"), ("eth", "eip155:1:")):
        these = [population.wallet(chain, account) for account in known if account.startswith(prefix)]
        population.groups[f"listed/{chain}"] = np.array(these, np.int32)


def populate(
    seed: int, rng: np.random.Generator, transfers: int, listed: Iterable[tuple[AccountId, str]]
) -> Population:
    """Everybody in a world of about ``transfers`` transfers."""
    population = Population(seed, rng, places.institutions(rng))
    _residents(population, max(1_500, transfers // 18))
    _firms(population, max(12, transfers // 2500))
    _addresses(population, max(100, transfers // 60), list(listed))
    return population
