"""Users: sign-ups, active users, churn, and retention.

Days, weeks and months are those of REPORTS_TIMEZONE, and all counts end with the period's last day. The total counts
the users who signed up by then; new sign-ups are those in the period. A user is active in a period with at least one
sign-in. Churned users were active in the previous period and are not active in this one; the churn rate is their
share of the users who were active before, in percent. The period before has as many whole months where
the period is whole months, else as many days.

Retention follows the users who signed up in each of the twelve months that end with the period's last one. Month n
is the n-th calendar month after that of the sign-up, and retention in it the share of them that signed in then.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from reports_worker.authoring import (
    GRANULARITIES,
    Chart,
    Column,
    Contents,
    DateRange,
    GivenRows,
    Kind,
    LocalTime,
    Query,
    ReportContext,
    ReportType,
    Row,
    Table,
    add_months,
    begins,
    previous_period,
)
from reports_worker.builtin._over_time import over_time

COHORT_MONTHS = 12
CHARTED_LENGTH = 40

TOTALS = Query("""
SELECT COUNT(*) AS total, CAST(COALESCE(SUM(CASE WHEN signed_up_at >= :begin THEN 1 ELSE 0 END), 0) AS BIGINT) AS new
FROM users
WHERE signed_up_at < :end
""")

# One scan over the users of both periods.
CHURN = Query("""
WITH seen AS (
    SELECT user_id, MAX(CASE WHEN signed_in_at >= :begin THEN 1 ELSE 0 END) AS is_active,
        MAX(CASE WHEN signed_in_at < :begin THEN 1 ELSE 0 END) AS was_active
    FROM sign_ins
    WHERE signed_in_at >= :before AND signed_in_at < :end
    GROUP BY user_id
)
SELECT CAST(COALESCE(SUM(is_active), 0) AS BIGINT) AS active,
    CAST(COALESCE(SUM(was_active), 0) AS BIGINT) AS active_before,
    CAST(COALESCE(SUM(was_active * (1 - is_active)), 0) AS BIGINT) AS churned
FROM seen
""")

# {moment} is the local time of the event.
ACTIVE_OVER_TIME = {
    granularity: f"""
SELECT CAST(date_trunc('{granularity}', {{moment}}) AS DATE) AS begins, COUNT(DISTINCT user_id) AS active
FROM sign_ins
WHERE signed_in_at >= :begin AND signed_in_at < :end
GROUP BY 1
"""
    for granularity in GRANULARITIES
}
SIGN_UPS_OVER_TIME = {
    granularity: f"""
SELECT CAST(date_trunc('{granularity}', {{moment}}) AS DATE) AS begins, COUNT(*) AS sign_ups
FROM users
WHERE signed_up_at >= :begin AND signed_up_at < :end
GROUP BY 1
"""
    for granularity in GRANULARITIES
}

RETENTION = """
WITH comers AS (
    SELECT user_id, CAST(date_trunc('month', {signed_up}) AS DATE) AS cohort
    FROM users
    WHERE signed_up_at >= :begin AND signed_up_at < :end
)
SELECT comers.cohort, CAST(date_trunc('month', {signed_in}) AS DATE) AS seen_in,
    COUNT(DISTINCT comers.user_id) AS active
