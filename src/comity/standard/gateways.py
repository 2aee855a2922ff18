"""Whether the law of both ends lets a message pass. A refusal names the provision that is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from comity.errors import BadInput, NoGateway
from comity.model import Confidence, Gateway, Institution, OnwardUse, Provision, Role
from comity.standard.law import Standard
from comity.standard.resolve import resolve

_KIND = {
    Role.FIU: "fiu",
    Role.VASP: "obliged",
    Role.BANK: "obliged",
    Role.LEA: "lea",
    Role.SUPERVISOR: "supervisor",
}
_OWN_QUESTION = {"freeze_request": "freeze", "travel_rule": "travel_rule"}
_NARROWEST = (OnwardUse.NONE, OnwardUse.WITH_CONSENT, OnwardUse.FREE)


@dataclass(frozen=True, slots=True)
class Passage:
    """The provisions of both ends that let a message pass (the same one at home), and its terms.

    ``onward`` is the narrower of both ends' limits on onward use; ``limits`` quotes further ones;
    ``cautions`` name each provision whose confidence is below high: shown, never silently relied on.
    """

    sender: Provision
    recipient: Provision
    onward: OnwardUse
    limits: tuple[str, ...]
    cautions: tuple[str, ...]

    @property
    def legal_basis(self) -> str:
        """Both citations in one line, for the handling of the message."""
        return "; ".join(dict.fromkeys((self.sender.source, self.recipient.source)))


def allow(
    standard: Standard,
    *,
    sender: Institution,
    recipient: Institution,
    purpose: str,
    content: str,
    on: date,
) -> Passage:
    """The provisions on which ``sender`` may send this ``content`` to ``recipient`` for this ``purpose``.

    ``content`` is a kind of message, ``travel_rule`` or ``pool``; ``purpose`` a word of the vocabulary.
    An institution of several countries speaks from the one it shares with the other, else from its first.
    What only the standard recommends is no gateway: it binds states, and the state has yet to legislate.
    Raises NoGateway naming the end and the missing provision, BadInput for words the vocabulary lacks.
    """
    for word, known in ((purpose, standard.vocabulary.purposes), (content, standard.vocabulary.contents)):
        if word not in known:
            raise BadInput(f"no gateway speaks of {word!r}", remedy=f"use one of: {', '.join(known)}")
    here, there = _countries(sender, recipient)
    domestic = here == there
    facts = {
        "reach": "domestic" if domestic else "cross_border",
        "bloc": "inside" if standard.in_one_bloc((here, there)) else "outside",
        "sector": "vasp" if Role.VASP in (sender.role, recipient.role) else "bank",
    }
    question = _question(standard, sender, recipient, content)
    way = _Way(standard, question, facts, purpose, content, on, _detour(sender, recipient, domestic, there))
    ours, mine = way.provision(here, "sender")
    theirs, other = way.provision(there, "recipient")
    relied = (ours,) if ours is theirs else (ours, theirs)
    return Passage(
        ours,
        theirs,
        min(mine.onward, other.onward, key=_NARROWEST.index),
        tuple(dict.fromkeys(said for each in (mine, other) for said in _terms(each))),
        tuple(
            f"Confidence in {each.source} ({each.jurisdiction}) is {each.confidence.value}: check it first."
            for each in relied
            if each.confidence is not Confidence.HIGH
        ),
    )


def _terms(gateway: Gateway) -> list[str]:
    requires = [f"Requires: {gateway.requires}"] if gateway.requires else []
    return requires + ([gateway.limits] if gateway.limits else [])


def _question(standard: Standard, sender: Institution, recipient: Institution, content: str) -> str:
    name = f"gateway.{_KIND[sender.role]}_to_{_KIND[recipient.role]}"
    own = f"{name}.{_OWN_QUESTION.get(content, '')}"
    return own if own in standard.vocabulary.questions else name


def _countries(sender: Institution, recipient: Institution) -> tuple[str, str]:
    for each in (sender, recipient):
        if not each.jurisdictions:
            raise BadInput(
                f"{each.id} has no jurisdiction", remedy="give it one in the directory: its law decides"
            )
    shared = [country for country in sender.jurisdictions if country in recipient.jurisdictions]
    return (shared[0], shared[0]) if shared else (sender.jurisdictions[0], recipient.jurisdictions[0])


def _detour(sender: Institution, recipient: Institution, domestic: bool, there: str) -> str:
    if not domestic and sender.role is not Role.FIU and recipient.role is Role.FIU:
        return "send it to your own FIU, which may pass it on"
    if not domestic and recipient.role in (Role.VASP, Role.BANK) and sender.role in (Role.FIU, Role.LEA):
        return f"send it to the FIU of {there}, which may turn to its own institution"
    return "ask your legal department for another route, or have the provision added with its source"


@dataclass(frozen=True, slots=True)
class _Way:
    standard: Standard
    question: str
    facts: Mapping[str, str]
    purpose: str
    content: str
    on: date
    detour: str

    def provision(self, country: str, end: str) -> tuple[Provision, Gateway]:
        """The provision of one end. Raises NoGateway."""
        if self.question not in self.standard.vocabulary.questions:
            self._refuse(country, end, "no law is recorded that connects these two roles")
        if country.lower() not in self.standard.jurisdictions:
            self._refuse(country, end, f"there is no law file for {country}")
        found = resolve(self.standard, country, self.question, self.on, self.facts)
        provision = found.provision
        if provision is None:
            self._refuse(country, end, "its law is silent")
        if not found.binding:
            self._refuse(country, end, f"only {provision.source} recommends it, and that binds states only")
        gateway = provision.value
        if gateway is None:
            self._refuse(country, end, f"whether {provision.source} allows it is unknown")
        if not isinstance(gateway, Gateway):
            self._refuse(country, end, f"the law gives none ({provision.source})")
        if self.purpose not in gateway.purposes:
            self._refuse(country, end, f"{provision.source} does not cover the purpose {self.purpose}")
        if self.content not in gateway.contents:
            self._refuse(country, end, f"{provision.source} does not cover {self.content}")
        return provision, gateway

    def _refuse(self, country: str, end: str, why: str) -> NoReturn:
        missing = f"{self.question} ({self.facts['reach'].replace('_', '-')})"
        raise NoGateway(
            f"{self.content} may not pass: the law of the {end}, {country.upper()}, has no {missing}",
            why=why,
            remedy=self.detour,
        )
