"""Errors of Spark and gRPC as errors of this product. Imports pyspark."""

from __future__ import annotations

import grpc
from pyspark.errors.exceptions import connect
from pyspark.errors.exceptions.base import PySparkException

from reports_worker.lib.masking import known_secrets
from reports_worker.warehouse.errors import WarehouseCancelledError, WarehouseError, WarehouseUnavailableError

from .queries import missing_table

LONGEST_DETAIL = 300
_LOST = ("INVALID_HANDLE", "NO_ACTIVE_SESSION", "SESSION_NOT_SAME")
_REFUSED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)


def translate(error: Exception) -> WarehouseError:
    """Return the warehouse error, with a message that names neither the server nor a path."""
    status = _status(error)
    condition = (error.getCondition() or "") if isinstance(error, PySparkException) else ""
    if condition == "OPERATION_CANCELED":
        return WarehouseCancelledError("The query was cancelled on the Spark server.")
    if status in _REFUSED:
        return WarehouseUnavailableError("Spark refuses the login: check the token of the address.")
    if status in _AWAY or condition.startswith(_LOST):
        return WarehouseUnavailableError("Spark does not answer, or the connection was lost.")
    return _translate_query_error(error, condition)


def _status(error: Exception) -> grpc.StatusCode | None:
    if isinstance(error, connect.SparkConnectGrpcException):
        return error.getGrpcStatusCode()
    if isinstance(error, grpc.RpcError) and isinstance(error, grpc.Call):
        return error.code()
    return None


def _translate_query_error(error: Exception, condition: str) -> WarehouseError:
    named = (error.getMessageParameters() or {}) if isinstance(error, PySparkException) else {}
    if condition.startswith("TABLE_OR_VIEW_NOT_FOUND"):
        return WarehouseError(missing_table(named.get("relationName", "of that name")))
    if condition.startswith("UNRESOLVED_COLUMN"):
        return WarehouseError(f"The warehouse has no column {named.get('objectName', 'of that name')}.")
    if condition == "PATH_NOT_FOUND":
        return WarehouseUnavailableError("The folder of the warehouse does not exist on the Spark server.")
    if isinstance(error, connect.AnalysisException) or _is_of_data(error):
        detail = str(error).strip().partition("\n")[0].partition(" SQLSTATE")[0]
        return WarehouseError(f"Spark cannot run this query: {known_secrets().cut(detail, LONGEST_DETAIL)}")
    kind = condition or type(error).__name__
    return WarehouseError(f"Spark failed to run this query ({kind}): the log of its server says why.")


def _is_of_data(error: Exception) -> bool:
    """Return whether values caused the error, such as a division by zero."""
    return isinstance(error, PySparkException) and (error.getSqlState() or "").startswith("22")
