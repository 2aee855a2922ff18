"""What a transfer of others changes: an identifier that holders share ties accounts together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from comity.ledger.columns import build, microseconds
from comity.model import AssetId, Identifier, Knowledge, Party, Transfer
from comity.monitoring.again import Touched, again
from comity.monitoring.known import informed
from comity.monitoring.run import chosen, monitor
from comity.typologies._common import pay

EURO = AssetId("iso4217:EUR")
NAMES = ["shared_identifier", "shared_payers"]


def paid(number: int, source: str, *phones: str) -> Transfer:
    holder = Party(f"Holder of {source}", identifiers=tuple(Identifier("phone", one) for one in phones))
    return pay(number, number / 10, source, "S", "700", originator_party=holder)


ONE = [paid(10 * i + j, f"A{i}", "+1") for i in range(4) for j in range(2)]
TWO = [paid(100 + 10 * i + j, f"B{i}", "+2") for i in range(6) for j in range(2)]
LAST = paid(90, "A9", "+1")
CHANGES = {
    "void": ([*ONE, LAST], ONE, [LAST], True),
    "no identifier any more": ([*ONE, LAST], [*ONE, paid(90, "A9")], [LAST], True),
    "two identifiers, of which the other is shared more widely": (
        ONE + TWO,
        [*ONE, *TWO, paid(200, "C", "+1", "+2")],
        [paid(200, "C", "+1", "+2")],
        False,
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_findings_about_others_who_share_an_identifier_change_with_it(what: str) -> None:
    before, after, changed, corrected = CHANGES[what]
    rules = chosen(NAMES, {}, 4)
    earlier = monitor(build(before, EURO), only=NAMES)
    columns = informed(build(after, EURO), Knowledge())
    full = monitor(columns, only=NAMES)
    assert full.findings != earlier.findings
    assert again(columns, earlier, touched(changed, corrected), rules) == full


def touched(changed: Sequence[Transfer], corrected: bool) -> Touched:
    times = [microseconds(one.time) for one in changed]
    ends = {end.value for one in changed for end in (one.originator, one.beneficiary)}
    return Touched(tuple(sorted(ends)), min(times), max(times), corrected)
