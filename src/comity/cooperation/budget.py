"""How much a peer may ask in a day: the bound on what probing can learn."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from comity.cooperation.subjects import IdentifierKind
from comity.errors import BadInput, Refused

metadata = MetaData()

spent = Table(
    "cooperation_budget",
    metadata,
    Column("peer", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("used", Integer, nullable=False),
)


class Budget:
    """At most ``cap`` elements per peer, kind of identifier and UTC day."""

    def __init__(self, cap: int) -> None:
        self._cap = cap

    def spend(self, conn: Connection, peer: str, kind: IdentifierKind, count: int, now: datetime) -> int:
        """Charge ``count`` elements; return how many are left today. Raises Refused beyond the cap, BadInput.

        Charge what was offered, dummies included: the server cannot tell them apart.
        """
        if count < 1:
            raise BadInput(f"{count} elements cannot be charged", remedy="charge what was offered")
        key = {"peer": peer, "kind": kind.value, "day": now.astimezone(UTC).date().isoformat()}
        make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
        conn.execute(make(spent).values(**key, used=0).on_conflict_do_nothing())
        here = (spent.c.peer == peer) & (spent.c.kind == kind.value) & (spent.c.day == key["day"])
        changed = conn.execute(
            update(spent).where(here, spent.c.used + count <= self._cap).values(used=spent.c.used + count)
        )
        used = int(conn.execute(select(spent.c.used).where(here)).scalar_one())
        if not changed.rowcount:
            raise Refused(
                f"{peer} has used up what it may match on {kind.value} today",
                why=f"{used:,} of {self._cap:,} elements are used, and {count:,} more were offered",
                remedy="wait until tomorrow (UTC), offer fewer keys, or agree on a larger budget",
            )
        return self._cap - used
