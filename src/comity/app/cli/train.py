"""``comity train``: exercises on cases with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.app.cli._common import Json, emit, working

app = typer.Typer(help="Exercises for investigators, on cases with known truth.", no_args_is_help=True)
Seed = Annotated[int, typer.Option(help="The seed of the exercise; the trainer keeps it.")]
DEFAULT_SEED = 7


@app.command()
def play(
    exercise: Annotated[str, typer.Argument(help="first-case")] = "first-case",
    to: Annotated[Path, typer.Option(help="A new directory for the exercise.")] = Path("first-case"),
    seed: Seed = DEFAULT_SEED,
    as_json: Json = False,
) -> None:
    """Write an exercise: a briefing and one analyst's view of a case, without the truth.

    Example: comity train play first-case --to ./exercise
    """
    from comity.errors import NotFound
    from comity.training import exercise as first

    if exercise != first.NAME:
        raise NotFound(f"no exercise {exercise!r}", remedy=f"there is: {first.NAME}")
    with working("Making the case", as_json):
        briefing = first.play(to, seed)

    def render(out: object) -> None:
        from rich.console import Console
        from rich.markdown import Markdown

        assert isinstance(out, Console)
        out.print(Markdown(briefing.text))
        out.print(f"\nThe exercise is in {to}.", markup=False)

    emit(as_json, briefing, render)


@app.command()
def grade(
    directory: Annotated[Path, typer.Argument(help="The exercise, with answers.json in it.")],
    seed: Seed = DEFAULT_SEED,
    as_json: Json = False,
) -> None:
    """Grade the schemes and accounts named in answers.json.

    Example: comity train grade ./exercise
    """
    from comity.training import exercise as first

    with working("Grading", as_json):
        found = first.mark(directory, seed)

    def render(out: object) -> None:
        from rich.console import Console

        assert isinstance(out, Console)
        out.print(f"[bold]Score {found.score:.0%}[/bold]")
        for sentence in found.feedback:
            out.print(f"  {sentence}", markup=False)

    emit(as_json, found, render)
