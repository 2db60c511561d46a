"""The API of the sample's design: it keeps in memory what was asked for, and asks Celery how that stands."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from celery.result import AsyncResult
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from tasks import celery_app, generate_report

REPORT_TYPES = ("sales", "inventory", "users")

app = FastAPI(title="Report generator")

# As in the sample: what this process was asked for, by task id.
reports: dict[str, dict[str, str]] = {}

# For the measurements: reports that each process knows from its start, since memory is not shared.
if stored := os.getenv("STORED_REPORTS"):
    reports.update(json.loads(Path(stored).read_text()))


class ReportRequest(BaseModel):
    title: str
    type: str


class ReportResponse(BaseModel):
    task_id: str
    status: str
    message: str


class ReportStatus(BaseModel):
    task_id: str
    title: str
    type: str
    status: str
    result: dict[str, Any] | None = None
    error: str | None = None


@app.get("/health")
async def health():
    return {"status": "healthy", "service": "report-api"}


@app.post("/api/reports", response_model=ReportResponse)
async def submit_report(request: ReportRequest):
    if request.type not in REPORT_TYPES:
        raise HTTPException(status_code=400, detail=f"Invalid report type: {request.type}")
    task = generate_report.delay(request.title, request.type)
    reports[task.id] = {
        "title": request.title,
        "type": request.type,
        "created_at": datetime.now(UTC).isoformat(),
    }
    return ReportResponse(task_id=task.id, status="pending", message="Report generation started")


@app.get("/api/reports/{task_id}", response_model=ReportStatus)
async def get_report(task_id: str):
    if task_id not in reports:
        raise HTTPException(status_code=404, detail="Report not found")
    return describe(task_id)


@app.get("/api/reports", response_model=list[ReportStatus])
async def list_reports():
    newest_first = sorted(reports, key=lambda task_id: reports[task_id]["created_at"], reverse=True)
    return [describe(task_id) for task_id in newest_first]


def describe(task_id: str) -> ReportStatus:
    """Say how a report stands: one question to Redis for one that has ended, four for one that waits."""
    asked = reports[task_id]
    task = AsyncResult(task_id, app=celery_app)
    report = ReportStatus(task_id=task_id, title=asked["title"], type=asked["type"], status="pending")
    if task.state == "RUNNING":
        report.status = "running"
    elif task.successful():
        report.status, report.result = "completed", task.result
    elif task.failed():
        report.status, report.error = "failed", str(task.result)
    elif task.state == "REVOKED":
        report.status, report.error = "failed", "The report was revoked."
    return report
