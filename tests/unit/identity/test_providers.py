from pathlib import Path
from typing import Any

import pytest

from services.identity import providers
from services.identity.providers import ProvidersError
from tests.unit.identity.support import TOPOLOGY

GOOD = {
    "issuer": "https://signin.eu.example",
    "jwks_url": "https://signin.eu.example/keys",
    "client_id": "client",
    "jurisdiction": "EU",
}


def document(**changed: Any) -> dict[str, Any]:
    entry = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    return {"providers": [entry]}


def test_a_good_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "providers.yaml"
    file.write_text(f"providers: [{document(local={'pool_id': 'x'})['providers'][0]}]")
    (found,) = providers.load(file, TOPOLOGY)
    assert providers.of_jurisdiction((found,), "EU") is found
    with pytest.raises(ProvidersError, match="no provider of US"):
        providers.of_jurisdiction((found,), "US")


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        (None, "providers: want one list"),
        ({"providers": []}, "providers: want one list"),
        ({**document(), "more": 1}, "nothing beside it"),
        ({"providers": ["x"]}, r"providers\[0\]: want a mapping"),
        (document(issuer=None), r"providers\[0\].issuer: missing"),
        (document(client_id=7), r"providers\[0\].client_id: missing, or not a text"),
        (document(secret="x"), r"providers\[0\].secret: unknown"),
        (document(jurisdiction="XX"), r"jurisdiction: not in the topology; known: EU, US"),
        (document(jwks_url="http://signin.eu.example/keys"), "jwks_url: want https"),
        (document(jwks_url="http://localhost.evil.example/keys"), "jwks_url: want https"),
        (document(jwks_url="file:///etc/passwd"), "jwks_url: want https"),
        ({"providers": [GOOD, GOOD]}, "EU has a provider already"),
        ({"providers": [GOOD, {**GOOD, "jurisdiction": "US"}]}, "issuer: stands twice"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(broken: Any, where: str) -> None:
    with pytest.raises(ProvidersError, match=where) as refused:
        providers.parse(broken, TOPOLOGY)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["a: [", "\x00", "a: b: c"])
def test_a_file_that_is_not_yaml_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "providers.yaml"
    file.write_text(text)
    with pytest.raises(ProvidersError, match="not YAML") as refused:
        providers.load(file, TOPOLOGY)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProvidersError, match=r"nowhere\.yaml: No such file"):
        providers.load(tmp_path / "nowhere.yaml", TOPOLOGY)


def test_keys_may_be_read_in_the_clear_from_loopback_alone() -> None:
    local = document(jwks_url="http://127.0.0.1:21900/pool/.well-known/jwks.json")
    assert len(providers.parse(local, TOPOLOGY)) == 1
