"""A node made of nouns, all of them invented, as the pages see one. Kept in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from comity.app.web.view import (
    Entry,
    Event,
    File,
    Filed,
    FindingOrder,
    Head,
    Hop,
    Parcel,
    Slice,
    Task,
)
from comity.errors import BadInput, Conflict, NotFound, Refused, Unverified
from comity.ledger.columns import build
from comity.model import (
    AccountId,
    Amount,
    AssetId,
    Attribution,
    Basis,
    Case,
    CaseState,
    Columns,
    Confidence,
    Deadline,
    Decision,
    Duty,
    Finding,
    FindingKind,
    Force,
    Handling,
    Institution,
    Level,
    Measure,
    MeasureKind,
    MeasureState,
    Message,
    MessageKind,
    OnwardUse,
    Party,
    Provision,
    Receipt,
    Role,
    Transfer,
    Verdict,
)
from comity.standard.law import Standard
from comity.standard.load import load
from comity.tracing.draw import flow_svg

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TOKEN = "fake-operator-token-0123456789"
HOSTILE = "<script>alert('owned')</script> \"Mallory\" \u202eevil"
EUR = AssetId.money("EUR")
RULES = ("fan_in", "structuring", "pass_through", "ofac_sdn", "cycle")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def receipt(index: int) -> Receipt:
    return Receipt(
        "node.borduria-fiu.example/log",
        index,
        240,
        digest(f"leaf {index}"),
        digest("root"),
        (digest("a"), digest("b")),
        NOW - timedelta(minutes=240 - index),
    )


def address(n: int) -> str:
    return f"eip155:1:0x{digest(f'wallet {n}')[:40]}"


def transfer(n: int) -> Transfer:
    return Transfer(
        f"t-{n:04}",
        NOW - timedelta(hours=40 - n),
        AccountId(f"acct:syldavia-bank:{7000 + n}"),
        AccountId(address(1)),
        Amount(Decimal("950.25") + n, EUR) if n != 2 else None,
        Decimal("950.25") + n if n != 2 else None,
        "syldavia-bank",
        "" if n % 2 else "borduria-vasp",
        "SY",
        "",
        Party(HOSTILE if n == 1 else f"Sender Number {n}"),
    )


def finding(n: int) -> Finding:
    rule = RULES[n % len(RULES)]
    sanction = rule == "ofac_sdn"
    return Finding(
        f"f-{n:04}",
        FindingKind.SCREENING if sanction else FindingKind.TYPOLOGY,
        rule,
        (HOSTILE if n == 3 else "Ivan Ottokarovich Trovik") if sanction else address(n),
        Level.WATCH if n % 4 == 2 else Level.ALERT,
        max(0.05, 0.99 - 0.013 * n),
        (
            f"Within 24 hours {n + 11} accounts paid in, where at most 10 are usual.",
            "Of what came in, 97 % left again within two hours.",
            HOSTILE,
        )
        if not sanction
        else ("The name agrees with entry 9999 of the list but for one letter.", "The year of birth agrees."),
        ("t-0001", "t-0002", "t-0003", "t-0004") if not sanction else ("SAMPLE_SDN:9999",),
        "Sample list of 2026-11-20"
        if sanction
        else "FATF, Virtual Assets Red Flag Indicators (2020), flag 12",
        NOW - timedelta(hours=48 + n),
        NOW - timedelta(hours=3 * n + 1),
        () if sanction else (("distinct_senders", 11.0 + n), ("total_in", 48210.5), ("hours_between", 1.75)),
    )


def provision(
    country: str, question: str, answer: Deadline | str, source: str, sure: Confidence
) -> Provision:
    return Provision(
        country, question, answer, source, sure, Basis.SOURCED, note="Sample law of a country in fiction."
    )


def duties() -> tuple[Duty, ...]:
    def duty(
        country: str,
        what: str,
        force: Force,
        sure: Confidence,
        deadline: Deadline | None,
        due: datetime | None,
        source: str,
    ) -> Duty:
        law = provision(country, "str.deadline", deadline or "yes", source, sure)
        doubt = (("role", "originator"), ("rate", "XTS at a rough rate: <b>check</b>"))
        return Duty("report_suspicion", "borduria-vasp", what, country, force, law, deadline, due, doubt)

    promptly = Deadline(0, "promptly", "suspicion")
    return (
        duty(
            "bo",
            "Report the suspicion to the FIU.",
            Force.REQUIRED,
            Confidence.HIGH,
            Deadline(24, "hour", "suspicion"),
            NOW + timedelta(hours=5),
            "AML Act of Borduria, s. 17(2)",
        ),
        duty(
            "bo",
            "Do not tell the customer that a report is made.",
            Force.REQUIRED,
            Confidence.MEDIUM,
            None,
            None,
            "AML Act of Borduria, s. 21",
        ),
        duty(
            "sy",
            "Report the suspicion to the FIU.",
            Force.REQUIRED,
            Confidence.LOW,
            Deadline(3, "working_day", "suspicion"),
            NOW - timedelta(hours=7),
            "Syldavian Financial Code, art. 88",
        ),
        duty(
            "fatf",
            "Report the suspicion promptly.",
            Force.RECOMMENDED,
            Confidence.HIGH,
            promptly,
            None,
            "FATF Recommendation 20",
        ),
    )


def message(n: int, incoming: bool) -> Message:
    kinds = (MessageKind.REQUEST, MessageKind.SPONTANEOUS, MessageKind.FREEZE_REQUEST, MessageKind.REPLY)
    here, there = "borduria-fiu", "syldavia-fiu"
    filing = n == 0 and not incoming
    return Message(
        f"m-{'in' if incoming else 'out'}-{n:03}",
        MessageKind.REPORT if filing else kinds[n % 4],
        there if incoming else here,
        here if incoming else there,
        f"c-{n:03}",
        NOW - timedelta(hours=9 * n + 2),
        NOW + timedelta(days=30 - n),
        Handling(
            "Analysis of a suspected scam ring",
            tuple(OnwardUse)[n % 3],
            "Memorandum of 2019 between the two FIUs, para. 4",
            ("Do not use as evidence.", "Ask before any onward use."),
            NOW + timedelta(days=365),
        ),
        {"format": "goaml", "reference": "STR «1».xml", "document": "PD94bWwg" * 3000}
        if filing
        else {
            "question": "Who holds the account that received the transfers listed?",
            "accounts": [address(1), address(2)],
            "urgent": True,
            "contact": {"name": HOSTILE, "desk": "operations", "note": None},
        },
        "m-in-001" if n == 3 else "",
    )


XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<report><reference>BO-2026-001</reference></report>\n'


@cache
def law() -> Standard:
    """Two of the world's countries and some of fiction, on codes that the map has shapes of."""
    return load({path.stem: path for path in (Path(__file__).parent / "laws").glob("*.yaml")})


