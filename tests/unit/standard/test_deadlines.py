"""Deadlines in a country's own working days and time zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from comity.errors import BadInput, SettingsError
from comity.model import Deadline
from comity.standard.deadlines import due

FRIDAY = datetime(2026, 2, 13, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("deadline", "event", "country", "timezone", "end"),
    [
        # Lunar New Year: 17 and 18 February 2026 are holidays in Singapore, not in Germany.
        (Deadline(5, "working_day"), FRIDAY, "SG", "Asia/Singapore", "2026-02-24T15:59:59+00:00"),
        (Deadline(5, "working_day"), FRIDAY, "DE", "Europe/Berlin", "2026-02-20T22:59:59+00:00"),
        # A country whose holidays nobody knows: weekends only, which is the earlier day.
        (Deadline(5, "working_day"), FRIDAY, "QQ", "UTC", "2026-02-20T23:59:59+00:00"),
        (Deadline(1, "working_day"), FRIDAY, "DE", "Europe/Berlin", "2026-02-16T22:59:59+00:00"),
        (Deadline(30, "calendar_day"), FRIDAY, "US", "America/New_York", "2026-03-15T03:59:59+00:00"),
        (Deadline(24, "hour"), FRIDAY, "AU", "Australia/Sydney", "2026-02-14T04:00:00+00:00"),
        (
            Deadline(1, "month"),
            datetime(2026, 1, 31, 12, tzinfo=UTC),
            "DE",
            "Europe/Berlin",
            "2026-02-28T22:59:59+00:00",
        ),
        (
            Deadline(2, "year"),
            datetime(2024, 2, 29, 12, tzinfo=UTC),
            "GB",
            "Europe/London",
            "2026-02-28T23:59:59+00:00",
        ),
        (
            Deadline(15, "day_of_next_month"),
            datetime(2026, 12, 31, 12, tzinfo=UTC),
            "IN",
            "Asia/Kolkata",
            "2027-01-15T18:29:59+00:00",
        ),
        (
            Deadline(31, "day_of_next_month"),
            datetime(2026, 1, 30, 12, tzinfo=UTC),
            "QQ",
            "UTC",
            "2026-02-28T23:59:59+00:00",
        ),
        # Late evening in UTC is the next day in Singapore.
        (
            Deadline(1, "calendar_day"),
            datetime(2026, 3, 2, 20, tzinfo=UTC),
            "SG",
            "Asia/Singapore",
            "2026-03-04T15:59:59+00:00",
        ),
    ],
)
def test_due(deadline: Deadline, event: datetime, country: str, timezone: str, end: str) -> None:
    found = due(deadline, event, country, timezone)
    assert found is not None
    assert found.isoformat() == end


@pytest.mark.parametrize("unit", ["promptly", "without_delay", "immediately", "as_soon_as_practicable"])
def test_no_number_no_date(unit: str) -> None:
    assert due(Deadline(0, unit), FRIDAY, "DE", "Europe/Berlin") is None


def test_a_time_without_its_offset_is_refused() -> None:
    with pytest.raises(BadInput, match="offset"):
        due(Deadline(1, "hour"), FRIDAY.replace(tzinfo=None), "DE", "Europe/Berlin")


def test_a_time_zone_there_is_not() -> None:
    with pytest.raises(SettingsError, match="Mars"):
        due(Deadline(1, "hour"), FRIDAY, "DE", "Mars/Olympus")
