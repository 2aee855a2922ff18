"""Plants laundering schemes among honest traffic, and honest doings that look like them.

What is planted knows nothing of what will look for it, but the sizes: a scheme that is split over
institutions shows each of them little (three payments below a threshold, five senders), or almost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from comity.errors import BadInput
from comity.model import Role
from comity.training import names
from comity.training.book import BITCOIN, FIAT, HOUR, TETHER, Book
from comity.training.places import PLACES, obliged
from comity.training.population import Population
from comity.training.scheme import SchemeKind

MINUTE = HOUR // 60


@dataclass(frozen=True, slots=True)
class Draft:
    """A scheme before transfers have ids: accounts and transfers by number."""

    kind: SchemeKind
    story: str
    accounts: tuple[int, ...]
    subjects: tuple[str, ...]
    rows: tuple[int, ...]


@dataclass(slots=True)
class Planter:
    """Hands out people, wallets and hours, writes transfers, and keeps the truth."""

    population: Population
    book: Book
    drafts: list[Draft] = field(default_factory=list)
    mules: dict[str, list[int]] = field(default_factory=dict)
    travellers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = self.population.rng
        self.mules = {
            house.id: [
                int(account)
                for account in rng.permutation(self.population.groups[f"people/{house.id}"])
                if len(self.population.held[self.population.holder[account]]) <= 2
            ]
            for house in obliged(self.population.members)
        }
        travellers = [
            person
            for person, accounts in self.population.held.items()
            if len({self.population.country[account] for account in accounts}) >= 2
        ]
        self.travellers = [travellers[i] for i in rng.permutation(len(travellers))]

    def mule(self, house: str) -> int:
        """A customer of ``house`` who has no part in anything yet."""
        if not self.mules[house]:
            raise BadInput("a world too small for its schemes", remedy="ask for more transfers")
        return self.mules[house].pop()

    def traveller(self, at_least: int, role: Role | None = None) -> tuple[int, list[int]]:
        """A person with accounts at several institutions (of one kind), the first two in two countries."""
        fitting = {
            person: accounts
            for person in self.travellers
            if len(accounts := self._at(person, role)) >= at_least
            and len({self.population.country[account] for account in accounts}) >= 2
        }
        if not fitting:
            raise BadInput("a world too small for its schemes", remedy="ask for more transfers")
        person = min(fitting, key=lambda one: len(fitting[one]))  # those with more are rarer: keep them
        self.travellers.remove(person)
        accounts = [fitting[person][i] for i in self.population.rng.permutation(len(fitting[person]))]
        country = self.population.country
        abroad = next(account for account in accounts if country[account] != country[accounts[0]])
        return person, [accounts[0], abroad, *(a for a in accounts[1:] if a != abroad)]

    def _at(self, person: int, role: Role | None) -> list[int]:
        return [
            account
            for account in self.population.held[person]
            if role is None or role.value in self.population.institution[account]
        ]

    def vasps(self, count: int) -> list[str]:
        """So many VASPs by chance: three or more are never of one country alone."""
        ids = [house.id for house in obliged(self.population.members) if house.role is Role.VASP]
        order = self.population.rng.permutation(len(ids))
        return sorted((ids[i] for i in order[:count]), key=ids.index)

    def banks(self) -> list[str]:
        """The banks, in random order."""
        return [f"{PLACES[i].code.lower()}-bank" for i in self.population.rng.permutation(len(PLACES))]

    def hour(self, room: int = 96) -> int:
        """An hour of the period with ``room`` hours after it, and a day before it."""
        return self.book.begin + int(self.population.rng.integers(24, self.book.days * 24 - room)) * HOUR

    def pay(self, src: int, dst: int, time: int, dollars: float) -> int:
        """Write one transfer, in the asset that fits both ends; its row."""
        ends = (self.population.accounts[src], self.population.accounts[dst])
        banks = [a for a in (src, dst) if "bank" in self.population.institution[a]]
        if any(end.startswith("bip122:") for end in ends):
            asset = BITCOIN
        elif banks:
            asset = FIAT.get(self.population.country[banks[0]], FIAT["DE"])
        else:
            asset = TETHER
        words = self.book.text("", "Services", "Gift", "Invoice") if banks else self.book.text("")
        when = time // 1_000_000 * 1_000_000 + int(self.population.rng.integers(0, 60)) * 1_000_000
        row = self.book.add(
            np.array([when]), np.array([src]), np.array([dst]), np.array([dollars]), asset, words
        )
        return int(row[0])

    def moments(self, count: int, begin: int, hours: int) -> list[int]:
        """So many instants within ``hours`` of ``begin``, in order."""
        return sorted(begin + int(m) * MINUTE for m in self.population.rng.integers(0, hours * 60, count))

    def sum(self, low: float, high: float) -> float:
        """A sum of dollars between the two."""
        return float(self.population.rng.uniform(low, high))

    def keep(
        self,
        kind: SchemeKind,
        story: str,
        rows: Iterable[int],
        accounts: Iterable[int],
        subjects: Iterable[str],
    ) -> None:
        """Note the truth."""
        written = tuple(row for row in rows if row >= 0)
        self.drafts.append(
            Draft(kind, story, tuple(sorted(set(accounts))), tuple(sorted(set(subjects))), written)
        )

    def key(self, person: int) -> str:
        """How institutions can recognise the person."""
        return self.population.people[person].key


def _split(planter: Planter, person: int, accounts: Sequence[int], counts: Sequence[int]) -> list[int]:
    """Payments between 830 and 990 dollars from each account within two days; their rows."""
    begin, rows = planter.hour(), []
    for account, count in zip(accounts, counts, strict=False):
        bank = "bank" in planter.population.institution[account]
        outside = planter.population.groups["outside/HK"]
        target = int(outside[person % len(outside)]) if bank else planter.population.own[person][1]
        rows += [
            planter.pay(account, target, when, planter.sum(830, 990))
            for when in planter.moments(count, begin, 44)
        ]
    return rows


def _structuring(planter: Planter) -> None:
    plans = (
        ("three or four at each", (3, 4, 3)),
        ("three or four at each", (4, 3, 3, 3)),
        ("three at each", (3, 3, 3)),
        ("three or four at each", (4, 3)),
        ("three or four at each", (3, 3, 4)),
        ("two or three at each", (2, 3, 3)),
        ("two at each", (2, 2, 2, 2)),
        ("only one at each", (1, 1, 1, 1, 1)),
        ("most of them at one", (6, 3, 2)),
    )
    for how, counts in plans:
        person, accounts = planter.traveller(len(counts))
        rows = _split(planter, person, accounts, counts)
        story = (
            f"One person with accounts at {len(counts)} institutions in several countries sends "
            f"{sum(counts)} payments just below 1,000 US dollars within two days, {how}."
        )
        planter.keep(SchemeKind.STRUCTURING, story, rows, accounts[: len(counts)], [planter.key(person)])
    for vasp, many in zip(planter.vasps(2), (6, 9), strict=True):
        account = planter.mule(vasp)
        person = planter.population.holder[account]
        rows = _split(planter, person, [account], [many])
        story = (
            f"One customer of one institution sends {many} payments just below 1,000 US dollars in two days."
        )
        planter.keep(SchemeKind.STRUCTURING, story, rows, [account], [planter.key(person)])


def _mules(planter: Planter, houses: Iterable[str], least: int, most: int) -> list[int]:
    """So many customers of each of the institutions, shuffled."""
    rng = planter.population.rng
    found = [planter.mule(house) for house in houses for _ in range(int(rng.integers(least, most + 1)))]
    return [found[i] for i in rng.permutation(len(found))]


def _collect(planter: Planter, target: int, senders: Sequence[int], hours: int = 60) -> list[int]:
    times = planter.moments(len(senders), planter.hour(160), hours)
    return [
        planter.pay(sender, target, when, planter.sum(150, 1900))
        for sender, when in zip(senders, times, strict=True)
    ]


def _fan_in(planter: Planter) -> None:
    population, rng = planter.population, planter.population.rng
    for least, most, vasps in ((5, 8, 4), (5, 7, 5), (5, 6, 3), (5, 8, 3), (3, 6, 5), (2, 4, 6), (1, 3, 7)):
        wallet = population.wallet("btc" if rng.random() < 0.5 else "eth")
        senders = _mules(planter, planter.vasps(vasps), least, most)
        rows = _collect(planter, wallet, senders)
        accounts = [wallet, *senders]
        if rng.random() < 0.5:  # the organiser takes part of it out through an exchange
            organiser = planter.mule(planter.vasps(1)[0])
            last = max(planter.book.begin, planter.book.end - 30 * HOUR)
            rows.append(planter.pay(wallet, organiser, last, planter.sum(3_000, 9_000)))
            accounts.append(organiser)
        story = (
            f"{len(senders)} money mules at {vasps} exchanges pay one self-hosted wallet within three days."
        )
        planter.keep(SchemeKind.FAN_IN, story, rows, accounts, [population.accounts[wallet]])

    outside = population.account("gb-outside-bank", "GB", "XBNK401276", names.company(rng, "Ltd"))
    senders = _mules(planter, planter.banks(), 5, 7)
    rows = _collect(planter, outside, senders)
    story = f"{len(senders)} money mules at four banks pay one account at a bank outside the network."
    planter.keep(SchemeKind.FAN_IN, story, rows, [outside, *senders], [population.accounts[outside]])

    for vasp, many in zip(planter.vasps(2), (14, 18), strict=True):
        account = planter.mule(vasp)
        others = planter.vasps(4)
        senders = [planter.mule(others[i % len(others)]) for i in range(many)]
        rows = _collect(planter, account, senders)
        story = f"{many} money mules pay one customer of an exchange, who alone sees them all."
        subjects = [planter.key(population.holder[account])]
        planter.keep(SchemeKind.FAN_IN, story, rows, [account, *senders], subjects)


def _chain(planter: Planter, hops: Sequence[int], dollars: float) -> list[int]:
    """Money hops from account to account within hours, from a stranger's wallet to a fresh one."""
    rng, population = planter.population.rng, planter.population
    when = planter.hour(24 * 5)
    route = [population.wallet("eth"), *hops, population.wallet("eth")]
    rows = []
    for src, dst in pairwise(route):
        rows.append(planter.pay(src, dst, when, dollars))
        dollars *= float(rng.uniform(0.95, 0.99))
        when += int(rng.integers(20, 600)) * MINUTE
    return rows


