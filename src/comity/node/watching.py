"""What an FIU is told its institutions and partners watch: kept by who told it, and given out bare."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, insert, select

from comity import codec, plugins
from comity.cooperation.subjects import IdentifierKind, of_account, of_identifier
from comity.errors import BadInput
from comity.model import AccountId, Finding, FindingKind, Identifier, Message, Party, Subject
from comity.node import tables
from comity.node.node import Node

MOST_WATCHED = 10_000
KINDS = (IdentifierKind.WALLET, IdentifierKind.DOCUMENT, IdentifierKind.ACCOUNT)
"""What is matched on."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What somebody watches: the finding without its evidence, the keys its subject is matched on, and the
    accounts that are meant. ``source`` told of it, in the message ``message_id``; the store adds both."""

    finding: Finding
    keys: tuple[str, ...]
    accounts: tuple[AccountId, ...] = ()
    source: str = ""
    message_id: str = ""


def own_watched(node: Node, conn: Connection) -> tuple[list[Finding], tuple[Subject, ...]]:
    """An institution's watched findings of rules that can be added up, and the identifiers behind them."""
    found = [
        _bare(finding)
        for rule in joint_rules()
        for finding in node.cases.list_findings(
            conn, kind=FindingKind.TYPOLOGY, rule=rule, limit=MOST_WATCHED
        )
    ]
    subjects: dict[tuple[Identifier, ...], list[AccountId]] = {}
    for account in dict.fromkeys(finding.subject for finding in found):
        party = node.customers.get(account)
        if party and party.identifiers:
            subjects.setdefault(party.identifiers, []).append(AccountId(account))
    return found, tuple(
        Subject(Party("", identifiers=identifiers), tuple(accounts))
        for identifiers, accounts in subjects.items()
    )


def joint_rules() -> list[str]:
    """The typologies whose figures several institutions may add up."""
    return [name for name in plugins.names("typologies") if plugins.load("typologies", name).SPEC.joint]


def _bare(finding: Finding) -> Finding:
    return replace(finding, evidence=(), reasons=finding.reasons[:1])


def pseudonymous(item: Watched, key: str) -> Finding:
    """The finding as another country's FIU sees it: its subject is the key that both know."""
    return replace(_bare(item.finding), subject=key)


def subject_of(key: str) -> Subject | None:
    parts = key.split("|")
    if parts[0] != "document":
        return None
    return Subject(Party("", identifiers=(Identifier(parts[1], parts[3], parts[2]),)))


def holders(items: Iterable[Watched]) -> tuple[Subject, ...]:
    """The persons of these keys, by the documents the asker named, with their accounts here."""
    held: dict[Subject, list[AccountId]] = {}
    for item in items:
        for subject in filter(None, map(subject_of, item.keys)):
            held.setdefault(subject, []).extend(item.accounts)
    return tuple(replace(who, accounts=tuple(dict.fromkeys(a))) for who, a in held.items() if a)


def about(items: Iterable[Watched], keys: frozenset[str]) -> list[Watched]:
    """What is watched about these keys, with those keys only."""
    shown = (replace(item, keys=tuple(key for key in item.keys if key in keys)) for item in items)
    return [item for item in shown if item.keys]


def matchable(accounts: Iterable[AccountId], parties: Iterable[Party]) -> tuple[str, ...]:
    """The keys to match on; what cannot be matched on (a passport without its country) is passed over."""
    made = []
    for account in accounts:
        with contextlib.suppress(BadInput):
            made.append(of_account(account))
    for identifier in (one for party in parties for one in party.identifiers):
        with contextlib.suppress(BadInput):
            made.append(of_identifier(identifier))
    return tuple(sorted({key for kind, key in filter(None, made) if kind in KINDS}))


def all_watched(conn: Connection) -> list[Watched]:
    """What institutions and partners told this FIU."""
    rows = conn.execute(select(tables.watch).order_by(tables.watch.c.source, tables.watch.c.finding_id))
    return [
        replace(codec.from_json(Watched, row.item.encode()), source=row.source, message_id=row.message_id)
        for row in rows
    ]


def watched(conn: Connection, own: Node) -> list[Watched]:
    """What the FIU's own institutions told it."""
    home, parties = own.institution.jurisdictions[0], own.parties
    return [
        item
        for item in all_watched(conn)
        if item.source in parties and parties[item.source].jurisdictions[0] == home
    ]


def told_in(conn: Connection, node: Node, items: Iterable[Watched]) -> list[Message]:
    """The messages that these items came in: their terms bind whoever passes them on."""
    named = dict.fromkeys((item.source, item.message_id) for item in items)
    return [node.mailbox.get(conn, *name).message for name in named]


def keep(conn: Connection, message: Message, items: Sequence[Watched]) -> None:
    """Keep each item under its source; what the source told about it before is replaced."""
    merged: dict[str, Watched] = {}
    known = set(joint_rules())
    for item in items:
        if item.finding.rule not in known:
            continue  # another version's typology: it cannot be added up here
        held = merged.get(item.finding.id, item)
        keys = tuple(dict.fromkeys((*held.keys, *item.keys)))
        merged[item.finding.id] = replace(held, keys=keys, accounts=held.accounts or item.accounts)
    for finding_id, item in merged.items():
        place = (tables.watch.c.source == message.sender) & (tables.watch.c.finding_id == finding_id)
        conn.execute(delete(tables.watch).where(place))
        conn.execute(
            insert(tables.watch).values(
                source=message.sender,
                finding_id=finding_id,
                message_id=message.id,
                item=codec.to_json(item).decode(),
            )
        )


def accounts_of(conn: Connection, key: str) -> dict[AccountId, str]:
    """The accounts behind a key that this FIU was told of, each with who told of it."""
    return {
        account: item.source for item in all_watched(conn) if key in item.keys for account in item.accounts
    }
