"""``comity report``: suspicious transaction reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.app.cli._common import HOME, Home, Json, emit, facts, open_node, read_file, table

MAX_REPORT = 64 * 1024 * 1024

app = typer.Typer(help="Reports to the FIU: draft, check, file.", no_args_is_help=True)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A goAML or FinCEN SAR file.")],
    schema: Annotated[
        Path | None, typer.Option(envvar="COMITY_SCHEMAS", help="Directory of the authorities' XSDs.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a report by its format's own rules, and by the authority's XSD where one is at hand.

    Exits with 2 when it is not valid.
    Example: comity report check str.xml --schema ./xsd
    """
    from comity import plugins
    from comity.errors import BadInput

    data = read_file(file, MAX_REPORT)
    plugin = plugins.recognise("reports", data[:4096])
    problems = plugin.check(data, schema)
    answer = {
        "format": plugin.SPEC.id,
        "valid": not problems,
        "problems": [
            {"where": p.where, "line": p.line, "what": p.what, "remedy": p.remedy} for p in problems
        ],
        "schema": str(schema) if schema else "none given: the format's own rules only",
    }
    rows = [(p.line, p.where, p.what, p.remedy) for p in problems]
    title = f"{file.name}: {plugin.SPEC.title}, {answer['schema']}"
    emit(as_json, answer, table(title + ": problems", ("line", "where", "what", "remedy"), rows))
    if problems:
        raise typer.Exit(BadInput.exit_code)


@app.command()
def draft(
    case_id: Annotated[str, typer.Argument(help="A case decided with the verdict report.")],
    format_: Annotated[str, typer.Option("--format", help="goaml or fincen_sar.")],
    to: Annotated[Path | None, typer.Option(help="Also write the file here.")] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Render a decided case as a report, check it and keep it with the case.

    Example: comity report draft CASE --format goaml --to str.xml
    """
    from comity.node import filing

    node = open_node(home)
    done = filing.draft(node, case_id, format_)
    if to:
        with node.act() as conn:
            to.write_bytes(node.cases.report(conn, done.id).data)
    said = [("file", done.filename), ("bytes", done.bytes), ("problems", len(done.problems))]
    emit(as_json, done, facts(f"Report {done.id}", said))


@app.command("file")
def file_(
    report_id: Annotated[str, typer.Argument(help="The report's id.")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Send a drafted report to the node's own FIU, sealed and signed.

    Example: comity report file REPORT
    """
    from comity.node import filing

    message = filing.file(open_node(home), report_id)
    emit(
        as_json,
        {"message": message.id, "to": message.recipient},
        facts("Queued", [("to", message.recipient)]),
    )