FROM comers JOIN sign_ins ON sign_ins.user_id = comers.user_id
WHERE signed_in_at >= :begin AND signed_in_at < :end
GROUP BY 1, 2
"""

ACTIVITY_COLUMNS = (
    Column("begins", Kind.DATE, "From"),
    Column("sign_ups", Kind.INTEGER, "Sign-ups"),
    Column("active_users", Kind.INTEGER, "Active users"),
)
RETENTION_COLUMNS = (
    Column("cohort", Kind.DATE, "Signed up in the month from"),
    Column("month", Kind.INTEGER, "Month"),
    Column("users", Kind.INTEGER, "Users"),
    Column("active_users", Kind.INTEGER, "Active users"),
    Column("retention", Kind.DECIMAL, "Retention", "%"),
)
LINE_COLUMNS = (
    Column("begins", Kind.DATE, "From"),
    Column("what", Kind.TEXT, "Users"),
    Column("users", Kind.INTEGER, "Number"),
)
UNITS: Mapping[str, str] = {"churn_rate": "%", "processing_time": "s"}


def make(context: ReportContext) -> Contents:
    started = time.monotonic()
    values, warehouse = context.values, context.warehouse
    days, granularity = values["period"], values["granularity"]
    local = LocalTime(days, context.timezone)
    before = LocalTime(previous_period(days), local.zone)
    chosen = {"begin": local.begin, "end": local.end}

    context.progress(0, "counting users")
    total, new = warehouse.fetch(TOTALS, **chosen)[0]
    context.progress(10, "working out churn")
    active, active_before, churned = warehouse.fetch(CHURN, **chosen, before=before.begin)[0]
    context.progress(40, "counting active users")
    activity = _over_time(context, local, granularity)
    context.progress(70, "following those who signed up")
    retention = _retention(context, days)
    context.progress(100, "writing the report")

    summary = {
        "total_users": total,
        "active_users": active,
        "new_signups": new,
        "churn_rate": None if not active_before else float(_share(churned, active_before, "0.01")),
        "churned_users": churned,
        "previous_active_users": active_before,
        "processing_time": round(time.monotonic() - started),
    }
    return Contents(
        summary,
        tables=(
            Table(
                "activity", f"Users by {granularity}", GivenRows(ACTIVITY_COLUMNS, activity), ACTIVITY_COLUMNS
            ),
            Table("retention", "Retention", GivenRows(RETENTION_COLUMNS, retention), RETENTION_COLUMNS),
        ),
        charts=(_activity_chart(granularity, activity if active or new else ()), _retention_chart(retention)),
        units=UNITS,
    )


def _over_time(context: ReportContext, local: LocalTime, granularity: str) -> list[Row]:
    chosen = {"begin": local.begin, "end": local.end, **local.values}
    found: list[dict[date, int]] = []
    for queries, column in ((SIGN_UPS_OVER_TIME, "signed_up_at"), (ACTIVE_OVER_TIME, "signed_in_at")):
        query = Query(queries[granularity].format(moment=local.sql(column)))
        found.append(dict(context.warehouse.fetch(query, **chosen)))
    sign_ups, active = found
    return [
        (begin, sign_ups.get(begin, 0), active.get(begin, 0)) for begin in begins(local.days, granularity)
    ]


def _retention(context: ReportContext, days: DateRange) -> list[Row]:
    """Make a row for each cohort and each month that begins in the period."""
    first = add_months(days.last.replace(day=1), 1 - COHORT_MONTHS)
    local = LocalTime(DateRange(first, days.last), context.timezone)
    chosen = {"begin": local.begin, "end": local.end, **local.values}
    sizes: dict[date, int] = dict(
        context.warehouse.fetch(
            Query(SIGN_UPS_OVER_TIME["month"].format(moment=local.sql("signed_up_at"))), **chosen
        )
    )
    query = Query(RETENTION.format(signed_up=local.sql("signed_up_at"), signed_in=local.sql("signed_in_at")))
    seen = {(cohort, month): active for cohort, month, active in context.warehouse.fetch(query, **chosen)}
    months = begins(local.days, "month")
    return [
        _retention_row(cohort, number, sizes[cohort], seen.get((cohort, month), 0))
        for cohort in months
        if cohort in sizes
        for number, month in enumerate(months[months.index(cohort) :])
    ]


def _retention_row(cohort: date, month: int, users: int, active: int) -> Row:
    return cohort, month, users, active, _share(active, users, "0.1")


def _share(part: int, whole: int, precision: str) -> Decimal:
    return (Decimal(100 * part) / whole).quantize(Decimal(precision), ROUND_HALF_UP)


def _activity_chart(granularity: str, activity: Sequence[Row]) -> Chart:
    spec: Mapping[str, Any] = {
        "mark": {"type": "line", "point": len(activity) <= CHARTED_LENGTH},
        "encoding": {
            "x": {"field": "begins", "type": "temporal", "title": f"{granularity.capitalize()} from"},
            "y": {"field": "users", "type": "quantitative", "title": "Users"},
            "color": {"field": "what", "type": "nominal", "title": None},
        },
    }
    return Chart(
        "activity",
        f"Users by {granularity}",
        spec,
        LINE_COLUMNS,
        list(_to_lines(activity)),
        "Active users and sign-ups over the period."
        if activity
        else "There were no sign-ins and no sign-ups in this period.",
    )


def _to_lines(activity: Sequence[Row]) -> Iterable[Row]:
    for begin, sign_ups, active in activity:
        yield begin, "Active users", active
        yield begin, "Sign-ups", sign_ups


def _retention_chart(retention: Sequence[Row]) -> Chart:
    spec: Mapping[str, Any] = {
        "mark": "rect",
        "encoding": {
            "x": {"field": "month", "type": "ordinal", "title": "Months after signing up"},
            "y": {"field": "cohort", "type": "ordinal", "title": "Signed up in", "timeUnit": "yearmonth"},
            "color": {"field": "retention", "type": "quantitative", "title": "Retention (%)"},
        },
    }
    return Chart(
        "retention",
        "Retention by month of sign-up",
        spec,
        (RETENTION_COLUMNS[0], RETENTION_COLUMNS[1], RETENTION_COLUMNS[4]),
        [(row[0], row[1], row[4]) for row in retention],
        "The share of users who still sign in, by the month in which they signed up."
        if retention
        else "There were no sign-ups in these months.",
    )


TYPE = ReportType(
    "users",
    "Users",
    "Sign-ups, active users, churn, and how many of those who sign up stay.",
    make,
    parameters=over_time(
        granularity="week",
        first_day=date(1971, 1, 1),
        days="The days of the report.",
        parts="The steps of time in charts and tables; weeks begin on Monday.",
    ),
)
