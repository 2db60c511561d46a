"""What is measured: ours and the peer, through one port; and servers that do nothing."""

from __future__ import annotations

from .bare import serve_bare_asgi, serve_bare_wsgi
from .peer import Peer
from .port import PROCESSES, Server, Side, Stored
from .product import Ours

__all__ = [
    "PROCESSES",
    "Ours",
    "Peer",
    "Server",
    "Side",
    "Stored",
    "serve_bare_asgi",
    "serve_bare_wsgi",
]
