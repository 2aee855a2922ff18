"""Cases: their states, what only a person may do, and two people at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from comity.errors import BadInput, Conflict, NotFound
from comity.model import (
    Basis,
    CaseState,
    Confidence,
    Deadline,
    Duty,
    Finding,
    FindingKind,
    Force,
    Level,
    Provision,
    Verdict,
)

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def finding(number: int, **changes: object) -> Finding:
    base = Finding(
        id=f"f{number}",
        kind=FindingKind.TYPOLOGY,
        rule="structuring",
        subject=f"eip155:1:0x{number:040x}",
        level=Level.ALERT,
        score=0.5,
        reasons=("Four transfers stay just below the threshold.",),
        evidence=("t1",),
        source="FATF 2020",
        first=START,
        last=START + timedelta(hours=3),
        features=(("count", 4.0),),
    )
    return replace(base, **changes)


def duty(kind: str = "report_suspicion", due: datetime | None = START + timedelta(days=2)) -> Duty:
    provision = Provision(
        "sg", "str.deadline", Deadline(5, "working_day"), "CDSA s. 45", Confidence.HIGH, Basis.SOURCED
    )
    return Duty(kind, "the filer", "File a report.", "sg", Force.REQUIRED, provision, due=due)


def opened(store, connection, number=1, **more):
    return store.open_case(connection, f"Case {number}", (), (finding(number),), more.get("duties", ()))


def test_a_case_comes_back_as_it_was_opened(store, connection):
    case = store.open_case(connection, " Mixers ", ("Ann Lee",), (finding(1), finding(2)), (duty(),))
    assert case.title == "Mixers"
    assert case.subjects == ("Ann Lee", finding(1).subject, finding(2).subject)
    assert case.state is CaseState.OPEN
    assert case.opened == START
    assert case.findings == (finding(1), finding(2))
    assert case.duties == (duty(),)
    assert store.get(connection, case.id) == case
    assert store.finding(connection, "f2") == finding(2)


@pytest.mark.parametrize(("title", "subjects"), [("", ("x",)), ("  ", ("x",)), ("A case", ())])
def test_a_case_needs_a_title_and_a_subject(store, connection, title, subjects):
    with pytest.raises(BadInput):
        store.open_case(connection, title, subjects, (), ())


def test_attaching_is_idempotent(store, connection):
    case = opened(store, connection)
    once = store.attach(connection, case.id, findings=(finding(2),), duties=(duty(),), note="Seen.")
    version = store.version(connection, case.id)
    twice = store.attach(connection, case.id, findings=(finding(2),), duties=(duty(),), note="Seen.")
    assert twice == once
    assert store.version(connection, case.id) == version
    assert len(once.findings) == 2
    assert [note for _, note in store.notes(connection, case.id)] == ["Seen."]


def test_a_new_finding_opens_a_decided_case_again_but_a_note_does_not(store, connection):
    case = opened(store, connection)
    store.decide(connection, case.id, Verdict.REPORT, "Ann Lee", "It fits.")
    assert store.attach(connection, case.id, note="Called.").state is CaseState.DECIDED
    assert store.attach(connection, case.id, findings=(finding(2),)).state is CaseState.OPEN


@pytest.mark.parametrize("by", ["", "  ", "system", "Automatic", "AI", "12345", "Bot"])
def test_only_a_person_decides(store, connection, by):
    case = opened(store, connection)
    with pytest.raises(BadInput, match="person"):
        store.decide(connection, case.id, Verdict.REPORT, by, "It fits.")
    assert store.get(connection, case.id).state is CaseState.OPEN


def test_a_decision_needs_grounds(store, connection):
    case = opened(store, connection)
    with pytest.raises(BadInput, match="grounds"):
        store.decide(connection, case.id, Verdict.REPORT, "Ann Lee", " ")


def test_decide_act_close(store, connection, clock):
    case = opened(store, connection)
    clock.forward(hours=5)
    decision = store.decide(connection, case.id, Verdict.REPORT, " Ann Lee ", "It fits.")
    assert (decision.by, decision.at, decision.grounds) == ("Ann Lee", START + timedelta(hours=5), "It fits.")
    store.decide(connection, case.id, Verdict.FREEZE, "Ann Lee", "The money is about to leave.")
    acted = store.record_act(connection, case.id, "Report REF-1 filed")
    assert acted == store.record_act(connection, case.id, "Report REF-1 filed")
    assert acted.acts == ("Report REF-1 filed",)
    assert [d.verdict for d in acted.decisions] == [Verdict.REPORT, Verdict.FREEZE]
    closed = store.close(connection, case.id, "Ann Lee")
    assert closed.state is CaseState.CLOSED
    assert [note for _, note in store.notes(connection, case.id)] == ["Closed by Ann Lee."]


def test_nothing_is_done_before_a_decision(store, connection):
    case = opened(store, connection)
    with pytest.raises(Conflict, match="open"):
        store.record_act(connection, case.id, "Froze it")
    with pytest.raises(Conflict):
        store.close(connection, case.id, "Ann Lee")


def test_dismissal_ends_a_case(store, connection):
    case = opened(store, connection)
    store.decide(connection, case.id, Verdict.DISMISS, "Ann Lee", "A payroll.")
    assert store.get(connection, case.id).state is CaseState.CLOSED
    for step in (
        lambda: store.attach(connection, case.id, findings=(finding(2),)),
        lambda: store.decide(connection, case.id, Verdict.REPORT, "Ann Lee", "Not so."),
        lambda: store.record_act(connection, case.id, "Filed"),
    ):
        with pytest.raises(Conflict):
            step()


def test_an_act_has_a_name(store, connection):
    case = opened(store, connection)
    store.decide(connection, case.id, Verdict.REPORT, "Ann Lee", "It fits.")
    with pytest.raises(BadInput):
        store.record_act(connection, case.id, " ")


def test_what_does_not_exist_is_not_found(store, connection):
    for step in (
        lambda: store.get(connection, "no"),
        lambda: store.version(connection, "no"),
        lambda: store.attach(connection, "no", note="x"),
        lambda: store.decide(connection, "no", Verdict.REPORT, "Ann Lee", "x"),
        lambda: store.record_act(connection, "no", "x"),
        lambda: store.save_report(connection, "no", "goaml", "a.xml", b"x"),
        lambda: store.report(connection, "no"),
        lambda: store.finding(connection, "no"),
    ):
        with pytest.raises(NotFound):
            step()


def test_who_decides_on_what_is_no_longer_so_is_told(store, connection):
    case = opened(store, connection)
    seen = store.version(connection, case.id)
    store.attach(connection, case.id, findings=(finding(2),))
    with pytest.raises(Conflict, match="changed"):
        store.decide(connection, case.id, Verdict.DISMISS, "Ann Lee", "A payroll.", version=seen)
    assert store.get(connection, case.id).decisions == ()


def test_two_writers_at_once_do_not_lose_a_step(store, engine):
    """Both read the case in its first state; the one that writes second is refused."""
    with engine.begin() as connection:
        case = opened(store, connection)
    # SQLite has one writer at a time, so there both steps are taken over one connection
    one_writer = engine.dialect.name == "sqlite"
    with engine.connect() as first, engine.connect() as other:
        second = first if one_writer else other
        row = store._row(second, case.id)
        store.attach(first, case.id, note="First.")
        if not one_writer:
            first.commit()
        with pytest.raises(Conflict, match="changed"):
            store._step(second, row, None)


def test_cases_are_listed_latest_first_and_in_pages(store, connection, clock):
    ids = []
    for number in range(1, 6):
        ids.append(opened(store, connection, number).id)
        clock.forward(minutes=1)
    store.decide(connection, ids[0], Verdict.REPORT, "Ann Lee", "It fits.")
    assert [c.id for c in store.list_cases(connection)] == ids[::-1]
    assert [c.id for c in store.list_cases(connection, limit=2, offset=1)] == [ids[3], ids[2]]
    assert [c.id for c in store.list_cases(connection, CaseState.DECIDED)] == [ids[0]]
    assert store.list_cases(connection)[4].findings == (finding(1),)
    assert store.list_cases(connection, offset=10) == ()
    with pytest.raises(BadInput):
        store.list_cases(connection, limit=0)


def test_deadlines(store, connection, clock):
    later = duty("keep_records", START + timedelta(days=9))
    never = duty("do_not_tip_off", None)
    one = opened(store, connection, 1, duties=(duty(), later, never))
    two = opened(store, connection, 2, duties=(duty(due=START + timedelta(days=1)),))
    due = store.due(connection, START + timedelta(days=3))
    assert [(d.case_id, d.title, d.duty.kind) for d in due] == [
        (two.id, "Case 2", "report_suspicion"),
        (one.id, "Case 1", "report_suspicion"),
    ]
    assert len(store.due(connection, START + timedelta(days=30))) == 3
    store.decide(connection, one.id, Verdict.REPORT, "Ann Lee", "It fits.")
    store.record_act(connection, one.id, "Report filed", discharges=["report_suspicion"])
    store.decide(connection, two.id, Verdict.DISMISS, "Ann Lee", "A payroll.")
    assert [d.duty for d in store.due(connection, START + timedelta(days=30))] == [later]
    with pytest.raises(BadInput):
        store.due(connection, datetime(2026, 3, 1))  # noqa: DTZ001 (that is the point)


def test_findings_are_kept_once(store, connection):
    many = [finding(n) for n in range(1200)]
    assert store.save_findings(connection, many) == 1200
    assert store.save_findings(connection, [*many, finding(5000), finding(5000)]) == 1
    assert store.save_findings(connection, [finding(1, score=0.9)]) == 0
    assert store.finding(connection, "f1").score == 0.5
    assert len(store.list_findings(connection, limit=5000)) == 1201


def test_findings_are_listed_by_what_they_say(store, connection):
    watch = finding(2, level=Level.WATCH, score=0.9)
    hit = finding(3, kind=FindingKind.SCREENING, rule="sanctions", score=0.7, subject="Ann Lee")
    store.save_findings(connection, [finding(1), watch, hit])
    assert store.list_findings(connection) == (watch, hit, finding(1))
    assert store.list_findings(connection, level=Level.WATCH) == (watch,)
    assert store.list_findings(connection, kind=FindingKind.SCREENING) == (hit,)
    assert store.list_findings(connection, rule="structuring", level=Level.ALERT) == (finding(1),)
    assert store.list_findings(connection, subject="Ann Lee") == (hit,)
    assert store.list_findings(connection, limit=1, offset=1) == (hit,)


def test_findings_are_ordered_and_counted(store, connection):
    early = finding(1, last=START)
    late = finding(2, last=START + timedelta(days=1), rule="cycle", level=Level.WATCH)
    never = finding(3, last=None, score=0.1)
    store.save_findings(connection, [early, late, never])
    assert store.list_findings(connection, order="last") == (late, early, never)
    assert store.list_findings(connection, order="rule", descending=False) == (late, early, never)
    assert store.list_findings(connection, order="score", descending=False)[0] == never
    with pytest.raises(BadInput):
        store.list_findings(connection, order="body; drop table")
    assert store.count_findings(connection) == 3
    assert store.count_findings(connection, level=Level.WATCH, rule="cycle") == 1
    assert store.rules(connection) == ("cycle", "structuring")


def test_cases_are_counted_and_found_by_their_findings(store, connection):
    case = opened(store, connection)
    opened(store, connection, 2)
    store.decide(connection, case.id, Verdict.REPORT, "Ann Lee", "It fits.")
    assert store.count_cases(connection) == 2
    assert store.count_cases(connection, CaseState.DECIDED) == 1
    assert store.case_of_finding(connection, "f1") == case.id
    assert store.case_of_finding(connection, "f99") == ""


def test_reports_are_kept_as_they_went_out(store, connection, clock):
    case = opened(store, connection)
    data = bytes(range(256)) * 10
    first = store.save_report(connection, case.id, "goaml", "str.xml", data)
    clock.forward(minutes=1)
    assert store.save_report(connection, case.id, "goaml", "str.xml", data) == first
    second = store.save_report(connection, case.id, "fincen_sar", "sar.xml", data)
    listed = store.reports(connection, case.id)
    assert [(r.id, r.format, r.filename, r.size, r.data) for r in listed] == [
        (first, "goaml", "str.xml", 2560, b""),
        (second, "fincen_sar", "sar.xml", 2560, b""),
    ]
    assert store.report(connection, first).data == data
    assert store.report(connection, first).at == START


@pytest.mark.parametrize(
    ("name", "data"), [("../a", b"x"), ("a\\b", b"x"), ("", b"x"), (".x", b"x"), ("a", b"")]
)
def test_a_report_has_a_plain_name_and_content(store, connection, name, data):
    case = opened(store, connection)
    with pytest.raises(BadInput):
        store.save_report(connection, case.id, "goaml", name, data)


def test_statistics(store, connection, clock):
    empty = store.statistics(connection)
    assert (empty.by_state, empty.median_hours) == ({}, None)
    ids = [opened(store, connection, number).id for number in (1, 2, 3)]
    store.attach(connection, ids[2], findings=(finding(9, rule="cycle"),))
    clock.forward(hours=2)
    store.decide(connection, ids[0], Verdict.DISMISS, "Ann Lee", "A payroll.")
    clock.forward(hours=4)
    store.decide(connection, ids[1], Verdict.REPORT, "Ann Lee", "It fits.")
    clock.forward(hours=4)
    store.decide(connection, ids[1], Verdict.FREEZE, "Ann Lee", "It leaves.")
    figures = store.statistics(connection)
    assert figures.by_state == {"open": 1, "closed": 1, "decided": 1}
    assert figures.by_verdict == {"dismiss": 1, "report": 1, "freeze": 1}
    assert figures.by_rule == {"structuring": 3, "cycle": 1}
    assert figures.median_hours == 4.0


def test_nothing_commits(store, engine):
    with engine.connect() as connection:
        case = opened(store, connection)
        connection.rollback()
    with engine.connect() as connection, pytest.raises(NotFound):
        store.get(connection, case.id)
