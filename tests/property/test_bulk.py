"""The duties of many transfers at once are those of each alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from comity.model import (
    BTC,
    AccountId,
    Amount,
    AssetId,
    Institution,
    Party,
    PartyKind,
    Role,
    Transfer,
)
from comity.standard.batch import of
from comity.standard.bulk import NONE, owed
from comity.standard.duties import duties
from comity.standard.judge import Judge
from comity.standard.law import Standard
from comity.standard.load import load


@cache
def installed() -> Standard:
    return load()


# Rates that are not round, so that a threshold of another currency falls between two amounts.
RATES = {
    code: rate + Decimal(number) / 100
    for number, (code, rate) in enumerate(installed().vocabulary.rates.items())
}
RATES["USD"] = Decimal(1)
COUNTRIES = ("AE", "DE", "GB", "SG", "US", "IR", "VG", "FR", "IN", "BR", "AQ")
PARTIES = {
    each.id: each
    for each in (
        *(Institution(f"{c.lower()}-vasp", c, Role.VASP, (c,)) for c in COUNTRIES),
        *(Institution(f"{c.lower()}-bank", c, Role.BANK, (c,)) for c in COUNTRIES),
        Institution("two", "Two", Role.VASP, ("SG", "DE")),
        Institution("de-fiu", "FIU", Role.FIU, ("DE",)),
    )
}
MONEY = ("USD", "EUR", "SGD", "KRW", "XAU")
FACTS: tuple[dict[str, str], ...] = (
    {},
    {"suspicion": "alert"},
    {"suspicion": "alert", "sanctions": "hit", "matter": "sanctions"},
    {"customer": "occasional"},
    {"asset": "cash"},
    {"pep": "foreign", "suspect": "unidentified", "suspicion": "alert"},
    {"country_risk": "black"},
)
START = datetime(2018, 12, 1, tzinfo=UTC)


DAYS = sorted(
    {
        day
        for law in installed().provisions.values()
        for provisions in law.values()
        for each in provisions
        for day in (each.from_, each.until)
        if day and day.year >= 2018
    }
)
# Any hour of fourteen years; and the hours around a change of law, in whatever time zone it is made.
TIMES = st.one_of(
    st.integers(0, 24 * 365 * 14).map(lambda hours: START + timedelta(hours=hours)),
    st.builds(
        lambda day, hours: datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours),
        st.sampled_from(DAYS),
        st.integers(-16, 16),
    ),
)
WORTHS = st.one_of(
    st.sampled_from([Decimal(n) for n in (0, 1, 999, 1000, 1100, 1500, 2000, 3000, 10000, 50000)]),
    st.decimals(0, 2_000_000, places=4),
)
NAMES = st.sampled_from([*PARTIES, "nobody"])
ACCOUNTS = st.one_of(
    NAMES.map(lambda name: AccountId(f"acct:{name}:1")),
    st.just(AccountId("eip155:1:0xaa")),
    st.sampled_from(["DE89370400440532013000", "GB33BUKB20201555555555"]).map(
        lambda iban: AccountId(f"iban:{iban}")
    ),
)
PARTY = st.sampled_from([None, Party("x", PartyKind.LEGAL), Party("y", PartyKind.NATURAL)])
WHERE = st.sampled_from(["", "", "", *COUNTRIES])


@st.composite
def transfers(draw: st.DrawFn) -> list[Transfer]:
    found = []
    for number in range(draw(st.integers(1, 12))):
        asset = draw(st.sampled_from([BTC, *(AssetId.money(code) for code in MONEY)]))
        quantity = draw(WORTHS)
        found.append(
            Transfer(
                str(number),
                draw(TIMES),
                draw(ACCOUNTS),
                draw(ACCOUNTS),
                draw(st.sampled_from([None, Amount(quantity, asset)])),
                draw(WORTHS),
                draw(st.one_of(st.just(""), NAMES)),
                "",
                draw(WHERE),
                draw(WHERE),
                draw(PARTY),
                draw(PARTY),
                tuple(draw(st.lists(NAMES, max_size=2))),
            )
        )
    return found


@settings(max_examples=150, deadline=None)
@given(many=transfers(), data=st.data())
def test_many_are_judged_as_each_alone(many: list[Transfer], data: st.DataObject) -> None:
    facts = {each.id: data.draw(st.sampled_from(FACTS)) for each in many}
    batch = of(many, parties=PARTIES, rates=RATES, facts=facts)
    found = owed(installed(), batch, rates=RATES)
    for number, each in enumerate(many):
        alone = duties(installed(), each, parties=PARTIES, on=each.time, rates=RATES, facts=facts[each.id])
        assert found.of(number) == alone
    assert not found.unjudged.any()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for kind in found.kinds:
        ends = found.due(kind)
        have = sorted((epoch + timedelta(microseconds=int(end))) for end in ends[ends != NONE])
        wanted = sorted(
            duty.due
            for number in range(len(many))
            for duty in found.of(number)
            if duty.kind == kind and duty.due
        )
        assert have == wanted
    counted = sum(found.count().values())
    assert counted == sum(len(found.of(number)) for number in range(len(many)))


@cache
def judge() -> Judge:
    """One for all examples, so that situations are met again."""
    return Judge(installed(), parties=PARTIES, rates=RATES)


@settings(max_examples=150, deadline=None)
@given(many=transfers(), data=st.data())
def test_a_judge_that_remembers_situations_says_what_duties_says(
    many: list[Transfer], data: st.DataObject
) -> None:
    for each in (*many, *reversed(many)):
        facts = data.draw(st.sampled_from(FACTS))
        alone = duties(installed(), each, parties=PARTIES, on=each.time, rates=RATES, facts=facts)
        assert judge().duties(each, on=each.time, facts=facts) == alone
