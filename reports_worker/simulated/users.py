"""Simulated users: all, active and new users, and churn."""

from __future__ import annotations

from random import Random

from reports_worker.lib.units import SecondsRange
from reports_worker.report_types.report_type import ReportType

from .simulation import Figures, simulated_type


def draw(random: Random) -> Figures:
    """Draw figures in which active and new users are part of all users, and churn is a share of all."""
    total_users = random.randint(1000, 5000)
    churned = random.randint(-(-total_users // 100), total_users // 10)
    return {
        "total_users": total_users,
        "active_users": random.randint(500, min(2000, total_users)),
        "new_signups": random.randint(50, 200),
        "churn_rate": round(100 * churned / total_users, 2),
    }


def make_type(allowed: SecondsRange) -> ReportType:
    """Make the type; its reports take a time from the `allowed` range."""
    return simulated_type(
        "users",
        "Users",
        "All users, active and new users, and the share of users who left.",
        stages=("reading sign-ins", "counting active users", "working out churn", "writing the report"),
        draw=draw,
        allowed=allowed,
    )
