from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from comity.cooperation.joint import join
from comity.model import Finding, FindingKind, Level


def combine(
    rule: str, features: list[Mapping[str, float]]
) -> tuple[Level | None, dict[str, float], tuple[str, ...]]:
    total = sum(item["senders"] for item in features)
    if rule != "fan_in" or total < 5:
        return None, {}, ()
    return Level.ALERT, {"senders": total}, (f"Together {total:g} senders paid in.",)


def watch(name: str, senders: float, now: datetime, subject: str = "eip155:1:0xab") -> Finding:
    return Finding(
        id=name,
        kind=FindingKind.TYPOLOGY,
        rule="fan_in",
        subject=subject,
        level=Level.WATCH,
        score=0.5,
        reasons=(f"{senders:g} senders paid in.",),
        evidence=(f"t-{name}",),
        source="FATF 2020",
        first=now,
        last=now + timedelta(hours=senders),
        features=(("senders", senders),),
    )


def test_weak_alone_strong_together(now: datetime) -> None:
    (found,) = join({"vasp-b": [watch("b", 3, now)], "vasp-a": [watch("a", 2, now)]}, combine)
    assert (found.kind, found.level, found.subject) == (FindingKind.MATCH, Level.ALERT, "eip155:1:0xab")
    assert found.score == pytest.approx(0.75)
    assert found.features == (("senders", 5),)
    assert found.evidence == ("vasp-a/t-a", "vasp-b/t-b")
    assert (found.first, found.last) == (now, now + timedelta(hours=3))
    assert found.source == "FATF 2020"
    assert found.reasons == (
        "2 institutions see the same subject: vasp-a, vasp-b.",
        "vasp-a contributes (watch): 2 senders paid in.",
        "vasp-b contributes (watch): 3 senders paid in.",
        "Together 5 senders paid in.",
    )


def test_the_same_contributions_give_the_same_finding(now: datetime) -> None:
    one, other = {"a": [watch("a", 2, now)]}, {"b": [watch("b", 3, now)]}
    assert join(one | other, combine) == join(other | one, combine)
    changed = {"b": [replace(watch("b", 3, now), id="c")]}
    assert join(one | other, combine)[0].id != join(one | changed, combine)[0].id


def test_what_is_not_joined(now: datetime) -> None:
    assert join({}, combine) == ()
    assert join({"a": [watch("a", 9, now), watch("b", 9, now)]}, combine) == (), "one institution alone"
    assert join({"a": [watch("a", 9, now)], "b": [watch("b", 9, now, "other:1:x")]}, combine) == ()
    assert join({"a": [watch("a", 1, now)], "b": [watch("b", 1, now)]}, combine) == (), "too weak together"
    timeless = replace(watch("a", 9, now), first=None, last=None)
    (found,) = join({"a": [timeless], "b": [replace(timeless, id="b")]}, combine)
    assert found.first is found.last is None
