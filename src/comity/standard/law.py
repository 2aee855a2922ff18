"""A loaded standard: the vocabulary's questions, the jurisdictions, and their provisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from functools import cached_property

from comity.errors import NotFound
from comity.model import Provision

STANDARD = "standard"
BLOC = "bloc"
STATE = "state"


@dataclass(frozen=True, slots=True)
class DutyRule:
    """How an answer becomes a duty.

    ``on``: the ends of the transfer whose institution it falls on (originator, beneficiary,
    intermediary). ``given``: facts without which it does not arise, and the values that will do.
    ``gate``: a yes-or-no question that must be answered yes, if at all. ``floor``: a threshold below
    which it is not asked. ``deadline``: the question that says by when. ``standing``: it falls on every
    transfer, so worked cases do not list it.
    """

    kind: str
    what: str
    on: tuple[str, ...]
    given: tuple[tuple[str, tuple[str, ...]], ...] = ()
    gate: str = ""
    floor: str = ""
    deadline: str = ""
    standing: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question of law: what it asks, the type of its answers, which is stricter ('' if none is).

    ``of``: the list of words its answers come from ('' for free text). ``route``: the ends of a route at
    which it counts for corridors although no duty follows. ``adopt``: a model clause, in which
    ``{value}`` stands for the answer. ``instead``: questions whose answers meet the standard's as well.
    """

    name: str
    ask: str
    type: str
    stricter: str = ""
    duty: DutyRule | None = None
    of: str = ""
    route: tuple[str, ...] = ()
    adopt: str = ""
    instead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every question there is, the facts conditions may speak of, and what comparison needs.

    ``rates``: rough units of US dollar for one unit of each currency, to compare laws only; amounts in
    different currencies within ``tolerance`` of each other count as equal. ``words``: the lists that
    answers are taken from. ``met_by``: a word, and those of which any one says at least as much.
    ``needed``: the questions every country answers, at least by `unknown`.
    """

    questions: Mapping[str, Question]
    facts: Mapping[str, tuple[str, ...]]
    purposes: tuple[str, ...]
    contents: tuple[str, ...]
    rates: Mapping[str, Decimal]
    tolerance: Decimal
    words: Mapping[str, tuple[str, ...]]
    met_by: Mapping[str, tuple[str, ...]]
    needed: tuple[str, ...]

    def question(self, name: str) -> Question:
        """The question of this name. Raises NotFound."""
        found = self.questions.get(name)
        if found is None:
            near = get_close_matches(name, self.questions, 3)
            raise NotFound(
                f"no question {name!r} in the vocabulary",
                remedy=f"did you mean {' or '.join(near)}?"
                if near
                else "see docs/reference/law.md for all of them",
            )
        return found


@dataclass(frozen=True, slots=True)
class WorkedCase:
    """An example that a lawyer can read and a test can run: this transfer on this day gives these duties.

    ``required`` and ``recommended`` (None: not said) are kinds of duty, standing ones left out; ``due``
    gives local dates by kind.
    """

    name: str
    on: date
    value: Decimal
    currency: str
    direction: str
    facts: tuple[tuple[str, str], ...]
    required: tuple[str, ...]
    recommended: tuple[str, ...] | None
    due: tuple[tuple[str, date], ...]
    line: int


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """One law file. ``kind`` is standard (binds states only), bloc or state; ``timezone`` its FIU's.

    ``members``: the countries (ISO 3166-1) whose law a bloc's is, with or without a file of their own.
    """

    id: str
    name: str
    kind: str
    extends: str
    timezone: str
    file: str
    cases: tuple[WorkedCase, ...]
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Standard:
    """All law that is loaded. ``provisions[jurisdiction][question]`` is in order of precedence."""

    vocabulary: Vocabulary
    jurisdictions: Mapping[str, Jurisdiction]
    provisions: Mapping[str, Mapping[str, tuple[Provision, ...]]]

    def jurisdiction(self, name: str) -> Jurisdiction:
        """The jurisdiction of this name, in either case. Raises NotFound."""
        found = self.jurisdictions.get(name.lower())
        if found is None:
            if bloc := self._bloc_of.get(name.upper()):
                raise NotFound(
                    f"no law file for {name!r}",
                    why=f"{name.upper()} has the law of {bloc}, whose member it is",
                    remedy=f"use {bloc}",
                )
            names = {each.name.lower(): each.id for each in self.jurisdictions.values()}
            if near := get_close_matches(name.lower(), names, 1):
                raise NotFound(f"no law file for {name!r}", remedy=f"use {names[near[0]]}")
            raise NotFound(
                f"no law file for {name!r}",
                why=f"there are: {', '.join(self.jurisdictions)}",
                remedy="choose one of them, or add one (docs/guide/add-your-country.md)",
            )
        return found

    def chain(self, name: str) -> tuple[str, ...]:
        """The jurisdiction and those whose law applies where its own is silent, nearest first."""
        found = self._chains.get(name)
        if found is None:
            at = self.jurisdiction(name)
            links = [at.id]
            while at.extends:
                at = self.jurisdiction(at.extends)
                links.append(at.id)
            found = self._chains[name] = tuple(links)
        return found

    @cached_property
    def _chains(self) -> dict[str, tuple[str, ...]]:
        return {}

    def law_of(self, country: str) -> str:
        """The law file for a country: its own, else that of a bloc it is a member of; '' if there is none."""
        if country.lower() in self.jurisdictions:
            return country.lower()
        return self._bloc_of.get(country.upper(), "")

    def in_one_bloc(self, countries: Iterable[str]) -> bool:
        """Whether all these countries are in one bloc, such as the EU."""
        found = [self._blocs(country) for country in countries]
        return bool(found) and bool(frozenset.intersection(*found))

    def _blocs(self, country: str) -> frozenset[str]:
        law = self.law_of(country)
        chain = self.chain(law) if law else ()
        return frozenset(name for name in chain if self.jurisdictions[name].kind == BLOC)

    @cached_property
    def _bloc_of(self) -> dict[str, str]:
        return {member: each.id for each in self.jurisdictions.values() for member in each.members}

    def binds(self, provision: Provision) -> bool:
        """Whether the provision binds firms: what only the standard asks, it asks of states."""
        return self.jurisdictions[provision.jurisdiction].kind != STANDARD

    @cached_property
    def root(self) -> str:
        """The standard's own id (``fatf``), '' when it is not loaded."""
        return next((each.id for each in self.jurisdictions.values() if each.kind == STANDARD), "")

    def states(self) -> tuple[str, ...]:
        """The countries, sorted."""
        return tuple(sorted(each.id for each in self.jurisdictions.values() if each.kind == STATE))
