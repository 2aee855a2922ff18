"""The cases of a node, kept in SQL. The caller owns the transaction; nothing here commits.

A case is OPEN until a person decides; DECIDED lets its acts be recorded; DISMISS, or `close`, ends it.
What comes new to a decided case opens it again, for what a person has not seen nobody has decided.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from comity import codec
from comity.casework import figures
from comity.casework import findings as _findings
from comity.casework import reports as _reports
from comity.casework.findings import page, stamp
from comity.casework.tables import case as case_table
from comity.casework.tables import finding as finding_table
from comity.casework.tables import item as item_table
from comity.errors import BadInput, Conflict, NotFound
from comity.model import Case, CaseState, Decision, Duty, Finding, Level, Verdict

MACHINES = frozenset(
    {"system", "automatic", "auto", "comity", "node", "engine", "bot", "model", "ai", "none"}
)


class CaseStore:
    """Cases over a connection. ``clock`` gives aware UTC times, ``new_id`` ids never given before."""

    def __init__(self, clock: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._clock = clock
        self._new_id = new_id

    save_findings = staticmethod(_findings.save_findings)
    list_findings = staticmethod(_findings.list_findings)
    count_findings = staticmethod(_findings.count_findings)
    rules = staticmethod(_findings.rules)
    finding = staticmethod(_findings.finding)
    reports = staticmethod(_reports.reports)
    report = staticmethod(_reports.report)
    due = staticmethod(figures.due)
    statistics = staticmethod(figures.statistics)

    def open_case(
        self,
        connection: Connection,
        title: str,
        subjects: Sequence[str],
        findings: Sequence[Finding],
        duties: Sequence[Duty],
    ) -> Case:
        """A new case. Raises BadInput without a title, or without subjects and findings."""
        named = tuple(dict.fromkeys([*subjects, *(f.subject for f in findings)]))
        if not title.strip() or not named:
            raise BadInput(
                "a case without a title or a subject",
                why="a case is about somebody, and is found by its title",
                remedy="give it a title and at least one subject or finding",
            )
        case_id = self._new_id()
        connection.execute(
            insert(case_table).values(
                id=case_id,
                version=1,
                title=title.strip(),
                subjects=json.dumps(named, ensure_ascii=False),
                state=CaseState.OPEN.value,
                opened=stamp(self._clock()),
            )
        )
        self._add(connection, case_id, 0, _items(findings, duties, ""))
        self.save_findings(connection, findings)
        return self.get(connection, case_id)

    def attach(
        self,
        connection: Connection,
        case_id: str,
        *,
        findings: Sequence[Finding] = (),
        duties: Sequence[Duty] = (),
        note: str = "",
        version: int | None = None,
    ) -> Case:
        """Add what is not there yet; a new finding opens a decided case again.

        Raises NotFound, and Conflict when the case is closed or no longer at ``version``.
        """
        row = self._row(connection, case_id)
        _require(row, CaseState.OPEN, CaseState.DECIDED, step="attach to")
        position, present = self._items_of(connection, case_id)
        new = [i for i in _items(findings, duties, note) if (i["kind"], i["ref"]) not in present]
        if not new:
            return self.get(connection, case_id)
        reopened = any(i["kind"] == "finding" for i in new)
        subjects = json.loads(row["subjects"])
        named = tuple(dict.fromkeys([*subjects, *(f.subject for f in findings)]))
        self._step(
            connection,
            row,
            version,
            state=CaseState.OPEN.value if reopened else row["state"],
            subjects=json.dumps(named, ensure_ascii=False),
        )
        self._add(connection, case_id, position, new)
        self.save_findings(connection, findings)
        return self.get(connection, case_id)

    def decide(
        self,
        connection: Connection,
        case_id: str,
        verdict: Verdict,
        by: str,
        grounds: str,
        *,
        version: int | None = None,
    ) -> Decision:
        """Record what a person decided, and why; DISMISS closes the case.

        Raises BadInput when no person or no grounds are named, NotFound, and Conflict when the case is
        closed or no longer at ``version`` (what the person had seen).
        """
        _require_person(by)
        if not grounds.strip():
            raise BadInput(
                "a decision without grounds",
                why="a person's reasons are what a court and a supervisor read",
                remedy="say in a sentence why",
            )
        row = self._row(connection, case_id)
        _require(row, CaseState.OPEN, CaseState.DECIDED, step="decide")
        state = CaseState.CLOSED if verdict is Verdict.DISMISS else CaseState.DECIDED
        self._step(connection, row, version, state=state.value)
        decision = Decision(
            self._new_id(), case_id, verdict, by.strip(), self._clock().astimezone(UTC), grounds.strip()
        )
        position, _ = self._items_of(connection, case_id)
        self._add(connection, case_id, position, [_item("decision", decision.id, verdict.value, decision)])
        return decision

    def record_act(
        self, connection: Connection, case_id: str, act: str, *, discharges: Iterable[str] = ()
    ) -> Case:
        """Record that a decision was acted upon; ``discharges`` are kinds of duties now done.

        Recording the same act again changes nothing. Raises NotFound, BadInput, and Conflict before a
        decision: nothing is done about a person that no person decided.
        """
        if not act.strip():
            raise BadInput("an act without a name", remedy="say what was done")
        row = self._row(connection, case_id)
        _require(row, CaseState.DECIDED, step="act upon")
        position, present = self._items_of(connection, case_id)
        new = _item("act", _digest(act.strip().encode()), "", act.strip())
        if (new["kind"], new["ref"]) not in present:
            self._step(connection, row, None)
            self._add(connection, case_id, position, [new])
        kinds = list(discharges)
        if kinds:
            connection.execute(
                update(item_table)
                .where(item_table.c.case_id == case_id, item_table.c.kind == "duty")
                .where(item_table.c.name.in_(kinds), item_table.c.done == "")
                .values(done=stamp(self._clock()))
            )
        return self.get(connection, case_id)

    def close(self, connection: Connection, case_id: str, by: str) -> Case:
        """End a decided case. Raises BadInput without a person, NotFound, and Conflict in another state."""
        _require_person(by)
        row = self._row(connection, case_id)
        _require(row, CaseState.DECIDED, step="close")
        self._step(connection, row, None, state=CaseState.CLOSED.value)
        position, _ = self._items_of(connection, case_id)
        self._add(connection, case_id, position, _items((), (), f"Closed by {by.strip()}."))
        return self.get(connection, case_id)

    def save_report(
        self, connection: Connection, case_id: str, format_: str, filename: str, data: bytes
    ) -> str:
        """Keep a rendered report; the same bytes are kept once. Returns its id. Raises NotFound, BadInput."""
        self._row(connection, case_id)
        return _reports.save(
            connection, case_id, format_, filename, data, report_id=self._new_id(), at=self._clock()
        )

    def get(self, connection: Connection, case_id: str) -> Case:
        """One case. Raises NotFound."""
        return self._build(connection, [self._row(connection, case_id)])[0]

    def version(self, connection: Connection, case_id: str) -> int:
        """The case's version, to hand back to `decide`: what somebody was looking at. Raises NotFound."""
        return int(self._row(connection, case_id)["version"])

    def notes(self, connection: Connection, case_id: str) -> tuple[tuple[datetime, str], ...]:
        """When and what was noted, oldest first."""
        rows = connection.execute(
            select(item_table.c.at, item_table.c.body)
            .where(item_table.c.case_id == case_id, item_table.c.kind == "note")
            .order_by(item_table.c.position)
        )
        return tuple((datetime.fromisoformat(at), json.loads(body)) for at, body in rows)

    def list_cases(
        self, connection: Connection, state: CaseState | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[Case, ...]:
        """Cases, the latest opened first."""
        query = select(case_table).order_by(case_table.c.opened.desc(), case_table.c.id)
        if state is not None:
            query = query.where(case_table.c.state == state.value)
        rows = connection.execute(page(query, limit, offset)).mappings().all()
        return tuple(self._build(connection, rows))

    def count_cases(self, connection: Connection, state: CaseState | None = None) -> int:
        """How many cases there are, in this state if one is given."""
        query = select(func.count()).select_from(case_table)
        if state is not None:
            query = query.where(case_table.c.state == state.value)
        return int(connection.execute(query).scalar_one())

    def alerts_in_no_case(self, connection: Connection, limit: int) -> tuple[Finding, ...]:
        """Alerts nobody has opened a case on, the highest score first."""
        cased = select(item_table.c.ref).where(item_table.c.kind == "finding")
        query = (
            select(finding_table.c.body)
            .where(finding_table.c.level == Level.ALERT.value, finding_table.c.id.not_in(cased))
            .order_by(finding_table.c.score.desc(), finding_table.c.id)
        )
        bodies = connection.execute(page(query, limit, 0)).scalars()
        return tuple(codec.from_json(Finding, body.encode()) for body in bodies)

    def case_of_finding(self, connection: Connection, finding_id: str) -> str:
        """The id of the case a finding is in, '' if none."""
        query = select(item_table.c.case_id).where(
            item_table.c.kind == "finding", item_table.c.ref == finding_id
        )
        return connection.execute(query.limit(1)).scalar_one_or_none() or ""

    def _row(self, connection: Connection, case_id: str) -> RowMapping:
        row = (
            connection.execute(select(case_table).where(case_table.c.id == case_id)).mappings().one_or_none()
        )
        if row is None:
            raise NotFound(f"no case {case_id[:64]!r}", remedy="list the cases to find its id")
        return row

    def _step(self, connection: Connection, row: RowMapping, version: int | None, **values: str) -> None:
        """Write the case's row if nobody else has since it was read. Raises Conflict."""
        seen = row["version"] if version is None else version
        done = connection.execute(
            update(case_table)
            .where(case_table.c.id == row["id"], case_table.c.version == seen)
            .values(version=seen + 1, **values)
        )
        if done.rowcount != 1:
            raise Conflict(
                f"case {row['id']} has changed since it was read",
                why="somebody else worked on it",
                remedy="read it again, and decide on what it says now",
            )

    def _items_of(self, connection: Connection, case_id: str) -> tuple[int, set[tuple[str, str]]]:
        rows = connection.execute(
            select(item_table.c.position, item_table.c.kind, item_table.c.ref).where(
                item_table.c.case_id == case_id
            )
        ).all()
        return max((r.position + 1 for r in rows), default=0), {(r.kind, r.ref) for r in rows}

    def _add(
        self, connection: Connection, case_id: str, position: int, items: Sequence[dict[str, str]]
    ) -> None:
        now = stamp(self._clock())
        if items:
            connection.execute(
                insert(item_table),
                [
                    {**values, "case_id": case_id, "position": position + i, "at": now, "done": ""}
                    for i, values in enumerate(items)
                ],
            )

    def _build(self, connection: Connection, rows: Sequence[RowMapping]) -> list[Case]:
        items: dict[str, dict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
        found = connection.execute(
            select(item_table.c.case_id, item_table.c.kind, item_table.c.body)
            .where(item_table.c.case_id.in_([row["id"] for row in rows]), item_table.c.kind != "note")
            .order_by(item_table.c.case_id, item_table.c.position)
        )
        for case_id, kind, body in found:
            items[case_id][kind].append(body.encode())
        return [
            Case(
                row["id"],
                row["title"],
                tuple(json.loads(row["subjects"])),
                CaseState(row["state"]),
                datetime.fromisoformat(row["opened"]),
                tuple(codec.from_json(Finding, body) for body in items[row["id"]]["finding"]),
                tuple(codec.from_json(Duty, body) for body in items[row["id"]]["duty"]),
                tuple(codec.from_json(Decision, body) for body in items[row["id"]]["decision"]),
                tuple(str(json.loads(body)) for body in items[row["id"]]["act"]),
            )
            for row in rows
        ]


def _require(row: RowMapping, *states: CaseState, step: str) -> None:
    if CaseState(row["state"]) not in states:
        raise Conflict(
            f"cannot {step} case {row['id']}: it is {row['state']}",
            why=f"that needs a case that is {' or '.join(s.value for s in states)}",
            remedy="have a person decide first" if row["state"] == "open" else "open a new case",
        )


def _require_person(by: str) -> None:
    name = by.strip()
    if not name or name.lower() in MACHINES or not any(c.isalpha() for c in name):
        raise BadInput(
            f"not a person's name: {by[:60]!r}",
            why="a score may rank; only a person decides about a person",
            remedy="give the name of whoever decides",
        )


def _items(findings: Sequence[Finding], duties: Sequence[Duty], note: str) -> list[dict[str, str]]:
    """Rows of what comes to a case, each once."""
    rows = [_item("finding", f.id, f.rule, f) for f in findings]
    for duty in duties:
        due = stamp(duty.due) if duty.due is not None else ""
        rows.append(_item("duty", _digest(codec.to_json(duty)), duty.kind, duty, due))
    if note.strip():
        rows.append(_item("note", _digest(note.strip().encode()), "", note.strip()))
    return list({(row["kind"], row["ref"]): row for row in rows}.values())


def _item(kind: str, ref: str, name: str, body: object, due: str = "") -> dict[str, str]:
    return {"kind": kind, "ref": ref, "name": name, "due": due, "body": codec.to_json(body).decode()}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
