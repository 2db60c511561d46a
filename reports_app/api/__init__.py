"""The JSON API: the blueprint with all its resources."""

from . import views
from .routing import api

__all__ = ["api", "views"]
