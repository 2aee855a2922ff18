"""A deadline of law to the moment it ends, in a country's own working days and time zone."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from comity.errors import BadInput, SettingsError
from comity.model import Deadline

FIRST_YEAR, LAST_YEAR = 1900, 9000
_WEEKEND = (5, 6)
_LAST_SECOND = time(23, 59, 59)


@lru_cache(256)  # ZoneInfo itself keeps eight
def zone(name: str) -> ZoneInfo:
    """The time zone of this name. Raises SettingsError when the machine has no time-zone data for it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f"no time zone {name!r} on this machine",
            why="deadlines end at midnight where the authority sits",
            remedy="correct `timezone:` in the law file, or install the system's time-zone data (tzdata)",
        ) from None


def local_day(moment: datetime, timezone: str) -> date:
    """The calendar day of an aware moment in a time zone. Raises BadInput when it has no offset."""
    if moment.tzinfo is None:
        raise BadInput(
            "a time without its offset", why="deadlines depend on it", remedy="hand over an aware datetime"
        )
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadInput(
            f"the year {moment.year} is out of bounds",
            why=f"deadlines are counted from {FIRST_YEAR} to {LAST_YEAR}",
            remedy="correct the time",
        )
    return moment.astimezone(zone(timezone)).date()


def due(deadline: Deadline, event: datetime, country: str, timezone: str) -> datetime | None:
    """When it ends, in UTC; None for one without a number (promptly …).

    Hours run from the event itself; days, months and years from the day after it, to the last second of
    the last day. Months and years are not extended when they end on a holiday: the earlier reading is
    the safe one. So is counting only weekends as free where a country's holidays are not known.
    """
    start = local_day(event, timezone)
    if not deadline.amount:
        return None
    if deadline.unit == "hour":
        return (event + timedelta(hours=deadline.amount)).astimezone(UTC)
    if deadline.unit == "working_day":
        end = start
        for _ in range(deadline.amount):
            end = _next_working_day(end, country)
    elif deadline.unit == "calendar_day":
        end = start + timedelta(days=deadline.amount)
    elif deadline.unit == "day_of_next_month":
        end = _months(start.replace(day=1), 1)
        end = end.replace(day=min(deadline.amount, monthrange(end.year, end.month)[1]))
    else:
        end = _months(start, deadline.amount * (12 if deadline.unit == "year" else 1))
    return datetime.combine(end, _LAST_SECOND, zone(timezone)).astimezone(UTC)


def _months(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def _next_working_day(day: date, country: str) -> date:
    day += timedelta(days=1)
    while not _works(day, country):
        day += timedelta(days=1)
    return day


@lru_cache(1 << 17)
def _works(day: date, country: str) -> bool:
    calendar = _calendar(country.upper())
    return day.weekday() not in _WEEKEND if calendar is None else bool(calendar.is_working_day(day))


@cache
def _calendar(country: str):  # type: ignore[no-untyped-def]
    import holidays  # slow to import, and most commands need no deadline

    return holidays.country_holidays(country) if country in holidays.list_supported_countries() else None
