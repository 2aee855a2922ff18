"""Deadlines and figures over all cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import Connection, func, select

from comity import codec
from comity.casework.findings import stamp
from comity.casework.tables import case, item
from comity.model import CaseState, Duty


@dataclass(frozen=True, slots=True)
class Due:
    """An open duty of a case."""

    case_id: str
    title: str
    duty: Duty


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of cases by state, decisions by verdict, attached findings by rule; hours to decide.

    ``median_hours`` runs from opening to the first decision; None while nothing is decided.
    """

    by_state: dict[str, int]
    by_verdict: dict[str, int]
    by_rule: dict[str, int]
    median_hours: float | None


def due(connection: Connection, before: datetime) -> tuple[Due, ...]:
    """Duties of cases not closed, not discharged, due before a time; the most pressing first."""
    rows = connection.execute(
        select(item.c.case_id, case.c.title, item.c.body)
        .join(case, case.c.id == item.c.case_id)
        .where(item.c.kind == "duty", item.c.done == "", item.c.due != "")
        .where(item.c.due < stamp(before), case.c.state != CaseState.CLOSED.value)
        .order_by(item.c.due, item.c.case_id, item.c.position)
    )
    return tuple(Due(case_id, title, codec.from_json(Duty, body.encode())) for case_id, title, body in rows)


def statistics(connection: Connection) -> Statistics:
    """Figures over all cases."""
    counted: dict[str, dict[str, int]] = {"decision": {}, "finding": {}}
    names = (
        select(item.c.kind, item.c.name, func.count())
        .where(item.c.kind.in_(counted))
        .group_by(item.c.kind, item.c.name)
    )
    for kind, name, count in connection.execute(names):
        counted[kind][name] = count
    times = connection.execute(
        select(case.c.opened, func.min(item.c.at))
        .join(item, item.c.case_id == case.c.id)
        .where(item.c.kind == "decision")
        .group_by(case.c.id, case.c.opened)
    ).all()
    hours = [
        (datetime.fromisoformat(decided) - datetime.fromisoformat(opened)).total_seconds() / 3600
        for opened, decided in times
    ]
    states = connection.execute(select(case.c.state, func.count()).group_by(case.c.state))
    return Statistics(
        {name: count for name, count in states},  # noqa: C416 (rows are not pairs to a type checker)
        counted["decision"],
        counted["finding"],
        median(hours) if hours else None,
    )
