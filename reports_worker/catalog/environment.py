"""The environment of the process that inspects definitions, without secrets.

This module lists the variables to remove, not those to keep: a definition may read settings of its own when it is
imported, and the engine of a warehouse reads many variables (proxies, certificates, Java). The warehouse's address
stays, since queries return options. This is a precaution, not a security boundary: a definition runs as the same user
as the API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reports_worker.lib.masking import SECRET_NAME, is_named_as_secret

# The broker's address, whole and in the parts that Aspire adds; gunicorn's options can set variables. The address of
# the file store holds no credentials.
_OWN_SECRETS = re.compile(
    r"CONNECTIONSTRINGS__BROKER|BROKER_(URI|HOST|PORT|USERNAME|PASSWORD)|GUNICORN_CMD_ARGS"
)
_HEADERS = re.compile(r"OTEL_EXPORTER_.*HEADERS")
_SECRET_VALUE = re.compile(rf"://[^/\s:@]*:[^/\s@]*@|\b(?:{SECRET_NAME})\s*=", re.IGNORECASE)
# The warehouse's address, and PostgreSQL's variable for its password.
_OF_WAREHOUSE = ("ConnectionStrings__warehouse", "PGPASSWORD")


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Remove the product's own secrets, variables named like a secret, and values that hold a password."""
    return {name: value for name, value in environ.items() if not _is_secret(name, value)}


def _is_secret(name: str, value: str) -> bool:
    if name in _OF_WAREHOUSE:
        return False
    upper = name.upper()
    return bool(
        _OWN_SECRETS.fullmatch(upper)
        or _HEADERS.fullmatch(upper)
        or is_named_as_secret(name)
        or _SECRET_VALUE.search(value)
    )
