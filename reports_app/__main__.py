"""`python -m reports_app`: serve API and pages with gunicorn and the configuration of this package."""

from __future__ import annotations

import sys

from gunicorn.app.wsgiapp import WSGIApplication

if __name__ == "__main__":
    sys.argv[1:1] = ["--config", "python:reports_app.gunicorn_conf", "reports_app:create_app()"]
    WSGIApplication("%(prog)s [OPTIONS]", prog="python -m reports_app").run()
