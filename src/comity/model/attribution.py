"""Who is said to be behind an account, by whom, and how sure of it they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attribution:
    """``account`` belongs to ``actor`` (an id, "" where none is named), called ``label``.

    ``categories`` are the words of the lists (exchange, mixing_service, ransomware, sanction …);
    ``confidence`` lies in [0, 1]; ``source`` says where it was read; ``country`` is ISO 3166-1 alpha-2, ""
    where none or more than one is known: ``countries`` has them all. ``name`` is the actor's full name.
    ``others`` is what else is said of the account, the surest first: nothing that disagrees is lost.
    """

    account: str
    label: str
    actor: str
    categories: tuple[str, ...]
    confidence: float
    source: str
    country: str = ""
    name: str = ""
    countries: tuple[str, ...] = ()
    others: tuple[Attribution, ...] = ()

    @property
    def called(self) -> str:
        """What to call who is behind the account: the actor's full name, or else the label."""
        return self.name or self.label