def _pass_through(planter: Planter) -> None:
    population = planter.population
    for low, high, many in (
        (2_900, 4_600, 3),
        (3_000, 4_800, 3),
        (2_800, 4_200, 4),
        (3_000, 4_000, 3),
        (1_500, 2_200, 3),
    ):
        person, accounts = planter.traveller(many, Role.VASP)
        rows = _chain(planter, accounts[:many], planter.sum(low, high))
        story = f"One person moves money through own accounts at {many} exchanges in several countries."
        planter.keep(SchemeKind.PASS_THROUGH, story, rows, accounts[:many], [planter.key(person)])
    for low, high, vasps in (
        (22_000, 60_000, 4),
        (9_000, 30_000, 5),
        (40_000, 90_000, 3),
        (3_000, 4_800, 4),
        (2_900, 4_900, 5),
    ):
        hops = [planter.mule(vasp) for vasp in planter.vasps(vasps)]
        rows = _chain(planter, hops, planter.sum(low, high))
        story = f"Money hops through accounts of {vasps} people at as many exchanges within two days."
        keys = [planter.key(population.holder[hop]) for hop in hops]
        planter.keep(SchemeKind.PASS_THROUGH, story, rows, hops, keys)


def _cycles(planter: Planter) -> None:
    rng, population = planter.population.rng, planter.population
    # how much each keeps, and for how long: some keep more, or longer, than a relay of money would
    for houses, low, high, keeps, waits in (
        (("sg-bank", "de-bank", "us-bank"), 14_000, 40_000, (0.01, 0.04), (25, 33)),
        (("ae-bank", "sg-vasp-1", "de-vasp-2"), 8_000, 20_000, (0.02, 0.05), (25, 33)),
        (("us-vasp-1", "sg-vasp-2", "ae-vasp-1", "de-vasp-1"), 12_000, 50_000, (0.12, 0.18), (2, 20)),
        (("de-bank", "ae-bank", "us-bank", "sg-bank"), 25_000, 90_000, (0.12, 0.18), (2, 20)),
        (("us-vasp-2", "de-vasp-1", "ae-vasp-2"), 6_000, 15_000, (0.01, 0.04), (2, 15)),
        (("us-vasp-1", "us-vasp-1", "us-vasp-1"), 9_000, 25_000, (0.01, 0.04), (2, 15)),
    ):
        ring = [planter.mule(house) for house in houses]
        when, dollars, rows = planter.hour(120), planter.sum(low, high), []
        for src, dst in zip(ring, ring[1:] + ring[:1], strict=True):
            rows.append(planter.pay(src, dst, when, dollars))
            dollars *= 1 - float(rng.uniform(*keeps))
            when += int(rng.integers(waits[0] * 60, waits[1] * 60)) * MINUTE
        story = f"Money goes round {len(ring)} people at {len(set(houses))} institutions and returns."
        planter.keep(SchemeKind.CYCLE, story, rows, ring, [planter.key(population.holder[a]) for a in ring])


