"""Times: the zone of those that a file writes without an offset, and the bounds of all."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from comity import intake
from comity.errors import BadInput


def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises BadInput."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadInput(
            f"no such time zone: {name[:40]!r}", remedy="an IANA name, such as Europe/Berlin or UTC"
        ) from None


def utc(time: datetime, where: str, now: datetime) -> datetime:
    """An aware time as UTC. Raises BadInput, naming ``where``, unless it lies between 1970 and now."""
    try:
        return intake.past(time.astimezone(UTC), where, now)
    except OverflowError:
        raise BadInput(
            f"{where}: a time out of range: {time.isoformat()}", remedy="correct it in the file"
        ) from None
