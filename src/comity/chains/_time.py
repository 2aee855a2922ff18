"""The zone of times that a file writes without an offset."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from comity.errors import BadInput


def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises BadInput."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadInput(
            f"no such time zone: {name[:40]!r}", remedy="an IANA name, such as Europe/Berlin or UTC"
        ) from None
