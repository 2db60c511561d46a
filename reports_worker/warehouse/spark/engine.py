"""The engine for Spark Connect. Loaded only where the warehouse is Spark, since pyspark is large."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pyspark.sql.connect.client import DefaultChannelBuilder
from pyspark.sql.connect.session import SparkSession

from reports_worker.errors import SettingsError
from reports_worker.warehouse.address import VARIABLE, WarehouseAddress
from reports_worker.warehouse.engine import Bounds

from .address import SparkPlace, parse_place
from .queries import DIALECT
from .session import SparkWarehouseSession


def create_engine(address: WarehouseAddress) -> SparkEngine:
    try:
        return SparkEngine(parse_place(address.place))
    except ValueError as error:
        raise SettingsError(f"{VARIABLE} is not valid: {error}.") from error


@dataclass(frozen=True)
class SparkEngine:
    """A Spark Connect server."""

    place: SparkPlace
    dialect: str = DIALECT

    def connect(self, bounds: Bounds) -> SparkWarehouseSession:
        # This logger writes each error to stderr, with the whole plan.
        logging.getLogger("SQLQueryContextLogger").disabled = True
        # A channel pool of its own: a connection that another session lost must not delay this session.
        channel = DefaultChannelBuilder(self.place.server, [("grpc.use_local_subchannel_pool", 1)])
        session = SparkWarehouseSession(SparkSession(channel), bounds)
        try:
            session.open(self.place)
        except BaseException:
            session.close()
            raise
        return session
