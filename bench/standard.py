"""The duties of a whole ledger: beside OpenFisca-Core on the same thresholds, and what the full set costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench import Row, _openfisca
from bench._measure import both, cpu
from bench._openfisca import OPENFISCA, Limit
from comity.model import AccountId, Duty, Force, Institution, Operator, Role, Transfer
from comity.standard.batch import SCALE, Batch
from comity.standard.bulk import Owed, owed
from comity.standard.claims import slots
from comity.standard.duties import duties
from comity.standard.law import Standard
from comity.standard.load import load
from comity.standard.sides import Side, ordinary

CLAIM = (
    "The duties of a million transfers over all countries cost at most a twentieth of OpenFisca-Core's time."
)
GOAL = 20.0

TRANSFERS = 1_000_000
BOUND = 2.0  # microseconds a transfer, on one core
SEED = 20261125
ON = date(2026, 11, 25)
ENDS = ("originator", "beneficiary")
# The kinds of transfers of one day: what is known beside what they show, and how many there are.
CLASSES: tuple[tuple[str, Mapping[str, str], float], ...] = (
    ("plain", {}, 0.4),
    ("wallet", {}, 0.15),
    ("occasional", {"customer": "occasional"}, 0.15),
    ("suspicious", {"suspicion": "alert"}, 0.15),
    ("cash", {"asset": "cash"}, 0.15),
)


@dataclass(frozen=True)
class Asked:
    """A duty that turns on a threshold, and the classes of transfers of which it is asked."""

    name: str
    kind: str
    classes: tuple[str, ...]


ASKED = (
    Asked("travel_rule", "travel_rule", ("plain", "occasional", "suspicious")),
    Asked("verify_self_hosted", "verify_self_hosted", ("wallet",)),
    Asked("identify_customer", "identify_customer", ("occasional",)),
    Asked("report_suspicion", "report_suspicion", ("suspicious",)),
    Asked("report_virtual", "report_currency", ("plain", "occasional", "suspicious")),
    Asked("report_wallet", "report_currency", ("wallet",)),
    Asked("report_cash", "report_currency", ("cash",)),
    Asked("refuse_cash", "refuse_cash", ("cash",)),
)
_FACTS: tuple[Mapping[str, str], ...] = (
    {},
    {"customer": "occasional"},
    {"suspicion": "alert"},
    {"suspicion": "alert", "sanctions": "hit", "matter": "sanctions"},
    {"asset": "cash"},
)
_WALLET = Side("originator_institution", False, (), None, True)


@cache
def law() -> Standard:
    return load()


def _micros(on: date) -> int:
    return int(datetime.combine(on, time(12), UTC).timestamp()) * 1_000_000


def _sides(*kinds: str) -> tuple[Side, ...]:
    """An institution of each kind a country, and last a self-hosted wallet."""
    made = (
        Side(f"{code}-{kind}", True, ((code.upper(), "established there"),), kind)
        for code in law().states()
        for kind in kinds
    )
    return (*made, _WALLET)


def _one_day(count: int, rng: np.random.Generator) -> tuple[Batch, NDArray[np.int64]]:
    """Transfers across a border, on one day, in whole dollars; and the class of each."""
    sides = _sides("vasp")
    last = len(sides) - 1
    classes = rng.choice(len(CLASSES), count, p=[share for *_, share in CLASSES])
    origin = rng.integers(0, last, count, dtype=np.int32)
    target = ((origin + rng.integers(1, last, count)) % last).astype(np.int32)
    target[classes == 1] = last
    worth = np.exp(rng.normal(7, 1.5, count)).astype(np.int64) % (1 << 23)
    batch = Batch(
        np.full(count, _micros(ON), dtype=np.int64),
        worth * 10**SCALE * 2,
        np.full(count, -1, dtype=np.int64),
        np.full(count, -1, dtype=np.int16),
        origin,
        target,
        np.zeros(count, dtype=np.int32),
        classes.astype(np.int32),
        sides,
        ((),),
        (),
        tuple(facts for _, facts, _ in CLASSES),
    )
    return batch, classes


def _four_years(count: int, rng: np.random.Generator) -> Batch:
    """Transfers of VASPs and banks of all countries: wallets, money, cash, suspicion, four years of law."""
    sides = _sides("vasp", "bank")
    currencies = ("USD", "EUR", "SGD", "INR")
    first, last = _micros(date(2024, 1, 1)), _micros(date(2027, 12, 31))
    worth = np.exp(rng.normal(7, 2, count)).astype(np.int64) * 10**SCALE * 2
    currency = rng.integers(-1, len(currencies), count).astype(np.int16)
    return Batch(
        np.sort(rng.integers(first, last, count)),
        worth,
        np.where(currency < 0, -1, worth),
        currency,
        rng.integers(0, len(sides), count).astype(np.int32),
        rng.integers(0, len(sides), count).astype(np.int32),
        np.zeros(count, dtype=np.int32),
        rng.choice(len(_FACTS), count, p=(0.9, 0.05, 0.03, 0.005, 0.015)).astype(np.int32),
        sides,
        ((),),
        currencies,
        _FACTS,
    )


def _limits() -> dict[tuple[str, str], dict[str, Limit]]:
    """The same thresholds as OpenFisca takes them: what binds a country's VASP that day, in dollars."""
    found: dict[tuple[str, str], dict[str, Limit]] = {}
    for asked in ASKED:
        name, facts, _ = next(each for each in CLASSES if each[0] == asked.classes[0])
        for end in ENDS:
            found[asked.name, end] = {
                code: _limit(code, end, asked.kind, name, facts) for code in law().states()
            }
    return found


