"""What the law of a jurisdiction answers to a question on a day, and why that answer and no other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from comity.model import Confidence, Provision
from comity.standard.law import Standard
from comity.standard.vocabulary import installed

LISTS = ("fatf.black_list", "fatf.grey_list")


@dataclass(frozen=True, slots=True)
class Resolution:
    """The provision that answers, or None where all law is silent.

    ``own``: it is the jurisdiction's own law, not one it extends. ``binding``: it binds firms, not only
    states. ``displaced``: provisions that gave way, each with the reason. A provision whose value is None
    says that the answer is *unknown*: it does not fall to the law it extends.
    """

    provision: Provision | None
    own: bool
    binding: bool
    displaced: tuple[tuple[Provision, str], ...]
    explanation: tuple[str, ...]

    @property
    def unknown(self) -> bool:
        """Whether a provision exists whose answer nobody has established."""
        return self.provision is not None and self.provision.value is None


def resolve(
    standard: Standard, jurisdiction: str, question: str, on: date, facts: Mapping[str, str] | None = None
) -> Resolution:
    """Own law before the law it extends; more conditions before fewer; later before earlier.

    Raises NotFound for a jurisdiction or question there is none of.
    """
    standard.vocabulary.question(question)
    chain = standard.chain(jurisdiction)
    given = facts or {}
    best: Provision | None = None
    displaced: list[tuple[Provision, str]] = []
    for law in chain:
        for provision in standard.provisions[law].get(question, ()):
            obstacle = _obstacle(provision, on, given)
            if obstacle:
                displaced.append((provision, obstacle))
            elif best is None:
                best = provision
            else:
                displaced.append((provision, _yields(provision, best)))
    return Resolution(
        best,
        best is not None and best.jurisdiction == chain[0],
        best is not None and standard.binds(best),
        tuple(displaced),
        _explain(standard, chain, question, on, best, displaced),
    )


def find(
    standard: Standard, jurisdiction: str, question: str, on: date, facts: Mapping[str, str]
) -> Provision | None:
    """The provision `resolve` finds, without the reasons: for loops over many questions."""
    for law in standard.chain(jurisdiction):
        for provision in standard.provisions[law].get(question, ()):
            if not _obstacle(provision, on, facts):
                return provision
    return None


def country_risk(standard: Standard, countries: Iterable[str], on: date) -> str:
    """``black``, ``grey`` or ``none``: the worst of FATF's lists that any of these countries is on."""
    if standard.root:
        wanted = {country.upper() for country in countries}
        for word, name in zip(("black", "grey"), LISTS, strict=True):
            listed = find(standard, standard.root, name, on, {})
            if listed is not None and isinstance(listed.value, tuple) and wanted.intersection(listed.value):
                return word
    return "none"


def precedence(provision: Provision) -> tuple[int, int]:
    """Sort key within one jurisdiction: more conditions first, then the later."""
    return (-len(provision.when), -(provision.from_ or date.min).toordinal())


def _obstacle(provision: Provision, on: date, facts: Mapping[str, str]) -> str:
    if provision.from_ and on < provision.from_:
        return f"not yet in force: applies from {provision.from_}"
    if provision.until and on >= provision.until:
        return f"no longer in force: applied until {provision.until}"
    missing = [f"{name}: {value}" for name, value in provision.when if facts.get(name) != value]
    return f"applies only when {', '.join(missing)}" if missing else ""


def _yields(provision: Provision, to: Provision) -> str:
    if provision.jurisdiction != to.jurisdiction:
        return f"the law of {to.jurisdiction} comes before that of {provision.jurisdiction}, which it extends"
    if len(provision.when) < len(to.when):
        return "the exception comes before the rule"
    return "the later law comes before the earlier"


def _explain(
    standard: Standard,
    chain: tuple[str, ...],
    question: str,
    on: date,
    best: Provision | None,
    displaced: list[tuple[Provision, str]],
) -> tuple[str, ...]:
    ask = standard.vocabulary.question(question).ask
    lines = [f"{ask} ({question}, {chain[0]}, {on})"]
    if best is None:
        lines.append(f"No law answers: {' and '.join(chain)} are silent.")
    else:
        lines.append(f"{shown(best)}: {best.source}.")
        lines.append(_won(chain, best, displaced))
        if not standard.binds(best):
            lines.append("It binds states, not firms: what follows from it is recommended, not required.")
        if best.confidence is not Confidence.HIGH:
            lines.append(f"Confidence is {best.confidence.value}: check the source before relying on it.")
        if best.from_ is None:
            lines.append("Since when it applies is not recorded.")
        lines.extend(
            f"{label}: {text}" for label, text in (("Departs", best.departs), ("Note", best.note)) if text
        )
    lines.extend(f"Set aside: {each.source} ({each.jurisdiction}): {why}." for each, why in displaced)
    return tuple(lines)


def _won(chain: tuple[str, ...], best: Provision, displaced: list[tuple[Provision, str]]) -> str:
    """Why this provision answers and no other, in one sentence."""
    if best.jurisdiction != chain[0]:
        return f"The law of {chain[0]} is silent, so that of {best.jurisdiction} applies."
    reasons = []
    if best.when:
        holds = " and ".join(f"{name} is {value}" for name, value in best.when)
        reasons.append(f"it is the exception for this case ({holds})")
    if best.from_:
        reasons.append(f"it applies from {best.from_}" + (f" until {best.until}" if best.until else ""))
    if any(each.jurisdiction != best.jurisdiction for each, _ in displaced):
        reasons.append("own law comes before the law it extends")
    return f"It answers because {', and '.join(reasons)}." if reasons else "It is the only answer there is."


def cited(source: str) -> str:
    """A source without where it was seen: article and act."""
    return source.partition("; seen at ")[0]


def shown(provision: Provision) -> str:
    """The answer as a person reads it: *none* where the law is known to have none."""
    value = provision.value
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        asked = installed().questions.get(provision.question)
        return "yes" if value else "no" if asked is None or asked.type == "bool" else "none"
    return (", ".join(value) or "none") if isinstance(value, tuple) else str(value)
