"""The engine for Spark Connect. Loaded only where the warehouse is Spark, since pyspark is large."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pyspark.sql.connect.session import SparkSession

from .addresses import WarehouseAddress
from .engines import Bounds
from .spark_addresses import SparkPlace, parse_place
from .spark_queries import DIALECT
from .spark_session import SparkWarehouseSession


def create_engine(address: WarehouseAddress) -> SparkEngine:
    return SparkEngine(parse_place(address.place))


@dataclass(frozen=True)
class SparkEngine:
    """A Spark Connect server."""

    place: SparkPlace
    dialect: str = DIALECT

    def connect(self, bounds: Bounds) -> SparkWarehouseSession:
        # It writes each error to stderr, with the whole plan.
        logging.getLogger("SQLQueryContextLogger").disabled = True
        session = SparkWarehouseSession(SparkSession(self.place.server), bounds)
        try:
            session.open(self.place)
        except BaseException:
            session.close()
            raise
        return session