def _limit(code: str, end: str, kind: str, name: str, facts: Mapping[str, str]) -> Limit:
    wallet = name == "wallet"
    side = Side("", True, (), "vasp")
    seen = ordinary(side, end, hosted=not wallet, chain=wallet, money=False, domestic=wallet)
    seen |= {"country_risk": "none", "bloc": "outside"} | dict(facts)
    slot = next((each for each in slots(law(), code, seen, ON, end) if each.rule.kind == kind), None)
    if slot is None or slot.required is None:
        return 0.0, False, False
    real = [each for each in slot.required.limits if each.amount or each.operator is Operator.OVER]
    if not real:
        return 0.0, False, True
    (limit,) = real
    codes = limit.currency.split("/")
    rate = Decimal(1) if "USD" in codes else min(law().vocabulary.rates[each] for each in codes)
    return float(limit.amount * rate), limit.operator is Operator.OVER, True


def _applies(classes: NDArray[np.int64]) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """For each question and end whether it is asked at all; a wallet has no institution at its end."""
    names = [name for name, *_ in CLASSES]
    found = {}
    for asked in ASKED:
        chosen = np.isin(classes, [names.index(each) for each in asked.classes])
        for end in ENDS:
            found[asked.name, end] = chosen & (classes != 1) if end == "beneficiary" else chosen
    return found


def _required(found: Owed, kind: str, role: int, count: int) -> NDArray[np.bool_]:
    chosen = found.mask(kind, Force.REQUIRED) & (found.rows.role == role)
    out = np.zeros(count, dtype=np.bool_)
    out[found.rows.transfer[chosen]] = True
    return out


def _same(found: Owed, theirs: Mapping[tuple[str, str], NDArray[np.bool_]], count: int) -> None:
    for kind in {asked.kind for asked in ASKED}:
        for role, end in enumerate(ENDS):
            mine = _required(found, kind, role, count)
            other = np.zeros(count, dtype=np.bool_)
            for asked in ASKED:
                if asked.kind == kind:
                    other |= theirs[asked.name, end].astype(bool)
            assert np.array_equal(mine, other), (kind, end)


def _with_deadlines(found: Owed) -> Owed:
    for kind in found.kinds:
        found.due(kind)
    return found


def _one_at_a_time(rates: Mapping[str, Decimal]) -> Callable[[], tuple[Duty, ...]]:
    """The duties of one transfer, as a case asks for them."""
    at = datetime.combine(ON, time(12), UTC)
    parties = {
        f"{code}-vasp": Institution(f"{code}-vasp", code, Role.VASP, (code.upper(),)) for code in ("us", "de")
    }
    transfer = Transfer(
        "t", at, AccountId("acct:us-vasp:1"), AccountId("acct:de-vasp:2"), None, Decimal(6_000)
    )
    return lambda: duties(law(), transfer, parties=parties, on=at, rates=rates)


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    count = max(2_000, round(TRANSFERS * scale))
    rng = np.random.default_rng(SEED)
    batch, classes = _one_day(count, rng)
    rates, states = law().vocabulary.rates, law().states()
    peer = _openfisca.system(_limits(), states)
    given = _openfisca.Given(
        ON.isoformat(),
        (batch.value // (2 * 10**SCALE)).astype(np.float32),
        {
            "originator": batch.originator.astype(np.int16),
            "beneficiary": np.minimum(batch.beneficiary, len(states) - 1).astype(np.int16),
        },
        _applies(classes),
    )
    owed(law(), batch, rates=rates)  # the kernel is compiled once
    ours, documented = both(
        lambda: owed(law(), batch, rates=rates), lambda: _openfisca.run(peer, given), runs=2
    )
    by_hand = cpu(lambda: _openfisca.run(peer, given, "_by_hand"), runs=2)
    _same(ours.answer, documented.answer, count)
    _same(ours.answer, by_hand.answer, count)
    many = _four_years(count, rng)
    judged = cpu(lambda: owed(law(), many, rates=rates), runs=2)
    whole = cpu(lambda: _with_deadlines(owed(law(), many, rates=rates)), runs=2)
    total = sum(judged.answer.count().values())
    single, some = _one_at_a_time(rates), max(20, round(1_000 * scale))
    alone = cpu(lambda: [single() for _ in range(some)], runs=2)
    each, without = whole.best / count * 1e6, judged.best / count * 1e6
    work = f"{count:,} transfers on one day, {len(states)} countries"
    return [
        Row(
            work=f"{work}: ours, all duties; peer, {len(ASKED)} thresholds at both ends",
            ours=ours.best,
            peer=documented.best,
            peer_version=f"{OPENFISCA}, parameters indexed by country as documented",
            goal=GOAL,
        ),
        Row(
            work=f"{work}: the peer's parameters gathered by hand into arrays",
            ours=ours.best,
            peer=by_hand.best,
            peer_version=OPENFISCA,
            note="OpenFisca for its dates and variables only",
        ),
        Row(
            work=f"the {total:,} duties of {count:,} transfers of four years, deadlines included",
            ours=whole.best,
            peer=None,
            peer_version="",
            note=f"{each:.2f} µs a transfer, {without:.2f} without deadlines (bound: {BOUND:.0f}); "
            f"{len(judged.answer.profiles):,} situations of law resolved",
        ),
        Row(
            work=f"the {len(single())} duties of one transfer from the United States to Germany, alone",
            ours=alone.best / some,
            peer=None,
            peer_version="",
            note=f"{alone.best / some * 1e6:,.0f} µs a transfer",
        ),
    ]