def account(n: int) -> str:
    """An account of the ledger that is traced through."""
    return f"acct:syldavia-bank:{n:04}"


def ledger() -> list[Transfer]:
    """From 1 over 2 and 3 to an exchange (41 to 43), and on over 4 to nine more, each of whom pays on."""
    moves = [
        (0, 1, 2, 9000),
        (1, 1, 3, 6000),
        (2, 2, 41, 2000),
        (9, 3, 42, 2500),
        (30, 2, 43, 3000),
        (31, 2, 4, 3500),
    ]
    moves += [(40 + n, 4, 20 + n, 300 + n) for n in range(9)]
    moves += [(60 + n, 20 + n, 30 + n, 30) for n in range(9)] + [(70, 20, 2, 100), (80, 30, 50, 20)]
    begin = NOW - timedelta(days=200)
    return [
        Transfer(
            f"m-{n:03}",
            begin + timedelta(days=day),
            AccountId(account(source)),
            AccountId(account(target)),
            Amount(Decimal(value), EUR),
        )
        for n, (day, source, target, value) in enumerate(moves)
    ]


class FakeView:
    """Answers as a node would; ``broken`` makes the audit log fail its verification."""

    def __init__(self) -> None:
        self.broken = False
        self.sent = False
        self.standard = law()
        self.moved: dict[tuple[str, str], float] = {}
        self.drafts: list[tuple[str, str]] = []
        self._findings = {f.id: f for f in map(finding, range(61))}
        self._transfers = {t.id: t for t in map(transfer, range(1, 5))}
        self._cases: dict[str, Case] = {}
        for n in range(3):
            chosen = tuple(self._findings[f"f-{k:04}"] for k in (n, n + 3))
            self._cases[f"case-{n + 1}"] = Case(
                f"case-{n + 1}",
                ("Many small payments, gathered and sent on", HOSTILE, "An old matter")[n],
                tuple(f.subject for f in chosen),
                (CaseState.OPEN, CaseState.OPEN, CaseState.CLOSED)[n],
                NOW - timedelta(days=n, hours=2),
                chosen,
                duties() if n == 0 else (),
            )
        self._parcels = {
            m.id: Parcel(
                m, incoming, "to answer" if incoming else "delivered", "case-1" if n == 1 else "", receipt(n)
            )
            for incoming in (True, False)
            for n in range(4)
            for m in [message(n, incoming)]
        }

    def identity(self) -> Institution:
        return Institution("borduria-fiu", "Financial Intelligence Unit of Borduria", Role.FIU, ("bo",))

    def counts(self) -> dict[str, int]:
        return {
            "alerts": sum(f.level is Level.ALERT for f in self._findings.values()),
            "to watch": sum(f.level is Level.WATCH for f in self._findings.values()),
            "open cases": sum(c.state is CaseState.OPEN for c in self._cases.values()),
            "messages to answer": 4,
            "freezes in force": 1,
            "transfers held": 1_284_003,
        }

    def tasks(self, limit: int) -> list[Task]:
        due = sorted(
            (
                Task("case", c.id, d.what, d.due, d.provision.source)
                for c in self._cases.values()
                for d in c.duties
                if d.due
            ),
            key=lambda task: task.due or NOW,
        )
        rest = [
            Task("message", "m-in-000", "Answer the request of syldavia-fiu."),
            Task("case", "case-2", f"Decide the case {HOSTILE}."),
            Task("finding", "f-0000", "Look at the alert with the highest score."),
        ]
        return [*due, *rest][:limit]

    def findings(
        self,
        *,
        level: Level | None,
        rule: str,
        order: FindingOrder,
        descending: bool,
        limit: int,
        offset: int,
    ) -> Slice[Finding]:
        keys = {
            FindingOrder.LAST: lambda f: f.last,
            FindingOrder.SCORE: lambda f: f.score,
            FindingOrder.RULE: lambda f: f.rule,
            FindingOrder.SUBJECT: lambda f: f.subject,
        }
        found = [f for f in self._findings.values() if level in (None, f.level) and rule in ("", f.rule)]
        found.sort(key=keys[order], reverse=descending)
        return Slice(found[offset : offset + limit], len(found))

    def rules(self) -> list[str]:
        return sorted(RULES)

    def finding(self, finding_id: str) -> Finding:
        if finding_id not in self._findings:
            raise NotFound(f"no finding {finding_id!r}", remedy="choose one from the alerts")
        return self._findings[finding_id]

    def evidence(self, finding_id: str) -> list[Transfer]:
        return [self._transfers[e] for e in self.finding(finding_id).evidence if e in self._transfers]

    def case_of(self, finding_id: str) -> str:
        return next((c.id for c in self._cases.values() if finding_id in {f.id for f in c.findings}), "")

    def open_case(self, finding_ids: Sequence[str], title: str) -> Case:
        chosen = tuple(self.finding(each) for each in finding_ids)
        for each in finding_ids:
            if case_id := self.case_of(each):
                raise Conflict(f"{each} is in case {case_id} already", remedy="work on that case")
        case = Case(
            f"case-{len(self._cases) + 1}",
            title,
            tuple(f.subject for f in chosen),
            CaseState.OPEN,
            NOW,
            chosen,
            duties(),
        )
        self._cases[case.id] = case
        return case

    def cases(self, *, state: CaseState | None, limit: int, offset: int) -> Slice[Case]:
        found = [c for c in self._cases.values() if state in (None, c.state)]
        return Slice(found[offset : offset + limit], len(found))

    def case(self, case_id: str) -> Case:
        if case_id not in self._cases:
            raise NotFound(
                f"no case {case_id!r}", why="none has this number", remedy="choose one from the cases"
            )
        return self._cases[case_id]

    def case_events(self, case_id: str) -> list[Event]:
        case = self.case(case_id)
        events = [
            Event(
                Hop.TRANSFER,
                NOW - timedelta(hours=30),
                "12,004 transfers were read from syldavia-bank.",
                "",
                receipt(211),
            ),
            Event(
                Hop.FINDING,
                NOW - timedelta(hours=29),
                "fan_in: 11 accounts paid in within 24 hours.",
                "",
                receipt(212),
            ),
            Event(Hop.FINDING, NOW - timedelta(hours=29), f"Screened: {HOSTILE}", "", receipt(213)),
            Event(
                Hop.DUTY,
                NOW - timedelta(hours=28),
                "Report the suspicion to the FIU.",
                "AML Act of Borduria, s. 17(2)",
            ),
        ]
        for each in case.decisions:
            events.append(
                Event(Hop.DECISION, each.at, f"{each.by} decided: {each.verdict.value}.", "", receipt(214))
            )
            events.append(
                Event(
                    Hop.ACT,
                    each.at,
                    "The report went to the FIU.",
                    "AML Act of Borduria, s. 17",
                    receipt(215),
                )
            )
        return events

    def case_flow_svg(self, case_id: str) -> str:
        if self.case(case_id).id == "case-2":
            return ""
        onward = [
            replace(t, id=f"{t.id}-on", originator=t.beneficiary, beneficiary=AccountId(address(2)))
            for t in self._transfers.values()
        ]
        return flow_svg(
            [*self._transfers.values(), *onward], title="Flow of case-1", labels={address(1): HOSTILE}
        )

    def case_messages(self, case_id: str) -> list[Parcel]:
        return [p for p in self._parcels.values() if p.case_id == self.case(case_id).id]

    def decide(self, case_id: str, verdict: Verdict, by: str, grounds: str) -> Case:
        case = self.case(case_id)
        if case.state is CaseState.CLOSED:
            raise Conflict(
                "the case is closed", why="a closed case takes no decision", remedy="open a new case"
            )
        if verdict is Verdict.FREEZE:
            raise Refused(
                "this node may not freeze", why="no law of Borduria gives it the power", remedy="request it"
            )
        decision = Decision(f"d-{len(case.decisions) + 1}", case_id, verdict, by, NOW, grounds)
        self._cases[case_id] = replace(case, state=CaseState.DECIDED, decisions=(*case.decisions, decision))
        return self._cases[case_id]

    def reports(self, case_id: str) -> list[Filed]:
        if self.case(case_id).id != "case-1":
            return []
        return [
            Filed("r-1", "goAML 5.0.2", "borduria-fiu", NOW - timedelta(hours=1), sent=self.sent),
            Filed("r-2", "Sample SAR", "syldavia-fiu", NOW, ("The officer's telephone number is missing.",)),
        ]

    def report_formats(self) -> dict[str, str]:
        return {"goaml": "goAML 5.0.2", "sample": HOSTILE}

    def draft_report(self, case_id: str, form: str) -> None:
        if not self.case(case_id).decisions:
            raise Refused("no decision to report", remedy="have a person decide")
        if form not in self.report_formats():
            raise BadInput(f"no {form!r} among the reports", remedy="choose one of them")
        self.drafts.append((case_id, form))

    def file_report(self, report_id: str) -> str:
        if report_id != "r-1":
            raise BadInput(f"report {report_id} has 1 problems", remedy="draft it again")
        self.sent = True
        return "case-1"

    def report_file(self, report_id: str) -> File:
        if report_id not in ("r-1", "r-2"):
            raise NotFound(f"no report {report_id!r}", remedy="choose one from its case")
        return File(f"BO-2026-00{report_id[2]} «STR».xml", "application/xml", XML)

    def law(self) -> Standard:
        return self.standard

    def flows(self) -> dict[tuple[str, str], float]:
        return self.moved

    def columns(self) -> Columns:
        if self.broken:
            raise NotFound("this node has no ledger", remedy="read a file of transfers into it first")
        return build([*ledger(), *self._transfers.values()], EUR)

    def attributions(self) -> dict[str, Attribution]:
        """An exchange of three accounts, disputed at one of them; and somebody hostile."""
        other = Attribution(account(41), "Merlin Mixer", "merlin", ("mixing_service",), 0.2, "urn:b")
        kestrel = [
            Attribution(
                account(n),
                "kestrel",
                "kestrel",
                ("exchange",),
                0.5,
                "urn:a",
                "SG",
                "Kestrel Exchange",
                ("SG",),
            )
            for n in (41, 42, 43)
        ]
        kestrel[0] = replace(kestrel[0], others=(other,))
        foe = Attribution(account(3), HOSTILE, "", ("ransomware",), 1.0, HOSTILE)
        return {one.account: one for one in [*kestrel, foe]}

    def names(self) -> dict[str, str]:
        return {account(1): "Aurelia Vantermeer"}

    def inbox(self, *, limit: int, offset: int) -> Slice[Parcel]:
        found = [p for p in self._parcels.values() if p.incoming]
        return Slice(found[offset : offset + limit], len(found))

    def outbox(self, *, limit: int, offset: int) -> Slice[Parcel]:
        found = [p for p in self._parcels.values() if not p.incoming]
        return Slice(found[offset : offset + limit], len(found))

    def message(self, message_id: str) -> Parcel:
        if message_id not in self._parcels:
            raise NotFound(f"no message {message_id!r}")
        return self._parcels[message_id]

    def message_document(self, message_id: str) -> File:
        if self.message(message_id).message.kind is not MessageKind.REPORT:
            raise NotFound(f"message {message_id} carries no document", remedy="read its content")
        return File("STR «1».xml", "application/xml", XML)

    def freezes(self) -> list[Measure]:
        def freeze(n: int, state: MeasureState, until: datetime | None, sure: str) -> Measure:
            return Measure(
                f"z-{n}",
                MeasureKind.FREEZE,
                "borduria-fiu",
                "borduria-vasp",
                tuple(AccountId(address(k)) for k in range(n, n + 2)),
                "AML Act of Borduria, s. 30: up to 72 hours",
                sure,
                state,
                NOW - timedelta(hours=10 * n),
                until,
                "case-1" if n == 1 else "",
                "Value is about to leave for a wallet under no one's control.",
            )

        return [
            freeze(1, MeasureState.IN_FORCE, NOW + timedelta(hours=62), "high"),
            freeze(2, MeasureState.REQUESTED, None, "low"),
            freeze(3, MeasureState.EXPIRED, NOW - timedelta(days=3), "med"),
        ]

    def audit(self, *, start: int, limit: int) -> list[Entry]:
        kinds = ("transfers_read", "finding_made", "case_opened", "decision", "message_sent")
        return [
            Entry(
                n,
                NOW - timedelta(minutes=240 - n),
                kinds[n % 5],
                f"Event {n} of this log, in words.",
                digest(f"leaf {n}"),
            )
            for n in range(start, min(start + limit, 240))
        ]

    def audit_head(self) -> Head:
        return Head(
            "node.borduria-fiu.example/log",
            240,
            digest("root"),
            NOW - timedelta(minutes=1),
            ("syldavia-fiu", "freedonia-fiu"),
        )

    def verify_audit(self) -> Head:
        if self.broken:
            raise Unverified(
                "the log does not hold",
                why="entry 17 does not hash to its leaf",
                remedy="keep the disk; call the auditors",
            )
        return self.audit_head()
