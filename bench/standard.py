"""The duties of a whole ledger: beside OpenFisca-Core on the same thresholds, and what the full set costs."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache

import numpy as np

from bench import Row, _openfisca
from bench._measure import both, cpu
from bench._openfisca import OPENFISCA, Limit
from comity.model import Force, Operator, Threshold
from comity.standard.batch import SCALE, Batch
from comity.standard.bulk import Owed, owed
from comity.standard.law import Standard
from comity.standard.load import load
from comity.standard.resolve import find
from comity.standard.sides import Side

CLAIM = (
    "The duties of a million transfers over all countries cost at most a twentieth of OpenFisca-Core's time."
)
GOAL = 20.0

TRANSFERS = 1_000_000
BOUND = 2.0  # microseconds a transfer, on one core
SEED = 20261125
ON = date(2026, 11, 25)
KINDS = {
    "travel_rule": "travel_rule.threshold",
    "identify_customer": "cdd.occasional",
}
_DAY = 86_400_000_000
_FACTS = ({}, {"customer": "occasional"})
_SUSPECT: tuple[dict[str, str], ...] = (
    {},
    {"customer": "occasional"},
    {"suspicion": "alert"},
    {"suspicion": "alert", "sanctions": "hit", "matter": "sanctions"},
    {"asset": "cash"},
)


@cache
def law() -> Standard:
    return load()


def _micros(on: date) -> int:
    return int(datetime.combine(on, time(12), UTC).timestamp()) * 1_000_000


def _sides() -> tuple[Side, ...]:
    """One VASP a country."""
    return tuple(
        Side(f"{code}-vasp", True, ((code.upper(), "established there"),), "vasp") for code in law().states()
    )


def _one_day(count: int, rng: np.random.Generator) -> Batch:
    """Transfers across a border, on one day, in whole dollars, half of them of occasional customers."""
    sides = _sides()
    origin = rng.integers(0, len(sides), count, dtype=np.int32)
    target = (origin + rng.integers(1, len(sides), count, dtype=np.int32)) % len(sides)
    worth = np.exp(rng.normal(7, 1.5, count)).astype(np.int64) % (1 << 23)
    nothing = np.full(count, -1)
    return Batch(
        np.full(count, _micros(ON), dtype=np.int64),
        worth * 10**SCALE * 2,
        nothing.astype(np.int64),
        nothing.astype(np.int16),
        origin,
        target.astype(np.int32),
        np.zeros(count, dtype=np.int32),
        np.ones(count, dtype=np.int32),
        sides,
        ((),),
        (),
        _FACTS,
    )


def _full(count: int, rng: np.random.Generator) -> Batch:
    """Four years of transfers of VASPs and banks of all countries, with wallets, money, cash and suspicion."""
    states = [code.upper() for code in law().states()]
    sides = tuple(
        Side(f"{code}-{kind}", True, ((code, "established there"),), kind)
        for code in states
        for kind in ("vasp", "bank")
    ) + (Side("originator_institution", False, (), None, True),)
    currencies = ("USD", "EUR", "SGD", "INR")
    first, last = _micros(date(2024, 1, 1)), _micros(date(2027, 12, 31))
    worth = np.exp(rng.normal(7, 2, count)).astype(np.int64) * 10**SCALE * 2
    currency = rng.integers(-1, len(currencies), count).astype(np.int16)
    chances = (0.9, 0.05, 0.03, 0.005, 0.015)
    return Batch(
        np.sort(rng.integers(first, last, count)),
        worth,
        np.where(currency < 0, -1, worth),
        currency,
        rng.integers(0, len(sides), count).astype(np.int32),
        rng.integers(0, len(sides), count).astype(np.int32),
        np.zeros(count, dtype=np.int32),
        rng.choice(len(_SUSPECT), count, p=chances).astype(np.int32),
        sides,
        ((),),
        currencies,
        _SUSPECT,
    )


def _limits() -> dict[str, dict[str, Limit]]:
    """The same thresholds as OpenFisca takes them: what binds a country's VASP that day, in dollars."""
    facts = {"asset": "virtual", "reach": "cross_border", "sector": "vasp", "person": "natural"}
    facts |= {"customer": "occasional", "counterparty": "hosted", "country_risk": "none"}
    found: dict[str, dict[str, Limit]] = {}
    for kind, question in KINDS.items():
        rule = law().vocabulary.questions[question].duty
        assert rule is not None
        found[kind] = {}
        for code in law().states():
            answer = find(law(), code, question, ON, facts)
            gate = find(law(), code, rule.gate, ON, facts) if rule.gate else None
            binds = answer is not None and law().binds(answer) and (gate is None or gate.value is True)
            limit = answer.value if answer is not None and binds else None
            if not isinstance(limit, Threshold):
                found[kind][code] = (0.0, False, False)
                continue
            codes = limit.currency.split("/")
            rate = Decimal(1) if "USD" in codes else min(law().vocabulary.rates[each] for each in codes)
            found[kind][code] = (float(limit.amount * rate), limit.operator is Operator.OVER, True)
    return found


def _required(found: Owed, kind: str, role: int, count: int) -> np.ndarray:
    chosen = found.mask(kind, Force.REQUIRED) & (found.rows.role == role)
    out = np.zeros(count, dtype=np.bool_)
    out[found.rows.transfer[chosen]] = True
    return out


def _with_deadlines(found: Owed) -> Owed:
    for kind in found.kinds:
        found.due(kind)
    return found


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    count = max(2_000, round(TRANSFERS * scale))
    rng = np.random.default_rng(SEED)
    batch = _one_day(count, rng)
    rates = law().vocabulary.rates
    limits, states = _limits(), law().states()
    peer, _ = _openfisca.system(limits, states)
    worth = (batch.value // (2 * 10**SCALE)).astype(np.float32)
    ends = {
        "originator": batch.originator.astype(np.int16),
        "beneficiary": batch.beneficiary.astype(np.int16),
    }

    def theirs(suffix: str = "") -> dict[tuple[str, str], np.ndarray]:
        return _openfisca.run(peer, worth, ends, tuple(KINDS), ON.isoformat(), suffix)

    owed(law(), batch, rates=rates)  # the kernel is compiled once
    ours, documented = both(lambda: owed(law(), batch, rates=rates), theirs, runs=2)
    by_hand = cpu(lambda: theirs("_by_hand"), runs=2)
    for kind in KINDS:
        for role, end in enumerate(ends):
            mine = _required(ours.answer, kind, role, count)
            assert np.array_equal(mine, documented.answer[kind, end].astype(bool)), (kind, end)
            assert np.array_equal(mine, by_hand.answer[kind, end].astype(bool)), (kind, end)
    many = _full(count, rng)
    judged = cpu(lambda: owed(law(), many, rates=rates), runs=2)
    whole = cpu(lambda: _with_deadlines(owed(law(), many, rates=rates)), runs=2)
    total = sum(judged.answer.count().values())
    each = whole.best / count * 1e6
    work = f"{count:,} transfers on one day, {len(states)} countries"
    return [
        Row(
            work=f"{work}: ours, all duties; peer, {len(KINDS)} thresholds at both ends",
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
            note=f"{each:.2f} µs a transfer (bound: {BOUND:.0f}), {judged.best / count * 1e6:.2f} without deadlines; "
            f"{len(judged.answer.profiles):,} situations of law resolved",
        ),
    ]
