"""On which terms information may go on: what came with terms binds whatever is made of it.

The rule is that of the Interpretive Note to FATF's Recommendation 40 and of the Egmont Group's Principles
for Information Exchange: information is used for the purpose it was given for; any other use or recipient
needs its owner's prior consent. It is enforced here, before a message is sealed, not left to memory.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from comity.errors import Refused
from comity.model import Handling, Message, OnwardUse

_STRICTNESS = (OnwardUse.NONE, OnwardUse.WITH_CONSENT, OnwardUse.FREE)


@dataclass(frozen=True, slots=True)
class Source:
    """Something received that a new message draws on: the message, who owns it, and its terms."""

    message_id: str
    owner: str
    handling: Handling

    @classmethod
    def of(cls, message: Message) -> Source:
        return cls(message.id, message.sender, message.handling)


@dataclass(frozen=True, slots=True)
class Consent:
    """The owner of ``message_id`` allows ``recipient`` to have it for ``purpose``."""

    message_id: str
    owner: str
    recipient: str
    purpose: str


def derive(sources: Sequence[Handling], wanted: Handling) -> Handling:
    """The terms a message must carry: of all its sources' and the wanted, the strictest.

    Onward use is the narrowest, retention the shortest, caveats are all of them. Purpose and legal
    basis are the wanted ones: whether the purpose is allowed is for `may_forward`.
    """
    every = [*sources, wanted]
    limits = [terms.retain_until for terms in every if terms.retain_until]
    return Handling(
        purpose=wanted.purpose,
        onward_use=min((terms.onward_use for terms in every), key=_STRICTNESS.index),
        legal_basis=wanted.legal_basis,
        caveats=tuple(dict.fromkeys(caveat for terms in every for caveat in terms.caveats)),
        retain_until=min(limits, default=None),
    )


def may_forward(
    source: Source, *, to: str, purpose: str, now: datetime, consents: Collection[Consent] = ()
) -> None:
    """Check that what ``source`` holds may be given to ``to`` for ``purpose``. Raises Refused.

    Its owner may always have its own back. Past its retention it may go to no one.
    """
    terms = source.handling
    if terms.retain_until and terms.retain_until <= now:
        raise Refused(
            f"what message {source.message_id} from {source.owner} said may no longer be used",
            why=f"it had to be deleted by {terms.retain_until.isoformat()}",
            remedy="delete it, and ask its owner again if it is still needed",
        )
    if to == source.owner or terms.onward_use is OnwardUse.FREE:
        return
    if terms.onward_use is OnwardUse.NONE:
        raise Refused(
            f"what message {source.message_id} from {source.owner} said may not be passed on to {to}",
            why="it came with no onward use",
            remedy=f"leave it out, or ask {source.owner} to give it again on other terms: send a request "
            f"that names message {source.message_id}, the recipient {to} and the purpose",
        )
    if Consent(source.message_id, source.owner, to, purpose) not in consents:
        raise Refused(
            f"what message {source.message_id} from {source.owner} said may not go to {to} without consent",
            why=f"it was given for {terms.purpose!r}, onward use with prior consent only; "
            f"no consent covers {to} and {purpose!r}",
            remedy=f"send {source.owner} a request for consent that names message {source.message_id}, the "
            f"recipient {to} and the purpose {purpose!r}, and wait for the answer",
        )


def check_outgoing(
    message: Message, sources: Sequence[Source], now: datetime, consents: Collection[Consent] = ()
) -> None:
    """Check a message about to leave against everything it draws on. Raises Refused.

    Each source may go to its recipient for its purpose, and its terms are no looser than theirs.
    """
    for source in sources:
        may_forward(
            source, to=message.recipient, purpose=message.handling.purpose, now=now, consents=consents
        )
    needed = derive([source.handling for source in sources], message.handling)
    if replace(needed, caveats=()) != replace(message.handling, caveats=()) or set(needed.caveats) != set(
        message.handling.caveats
    ):
        raise Refused(
            f"message {message.id} would travel on looser terms than what it draws on",
            why=f"it needs onward use {needed.onward_use.value}, retention until "
            f"{needed.retain_until.isoformat() if needed.retain_until else 'no set date'} "
            f"and {len(needed.caveats)} caveats",
            remedy="give it the terms that handling.derive returns",
        )
