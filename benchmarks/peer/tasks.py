# ruff: noqa: S311, SIM112 - figures are made up; the variable has the name that Aspire gives it
"""The task of the sample's design: one Celery application, which API and worker share."""

import os
import random
import time

from celery import Celery

broker = os.getenv("ConnectionStrings__broker", "redis://localhost:6379")

celery_app = Celery("reports", broker=broker, backend=broker)
celery_app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    result_serializer="json",
    timezone="UTC",
    enable_utc=True,
)

# The sample takes 5 to 15; the measurements set both.
LEAST_SECONDS = int(os.getenv("LEAST_SECONDS", "5"))
MOST_SECONDS = int(os.getenv("MOST_SECONDS", "15"))


@celery_app.task(bind=True)
def generate_report(self, title: str, report_type: str) -> dict:
    """Take some time, and return figures that are made up."""
    self.update_state(state="RUNNING", meta={"title": title, "type": report_type})
    processing_time = random.randint(LEAST_SECONDS, MOST_SECONDS)
    time.sleep(processing_time)
    return {
        "title": title,
        "type": report_type,
        **draw_figures(report_type),
        "processing_time": processing_time,
    }


def draw_figures(report_type: str) -> dict:
    if report_type == "sales":
        return {
            "total_sales": random.randint(10000, 50000),
            "orders": random.randint(100, 500),
            "average_order_value": round(random.uniform(50, 200), 2),
            "top_product": f"Product-{random.randint(1, 100)}",
        }
    if report_type == "inventory":
        return {
            "total_items": random.randint(500, 2000),
            "low_stock_items": random.randint(10, 50),
            "out_of_stock": random.randint(0, 10),
            "total_value": random.randint(50000, 200000),
        }
    return {
        "total_users": random.randint(1000, 5000),
        "active_users": random.randint(500, 2000),
        "new_signups": random.randint(50, 200),
        "churn_rate": round(random.uniform(1, 10), 2),
    }
