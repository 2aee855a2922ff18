"""What part of an account's money comes from, or goes to, accounts that a list or an analyst names."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Container, Mapping
from decimal import Decimal

from comity.codec import canonical
from comity.model import AccountId, AssetId, Columns, Finding, FindingKind, Level
from comity.tracing.trace import Bounds, Direction, Step, Stop, Trace, trace

SOURCE = "FATF, Virtual Assets Red Flag Indicators (September 2020), A7"
ALERT_SHARE = 0.1
"""Exposure through others is an alert from this share; an engineering default."""


def exposure(
    columns: Columns,
    account: str,
    attributed: Mapping[str, tuple[str, str]],
    *,
    services: Container[str] = frozenset(),
    bounds: Bounds | None = None,
) -> tuple[Finding, ...]:
    """One finding per direction and category that ``account`` is exposed to, alerts first.

    ``attributed`` maps accounts to (label, category); tracing ends there and at ``services``. Direct
    exposure is one hop away, and always an alert; through others it is an alert from `ALERT_SHARE` of all
    that the account received or sent. Raises NotFound when the account is not in this ledger.
    """
    named = {known for known in attributed if known != account}
    found: list[Finding] = []
    for direction in (Direction.BACKWARD, Direction.FORWARD):
        result = trace(
            columns,
            account,
            direction,
            services=lambda other: other in named or other in services,
            bounds=bounds,
        )
        found += _by_category(result, attributed)
    return tuple(sorted(found, key=lambda f: (f.level is not Level.ALERT, -f.score, f.id)))


def _by_category(result: Trace, attributed: Mapping[str, tuple[str, str]]) -> list[Finding]:
    by_category: dict[str, dict[str, Decimal]] = defaultdict(dict)
    hops: dict[str, int] = {}
    for leaf in result.leaves:
        if leaf.reason is Stop.SERVICE and leaf.account in attributed:
            by_category[attributed[leaf.account][1]][leaf.account] = leaf.value
            hops[leaf.account] = leaf.hop
    return [
        _finding(result, category, ends, attributed, min(hops[end] for end in ends))
        for category, ends in sorted(by_category.items())
    ]


def _finding(
    result: Trace,
    category: str,
    ends: Mapping[str, Decimal],
    attributed: Mapping[str, tuple[str, str]],
    nearest: int,
) -> Finding:
    backward = result.direction is Direction.BACKWARD
    steps = paths(result, frozenset(ends))
    direct = sum(
        (s.value for s in steps if s.hop == 1 and (s.source if backward else s.target) in ends), Decimal()
    )
    total = sum(ends.values(), Decimal())
    share = float(total / result.value)
    alert = direct > 0 or share >= ALERT_SHARE
    evidence = tuple(step.transfer for step in steps)
    labels = sorted({attributed[end][0] for end in ends})
    subject = result.start
    return Finding(
        id=hashlib.sha256(
            canonical(["exposure", result.direction.value, category, subject, list(evidence)])
        ).hexdigest()[:32],
        kind=FindingKind.EXPOSURE,
        rule="exposure",
        subject=subject,
        level=Level.ALERT if alert else Level.WATCH,
        score=0.5 + share / 2 if alert else share * 0.5 / ALERT_SHARE,
        reasons=_reasons(result, category, labels, total, direct, nearest),
        evidence=evidence,
        source=SOURCE,
        first=min(step.time for step in steps),
        last=max(step.time for step in steps),
        features=(
            ("direct", float(direct)),
            ("hops", float(nearest)),
            ("indirect", float(total - direct)),
            ("share", share),
        ),
    )


def _reasons(
    result: Trace, category: str, labels: list[str], total: Decimal, direct: Decimal, nearest: int
) -> tuple[str, ...]:
    unit = AssetId(result.reference).symbol
    backward = result.direction is Direction.BACKWARD
    names = ", ".join(labels[:3]) + (f" and {len(labels) - 3} more" if len(labels) > 3 else "")
    reasons = [
        (
            f"{total / result.value:.1%} of what the account {'received' if backward else 'sent'} "
            f"({total.normalize():,f} of {result.value.normalize():,f} {unit}) "
            f"{'comes from' if backward else 'went to'} {names} ({category})."
        ),
        (
            f"Of that, {direct.normalize():,f} {unit} moved directly; the nearest is {nearest} "
            f"hop{'s' if nearest != 1 else ''} away."
        ),
    ]
    if result.estimated:
        reasons.append("Some values on the way are not known and were taken to be equal parts.")
    return tuple(reasons)


def paths(result: Trace, ends: frozenset[str]) -> tuple[Step, ...]:
    """The steps of a trace on ways, in order of time, between its start and any of ``ends``."""
    forward = result.direction is Direction.FORWARD

    def order(step: Step) -> tuple[object, ...]:
        micros = step.time.timestamp() if forward else -step.time.timestamp()
        return (micros, step.hop, AccountId(step.source if forward else step.target).is_hub)

    wanted, kept = set(ends), []
    for step in sorted(result.steps, key=order, reverse=True):
        near, far = (step.source, step.target) if forward else (step.target, step.source)
        if far in wanted:
            kept.append(step)
            if near not in ends:
                wanted.add(near)
    return tuple(sorted(kept, key=lambda step: (step.time, step.transfer)))
