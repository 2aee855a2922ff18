"""What a filer knows of a party beyond its noun, as `Identifier`s of these kinds.

Documents (``passport``, ``national_id``, ``tax``, ``ssn``, ``ein``, ``lei``, ``register`` …) identify; the
particulars below describe, and each format puts them where it has a place for them.
"""

from __future__ import annotations

from comity.model import Identifier, Party

PARTICULARS = frozenset(
    {
        "phone",
        "email",
        "occupation",
        "gender",  # F or M
        "customer_number",
        "account_opened",  # ISO date
        "document_issued",  # ISO date
        "document_expires",  # ISO date
    }
)


def facts(party: Party | None) -> dict[str, str]:
    """The first value of each kind that says something."""
    found: dict[str, str] = {}
    for item in party.identifiers if party is not None else ():
        if item.value.strip():
            found.setdefault(item.kind, item.value.strip())
    return found


def documents(party: Party) -> list[Identifier]:
    """What identifies the party: every identifier that is not a particular."""
    return [item for item in party.identifiers if item.kind not in PARTICULARS and item.value.strip()]
