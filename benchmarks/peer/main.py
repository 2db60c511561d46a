"""The API of the sample's design: it remembers in memory what was asked for, and asks Celery how that stands."""

import json
import os
from datetime import datetime, timezone
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
        "created_at": datetime.now(timezone.utc).isoformat(),
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
    """Say how a report stands: one question to Redis for one that has ended, four for one that has not."""
    task = AsyncResult(task_id, app=celery_app)
    status = ReportStatus(task_id=task_id, title=reports[task_id]["title"], type=reports[task_id]["type"], status="pending")
    if task.ready():
        if task.successful():
            status.status, status.result = "completed", task.result
        else:
            status.status, status.error = "failed", str(task.result)
    elif task.failed():
        status.status, status.error = "failed", str(task.result)
    elif task.state == "RUNNING":
        status.status = "running"
    elif task.state == "STARTED":
        status.status = "running"
    return status


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, host="0.0.0.0", port=int(os.getenv("PORT", "8000")))
