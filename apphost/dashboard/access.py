"""Access to the dashboard: with the token, under a loopback host name, from the dashboard's own pages."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from flask import Request

COOKIE_SECONDS = 3 * 24 * 3600  # as Aspire's


@dataclass(frozen=True)
class Access:
    """The access rules of one dashboard. The cookie is derived from the token and does not reveal it."""

    port: int
    token: str

    @property
    def cookie_name(self) -> str:
        return f"apphost-{self.port}"

    @property
    def cookie_value(self) -> str:
        return self._derive("session")

    @property
    def csrf_token(self) -> str:
        return self._derive("csrf")

    def is_token(self, text: str) -> bool:
        return _equal(text, self.token)

    def is_own_host(self, request: Request) -> bool:
        """Whether host and origin are loopback names with the port: defeats DNS rebinding and cross-site requests."""
        names = {f"{host}:{self.port}" for host in ("localhost", "127.0.0.1", "[::1]")}
        origin = request.headers.get("Origin")
        return request.host in names and (origin is None or origin in {f"http://{name}" for name in names})

    def has_bearer(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.is_token(token.strip())

    def has_cookie(self, request: Request) -> bool:
        return _equal(request.cookies.get(self.cookie_name, ""), self.cookie_value)

    def may_change(self, request: Request) -> bool:
        """Whether the request has the CSRF token, which only the dashboard's pages know, or the bearer token."""
        return self.has_bearer(request) or _equal(request.form.get("csrf_token", ""), self.csrf_token)

    def _derive(self, purpose: str) -> str:
        return hmac.new(self.token.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
