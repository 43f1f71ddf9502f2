from uuid import UUID

from services.identity.domain import Role, TenantDraft, UserDraft, login_hash

PEPPER = "p" * 32
ISSUER = "https://signin.eu.example"


def test_a_login_hash_is_the_keyed_hash_that_the_design_names() -> None:
    # From: printf 'https://signin.eu.example\na@b.example' | openssl dgst -sha256 -hmac pppp...
    expected = "94de5d8284503535be9d120710ec84cee1529df1cf9895266ffbe04c542a7da6"
    assert login_hash(PEPPER, ISSUER, "a@b.example").hex() == expected


def test_case_and_space_around_an_address_make_no_other_login() -> None:
    assert login_hash(PEPPER, ISSUER, " A@B.Example ") == login_hash(PEPPER, ISSUER, "a@b.example")


def test_another_key_issuer_or_address_is_another_login() -> None:
    hashes = {
        login_hash(PEPPER, ISSUER, "a@b.example"),
        login_hash("q" * 32, ISSUER, "a@b.example"),
        login_hash(PEPPER, "https://signin.us.example", "a@b.example"),
        login_hash(PEPPER, ISSUER, "c@b.example"),
    }
    assert len(hashes) == 4


def test_a_fingerprint_tells_payloads_apart_and_leaves_the_request_id_out() -> None:
    one = TenantDraft(UUID(int=1), "a", "b")
    assert one.fingerprint == TenantDraft(UUID(int=2), "a", "b").fingerprint
    assert one.fingerprint != TenantDraft(UUID(int=1), "ab", "").fingerprint
    login = login_hash(PEPPER, ISSUER, "a@b.example")
    user = UserDraft(UUID(int=1), "a", login, Role.PLANNER)
    assert user.fingerprint != UserDraft(UUID(int=1), "a", login, Role.VIEWER).fingerprint
