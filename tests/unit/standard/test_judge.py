from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from comity.model import AccountId, Amount, AssetId, Institution, Role, Transfer
from comity.standard.duties import duties, rough_rates
from comity.standard.judge import Judge
from comity.standard.load import load


def test_a_local_day_that_begins_at_half_past_is_a_new_one() -> None:
    """Midnight in Kolkata is 18:30 UTC: what falls due is counted from the new day."""
    standard, rates, facts = load(), {"USD": Decimal(1)}, {"suspicion": "alert"}
    rough = rough_rates(standard, rates)
    parties = {"in-vasp": Institution("in-vasp", "IN", Role.VASP, ("IN",))}
    judge = Judge(standard, parties=parties, rates=rates, rough=rough)
    ends = AccountId("acct:in-vasp:1"), AccountId("acct:in-vasp:2")
    due = set()
    for minute in (10, 45):
        on = datetime(2026, 6, 1, 18, minute, tzinfo=UTC)
        one = Transfer("t", on, *ends, Amount(Decimal(50_000), AssetId("iso4217:USD")), Decimal(50_000))
        found = judge.duties(one, on=on, facts=facts)
        assert found == duties(standard, one, parties=parties, on=on, rates=rates, facts=facts, rough=rough)
        due |= {duty.due for duty in found if duty.kind == "report_suspicion"}
    assert len(due) == 2
