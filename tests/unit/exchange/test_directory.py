from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest

from comity.errors import BadInput, NotFound, TooLarge, Unverified
from comity.exchange import directory as module
from comity.exchange.directory import Directory


def test_round_trip_is_canonical(directory: Directory) -> None:
    data = directory.to_json()
    again = Directory.from_json(data)
    assert again == directory
    assert again.to_json() == Directory(directory.members[::-1]).to_json() == data
    assert len(data) < 8192


def test_lookups(directory: Directory, now: datetime) -> None:
    assert directory.valid("fiu-de", now) is directory.member("fiu-de")
    assert [member.id for member in directory.in_jurisdiction("fr")] == ["fiu-fr"]
    with pytest.raises(NotFound, match="no member 'fiu-xx'"):
        directory.member("fiu-xx")
    for when in (now + timedelta(days=180), now - timedelta(days=181)):
        with pytest.raises(Unverified, match="not valid now"):
            directory.valid("fiu-de", when)
    assert directory.valid("fiu-de", now - timedelta(days=180)).id == "fiu-de"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"url": "http://127.0.0.1"}, "https"),
        ({"url": "https://user@host"}, "https"),
        ({"url": "https://host/?q"}, "https"),
        ({"signing": "AAAA"}, "key"),
        ({"signing": "?"}, "key"),
        ({"sealing": "AAAA"}, "key"),
        ({"tls_certificate": "none"}, "certificate"),
        ({"valid_until": datetime.fromisoformat("2026-01-01")}, "time zone"),
    ],
)
def test_what_cannot_be_listed(directory: Directory, changes: dict[str, object], why: str) -> None:
    with pytest.raises(BadInput) as error:
        dataclasses.replace(directory.members[0], **changes)
    assert why in error.value.why


def test_ids_and_validity_are_checked(directory: Directory) -> None:
    member = directory.members[0]
    with pytest.raises(BadInput, match="cannot be listed"):
        dataclasses.replace(member, institution=dataclasses.replace(member.institution, id="a b"))
    with pytest.raises(BadInput, match="cannot be listed"):
        dataclasses.replace(member, valid_until=member.valid_from)


@pytest.mark.parametrize("shared", [{"institution"}, {"signing"}, {"sealing"}])
def test_ids_and_keys_are_one_members_only(directory: Directory, shared: set[str]) -> None:
    first, second = directory.members
    double = dataclasses.replace(second, **{name: getattr(first, name) for name in shared})
    with pytest.raises(BadInput) as error:
        Directory((first, double))
    assert "another member's" in error.value.why


def test_hostile_bytes_are_refused(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (b"", b"[]", b'{"members":[{}]}', directory.to_json().replace(b"https", b"ftp")):
        with pytest.raises(BadInput):
            Directory.from_json(data)
    monkeypatch.setattr(module, "MAX_MEMBERS", 1)
    with pytest.raises(TooLarge):
        Directory(directory.members)
