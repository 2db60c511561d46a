"""Messages that the pages and the JSON API share."""

from __future__ import annotations

STARTED = "Report generation started"
EARLIER = "An earlier report serves"
CANCELLED = "Report cancelled"
CANCELLING = "Report is being cancelled"
