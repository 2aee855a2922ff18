"""Honest traffic: wages, shopping, rent, invoices, exchange customers, payment firms, traders.

It has heavy tails, habits and rhythms, and does on its own much of what launderers do: many pay one shop,
a payment firm passes on what it receives, a group lends money round, people send just under their limits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from comity.model import Institution, Role
from comity.training.book import BITCOIN, ETHER, FIAT, HOUR, TETHER, Book, contacts, heavy, pick
from comity.training.places import OUTSIDE, PLACES, obliged
from comity.training.population import Population

Numbers = NDArray[np.int32]

# What share of all transfers each habit makes.
_BANK_SHARES = {
    "wages": 0.055,
    "cards": 0.14,
    "shopping": 0.055,
    "gatherings": 0.012,
    "friends": 0.075,
    "bills": 0.055,
    "invoices": 0.05,
    "wires": 0.02,
    "conduits": 0.012,
    "groups": 0.001,
}
_VASP_SHARES = {
    "ramps": 0.15,
    "withdrawals": 0.11,
    "deposits": 0.10,
    "between": 0.05,
    "inside": 0.035,
    "shops": 0.04,
    "traders": 0.03,
    "relays": 0.016,
    "limits": 0.016,
    "gatherings": 0.012,
}


def _active(population: Population, house: str, count: int) -> Numbers:
    """Customers of an institution, some far more active than others."""
    return pick(population.rng, population.groups[f"people/{house}"], count, 0.45)


def _coins(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    return rng.choice([BITCOIN, ETHER, TETHER], count, p=[0.4, 0.25, 0.35]).astype(np.int64)


def _by_chain(coin: NDArray[np.int64], btc: Numbers, eth: Numbers) -> Numbers:
    return np.where(coin == BITCOIN, btc, eth).astype(np.int32)


def _own(population: Population, accounts: Numbers, coin: NDArray[np.int64]) -> Numbers:
    """The customers' own wallets."""
    holders = [population.own[population.holder[int(account)]] for account in accounts]
    both = np.array(holders, np.int32).reshape(-1, 2)
    return _by_chain(coin, both[:, 0], both[:, 1])


def _payday(book: Book, count: int, offset: int) -> NDArray[np.int64]:
    """Working mornings of the two paydays of a month: the 10th and the 25th day of each thirty."""
    day = book.rng.choice(np.array([d for d in range(book.days) if d % 30 in (9, 24)] or [0]), count)
    return book.begin + (day * 24 + 9 - offset) * HOUR + book.rng.integers(0, 5400, count) * 1_000_000


