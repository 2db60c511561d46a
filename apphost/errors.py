"""The exceptions of the apphost. Each message states the problem and the next step."""

from __future__ import annotations


class ApphostError(Exception):
    """The apphost cannot continue."""


class ModelError(ApphostError, ValueError):
    """The app model is inconsistent."""


class SettingsError(ApphostError):
    """A setting has an invalid value."""


class PortInUseError(ApphostError):
    """A requested port is in use by another program."""


class AlreadyRunningError(ApphostError):
    """Another apphost uses the same folder."""


class NoServerError(ApphostError):
    """No Redis or Valkey server can be started."""
