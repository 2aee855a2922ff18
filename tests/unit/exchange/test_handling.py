from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from comity.errors import Refused
from comity.exchange.handling import Consent, Source, check_outgoing, derive, may_forward
from comity.model import Handling, Message, OnwardUse

WANTED = Handling("prosecution", OnwardUse.FREE, "StPO § 474", ("ours",))


def source(use: OnwardUse, until: datetime | None = None) -> Source:
    return Source("m-9", "fiu-fr", Handling("intelligence", use, "", ("not in court",), until))


def test_the_strictest_wins(now: datetime) -> None:
    terms = [
        Handling("a", OnwardUse.WITH_CONSENT, "x", ("one", "two"), now + timedelta(days=9)),
        Handling("b", OnwardUse.FREE, "y", ("two", "three"), now + timedelta(days=3)),
    ]
    assert derive(terms, WANTED) == Handling(
        "prosecution",
        OnwardUse.WITH_CONSENT,
        "StPO § 474",
        ("one", "two", "three", "ours"),
        now + timedelta(days=3),
    )
    assert derive([], WANTED) == WANTED
    assert derive([source(OnwardUse.NONE).handling], WANTED).onward_use is OnwardUse.NONE


def test_no_onward_use_is_none_at_all(now: datetime) -> None:
    held = source(OnwardUse.NONE)
    consent = Consent("m-9", "fiu-fr", "fiu-sg", "intelligence")
    with pytest.raises(Refused) as error:
        may_forward(held, to="fiu-sg", purpose="intelligence", now=now, consents=[consent])
    assert "fiu-fr" in error.value.remedy
    assert "m-9" in error.value.remedy
    may_forward(held, to="fiu-fr", purpose="intelligence", now=now)


def test_consent_is_for_one_recipient_and_purpose(now: datetime) -> None:
    held = source(OnwardUse.WITH_CONSENT)
    consent = Consent("m-9", "fiu-fr", "fiu-sg", "intelligence")
    may_forward(held, to="fiu-sg", purpose="intelligence", now=now, consents=[consent])
    for wrong in (
        [],
        [replace(consent, recipient="fiu-us")],
        [replace(consent, purpose="prosecution")],
        [replace(consent, message_id="m-8")],
        [replace(consent, owner="fiu-sg")],
    ):
        with pytest.raises(Refused, match="without consent") as error:
            may_forward(held, to="fiu-sg", purpose="intelligence", now=now, consents=wrong)
        assert "request for consent" in error.value.remedy


def test_free_goes_until_it_must_be_gone(now: datetime) -> None:
    may_forward(source(OnwardUse.FREE), to="fiu-sg", purpose="x", now=now)
    may_forward(source(OnwardUse.FREE, now + timedelta(seconds=1)), to="fiu-sg", purpose="x", now=now)
    with pytest.raises(Refused, match="no longer"):
        may_forward(source(OnwardUse.FREE, now), to="fiu-fr", purpose="x", now=now)


def test_outgoing_messages_carry_the_terms_of_their_sources(
    write: Callable[..., Message], now: datetime
) -> None:
    held = source(OnwardUse.FREE, now + timedelta(days=3))
    loose = write(handling=WANTED)
    with pytest.raises(Refused, match="looser"):
        check_outgoing(loose, [held], now)
    with pytest.raises(Refused, match="looser") as error:
        check_outgoing(loose, [source(OnwardUse.FREE)], now)
    assert "no set date" in error.value.why
    check_outgoing(write(handling=derive([held.handling], WANTED)), [held], now)
    check_outgoing(loose, [], now)
    with pytest.raises(Refused, match="may not be passed on to fiu-de"):
        check_outgoing(write(recipient="fiu-de"), [source(OnwardUse.NONE)], now)
    received = write(sender="fiu-fr", id="m-9")
    assert Source.of(received) == Source("m-9", "fiu-fr", received.handling)


def test_the_order_of_caveats_does_not_matter(write: Callable[..., Message], now: datetime) -> None:
    terms = replace(WANTED, caveats=("ours", "not in court"))
    check_outgoing(write(handling=terms), [source(OnwardUse.FREE)], now)