def _bank(
    population: Population, book: Book, house: Institution, index: int, many: Callable[[str], int]
) -> None:
    rng, place = population.rng, PLACES[index]
    fiat, offset = FIAT[place.code], place.offset
    group = population.groups
    people, bank = group[f"people/{house.id}"], house.id

    count = many("wages")
    worker = people[rng.integers(0, len(people), count)]
    employer = group[f"employers/{bank}"][worker % len(group[f"employers/{bank}"])]
    wage = place.salary / 2 * np.exp(0.35 * np.sin(worker * 12.9898)) * rng.uniform(0.97, 1.03, count)
    book.add(_payday(book, count, offset), employer, worker, wage, fiat, book.text("Salary", "Payroll"))

    _shopping(population, book, bank, index, many)
    _gatherings(population, book, bank, index, many("gatherings"))

    count = many("friends")
    friend = _active(population, bank, count)
    sums = heavy(rng, count, 110, 1.0, 40_000)
    words = book.text("", "Dinner", "Thanks", "Tickets", "Loan", "Gift")
    book.add(
        book.times(count, offset, office=False), friend, contacts(rng, people, friend), sums, fiat, words, 500
    )

    months = max(1, book.days // 30)
    slots = rng.permutation(len(people) * months)[: many("bills")]  # each pays once a month, on his own day
    payer = people[slots % len(people)]
    landlord = contacts(rng, group[f"outside/{place.code}"], payer)
    rent = place.salary * 0.3 * np.exp(0.3 * np.sin(payer * 78.233))
    day = slots // len(people) * 30 + payer % 28
    when = book.begin + (day * 24 + 10 - offset) * HOUR + rng.integers(0, 14_400, len(slots)) * 1_000_000
    book.add(when, payer, landlord, rent, fiat, book.text("Rent"), 100)

    count = many("invoices")
    firms = np.concatenate([group[f"firms/{bank}"], group[f"outside/{place.code}"], group["outside/GB"]])
    buyer = group[f"firms/{bank}"][rng.integers(0, len(group[f"firms/{bank}"]), count)]
    book.add(
        book.times(count, offset, office=True),
        buyer,
        contacts(rng, firms, buyer),
        heavy(rng, count, 2_600, 1.3),
        fiat,
        book.text("Invoice", "Purchase order", "Services"),
    )
    _wires(population, book, house, index, many("wires"))
    _conduits(population, book, bank, index, many("conduits"))


def _shopping(population: Population, book: Book, bank: str, index: int, many: Callable[[str], int]) -> None:
    """Cards, through acquirers that settle with the shops each day; and shops paid by bank transfer."""
    rng, group, place = population.rng, population.groups, PLACES[index]
    shops = rng.permutation(np.concatenate([group[f"merchants/{bank}"], group[f"outside/{place.code}"]]))
    acquirers, fiat = group[f"acquirers/{bank}"], FIAT[place.code]

    count = many("cards") * 9 // 10
    swiped = pick(rng, acquirers, count)
    spent = heavy(rng, count, 32, 1.05, 9_000)
    when = book.times(count, place.offset, office=False)
    book.add(when, _active(population, bank, count), swiped, spent, fiat, book.text("Card"))

    count = many("cards") // 10
    when = book.times(count, place.offset, office=True)
    shop = pick(rng, shops, count, 0.5)
    book.add(
        when, pick(rng, acquirers, count), shop, heavy(rng, count, 420, 0.8), fiat, book.text("Settlement")
    )

    count = many("shopping")
    when = book.times(count, place.offset, office=False)
    spent = heavy(rng, count, 70, 1.1, 9_000)
    shop = pick(rng, shops, count, 0.35)
    book.add(when, _active(population, bank, count), shop, spent, fiat, book.text("Order", ""))


def _gatherings(population: Population, book: Book, house: str, index: int, count: int) -> None:
    """A few friends, or a small shop's new customers, pay the same person or wallet within days."""
    rng, group = population.rng, population.groups
    sizes = 2 + rng.geometric(0.28, max(1, count // 6))
    events = len(sizes)
    fiat = "bank" in house
    own = group[f"people/{house}"]
    away = group[f"outside/{PLACES[index].code}"] if fiat else group["wallets/eth"]
    target = np.where(rng.random(events) < 0.5, pick(rng, own, events), pick(rng, away, events))
    when = np.repeat(book.times(events, PLACES[index].offset, office=False), sizes)
    when += rng.integers(0, 60 * 3600, len(when)) * 1_000_000
    each = np.repeat(np.exp(rng.normal(4.2, 0.9, events)), sizes)
    senders = pick(rng, own, len(when))
    asset = FIAT[PLACES[index].code] if fiat else TETHER
    book.add(when, senders, np.repeat(target, sizes), each, asset, book.text("", "Gift", "Thanks"), 100)


def _wires(population: Population, book: Book, house: Institution, index: int, count: int) -> None:
    """Payments abroad and from abroad: families, trade; half stay within the network."""
    rng, place = population.rng, PLACES[index]
    abroad = [p.code for p in PLACES if p.code != place.code]
    inside = np.concatenate([population.groups[f"people/{code.lower()}-bank"] for code in abroad])
    outside = np.concatenate([population.groups[f"outside/{country}"] for _, country, _ in OUTSIDE])
    sender = _active(population, house.id, count)
    other = np.where(rng.random(count) < 0.5, contacts(rng, inside, sender), contacts(rng, outside, sender))
    out = rng.random(count) < 0.6
    src, dst = np.where(out, sender, other), np.where(out, other, sender)
    sums = heavy(rng, count, 650, 1.2, 300_000)
    words = book.text("Family support", "Tuition", "Invoice", "")
    book.add(book.times(count, place.offset, office=True), src, dst, sums, FIAT[place.code], words, 100)


def _conduits(population: Population, book: Book, bank: str, index: int, count: int) -> None:
    """Payment firms: what comes in goes out within hours, less a fee."""
    rng, place = population.rng, PLACES[index]
    conduit = pick(rng, population.groups[f"payers/{bank}"], count // 2)
    when = book.times(count // 2, place.offset, office=True)
    sums = heavy(rng, count // 2, 1_800, 1.0, 80_000)
    payer = _active(population, bank, count // 2)
    payee = pick(rng, population.groups["outside/IN"], count // 2, 0.5)
    fiat, words = FIAT[place.code], book.text("Remittance", "Settlement")
    book.add(when, payer, conduit, sums, fiat, words)
    later = when + rng.integers(600, 30_000, count // 2) * 1_000_000
    book.add(later, conduit, payee, sums * 0.985, fiat, words)


def _groups(population: Population, book: Book, count: int) -> None:
    """Firms of one group lend each other money round four countries, and it comes back."""
    rng = population.rng
    rounds = max(1, count // 4)
    for _ in range(rounds):
        slot = int(rng.integers(2))
        ring = np.array([population.groups[f"groups/{p.code.lower()}-bank"][slot] for p in PLACES])
        when = book.times(1, 0, office=True)[0] + np.cumsum(rng.integers(4, 40, 4)) * HOUR
        sums = heavy(rng, 1, 90_000, 0.8) * np.linspace(1.0, 0.97, 4)
        book.add(when, ring, np.roll(ring, -1), sums, 0, book.text("Intercompany loan", "Cash pooling"), 100)


def _vasp(
    population: Population, book: Book, house: Institution, index: int, many: Callable[[str], int]
) -> None:
    rng, place = population.rng, PLACES[index]
    offset, group = place.offset, population.groups
    always = {"office": False}
    none = book.text("")

    for habit, out in (("withdrawals", True), ("deposits", False)):
        count = many(habit)
        customer, coin = _active(population, house.id, count), _coins(rng, count)
        own = _own(population, customer, coin)
        strangers = _by_chain(
            coin, contacts(rng, group["wallets/btc"], customer), contacts(rng, group["wallets/eth"], customer)
        )
        popular = _by_chain(
            coin, pick(rng, group["popular/btc"], count, 1.0), pick(rng, group["popular/eth"], count, 1.0)
        )
        kind = rng.random(count)
        other = np.where(kind < 0.62, own, np.where(kind < 0.86, strangers, popular))
        src, dst = (customer, other) if out else (other, customer)
        book.add(
            book.times(count, offset, **always), src, dst, heavy(rng, count, 320, 1.35, 400_000), coin, none
        )

    count = many("between")
    vasps = [h.id for h in obliged(population.members) if h.role is Role.VASP and h.id != house.id]
    others = np.concatenate([group[f"people/{vasp}"] for vasp in vasps])
    customer, coin = _active(population, house.id, count), _coins(rng, count)
    sums = heavy(rng, count, 260, 1.3, 200_000)
    book.add(book.times(count, offset, **always), customer, contacts(rng, others, customer), sums, coin, none)

    count = many("inside")
    customer, coin = _active(population, house.id, count), _coins(rng, count)
    friend = contacts(rng, group[f"people/{house.id}"], customer)
    book.add(
        book.times(count, offset, **always), customer, friend, heavy(rng, count, 90, 1.1, 50_000), coin, none
    )

    count = many("shops")
    shop, coin = pick(rng, group[f"merchants/{house.id}"], count, 0.7), _coins(rng, count)
    wallet = _by_chain(coin, pick(rng, group["wallets/btc"], count), pick(rng, group["wallets/eth"], count))
    buyer = np.where(rng.random(count) < 0.5, wallet, _active(population, house.id, count))
    book.add(book.times(count, offset, **always), buyer, shop, heavy(rng, count, 45, 0.9, 5_000), coin, none)
    _gatherings(population, book, house.id, index, many("gatherings"))
    _traders(population, book, house.id, offset, many("traders"))
    _relays(population, book, house.id, offset, many("relays"))
    _limits(population, book, house.id, offset, many("limits"))


def _traders(population: Population, book: Book, house: str, offset: int, count: int) -> None:
    """Market makers: large sums all day, bought from a few partners and sold to a few others."""
    rng, group = population.rng, population.groups
    trader, coin = pick(rng, group[f"traders/{house}"], count), _coins(rng, count)
    btc, eth = group["wallets/btc"], group["wallets/eth"]
    buyer = _by_chain(coin, contacts(rng, btc[::2], trader), contacts(rng, eth[::2], trader))
    seller = _by_chain(coin, contacts(rng, btc[1::2], trader), contacts(rng, eth[1::2], trader))
    out = rng.random(count) < 0.5
    src, dst = np.where(out, trader, seller), np.where(out, buyer, trader)
    sums = heavy(rng, count, 14_000, 1.0)
    book.add(book.times(count, offset, office=False), src, dst, sums, coin, book.text(""))


def _relays(population: Population, book: Book, house: str, offset: int, count: int) -> None:
    """Payment firms at exchanges, and customers who move coins on at once: in, then out within hours."""
    rng, group, half = population.rng, population.groups, count // 2
    firm = rng.random(half) < 0.6
    through = np.where(firm, pick(rng, group[f"payers/{house}"], half), _active(population, house, half))
    coin, when = _coins(rng, half), book.times(half, offset, office=False)
    sums = heavy(rng, half, 1_100, 1.0, 60_000)
    source = _by_chain(coin, pick(rng, group["wallets/btc"], half), pick(rng, group["wallets/eth"], half))
    target = _by_chain(coin, pick(rng, group["wallets/btc"], half), pick(rng, group["wallets/eth"], half))
    book.add(when, source, through, sums, coin, book.text(""))
    later = when + rng.integers(300, 20_000, half) * 1_000_000
    book.add(later, through, target, sums * rng.uniform(0.93, 0.998, half), coin, book.text(""))


def _limits(population: Population, book: Book, house: str, offset: int, count: int) -> None:
    """Honest people who send about as much as an account with few papers lets them, once or a few times."""
    rng = population.rng
    times = rng.geometric(0.45, count)
    person = np.repeat(pick(rng, population.groups[f"people/{house}"], count), times)[:count]
    when = np.repeat(book.times(count, offset, office=False), times)[:count]
    when += rng.integers(0, 96 * 3600, count) * 1_000_000
    coin = np.full(count, TETHER)
    sums = np.where(rng.random(count) < 0.7, 990.0, 900.0) * rng.uniform(0.95, 1.0, count)
    book.add(when, person, _own(population, person, coin), sums, coin, book.text(""))


def _ramps(population: Population, book: Book, count: int) -> None:
    """Money between a person's bank account and his account at an exchange of the same country."""
    rng = population.rng
    bank, vasp = population.groups["ramp/bank"], population.groups["ramp/vasp"]
    chosen = pick(rng, rng.permutation(len(bank)).astype(np.int32), count, 0.4)
    out = rng.random(count) < 0.68
    src, dst = np.where(out, bank[chosen], vasp[chosen]), np.where(out, vasp[chosen], bank[chosen])
    country = np.array(population.country)[bank[chosen]]
    fiat = np.array([FIAT[code] for code in country], np.int64)
    when = book.times(count, 2, office=False)
    book.add(when, src, dst, heavy(rng, count, 280, 1.25, 150_000), fiat, book.text("Top-up", "Payout"), 100)


def fill(population: Population, book: Book, transfers: int) -> None:
    """Write ``transfers`` honest transfers: nearly all by their shares, the last by whoever tops up."""
    shares = sum(_BANK_SHARES.values()) + sum(_VASP_SHARES.values())
    scale = transfers * 0.99 / shares
    for house in obliged(population.members):
        index = next(i for i, place in enumerate(PLACES) if place.code == house.jurisdictions[0])
        if house.role is Role.BANK:
            _bank(population, book, house, index, lambda habit: int(scale * _BANK_SHARES[habit] / 4) + 1)
        else:
            _vasp(population, book, house, index, lambda habit: int(scale * _VASP_SHARES[habit] / 8) + 1)
    _ramps(population, book, int(scale * _VASP_SHARES["ramps"]))
    _groups(population, book, int(scale * _BANK_SHARES["groups"]))
    if (short := transfers - book.size) > 0:
        _ramps(population, book, short)
