"""The web application: pages and the JSON API, as one Flask blueprint."""

from __future__ import annotations

from .application import create_app
from .blueprint import create_blueprint
from .settings import AppSettings

__all__ = ["AppSettings", "create_app", "create_blueprint"]
