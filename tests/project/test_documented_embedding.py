"""The examples of docs/how-to/embed.md, run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from harness.broker import Broker

DOCS = Path(__file__).parents[2] / "docs" / "how-to" / "embed.md"
PLAIN, PROTECTED = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(autouse=True)
def _environ(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ConnectionStrings__broker", broker.url)


def run_example(text: str) -> FlaskClient:
    exec(text, names := dict[str, Any](__name__=__name__))  # noqa: S102 - our own documentation
    client: FlaskClient = names["app"].test_client()
    return client


@pytest.mark.parametrize("text", [PLAIN, PROTECTED])
def test_the_mounted_api_takes_json_without_a_token(text: str) -> None:
    client = run_example(text)

    answer = client.post("/reports/api/reports", json={"title": "Quarter", "type": "sales"})

    assert answer.status_code == 202


def test_the_application_itself_stays_protected() -> None:
    client = run_example(PROTECTED)
    client.application.add_url_rule("/own", view_func=lambda: "", methods=["POST"])

    assert client.post("/own").status_code == 400


def test_a_form_without_its_token_is_shown_again_with_what_was_typed() -> None:
    client = run_example(PROTECTED)

    answer = client.post("/reports/reports", data={"title": "Quarter", "type": "sales", "shown": "sales"})

    assert answer.status_code == 400
    assert 'value="Quarter"' in answer.text
