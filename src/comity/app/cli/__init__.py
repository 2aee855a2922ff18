"""The ``comity`` command: one module a command; heavy libraries are imported where they are used."""

from __future__ import annotations

import json
import sys
from typing import Annotated, NoReturn

import typer

from comity import __version__
from comity.app.cli import (
    audit,
    authorise,
    case,
    demo,
    enforce,
    exchange,
    ledger,
    lists,
    match,
    monitor,
    node,
    report,
    screen,
    standard,
    trace,
    train,
)
from comity.errors import BadInput, ComityError, StoreError

app = typer.Typer(
    name="comity",
    help="FIUs, supervisors, law enforcement and VASPs of different countries acting as one "
    "against the laundering of digital assets.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.add_typer(node.app, name="node")
app.add_typer(lists.app, name="lists")
app.command("screen")(screen.screen)
app.add_typer(ledger.app, name="ledger")
app.command("monitor")(monitor.monitor)
app.command("authorise")(authorise.authorise)
app.command("trace")(trace.trace)
app.add_typer(standard.app, name="standard")
app.add_typer(case.app, name="case")
app.add_typer(report.app, name="report")
app.add_typer(exchange.app, name="exchange")
app.command("match")(match.match)
app.add_typer(enforce.app, name="enforce")
app.add_typer(train.app, name="train")
app.add_typer(audit.app, name="audit")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"comity {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version  # the callback has answered


def main() -> NoReturn:
    """Run the command line. An error becomes its words (or JSON) on standard error, and its exit code."""
    as_json = "--json" in sys.argv
    code: object = 0
    try:
        code = app(standalone_mode=not as_json)  # for people, Typer itself says what does not fit
    except ComityError as error:
        code = _failed(error, as_json)
    except typer.TyperException as error:
        why, remedy = "the command line does not fit the command", "run the command with --help"
        code = _failed(BadInput(error.format_message(), why=why, remedy=remedy), as_json)
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        what = f"{error.filename or 'a file'} cannot be read or written"
        remedy = "check the path, and who may use it"
        code = _failed(StoreError(what, why=error.strerror or str(error), remedy=remedy), as_json)
    except KeyboardInterrupt:
        sys.stderr.write("comity: stopped\n")
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


def _failed(error: ComityError, as_json: bool) -> int:
    said = json.dumps(error.as_dict(), ensure_ascii=False) if as_json else f"comity: {error.diagnostics()}"
    sys.stderr.write(said + "\n")
    return error.exit_code