def _sanctioned(planter: Planter) -> None:
    population, rng = planter.population, planter.population.rng
    listed = np.concatenate([population.groups["listed/btc"], population.groups["listed/eth"]])
    for turn, place in enumerate(rng.permutation(len(listed))[:6]):
        wallet, house = int(listed[place]), planter.vasps(1)[0]
        customer = planter.mule(house)
        ends = (customer, wallet) if turn % 2 == 0 else (wallet, customer)
        times = planter.moments(int(rng.integers(1, 4)), planter.hour(), 90)
        rows = [planter.pay(*ends, when, planter.sum(300, 7_000)) for when in times]
        story = (
            "A customer of an exchange pays a sanctioned wallet."
            if turn % 2 == 0
            else "A customer of an exchange is paid from a sanctioned wallet."
        )
        subjects = [population.accounts[wallet], planter.key(population.holder[customer])]
        planter.keep(SchemeKind.SANCTIONED, story, rows, [customer, wallet], subjects)


def _innocent(planter: Planter) -> None:
    """Honest doings that institutions share, and that together look like schemes."""
    population = planter.population
    for vasps in (3, 4, 3):  # a new shop's opening sale, a collection for charity: nobody launders
        wallet = population.wallet("eth")
        _collect(planter, wallet, _mules(planter, planter.vasps(vasps), 5, 8))
    for counts in ((3, 3), (3, 2, 3), (3, 4)):  # fees of schools in two countries, paid in instalments
        person, accounts = planter.traveller(len(counts))
        _split(planter, person, accounts, counts)
    for low, high in ((2_700, 4_400), (3_000, 4_800)):  # a freelancer moves savings to a cheaper exchange
        _, accounts = planter.traveller(2, Role.VASP)
        _chain(planter, accounts[:2], planter.sum(low, high))


def plant(population: Population, book: Book) -> list[Draft]:
    """Write all schemes and look-alikes into the book; the truth about the schemes."""
    planter = Planter(population, book)
    for sow in (_structuring, _fan_in, _pass_through, _cycles, _sanctioned, _innocent):
        sow(planter)
    return planter.drafts
