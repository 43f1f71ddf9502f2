"""A receipt is believed if a router of its jurisdiction has signed it, and in no other case."""

import base64
import datetime as dt
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from services.chassis import topology
from services.router import receipt, spiffe
from services.router.authority import Authority
from services.router.leaf import Leaf
from services.router.receipt import ReceiptInvalid
from tests.support.api import TOPOLOGY

NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
REGION = topology.load(TOPOLOGY).regions["eu-central-1"]
ROUTER = spiffe.router(REGION)
EU = Authority.create("EU", NOW)
CLAIMS = {
    "tenant": "8f7ff0f0-9d3b-4d3a-8a5c-0f6b5b9d2a11",
    "jurisdiction": "EU",
    "start": "2026-03-01T00:00:00+00:00",
    "end": "2026-03-02T00:00:00+00:00",
    "served": [{"reporter": "edge", "served_region": "eu-central-1", "calls": 7}],
    "violations": 0,
    "proof": "ab" * 32,
}


def issued(
    identity: str = ROUTER, authority: Authority = EU, now: dt.datetime = NOW, **changed: Any
) -> str:
    return receipt.issue({**CLAIMS, **changed}, authority.issue(identity, now), now)


def refused(text: str, authority: Authority = EU, now: dt.datetime = NOW) -> str:
    with pytest.raises(ReceiptInvalid) as caught:
        receipt.verify(text, authority.certificate_pem, now)
    return str(caught.value)


def test_a_receipt_says_what_was_signed_and_by_whom() -> None:
    found = receipt.verify(issued(), EU.certificate_pem, NOW)
    assert found == {**CLAIMS, "iss": ROUTER, "iat": int(NOW.timestamp())}


def test_a_receipt_is_good_long_after_its_signer_s_certificate() -> None:
    later = NOW + dt.timedelta(days=2000)
    assert receipt.verify(issued(), EU.certificate_pem, later)["violations"] == 0


def test_a_bundle_with_the_next_authority_in_it_is_no_hindrance() -> None:
    bundle = Authority.create("EU", NOW).certificate_pem + EU.certificate_pem
    assert receipt.verify(issued(), bundle, NOW)


def test_another_authority_is_not_believed() -> None:
    assert "no certificate of this authority" in refused(issued(), Authority.create("EU", NOW))


@pytest.mark.parametrize(
    "identity",
    [
        spiffe.edge(REGION),
        spiffe.sidecar(REGION, "router"),
        "spiffe://us.hemline/us-east-1/router",
        "spiffe://eu.hemline.evil/eu-central-1/router",
        "spiffe://eu.hemline//router",
    ],
)
def test_nobody_but_a_router_of_the_jurisdiction_is_believed(identity: str) -> None:
    assert "is no router of EU" in refused(issued(identity))


def test_a_router_speaks_for_no_other_jurisdiction() -> None:
    assert "is no router of US" in refused(issued(jurisdiction="US"))


def test_a_receipt_of_before_or_after_its_signer_s_certificate_is_not_believed() -> None:
    leaf = EU.issue(ROUTER, NOW)
    for moment in (NOW - dt.timedelta(days=1), NOW + dt.timedelta(days=30)):
        text = receipt.issue(CLAIMS, leaf, moment)
        assert "when it was issued" in refused(text, now=NOW + dt.timedelta(days=60))


def test_a_receipt_of_the_future_is_not_believed() -> None:
    assert "future" in refused(issued(), now=NOW - dt.timedelta(hours=1))


def test_an_altered_receipt_is_not_believed() -> None:
    head, _, signature = issued().split(".")
    payload = {**CLAIMS, "iss": ROUTER, "iat": int(NOW.timestamp()), "violations": 1}
    middle = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    assert "signature" in refused(f"{head}.{middle}.{signature}")


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"typ": "JWT"}, {"x5c": []}])
def test_the_kind_of_signature_is_not_the_receipt_s_to_choose(header: dict[str, Any]) -> None:
    head, middle, signature = issued().split(".")
    found = json.loads(base64.urlsafe_b64decode(head + "=="))
    changed = base64.urlsafe_b64encode(json.dumps({**found, **header}).encode()).decode()
    refused(f"{changed.rstrip('=')}.{middle}.{signature}")


def test_a_certificate_that_is_not_the_signer_s_is_of_no_use() -> None:
    """Someone else's key, under a chain copied from a genuine receipt."""
    genuine = jwt.get_unverified_header(issued())
    other = serialization.load_pem_private_key(EU.issue(spiffe.edge(REGION), NOW).key, None)
    payload = {**CLAIMS, "iss": ROUTER, "iat": int(NOW.timestamp())}
    forged = jwt.encode(payload, other, "ES256", headers={**genuine})  # type: ignore[arg-type]
    assert "signature" in refused(forged)


@pytest.mark.parametrize("text", ["", "a.b.c", "x" * 100_000])
def test_what_is_no_receipt_is_refused(text: str) -> None:
    refused(text)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"proof": ""}, "no proof"),
        ({"proof": "none"}, "no proof"),
        ({"end": "2099-01-01T00:00:00+00:00"}, "after it was issued"),
        ({"end": "2026-03-01T00:00:00+00:00"}, "Its period is none"),
        ({"end": "2026-03-02T00:00:00"}, "of which period"),
        ({"start": ""}, "of which period"),
    ],
)
def test_a_receipt_that_says_more_than_its_signer_knew_is_refused(
    changed: dict[str, Any], said: str
) -> None:
    assert said in refused(issued(**changed))


def test_a_receipt_without_a_claim_is_refused() -> None:
    found: Leaf = EU.issue(ROUTER, NOW)
    missing = {name: value for name, value in CLAIMS.items() if name != "proof"}
    assert "proof" in refused(receipt.issue(missing, found, NOW))
