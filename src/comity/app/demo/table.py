"""The honest table: what was planted, found alone, found together, at what cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from comity.app.demo.example import Example, when
from comity.app.demo.facts import Story
from comity.app.demo.fleet import Fleet
from comity.app.demo.measure import Found
from comity.model import Confidence, Force, Message, MessageKind, Power
from comity.node.paths import Paths
from comity.standard.resolve import cited
from comity.training.scheme import SchemeKind
from comity.training.world import World

LIMITS = (
    "The world is made up; only the sanctioned wallets are real. It says nothing about any firm or country.",
    "Parameters are engineering defaults, and honest doings that look like laundering are planted too.",
    "The seconds run from the joint finding at the asking FIU to the freeze in force and acknowledged there.",
    "The demo's account decides at once and reports the strongest alerts unread: no person's time counts.",
    "Law below high confidence is marked wherever it is used. None of it is legal advice.",
    "Singapore publishes no schema for its reports: goAML stands in for it.",
    "Most cycles run through several institutions: finding those needs pooling, which this version has not.",
)


def flows(told: Story, found: Found) -> list[tuple[str, int, int, int, int, int]]:
    """What was disclosed, by what it was for: (what, messages, bytes, items, subjects, of them innocent)."""
    guilty = frozenset().union(*found.subjects.values())
    fius = set(told.joint)
    blinded = {MessageKind.MATCH_OFFER, MessageKind.MATCH_ANSWER}
    freezes = {MessageKind.FREEZE_REQUEST, MessageKind.FREEZE_REPLY}
    names: dict[str, Callable[[Message], bool]] = {
        "institutions answer their FIU": lambda m: m.kind is MessageKind.REPLY and m.sender not in fius,
        "FIUs match, blinded": lambda m: m.kind in blinded,
        "FIUs ask each other": lambda m: m.kind is MessageKind.REQUEST and m.recipient in fius,
        "FIUs answer each other": lambda m: m.kind is MessageKind.REPLY and m.sender in fius,
        "reports filed": lambda m: m.kind is MessageKind.REPORT,
        "freeze asked and answered": lambda m: m.kind in freezes,
    }
    rows = []
    for name, fits in names.items():
        chosen = [d for m, d in zip(told.messages, found.disclosures, strict=True) if fits(m)]
        subjects = {subject for each in chosen for subject in each.subjects}
        rows.append(
            (
                name,
                len(chosen),
                sum(each.bytes for each in chosen),
                sum(each.items for each in chosen),
                len(subjects),
                len(subjects - guilty),
            )
        )
    return rows


def by_kind(found: Found) -> list[tuple[str, int, int, int]]:
    """(kind, planted, found alone, found with cooperation)."""
    rows = []
    for kind in SchemeKind:
        ids = {scheme.id for scheme in found.schemes if scheme.kind == kind}
        if ids:
            alone, together = ids & {*found.value.alone}, ids & {*found.value.together}
            rows.append((kind.replace("_", " "), len(ids), len(alone), len(together)))
    return rows


def answer(world: World, told: Story, found: Found) -> dict[str, object]:
    """The table for machines. Counts are of schemes; false alarms of different subjects."""
    value, frozen = found.value, told.frozen
    return {
        "seed": world.seed,
        "transfers": len(world.table),
        "planted": value.planted,
        "found_alone": len(value.alone),
        "found_together": len(value.together),
        "gained": len(value.gained),
        "lost": len(value.lost),
        "found_by": {name: sorted(ids) for name, ids in found.alone.items()},
        "gained_schemes": list(value.gained),
        "never_found": list(found.never),
        "false_alarms": value.false_together,
        "false_alarms_alone": value.false_alone,
        "seconds_alert_to_freeze": frozen.seconds if frozen else None,
        "freeze": {
            "requester": frozen.requester,
            "requested": frozen.requested,
            "holder": frozen.holder,
            "state": frozen.state,
            "legal_basis": frozen.legal_basis,
            "confidence": frozen.confidence,
            "until": frozen.until.isoformat() if frozen.until else None,
            "subject_is_in_a_scheme": guilty(found, frozen.key),
        }
        if frozen
        else {"why_not": told.unfrozen},
        "disclosed": {
            "messages": value.messages,
            "bytes": value.bytes,
            "items": value.items,
            "subjects": value.subjects,
            "innocent": value.innocent,
            "by_purpose": {
                name: dict(zip(("messages", "bytes", "items", "subjects", "innocent"), rest, strict=True))
                for name, *rest in flows(told, found)
            },
        },
        "reports": [
            {
                "node": t.node,
                "format": t.form,
                "file": t.filename,
                "filed": t.filed,
                "problems": list(t.problems),
            }
            for t in told.cases
        ],
        "audit_verified": len(told.heads) == len(world.institutions) and bool(told.receipt or not frozen),
        "audit": {name: {"size": head.size, "root": head.root} for name, head in told.heads.items()},
        "receipt": told.receipt,
        "seconds": told.seconds,
        "limits": list(LIMITS),
    }


def guilty(found: Found, key: str) -> bool:
    """Whether a subject is in a planted scheme."""
    return any(key in keys for keys in found.subjects.values())


def machine(
    out: TextIO, world: World, told: Story, found: Found, page: Path, pages: Mapping[str, str]
) -> None:
    """Write the table as JSON; ``pages`` are the addresses of nodes that are kept running."""
    json.dump(answer(world, told, found) | {"report": str(page), "pages": dict(pages)}, out, indent=1)
    out.write("\n")
    out.flush()


def people(out: Console, told: Story, found: Found, shown: Example | None, page: Path) -> None:
    """Print the tables, what limits them, and where the report is."""
    if shown:
        out.print()
        out.print(_duties(shown))
    out.print()
    out.print(_main(told, found))
    out.print()
    for limit in LIMITS:
        out.print(f"[dim]· {escape(limit)}[/dim]")
    out.print(f"\nThe run took {told.seconds['total']:.0f} seconds. The report, with pictures:")
    out.print(str(page), soft_wrap=True, style="bold")


def _main(told: Story, found: Found) -> Table:
    value = found.value
    grid = Table(
        title="Found alone, found together", title_justify="left", header_style="bold", show_lines=False
    )
    for name, side in (("", "left"), ("alone", "right"), ("together", "right"), ("", "left")):
        grid.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    across = sum(len(scheme.countries) > 1 for scheme in found.schemes)
    grid.add_row(
        "[bold]Schemes planted[/bold]", f"{value.planted}", f"{value.planted}", f"{across} across borders"
    )
    for kind, planted, alone, together in by_kind(found):
        grid.add_row(f"  {kind}", f"{alone} of {planted}", f"{together} of {planted}", "")
    grid.add_section()
    for name, ids in found.alone.items():
        alerts = f"{found.alerts[name]} alerts"
        grid.add_row(f"Found by {name}", f"{len(ids)}", "", alerts)
    grid.add_section()
    nobody = f"{len(value.gained)} that none found alone; {len(found.never)} nobody finds"
    grid.add_row(
        "[bold]Found in all[/bold]",
        f"[bold]{len(value.alone)}[/bold]",
        f"[bold]{len(value.together)}[/bold]",
        nobody,
    )
    grid.add_row(
        "False alarms", f"{value.false_alone}", f"{value.false_together}", "subjects accused in error"
    )
    grid.add_section()
    grid.add_row(*_freeze_row(told, found))
    for name, messages, size, items, subjects, innocent in flows(told, found):
        sent = f"{messages} messages, {size / 1024:,.0f} kB, {items:,} items"
        detail = f"{sent}; {subjects:,} subjects, {innocent:,} of them innocent"
        grid.add_row(f"Disclosed: {name}", "", "", detail)
    filed = sum(each.filed for each in told.cases)
    grid.add_row("Reports filed", "", f"{filed}", f"{len(told.cases)} cases, decided by the demo's account")
    grid.add_row(
        "Audit logs verified", "", f"{len(told.heads)}", f"receipt of the freeze: {told.receipt or 'none'}"
    )
    return grid


def _freeze_row(told: Story, found: Found) -> tuple[str, str, str, str]:
    name = "[bold]Seconds, finding to freeze[/bold]"
    frozen = told.frozen
    if not frozen:
        return name, "", "none", told.unfrozen
    right = "in a scheme" if guilty(found, frozen.key) else "IN NO SCHEME: frozen in error"
    detail = (
        f"{frozen.requester} → {frozen.requested} → {frozen.holder}: {frozen.state.replace('_', ' ')}; "
        f"{cited(frozen.legal_basis)} (confidence {trust(frozen.confidence)}); the subject is {right}"
    )
    return name, "", f"[bold]{frozen.seconds:.1f}[/bold]", escape(detail)


def _duties(shown: Example) -> Table:
    grid = Table(
        title=f"Duties side by side: the {len(shown.transfers)} payments behind one joint finding",
        title_justify="left",
        header_style="bold",
        caption="? below high confidence: check it first.  (advice) only the standard recommends it.",
        caption_justify="left",
    )
    grid.add_column("Duty")
    for country in shown.countries:
        grid.add_column(country, overflow="fold")
    for kind in shown.kinds:
        cells = []
        for country in shown.countries:
            duty = shown.duties.get((kind, country))
            if duty is None:
                cells.append("[dim]–[/dim]")
                continue
            mark = "" if duty.provision.confidence is Confidence.HIGH else " ?"
            force = "" if duty.force is Force.REQUIRED else " (advice)"
            cells.append(
                f"{escape(when(duty))}{force}{mark}\n[dim]{escape(cited(duty.provision.source))}[/dim]"
            )
        grid.add_row(kind.replace("_", " "), *cells)
    return grid


def trust(confidence: str) -> str:
    """How sure we are of a provision, as a word."""
    return {"med": "medium"}.get(confidence, str(confidence))


def powers(told: Story) -> Mapping[str, str]:
    """What each country's FIU may freeze, in words."""
    words = {}
    for country, provision in told.powers.items():
        if provision is None or not isinstance(provision.value, Power):
            words[country] = "no power of its own in the law on file: it asks a court or the police"
        else:
            words[country] = (
                f"{provision.value} ({provision.source}; confidence {provision.confidence.value})"
            )
    return words


def addresses(out: Console, fleet: Fleet) -> None:
    """Where each node's pages are, and where its operators' token lies."""
    grid = Table(title="Running until Ctrl-C", title_justify="left", header_style="bold")
    for name in ("Node", "Pages", "Token"):
        grid.add_column(name, overflow="fold")
    for name, url in fleet.urls.items():
        grid.add_row(name, url, str(Paths(fleet.homes[name]).token))
    out.print(grid)
