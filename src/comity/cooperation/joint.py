"""Adding up what several institutions found too weak alone, from what they lawfully disclosed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from comity.model import Finding, FindingKind, Level

Combine = Callable[
    [str, list[Mapping[str, float]]], tuple[Level | None, Mapping[str, float], tuple[str, ...]]
]
"""A rule's id and the features of each contributor, to the joint level (None: no finding), the joint
features, and reasons in whole sentences. The detection engine's, handed in."""


def join(found: Mapping[str, Sequence[Finding]], combine: Combine) -> tuple[Finding, ...]:
    """Joint findings of kind MATCH, from findings by institution id; ordered by rule and subject.

    Findings are joined when rule and subject are the same and at least two institutions contribute.
    ``score`` is 1 - Π(1 - score of each): it ranks, no more. ``evidence`` is ``INSTITUTION/ID``.
    """
    groups: dict[tuple[str, str], list[tuple[str, Finding]]] = defaultdict(list)
    for institution in sorted(found):
        for finding in found[institution]:
            groups[finding.rule, finding.subject].append((institution, finding))
    joined = (_join(group, combine) for _, group in sorted(groups.items()) if len({i for i, _ in group}) > 1)
    return tuple(finding for finding in joined if finding)


def _join(group: Sequence[tuple[str, Finding]], combine: Combine) -> Finding | None:
    rule, subject = group[0][1].rule, group[0][1].subject
    level, features, reasons = combine(rule, [dict(finding.features) for _, finding in group])
    if level is None:
        return None
    unlikely = 1.0
    for _, finding in group:
        unlikely *= 1 - finding.score
    institutions = sorted({institution for institution, _ in group})
    shares = [
        f"{institution} contributes ({finding.level.value}): {' '.join(finding.reasons)}"
        for institution, finding in group
    ]
    times = [at for _, finding in group for at in (finding.first, finding.last) if at]
    name = "|".join((rule, subject, *institutions, *sorted(finding.id for _, finding in group)))
    return Finding(
        id=f"match-{hashlib.sha256(name.encode()).hexdigest()[:24]}",
        kind=FindingKind.MATCH,
        rule=rule,
        subject=subject,
        level=level,
        score=1 - unlikely,
        reasons=(
            f"{len(institutions)} institutions see the same subject: {', '.join(institutions)}.",
            *shares,
            *reasons,
        ),
        evidence=tuple(
            f"{institution}/{item}" for institution, finding in group for item in finding.evidence
        ),
        source="; ".join(dict.fromkeys(finding.source for _, finding in group)),
        first=min(times, default=None),
        last=max(times, default=None),
        features=tuple(sorted(features.items())),
    )
