"""Everything that the apphost raises on purpose; each says what happened and what to do."""

from __future__ import annotations


class ApphostError(Exception):
    """The apphost cannot go on."""


class ModelError(ApphostError, ValueError):
    """The app model contradicts itself."""


class SettingsError(ApphostError):
    """A setting has a value that it cannot have."""


class PortInUseError(ApphostError):
    """A port that was asked for belongs to another program."""


class AlreadyRunningError(ApphostError):
    """Another apphost works in the same folder."""


class NoServerError(ApphostError):
    """There is no Redis or Valkey to start."""
