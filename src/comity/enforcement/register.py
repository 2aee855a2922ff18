"""What is frozen on this node, and how it came to be. The caller owns the transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, insert, select, update

from comity import codec
from comity.enforcement.freeze import BINDING, STEPS, valid
from comity.enforcement.tables import account as account_table
from comity.enforcement.tables import measure as measure_table
from comity.enforcement.tables import transition as transition_table
from comity.errors import BadInput, Conflict, NotFound
from comity.model import AccountId, Measure, MeasureState

_BINDING = tuple(state.value for state in BINDING)


@dataclass(frozen=True, slots=True)
class Transition:
    """A step of a measure: the state it came to, when, by whom, and why."""

    state: MeasureState
    at: datetime
    by: str
    reason: str


class FreezeRegister:
    """Freezes by id. Repeating a step has one effect; a step the law does not know raises Conflict.

    ``clock`` gives aware UTC times.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def request(self, connection: Connection, measure: Measure, *, by: str, reason: str = "") -> Measure:
        """Enter a freeze as requested. Raises BadInput, and Conflict when its id means another freeze."""
        measure = replace(valid(measure), state=MeasureState.REQUESTED)
        digest = hashlib.sha256(codec.to_json(measure)).hexdigest()
        known = self._row(connection, measure.id)
        if known is not None:
            if known["digest"] != digest:
                raise Conflict(
                    f"freeze {measure.id} is already here with other content",
                    why="an order is not changed under its own number",
                    remedy="order a new freeze, and lift this one",
                )
            return _measure(known)
        _named(by)
        connection.execute(
            insert(measure_table).values(
                id=measure.id,
                version=1,
                state=measure.state.value,
                until=_stamp(measure.until) if measure.until is not None else "",
                ordered=_stamp(measure.ordered),
                case_id=measure.case_id,
                digest=digest,
                body=codec.to_json(measure).decode(),
            )
        )
        connection.execute(
            insert(account_table), [{"account": a.value, "measure_id": measure.id} for a in measure.accounts]
        )
        self._note(connection, measure.id, 0, MeasureState.REQUESTED, by, reason or measure.grounds)
        return measure

    def serve(self, connection: Connection, measure_id: str, *, by: str, reason: str = "") -> Measure:
        """The order has reached whoever holds the accounts: from now on they are frozen."""
        return self._to(connection, measure_id, MeasureState.SERVED, by, reason)

    def acknowledge(
        self, connection: Connection, measure_id: str, *, by: str, refused: bool = False, reason: str = ""
    ) -> Measure:
        """The holder says it has frozen, or refuses; a refusal needs its reason. Raises BadInput."""
        if refused and not reason.strip():
            raise BadInput(
                "a refusal without a reason",
                why="the ordering body must be able to answer it",
                remedy="say which provision stands against the freeze",
            )
        state = MeasureState.REFUSED if refused else MeasureState.IN_FORCE
        return self._to(connection, measure_id, state, by, reason)

    def lift(self, connection: Connection, measure_id: str, *, by: str, reason: str) -> Measure:
        """End a freeze before its time. Raises BadInput without a reason."""
        if not reason.strip():
            raise BadInput("a freeze lifted without a reason", remedy="say who lifted it, and why")
        return self._to(connection, measure_id, MeasureState.LIFTED, by, reason)

    def expire(self, connection: Connection, now: datetime) -> tuple[Measure, ...]:
        """End every binding freeze whose time is over at ``now``; what it ended."""
        ids = connection.execute(
            select(measure_table.c.id)
            .where(measure_table.c.state.in_(_BINDING), measure_table.c.until != "")
            .where(measure_table.c.until <= _stamp(now))
            .order_by(measure_table.c.until, measure_table.c.id)
        ).scalars()
        why = "Its time in law is over."
        return tuple(self._to(connection, i, MeasureState.EXPIRED, "the law", why) for i in ids.all())

    def get(self, connection: Connection, measure_id: str) -> Measure:
        """One freeze in its present state. Raises NotFound."""
        return _measure(self._must(connection, measure_id))

    def history(self, connection: Connection, measure_id: str) -> tuple[Transition, ...]:
        """Every step of a freeze, oldest first. Raises NotFound."""
        self._must(connection, measure_id)
        rows = connection.execute(
            select(transition_table)
            .where(transition_table.c.measure_id == measure_id)
            .order_by(transition_table.c.position)
        ).mappings()
        return tuple(
            Transition(MeasureState(r["state"]), datetime.fromisoformat(r["at"]), r["by"], r["reason"])
            for r in rows
        )

    def is_frozen(self, connection: Connection, account: AccountId) -> bool:
        """Whether a freeze binds on this account now: served or in force, and its time not over."""
        return bool(self.freezes_of(connection, account))

    def freezes_of(self, connection: Connection, account: AccountId) -> tuple[Measure, ...]:
        """The freezes that bind on an account now, the earliest ordered first."""
        now = _stamp(self._clock())
        rows = connection.execute(
            select(measure_table)
            .join(account_table, account_table.c.measure_id == measure_table.c.id)
            .where(account_table.c.account == account.value, measure_table.c.state.in_(_BINDING))
            .where((measure_table.c.until == "") | (measure_table.c.until > now))
            .order_by(measure_table.c.ordered, measure_table.c.id)
        ).mappings()
        return tuple(_measure(row) for row in rows)

    def list_measures(
        self, connection: Connection, state: MeasureState | None = None, case_id: str | None = None
    ) -> tuple[Measure, ...]:
        """Freezes, the latest ordered first."""
        query = select(measure_table).order_by(measure_table.c.ordered.desc(), measure_table.c.id)
        if state is not None:
            query = query.where(measure_table.c.state == state.value)
        if case_id is not None:
            query = query.where(measure_table.c.case_id == case_id)
        return tuple(_measure(row) for row in connection.execute(query).mappings())

    def _to(
        self, connection: Connection, measure_id: str, state: MeasureState, by: str, reason: str
    ) -> Measure:
        row = self._must(connection, measure_id)
        present = MeasureState(row["state"])
        if present is state or (state is MeasureState.SERVED and present is MeasureState.IN_FORCE):
            return _measure(row)  # said again: a message delivered twice has one effect
        if state not in STEPS[present]:
            raise Conflict(
                f"freeze {measure_id} is {present.value} and cannot become {state.value}",
                why=f"from there it can become: {', '.join(sorted(STEPS[present])) or 'nothing more'}",
                remedy="order a new freeze" if not STEPS[present] else "take the steps in their order",
            )
        _named(by)
        done = connection.execute(
            update(measure_table)
            .where(measure_table.c.id == measure_id, measure_table.c.version == row["version"])
            .values(version=row["version"] + 1, state=state.value)
        )
        if done.rowcount != 1:
            raise Conflict(
                f"freeze {measure_id} changed while it was worked on",
                why="somebody else took a step",
                remedy="read it again",
            )
        self._note(connection, measure_id, row["version"], state, by, reason)
        return replace(_measure(row), state=state)

    def _note(
        self,
        connection: Connection,
        measure_id: str,
        position: int,
        state: MeasureState,
        by: str,
        reason: str,
    ) -> None:
        connection.execute(
            insert(transition_table).values(
                measure_id=measure_id,
                position=position,
                state=state.value,
                at=_stamp(self._clock()),
                by=by.strip(),
                reason=reason.strip(),
            )
        )

    def _row(self, connection: Connection, measure_id: str) -> RowMapping | None:
        query = select(measure_table).where(measure_table.c.id == measure_id)
        return connection.execute(query).mappings().one_or_none()

    def _must(self, connection: Connection, measure_id: str) -> RowMapping:
        row = self._row(connection, measure_id)
        if row is None:
            raise NotFound(f"no freeze {measure_id[:64]!r}", remedy="list the freezes to find its id")
        return row


def _measure(row: RowMapping) -> Measure:
    measure = codec.from_json(Measure, row["body"].encode())
    return replace(measure, state=MeasureState(row["state"]))


def _named(by: str) -> None:
    if not by.strip():
        raise BadInput("a step without who took it", remedy="name the person or the body")


def _stamp(when: datetime) -> str:
    if when.tzinfo is None:
        raise BadInput("a time without its offset", remedy="hand in aware times")
    return when.astimezone(UTC).isoformat(timespec="microseconds")
