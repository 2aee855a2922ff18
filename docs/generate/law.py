"""Every provision of every law file: an index, and a page for each jurisdiction."""

from __future__ import annotations

from collections import Counter
from typing import Any

from docs.generate._markdown import code, table

INTRO = (
    "Not legal advice. Whatever is not **high** is marked ⚠: check its source before relying on it. "
    "`SOURCED` was seen, `FROM-MEMORY` recalled. *until* is the first day on which a provision no longer "
    "applies. Where a country is silent the law it extends applies; what only FATF asks is recommended, "
    "never required."
)


def law() -> dict[str, str]:
    """The pages by name: `law.md`, and `law-CC.md` for each jurisdiction."""
    from comity.standard.load import load

    standard = load()
    return {"law.md": _index(standard)} | {
        f"law-{name}.md": _page(standard, name) for name in standard.jurisdictions
    }


def picture() -> str:
    """The world by the share of the standard each law keeps, on the day of the newest review."""
    from comity.app.standard.standing import standings
    from comity.app.standard.worldmap import draw
    from comity.standard.load import load

    standard = load()
    every = (p for law in standard.provisions.values() for found in law.values() for p in found)
    day = max(p.reviewed for p in every if p.reviewed)
    return draw(standings(standard, day), f"on {day}")


def _index(standard: Any) -> str:
    questions = standard.vocabulary.questions.values()
    every = [p for law in standard.provisions.values() for found in law.values() for p in found]
    trust = Counter(p.confidence.value for p in every)
    said = ", ".join(f"{trust[word]:,} {word}" for word in ("high", "med", "low", "unknown"))
    rows = []
    for name, one in standard.jurisdictions.items():
        own = [p for found in standard.provisions[name].values() for p in found]
        rows.append(
            (
                f"[{name}](law-{name}.md)",
                one.name,
                one.extends and code(one.extends),
                one.kind,
                len(own),
                sum(p.value is None for p in own),
                f"⚠ {sum(p.confidence != 'high' for p in own)}",
                len(one.cases),
            )
        )
    heads = ("law", "name", "extends", "kind", "provisions", "unknown", "below high", "cases")
    return "\n\n".join(
        (
            "# The law as it ships",
            f"{INTRO} {len(every):,} provisions of {len(standard.jurisdictions)} files: {said}.",
            table(heads, rows),
            "## Questions",
            "Marked \\*: every country answers it, at least by `unknown`.",
            table(
                ("question", "asks", "type", "stricter", "duty"),
                [
                    (
                        code(q.name) + ("\\*" if q.name in standard.vocabulary.needed else ""),
                        q.ask,
                        f"{q.type} of {q.of}" if q.of else q.type,
                        q.stricter,
                        code(q.duty.kind) if q.duty else "",
                    )
                    for q in questions
                ],
            ),
            "## Words",
            table(
                ("list", "words"),
                [
                    (code(name), ", ".join(map(code, words)))
                    for name, words in (
                        *standard.vocabulary.words.items(),
                        ("purposes", standard.vocabulary.purposes),
                        ("contents", standard.vocabulary.contents),
                    )
                ],
            ),
            "## Facts",
            "What conditions (`when`) and cases may speak of.",
            table(
                ("fact", "values"),
                [(code(k), ", ".join(map(code, v))) for k, v in standard.vocabulary.facts.items()],
            ),
        )
    )


def _page(standard: Any, name: str) -> str:
    one = standard.jurisdictions[name]
    own = standard.provisions[name]
    extends = f" It extends [{one.extends}](law-{one.extends}.md)." if one.extends else ""
    rows = [_provision(p) for q in standard.vocabulary.questions for p in own.get(q, ())]
    heads = ("question", "answer", "when", "from – until", "confidence", "source", "reviewed")
    cases = [
        (
            case.on,
            case.name,
            f"{case.value:,} {case.currency}, {case.direction}",
            ", ".join(f"{fact}: {value}" for fact, value in case.facts),
            ", ".join(map(code, case.required)) or "none",
            "" if case.recommended is None else ", ".join(map(code, case.recommended)) or "none",
            ", ".join(f"{code(kind)} {day}" for kind, day in case.due),
        )
        for case in one.cases
    ]
    case_heads = ("on", "case", "transfer", "facts", "required", "recommended", "due")
    return "\n\n".join(
        (
            f"# {name}: {one.name}",
            f"{INTRO}{extends} All laws: [law](law.md).",
            table(heads, rows),
            "## Worked cases",
            "Duties that fall on every transfer (keeping records, names) are left out.",
            table(case_heads, cases),
        )
    )


def _provision(p: Any) -> tuple[object, ...]:
    from comity.standard.resolve import shown

    told = (
        ("Limits", getattr(p.value, "limits", "")),
        ("Requires", getattr(p.value, "requires", "")),
        ("Departs", p.departs),
        ("Note", p.note),
    )
    extra = "".join(f" *{label}: {text}*" for label, text in told if text)
    mark = "high" if p.confidence == "high" else f"⚠ {p.confidence.value}"
    span = f"{p.from_ or '?'} – {p.until or ''}" if p.from_ or p.until else ""
    return (
        code(p.question),
        shown(p) + extra,
        ", ".join(f"{fact}: {value}" for fact, value in p.when),
        span,
        f"{mark}, {p.basis.value}",
        p.source,
        p.reviewed or "",
    )
