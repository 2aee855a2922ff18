"""The grounds for suspicion in plain sentences: who, what, when, where, why and how.

Everything said is in the case; nothing is concluded. A person reads and completes it before it goes out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from comity.model import AccountId, Amount, Case, Finding, Institution, Party, Subject, Transfer

ROOM = 7500
"""Characters: goAML takes 8,000, and a person wants to add something."""


@dataclass(frozen=True, slots=True)
class Breadth:
    """How much is told: so many of each kind, sentences of so many characters."""

    most: int
    sentence: int


BREADTHS = (
    Breadth(8, 2000),
    Breadth(8, 600),
    Breadth(8, 300),
    Breadth(4, 300),
    Breadth(2, 300),
    Breadth(1, 200),
)


def narrative(
    case: Case,
    filer: Institution,
    subjects: Sequence[Subject],
    transfers: Sequence[Transfer],
    parties: Mapping[str, Party],
    currency: str,
) -> str:
    """Paragraphs in a fixed order, told as broadly as fits into ``ROOM`` characters.

    What is left out is counted where it is left out; a sentence that is cut shows its dots.
    """
    words = ""
    for breadth in BREADTHS:
        told = (
            _who(filer, subjects, breadth),
            _what(transfers, currency, breadth),
            _when(case, transfers),
            _where(transfers, breadth),
            _why(case.findings, breadth),
            _how(transfers, parties, currency, breadth),
            _decided(case, breadth),
        )
        words = "\n\n".join(paragraph for paragraph in told if paragraph)
        if len(words) <= ROOM:
            break
    return words


def _who(filer: Institution, subjects: Sequence[Subject], breadth: Breadth) -> str:
    if not subjects:
        return f"{filer.name} reports activity of persons it does not know."
    count = f"{len(subjects)} subjects" if len(subjects) > 1 else "one subject"
    sentences = [f"{filer.name} reports {count}."]
    for subject in subjects[: breadth.most]:
        name = subject.party.name or "A person whose name is not known"
        held = [account.value for account in subject.accounts]
        holds = f" holds {_series(held, breadth)}" if held else " holds no account known to the filer"
        from_ = f" of {_series(subject.party.countries, breadth)}" if subject.party.countries else ""
        sentences.append(f"{name}{from_}{holds}.")
    return " ".join(sentences) + _more(len(subjects) - breadth.most, "subject")


def _what(transfers: Sequence[Transfer], currency: str, breadth: Breadth) -> str:
    if not transfers:
        return "No transfer is attached to this report."
    values = [transfer.value for transfer in transfers if transfer.value is not None]
    noun = "transfers" if len(transfers) > 1 else "transfer"
    worth = f", worth {_money(sum(values, Decimal(0)))} {currency} in all" if values else ""
    unknown = len(transfers) - len(values)
    assets = {_asset(t.amount) for t in transfers if t.amount is not None}
    moved = f" What moved was {_series(sorted(assets), breadth)}." if assets else ""
    rest = f" The worth of {unknown} of them is not known." if values and unknown else ""
    return f"The report covers {len(transfers)} {noun}{worth}.{moved}{rest}"


def _when(case: Case, transfers: Sequence[Transfer]) -> str:
    times = [transfer.time for transfer in transfers]
    times += [when for f in case.findings for when in (f.first, f.last) if when is not None]
    if not times:
        return ""
    first, last = min(times), max(times)
    if first == last:
        return f"It took place on {_time(first)}."
    return f"It took place between {_time(first)} and {_time(last)}."


def _where(transfers: Sequence[Transfer], breadth: Breadth) -> str:
    chains = sorted({a.chain for t in transfers for a in (t.originator, t.beneficiary) if a.chain})
    through = sorted(
        {i for t in transfers for i in (t.originator_institution, t.beneficiary_institution) if i}
    )
    countries = sorted({c for t in transfers for c in (t.originator_country, t.beneficiary_country) if c})
    said = []
    if chains:
        said.append(f"Value moved on {_series(chains, breadth)}.")
    if through:
        said.append(f"The institutions concerned are {_series(through, breadth)}.")
    if countries:
        said.append(f"The countries concerned are {_series(countries, breadth)}.")
    return " ".join(said)


def _why(findings: Sequence[Finding], breadth: Breadth) -> str:
    if not findings:
        return ""
    ranked = sorted(findings, key=lambda f: (-f.score, f.id))
    said = [_finding(finding, breadth) for finding in ranked[: breadth.most]]
    left = Counter(f.rule for f in ranked[breadth.most :])
    rest = ", ".join(f"{count} by {rule}" for rule, count in sorted(left.items()))
    return " ".join(said) + _more(len(ranked) - breadth.most, "finding", rest)


def _finding(finding: Finding, breadth: Breadth) -> str:
    most = max(1, breadth.most // 2)
    reasons = [_sentence(reason, breadth) for reason in finding.reasons[:most]]
    head = f"It is suspicious about {finding.subject} by the rule {finding.rule}:"
    source = f" (Source of the rule: {finding.source}.)" if finding.source else ""
    return f"{head} {' '.join(reasons)}{_more(len(finding.reasons) - most, 'reason')}{source}"


def _how(transfers: Sequence[Transfer], parties: Mapping[str, Party], currency: str, breadth: Breadth) -> str:
    steps = [
        f"On {_time(t.time)} {_amount(t, currency)} moved"
        f" from {_name(t.originator, t.originator_party, parties)}"
        f" to {_name(t.beneficiary, t.beneficiary_party, parties)}."
        for t in sorted(transfers, key=lambda t: (t.time, t.id))[: breadth.most]
    ]
    return " ".join(steps) + _more(len(transfers) - breadth.most, "transfer")


def _decided(case: Case, breadth: Breadth) -> str:
    return " ".join(
        f"On {_time(d.at)} {d.by} decided to {d.verdict.value}: {_sentence(d.grounds, breadth)}"
        for d in case.decisions[-2:]
    )


def _name(account: AccountId, party: Party | None, parties: Mapping[str, Party]) -> str:
    known = party or parties.get(account.value)
    return f"{account.value} ({known.name})" if known and known.name else account.value


def _amount(transfer: Transfer, currency: str) -> str:
    amount, value = transfer.amount, transfer.value
    if amount is None:
        return "an unknown amount" if value is None else f"{_money(value)} {currency}"
    worth = f" ({_money(value)} {currency})" if value is not None and _asset(amount) != currency else ""
    return f"{amount.quantity:f} {_asset(amount)}{worth}"


def _asset(amount: Amount) -> str:
    return amount.asset.currency or amount.asset.value


def _money(value: Decimal) -> str:
    return f"{value:,.2f}"


def _time(when: datetime) -> str:
    utc = when.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y at %H:%M} UTC"


def _sentence(text: str, breadth: Breadth) -> str:
    """One bounded sentence that ends as one; what is cut shows its dots."""
    text = " ".join(text.split())
    if len(text) > breadth.sentence:
        text = text[: breadth.sentence - 1].rstrip() + "…"
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _series(items: Iterable[str], breadth: Breadth) -> str:
    listed = list(items)
    if len(listed) > breadth.most:
        listed = [*listed[: breadth.most], f"{len(listed) - breadth.most} more"]
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"


def _more(count: int, noun: str, detail: str = "") -> str:
    if count <= 0:
        return ""
    told = f" ({detail})" if detail else ""
    return (
        f" {count} further {noun}{'s' if count > 1 else ''}{told} {'are' if count > 1 else 'is'} in the case."
    )
