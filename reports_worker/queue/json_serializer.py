"""JSON, and never pickle, in every place where RQ chooses a serializer by itself.

RQ and rq-dashboard fall back to pickle where they are given no serializer: they would then unpickle
what stands in Redis, and fail on our jobs.
"""

from __future__ import annotations

import rq.serializers
from rq.serializers import JSONSerializer


def use_json_only() -> None:
    """Make JSON the serializer that RQ falls back to, in this process."""
    rq.serializers.DefaultSerializer = JSONSerializer  # type: ignore[misc, assignment]
    rq.serializers.PickleSerializer = JSONSerializer  # type: ignore[assignment]
