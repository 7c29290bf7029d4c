"""When a schedule was last due: the five fields of a cron expression, read for looking back."""

from datetime import datetime, timedelta

FIELDS = (
    (0, 59),
    (0, 23),
    (1, 31),
    (1, 12),
    (0, 7),
)  # minute, hour, day of the month, month, day of the week
MONTHS = dict(
    zip(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        range(1, 13),
        strict=True,
    )
)
WEEKDAYS = dict(zip(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], range(7), strict=True))
LOOK_BACK_DAYS = 366 * 4 + 1
"""To the 29th of February before the last one."""


def last_due(cron: str, now: datetime) -> datetime | None:
    """
    Return when the schedule was last due at `now` or before, in the time zone of `now`; None if not in four years.

    `cron` is one that the settings allow. As for Prefect, a day is due by its date or its weekday where neither is `*`, or all of them beside one that begins with it.
    """
    parts = cron.lower().split()
    minutes, hours, days, months, weekdays = (
        _numbers(part, low, high) for part, (low, high) in zip(parts, FIELDS, strict=True)
    )
    weekdays = {number % 7 for number in weekdays}
    every_day = parts[2] == "*" or (len(days) == 31 and parts[4][0] == "*")
    every_weekday = parts[4] == "*" or (len(weekdays) == 7 and parts[2][0] == "*")
    either = not every_day and not every_weekday
    for back in range(LOOK_BACK_DAYS):
        day = (now - timedelta(days=back)).date()
        by_date, by_weekday = day.day in days, day.isoweekday() % 7 in weekdays
        if day.month not in months or not (by_date or by_weekday if either else by_date and by_weekday):
            continue
        due = [
            at
            for hour in hours
            for minute in minutes
            if (at := datetime(day.year, day.month, day.day, hour, minute, tzinfo=now.tzinfo)) <= now
        ]
        if due:
            return max(due)
    return None


def _numbers(field: str, low: int, high: int) -> set[int]:
    return set().union(*(_range(part, low, high) for part in field.split(",")))


def _range(part: str, low: int, high: int) -> range:
    span, _, step = part.partition("/")
    if span == "*":
        return range(low, high + 1, int(step or 1))
    first, _, last = span.partition("-")
    end = _number(last) if last else high if step else _number(first)
    return range(_number(first), end + 1, int(step or 1))


def _number(text: str) -> int:
    return (MONTHS | WEEKDAYS).get(text, -1) if text.isalpha() else int(text)
