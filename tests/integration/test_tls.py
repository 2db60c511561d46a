"""A broker behind TLS: taken when its certificate is good for its name, refused in one sentence if not."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from harness.broker import Broker, find_server
from harness.ports import free_port
from harness.worker_process import RQ_COMMAND, Reports, StartWorkerOf
from reports_worker import Status, Submission, connect
from reports_worker.broker.address import parse_address
from tests.extent import count_examples

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make_certificates(folder: Path) -> Path:
    """Make a CA (`ca.pem`) and a certificate by it (`broker.pem`), good for the name localhost alone."""
    names = folder / "names"
    names.write_text("subjectAltName=DNS:localhost\n")
    openssl("req", "-x509", *CURVE, "-subj", "/CN=CA of a test", "-keyout", folder / "ca.key",
            "-out", folder / "ca.pem", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    openssl(
        "req", *CURVE, "-subj", "/CN=broker", "-keyout", folder / "broker.key", "-out", folder / "request"
    )
    openssl("x509", "-req", "-in", folder / "request", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", names, "-out", folder / "broker.pem")  # fmt: skip
    return folder


def server_speaks_tls() -> bool:
    """Start the server with TLS and without a certificate: it ends, and names TLS where it has none."""
    command = [find_server(), "--port", "0", "--tls-port", str(free_port())]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return not any(sign in answer.stdout + answer.stderr for sign in ("Bad directive", "connection type tls"))


@dataclass(frozen=True)
class SecureBroker:
    """A broker with a port for TLS beside its plain one."""

    plain: Broker
    tls_port: int
    ca: Path

    def url(self, host: str = "localhost", *, options: str = "") -> str:
        return f"rediss://{host}:{self.tls_port}{options}"

    @property
    def trusting_url(self) -> str:
        return self.url(options=f"?ssl_ca_certs={self.ca}")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl command to make certificates with")
    if not server_speaks_tls():
        pytest.skip("this server was built without TLS; Debian's redis-server has it")
    folder = make_certificates(tmp_path_factory.mktemp("certificates"))
    port = free_port()
    files = ["--tls-cert-file", str(folder / "broker.pem"), "--tls-key-file", str(folder / "broker.key")]
    options = ["--tls-port", str(port), *files, "--tls-auth-clients", "no"]
    broker = Broker(tmp_path_factory.mktemp("broker"), *options).start()
    yield SecureBroker(broker, port, folder / "ca.pem")
    broker.stop()


def ping(text: str) -> bool:
    with connect(parse_address(text)) as client:
        return bool(client.ping())


# -- a client


def test_a_client_that_knows_the_ca_is_answered(secure: SecureBroker) -> None:
    assert ping(secure.trusting_url)


def test_every_new_connection_is_good(secure: SecureBroker) -> None:
    """TLS 1.3 sends something after its handshake, which must not be taken for a reply."""
    assert all(ping(secure.trusting_url) for _ in range(count_examples(15, wide=200)))


def test_a_client_may_learn_the_ca_from_the_environment(
    secure: SecureBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.ca))

    assert ping(secure.url())
    assert ping(f"localhost:{secure.tls_port},ssl=true")


def test_a_client_that_does_not_know_the_ca_refuses(secure: SecureBroker) -> None:
    with pytest.raises(RedisConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        ping(secure.url())


def test_a_client_refuses_a_certificate_of_another_name(secure: SecureBroker) -> None:
    with pytest.raises(RedisConnectionError, match="IP address mismatch"):
        ping(secure.url("127.0.0.1", options=f"?ssl_ca_certs={secure.ca}"))


def test_a_client_refuses_without_the_file_of_the_ca(secure: SecureBroker, tmp_path: Path) -> None:
    with pytest.raises(RedisConnectionError):
        ping(secure.url(options=f"?ssl_ca_certs={tmp_path / 'none.pem'}"))


def test_a_url_that_says_so_switches_the_check_off(secure: SecureBroker) -> None:
    assert ping(secure.url("127.0.0.1", options="?ssl_cert_reqs=none"))


def test_a_client_without_tls_is_not_answered(secure: SecureBroker) -> None:
    with pytest.raises(RedisConnectionError):
        ping(f"redis://localhost:{secure.tls_port}")


# -- a worker


def test_a_worker_makes_reports_over_tls(secure: SecureBroker, start_worker: StartWorkerOf) -> None:
    reports = Reports(secure.trusting_url)
    # A worker that learns the CA from a variable, as a client of the broker does.
    start_worker(secure.url(), SSL_CERT_FILE=str(secure.ca))

    report = reports.wait_for_end(reports.submit(Submission("Quarter", "sales")))
    reports.connection.close()

    assert report.status is Status.COMPLETED


@pytest.mark.parametrize(
    ("host", "options", "why"),
    [
        ("localhost", "", "CERTIFICATE_VERIFY_FAILED"),
        # A client refuses this name as well.
        pytest.param("127.0.0.1", "?ssl_ca_certs={}", "IP address mismatch", marks=pytest.mark.wide),
    ],
)
def test_a_worker_that_cannot_trust_the_broker_ends_with_one_sentence(
    secure: SecureBroker, start_worker: StartWorkerOf, host: str, options: str, why: str
) -> None:
    worker = start_worker(secure.url(host, options=options.format(secure.ca)), command=RQ_COMMAND)

    assert worker.wait() == 1

    (sentence,) = worker.output.splitlines()
    assert why in sentence
