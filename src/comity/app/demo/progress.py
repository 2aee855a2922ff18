"""One line a step on standard error, with the seconds it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


class Steps:
    """Tells how the run gets on; silent when ``quiet``. ``seconds`` keeps what each step took."""

    def __init__(self, out: Console, *, quiet: bool) -> None:
        self._out, self._quiet = out, quiet
        self.seconds: dict[str, float] = {}
        self.began = time.monotonic()

    @contextmanager
    def step(self, name: str, doing: str) -> Iterator[Callable[[str], None]]:
        """A step; the word it is given last stands in its line when it is done."""
        begin, said = time.monotonic(), [doing]
        if self._quiet:
            yield said.append
        elif self._out.is_terminal:
            with self._out.status(escape(doing)):
                yield said.append
        else:
            yield said.append
        self.seconds[name] = took = round(time.monotonic() - begin, 2)
        if not self._quiet:
            self._out.print(f"[green]✓[/green] {escape(said[-1])} [dim]{took:.1f} s[/dim]", soft_wrap=True)

    @property
    def total(self) -> float:
        """Seconds since the beginning."""
        return round(time.monotonic() - self.began, 2)
