from __future__ import annotations

from typing import Any

import pytest

from comity.app.web import session
from comity.app.web.session import Sessions
from comity.errors import Refused, SettingsError

TOKEN = "a-secret-of-the-desk"


@pytest.fixture
def sessions(clock: Any) -> Sessions:
    serial = iter(range(10**6))
    return Sessions(TOKEN, clock, lambda n: next(serial).to_bytes(n, "big"))


def test_a_short_token_is_refused_and_not_repeated(clock: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        Sessions("hunter2", clock, lambda n: bytes(n))
    assert "hunter2" not in caught.value.diagnostics()


def test_a_session_ends(sessions: Sessions, clock: Any) -> None:
    visitor = sessions.sign_in(TOKEN, "here")
    assert sessions.signed_in(visitor)
    clock.forward(hours=8)
    assert not sessions.signed_in(visitor)


def test_signing_out_ends_it_at_once(sessions: Sessions) -> None:
    visitor, other = sessions.sign_in(TOKEN, "here"), sessions.sign_in(TOKEN, "here")
    sessions.sign_out(visitor)
    assert not sessions.signed_in(visitor)
    assert sessions.signed_in(other)


def test_form_tokens_belong_to_one_visitor(sessions: Sessions) -> None:
    one, two = sessions.new_id(), sessions.new_id()
    sessions.check_csrf(one, sessions.csrf(one))
    for visitor, given in [(one, sessions.csrf(two)), (one, ""), ("", sessions.csrf("")), (one, "é\ud800")]:
        with pytest.raises(Refused):
            sessions.check_csrf(visitor, given)


def test_guessing_is_slowed_for_that_client_only(sessions: Sessions, clock: Any) -> None:
    for _ in range(session.MAX_FAILURES):
        assert sessions.wait("guesser") == 0
        with pytest.raises(Refused):
            sessions.sign_in("wrong", "guesser")
    assert 0 < sessions.wait("guesser") <= session.WINDOW.total_seconds()
    assert sessions.wait("someone else") == 0
    clock.forward(seconds=sessions.wait("guesser"))
    assert sessions.wait("guesser") == 0


def test_the_right_token_forgets_the_failures(sessions: Sessions) -> None:
    for _ in range(session.MAX_FAILURES - 1):
        with pytest.raises(Refused):
            sessions.sign_in("wrong", "here")
    sessions.sign_in(TOKEN, "here")
    with pytest.raises(Refused):
        sessions.sign_in("wrong", "here")
    assert sessions.wait("here") == 0


def test_what_is_remembered_is_bounded(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_CLIENTS", 3)
    monkeypatch.setattr(session, "MAX_SESSIONS", 3)
    for n in range(6):
        with pytest.raises(Refused):
            sessions.sign_in("wrong", f"client {n}")
    visitors = [sessions.sign_in(TOKEN, "here") for _ in range(5)]
    assert [sessions.signed_in(each) for each in visitors] == [False, False, True, True, True]
    assert len(sessions._failures) == 3
