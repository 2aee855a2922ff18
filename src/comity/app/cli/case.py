"""``comity case``: findings, cases and decisions of a node."""

from __future__ import annotations

from typing import Annotated

import typer

from comity.app.cli._common import HOME, Home, Json, Limit, emit, facts, open_node, table
from comity.model.case import CaseState, Verdict
from comity.model.finding import Level

app = typer.Typer(help="Findings, cases and decisions of a node.", no_args_is_help=True)
CaseId = Annotated[str, typer.Argument(help="The case's id.")]


@app.command("findings")
def findings(
    home: Home = HOME,
    level: Annotated[Level | None, typer.Option(help="alert or watch.")] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List findings, the highest score first.

    Example: comity case findings --level alert
    """
    node = open_node(home)
    with node.act() as conn:
        found = node.cases.list_findings(conn, level, limit=limit)
    rows = [(f.id, f.level.value, f.rule, f"{f.score:.2f}", f.subject, f.reasons[0]) for f in found]
    emit(as_json, found, table("Findings", ("id", "level", "rule", "score", "subject", "why"), rows))


@app.command("open")
def open_(
    findings: Annotated[list[str], typer.Argument(help="Ids of findings.")],
    title: Annotated[str, typer.Option(help="What the case is called.")] = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Open a case on findings; the duties of every country their transfers touch are computed.

    Example: comity case open FINDING --title "Fan-in at wallet bc1q…"
    """
    from comity.node import hops

    case = hops.open_case(open_node(home), findings, title)
    emit(as_json, case, facts(f"Case {case.id}", [("title", case.title), ("duties", len(case.duties))]))


@app.command("list")
def list_(
    home: Home = HOME,
    state: Annotated[CaseState | None, typer.Option(help="open, decided or closed.")] = None,
    as_json: Json = False,
) -> None:
    """List cases, the newest first.

    Example: comity case list --state open
    """
    node = open_node(home)
    with node.act() as conn:
        found = node.cases.list_cases(conn, state)
    rows = [(c.id, c.state.value, f"{c.opened:%Y-%m-%d %H:%M}", len(c.findings), c.title) for c in found]
    emit(as_json, found, table("Cases", ("id", "state", "opened", "findings", "title"), rows))


@app.command()
def show(case_id: CaseId, home: Home = HOME, as_json: Json = False) -> None:
    """Show a case: findings, duties by country, decisions and acts.

    Example: comity case show CASE
    """
    node = open_node(home)
    with node.act() as conn:
        case = node.cases.get(conn, case_id)

    def render(out: object) -> None:
        from rich.console import Console

        assert isinstance(out, Console)
        facts(case.title, [("state", case.state.value), ("subjects", ", ".join(case.subjects))])(out)
        table(
            "Findings",
            ("level", "rule", "why"),
            [(f.level.value, f.rule, " ".join(f.reasons)) for f in case.findings],
        )(out)
        table(
            "Duties",
            ("country", "force", "duty", "who", "due", "law", "confidence"),
            [
                (
                    d.jurisdiction.upper(),
                    d.force.value,
                    d.what,
                    d.who,
                    f"{d.due:%Y-%m-%d %H:%M}" if d.due else str(d.deadline or ""),
                    d.provision.source,
                    "; ".join((d.provision.confidence.value, *d.doubts)),
                )
                for d in case.duties
            ],
        )(out)
        table(
            "Decisions",
            ("when", "by", "verdict", "grounds"),
            [(f"{d.at:%Y-%m-%d %H:%M}", d.by, d.verdict.value, d.grounds) for d in case.decisions],
        )(out)
        for act in case.acts:
            out.print(f"  {act}", markup=False)

    emit(as_json, case, render)


@app.command()
def decide(
    case_id: CaseId,
    verdict: Annotated[Verdict, typer.Argument(help="report, freeze, request or dismiss.")],
    by: Annotated[str, typer.Option(help="Who decides: a person's name.")],
    grounds: Annotated[str, typer.Option(help="Why.")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Record what a person decided, and why.

    Example: comity case decide CASE report --by "A. Analyst" --grounds "Twelve payers, one wallet."
    """
    from comity.node import hops

    case = hops.decide(open_node(home), case_id, verdict, by, grounds)
    emit(as_json, case, facts(f"Case {case.id}", [("state", case.state.value), ("verdict", verdict.value)]))
