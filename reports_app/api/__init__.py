"""The JSON API: its blueprint, with all of its resources."""

from . import views
from .routing import api

__all__ = ["api", "views"]
