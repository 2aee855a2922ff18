"""What institutions watch apart, added up."""

from __future__ import annotations

import pytest

from comity.errors import BadInput, UnknownFormat
from comity.ledger.columns import build
from comity.model import AssetId, Level
from comity.monitoring.joint import combine
from comity.monitoring.run import monitor
from comity.typologies._common import account, pay

EURO = AssetId("iso4217:EUR")


def test_two_that_watch_make_an_alert_together() -> None:
    parts = []
    for bank in range(2):
        transfers = [pay(i, i, f"V{bank}{i}", "C", "180") for i in range(5)]
        (found,) = monitor(build(transfers, EURO), only=["fan_in"]).findings
        assert found.level is Level.WATCH and found.subject == account("C")
        parts.append(dict(found.features))
    level, sums, reasons = combine("fan_in", parts)
    assert level is Level.ALERT and sums == {"senders": 10}
    assert reasons == ("2 findings together: senders 10, where 10 are needed for fan-in.",)


def test_too_little_together_is_still_only_watched() -> None:
    level, sums, reasons = combine("pass_through", [{"value": 2000.0}, {"value": 2500.5}])
    assert level is Level.WATCH and sums == {"value": 4500.5}
    assert "value 4,500.5, where 5,000 are needed" in reasons[0]
    assert combine("pass_through", [{"value": 2000.0}], {"min_value": 1500})[0] is Level.ALERT


def test_nothing_to_add_up() -> None:
    assert combine("cycle", [{"value": 9e9}]) == (None, {}, ())
    assert combine("fan_in", []) == (None, {}, ())
    assert combine("fan_in", [{"something": 4}]) == (None, {}, ())


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownFormat):
        combine("smurfing", [])
    with pytest.raises(BadInput):
        combine("fan_in", [], {"min_value": 4})
