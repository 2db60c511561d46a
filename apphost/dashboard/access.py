"""Who may see the dashboard: who has the token, from a page of ours, under a name of this machine."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from flask import Request

COOKIE_SECONDS = 3 * 24 * 3600  # as Aspire's


@dataclass(frozen=True)
class Access:
    """The rules for one dashboard. What a browser keeps is derived from the token, and is not the token."""

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
        """Refuse names made to resolve to this machine (DNS rebinding), and pages of other origins."""
        names = {f"{host}:{self.port}" for host in ("localhost", "127.0.0.1", "[::1]")}
        origin = request.headers.get("Origin")
        return request.host in names and (origin is None or origin in {f"http://{name}" for name in names})

    def has_bearer(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.is_token(token.strip())

    def has_cookie(self, request: Request) -> bool:
        return _equal(request.cookies.get(self.cookie_name, ""), self.cookie_value)

    def may_change(self, request: Request) -> bool:
        """A browser sends its cookie to whoever makes it post; only our own page knows the CSRF token."""
        return self.has_bearer(request) or _equal(request.form.get("csrf_token", ""), self.csrf_token)

    def _derive(self, purpose: str) -> str:
        return hmac.new(self.token.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
