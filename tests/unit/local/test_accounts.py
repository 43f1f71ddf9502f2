"""Signing in at something that does not answer as the local provider does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from deploy.local.accounts import Account, AccountsError, Pool, ProviderDown, sign_in

ACCOUNT = Account("a@retailer.example", "secret", "EU")


@contextmanager
def answering(status: int, body: bytes) -> Iterator[tuple[Pool, list[str]]]:
    """A server of one answer; and the paths that were asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            endpoint = f"http://127.0.0.1:{server.server_port}"
            yield Pool("EU", endpoint, "eu-central-1", "pool", "client"), asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"ChallengeName": "SMS_MFA"}'),
        (200, b"[]"),
        (200, b'{"AuthenticationResult": {"IdToken": null}}'),
        (400, b"[1]"),
        (502, b"<html>"),
    ],
)
def test_an_odd_answer_is_said_to_be_unexpected(status: int, body: bytes) -> None:
    with answering(status, body) as (pool, _):
        with pytest.raises(AccountsError, match=f"unexpected answer .*status {status}") as found:
            sign_in(pool, ACCOUNT)
        assert not isinstance(found.value, ProviderDown)


def test_a_refusal_is_told_by_its_code() -> None:
    refusal = b'{"__type": "com.amazonaws#TooManyRequestsException"}'
    told = pytest.raises(AccountsError, match="refuses the call: TooManyRequestsException")
    with answering(400, refusal) as (pool, _), told:
        sign_in(pool, ACCOUNT)


def test_no_password_goes_over_plain_http_to_an_endpoint_of_another_scheme() -> None:
    with answering(200, b'{"AuthenticationResult": {"IdToken": "token"}}') as (pool, asked):
        assert sign_in(pool, ACCOUNT) == "token"
        elsewhere = replace(pool, endpoint=pool.endpoint.replace("http", "https"))
        with pytest.raises(AccountsError, match="is not local: want http://"):
            sign_in(elsewhere, ACCOUNT)
        assert len(asked) == 1
