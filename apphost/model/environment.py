"""The environment of a resource: the variables that Aspire injects, under Aspire's names.

Rules: ResourceBuilderExtensions.cs and EnvironmentVariableNameEncoder.cs of Aspire 13.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .connection_strings import BrokerConnection
from .resources import Resource


def variable_prefix(name: str) -> str:
    """Encode a resource's name as Aspire does: upper case, and `_` for other characters than letters and digits."""
    encoded = re.sub(r"[^A-Z0-9]", "_", name.upper())
    return f"_{encoded}" if encoded[:1].isdigit() else encoded


def reference_connection(name: str, connection: BrokerConnection) -> dict[str, str]:
    """Return the variables of a reference to a broker."""
    prefix = variable_prefix(name)
    variables = {
        f"ConnectionStrings__{name}": connection.text,
        f"{prefix}_URI": connection.url,
        f"{prefix}_HOST": connection.host,
        f"{prefix}_PORT": str(connection.port),
    }
    return variables | ({f"{prefix}_PASSWORD": connection.password} if connection.password else {})


def reference_endpoint(name: str, endpoint_name: str, port: int) -> dict[str, str]:
    """Return the variables of a reference to an HTTP endpoint (service discovery)."""
    url = f"http://localhost:{port}"
    return {
        f"services__{name}__{endpoint_name}__0": url,
        f"{variable_prefix(name)}_{variable_prefix(endpoint_name)}": url,
    }


def inject(
    resource: Resource,
    instance: str,
    *,
    resources: Mapping[str, Resource],
    connections: Mapping[str, BrokerConnection],
    ports: Mapping[str, int],
) -> dict[str, str]:
    """Collect the variables that the apphost adds to the environment of one instance.

    `connections` and `ports` map resource names to the actual addresses.
    """
    variables = {
        "PYTHONUNBUFFERED": "1",
        "OTEL_SERVICE_NAME": resource.name,
        "OTEL_RESOURCE_ATTRIBUTES": f"service.instance.id={instance}",
    }
    for name in resource.references:
        if name in connections:
            variables |= reference_connection(name, connections[name])
        endpoint = resources[name].endpoint
        if endpoint is not None:
            variables |= reference_endpoint(name, endpoint.name, ports[name])
    if resource.endpoint is not None:
        if resource.endpoint.env:
            variables[resource.endpoint.env] = str(ports[resource.name])
        variables |= reference_endpoint(resource.name, resource.endpoint.name, ports[resource.name])
    return variables | dict(resource.env)
