"""What part of an account's money comes from, or goes to, accounts that a list or an analyst names."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from comity.codec import canonical
from comity.model import AccountId, AssetId, Columns, Finding, FindingKind, Level
from comity.tracing.trace import (
    Bounds,
    Bridges,
    Direction,
    Method,
    Sides,
    Step,
    Stop,
    Trace,
    compare,
    spread,
    trace,
)

SOURCE = "FATF, Virtual Assets Red Flag Indicators (September 2020), A7"
ALERT_SHARE = 0.1
"""Exposure through others is an alert from this share; an engineering default."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """What an account received from (backward), or sent to, the accounts of one category.

    ``value``, of it ``direct`` in one hop, is the part ``share`` of all that the account received or sent
    (``trace.value``); the nearest of ``accounts`` is ``hops`` away. ``path`` is the way that carried most to
    the account of them with most, from the earliest transfer on; ``steps`` are all steps on ways between.
    ``lowest`` and ``highest`` are the shares by the methods that give the least and the most, where asked.
    """

    trace: Trace
    category: str
    labels: tuple[str, ...]
    accounts: tuple[str, ...]
    value: Decimal
    direct: Decimal
    share: float
    hops: int
    path: tuple[Step, ...]
    steps: tuple[Step, ...]
    lowest: float | None = None
    highest: float | None = None


def exposures(
    columns: Columns,
    account: str,
    attributed: Mapping[str, tuple[str, str]],
    *,
    services: Container[str] = frozenset(),
    bounds: Bounds | None = None,
    method: Method = Method.HAIRCUT,
    across: bool = False,
    bridges: Bridges | Sides | None = None,
) -> tuple[Exposure, ...]:
    """What ``account`` is exposed to, backward and forward, by category; the greatest share first.

    ``attributed`` maps accounts to (label, category); tracing ends there and at ``services``. ``across`` also
    says how far the methods differ, at the cost of all four. Raises NotFound when the account is not in
    this ledger.
    """
    named = {known for known in attributed if known != account}
    found: list[Exposure] = []
    for direction in (Direction.BACKWARD, Direction.FORWARD):

        def ends(other: str) -> bool:
            return other in named or other in services

        if across:
            every = compare(columns, account, direction, services=ends, bounds=bounds, bridges=bridges)
            result = every[method]
        else:
            result = trace(
                columns, account, direction, services=ends, bounds=bounds, method=method, bridges=bridges
            )
            every = {}
        found += _by_category(result, attributed, every)
    return tuple(sorted(found, key=lambda one: (-one.share, one.category, one.trace.direction)))


def exposure(
    columns: Columns,
    account: str,
    attributed: Mapping[str, tuple[str, str]],
    *,
    services: Container[str] = frozenset(),
    bounds: Bounds | None = None,
    method: Method = Method.HAIRCUT,
    across: bool = False,
    bridges: Bridges | Sides | None = None,
) -> tuple[Finding, ...]:
    """`exposures` as findings, alerts first: one for each direction and category.

    Direct exposure is one hop away, and always an alert; through others it is an alert from `ALERT_SHARE` of
    all that the account received or sent. Raises NotFound when the account is not in this ledger.
    """
    found = exposures(
        columns,
        account,
        attributed,
        services=services,
        bounds=bounds,
        method=method,
        across=across,
        bridges=bridges,
    )
    findings = [_finding(one) for one in found if one.steps]
    return tuple(sorted(findings, key=lambda f: (f.level is not Level.ALERT, -f.score, f.id)))


def _by_category(
    result: Trace, attributed: Mapping[str, tuple[str, str]], every: Mapping[Method, Trace]
) -> list[Exposure]:
    by_category: dict[str, dict[str, Decimal]] = defaultdict(dict)
    hops: dict[str, int] = {}
    for one in (result, *every.values()):
        for leaf in one.leaves:
            if leaf.reason is Stop.SERVICE and leaf.account in attributed:
                ends = by_category[attributed[leaf.account][1]]
                ends.setdefault(leaf.account, Decimal(0))
                if one is result:
                    ends[leaf.account] = leaf.value
                hops[leaf.account] = min(leaf.hop, hops.get(leaf.account, leaf.hop))
    most = {one.account: (one.by_method, one.highest) for one in spread(every)} if every else {}
    return [
        _exposure(result, category, ends, attributed, min(hops[end] for end in ends), most)
        for category, ends in sorted(by_category.items())
    ]


def _exposure(
    result: Trace,
    category: str,
    ends: Mapping[str, Decimal],
    attributed: Mapping[str, tuple[str, str]],
    nearest: int,
    most: Mapping[str, tuple[Mapping[Method, Decimal], Decimal]],
) -> Exposure:
    backward = result.direction is Direction.BACKWARD
    steps = paths(result, frozenset(ends))
    direct = sum(
        (s.value for s in steps if s.hop == 1 and (s.source if backward else s.target) in ends), Decimal()
    )
    lowest = highest = None
    if most:
        sums = [sum((most[end][0][method] for end in ends), Decimal()) for method in Method]
        lowest = float(min(sums) / result.value)
        highest = float(min(sum((most[end][1] for end in ends), Decimal()), result.value) / result.value)
    total = sum(ends.values(), Decimal())
    return Exposure(
        trace=result,
        category=category,
        labels=tuple(sorted({attributed[end][0] for end in ends})),
        accounts=tuple(sorted(ends)),
        value=total,
        direct=direct,
        share=float(total / result.value),
        hops=nearest,
        path=widest(result, max(ends, key=lambda end: (ends[end], end))),
        steps=steps,
        lowest=lowest,
        highest=highest,
    )


def _finding(found: Exposure) -> Finding:
    result, share, steps = found.trace, found.share, found.steps
    alert = found.direct > 0 or share >= ALERT_SHARE
    evidence = tuple(step.transfer for step in steps)
    subject, category, method = result.start, found.category, result.method
    identity = ["exposure", result.direction.value, category, subject, list(evidence)]
    if method is not Method.HAIRCUT:
        identity.append(method.value)
    features = [
        ("direct", float(found.direct)),
        ("hops", float(found.hops)),
        ("indirect", float(found.value - found.direct)),
        ("share", share),
    ]
    if found.lowest is not None and found.highest is not None:
        features += [("share_at_least", found.lowest), ("share_at_most", found.highest)]
    return Finding(
        id=hashlib.sha256(canonical(identity)).hexdigest()[:32],
        kind=FindingKind.EXPOSURE,
        rule="exposure",
        subject=subject,
        level=Level.ALERT if alert else Level.WATCH,
        score=0.5 + share / 2 if alert else share * 0.5 / ALERT_SHARE,
        reasons=_reasons(found),
        evidence=evidence,
        source=SOURCE,
        first=min((step.time for step in steps), default=None),
        last=max((step.time for step in steps), default=None),
        features=tuple(features),
    )


def _reasons(found: Exposure) -> tuple[str, ...]:
    result, labels, category = found.trace, found.labels, found.category
    unit = AssetId(result.reference).symbol
    backward = result.direction is Direction.BACKWARD
    names = ", ".join(labels[:3]) + (f" and {len(labels) - 3} more" if len(labels) > 3 else "")
    reasons = [
        (
            f"{found.share:.1%} of what the account {'received' if backward else 'sent'} "
            f"({found.value.normalize():,f} of {result.value.normalize():,f} {unit}) "
            f"{'comes from' if backward else 'went to'} {names} ({category})."
        ),
        (
            f"Of that, {found.direct.normalize():,f} {unit} moved directly; the nearest is {found.hops} "
            f"hop{'s' if found.hops != 1 else ''} away."
        ),
    ]
    if result.method is not Method.HAIRCUT:
        reasons.append(f"Traced by {result.method.value}.")
    if found.lowest is not None and found.highest is not None:
        reasons.append(f"By the rule of tracing that is chosen: {found.lowest:.1%} to {found.highest:.1%}.")
    if result.estimated:
        reasons.append("Some values on the way are not known and were taken to be equal parts.")
    reasons += dict.fromkeys(step.reason for step in found.steps if step.inferred)
    return tuple(reasons)


def _in_order(result: Trace) -> Iterable[Step]:
    """The steps of a trace, the one furthest from its start first."""
    forward = result.direction is Direction.FORWARD

    def order(step: Step) -> tuple[object, ...]:
        micros = step.time.timestamp() if forward else -step.time.timestamp()
        return (micros, step.hop, AccountId(step.source if forward else step.target).is_hub)

    return sorted(result.steps, key=order, reverse=True)


def _ends_of(step: Step, forward: bool) -> tuple[str, str]:
    """Where a trace comes from over a step (over a bridge: the account at its near side), and where to."""
    near, far = (step.source, step.target) if forward else (step.target, step.source)
    return step.via or near, far


def paths(result: Trace, ends: frozenset[str]) -> tuple[Step, ...]:
    """The steps of a trace on ways, in order of time, between its start and any of ``ends``."""
    forward = result.direction is Direction.FORWARD
    wanted, kept = set(ends), []
    for step in _in_order(result):
        near, far = _ends_of(step, forward)
        if far in wanted:
            kept.append(step)
            if near not in ends:
                wanted.add(near)
    return tuple(sorted(kept, key=lambda step: (step.time, step.transfer)))


def widest(result: Trace, end: str) -> tuple[Step, ...]:
    """One way between the start of a trace and ``end``, in order of time: from the end back, at each account
    over the step that brought most."""
    forward = result.direction is Direction.FORWARD
    into: dict[str, list[Step]] = defaultdict(list)
    for step in result.steps:
        into[_ends_of(step, forward)[1]].append(step)
    way: list[Step] = []
    while end != result.start:
        before = [
            step
            for step in into[end]
            if step not in way
            and (not way or (step.time <= way[-1].time if forward else step.time >= way[-1].time))
        ]
        if not before:
            break
        way.append(max(before, key=lambda step: (step.value, -step.hop, step.transfer)))
        end = _ends_of(way[-1], forward)[0]
    return tuple(reversed(way) if forward else way)
