"""What a definition finds in its environment while it is looked at: no secret of the product, nor any other.

A list of what is left out, since a definition may read settings of its own when it is imported, and the engine of
a warehouse reads many that have no end (proxies, certificates, Java). The warehouse's address stays, since options
come from queries. It is a precaution and no border: a definition runs as the same user as the API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reports_worker.lib.masking import SECRET_NAME, is_named_as_secret

# The broker's address, whole and in the parts that Aspire adds; gunicorn's options can set variables. That of the
# files' store holds no credentials.
_OURS = re.compile(r"CONNECTIONSTRINGS__BROKER|BROKER_(URI|HOST|PORT|USERNAME|PASSWORD)|GUNICORN_CMD_ARGS")
_HEADERS = re.compile(r"OTEL_EXPORTER_.*HEADERS")
_SECRET_VALUE = re.compile(rf"://[^/\s:@]*:[^/\s@]*@|\b(?:{SECRET_NAME})\s*=", re.IGNORECASE)
# PostgreSQL's own way to give the warehouse's password.
_OF_WAREHOUSE = ("ConnectionStrings__warehouse", "PGPASSWORD")


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out what is the product's own, what is named like a secret, and what holds a password."""
    return {name: value for name, value in environ.items() if not _is_secret(name, value)}


def _is_secret(name: str, value: str) -> bool:
    if name in _OF_WAREHOUSE:
        return False
    upper = name.upper()
    return bool(
        _OURS.fullmatch(upper)
        or _HEADERS.fullmatch(upper)
        or is_named_as_secret(name)
        or _SECRET_VALUE.search(value)
    )
