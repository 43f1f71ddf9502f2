"""The canaries of one retailer: a string of its own for every field in which it says something."""

import secrets
from uuid import UUID, uuid4

from proofs.leaks.scan import Family

LETTERS = "bcdfghjkmnpqrstvwxz23456789"
PREFIX_LENGTH, REST_LENGTH = 12, 5

STORED = (
    "tenant", "tenant display name", "store", "store display name", "style", "style display name",
    "category", "colour", "sku", "other sku", "imported store", "imported sku", "imported style",
    "imported colour", "imported category", "product", "document", "promotion", "promotion kind",
    "attribute", "attribute value", "event",
)  # fmt: skip
"""Fields that are kept in plain text at home: where they are not found, the search is blind."""

SENT = (
    "e-mail", "unknown store", "unknown sku", "bad category", "unknown forecast", "header",
    "user agent", "query", "broken token", "page token",
)  # fmt: skip
"""Fields that reach proxies and services, and are kept as a hash or not at all."""

KEPT_IDS = (
    "movement request", "stock import request", "sales import request", "promotions request",
    "calendar request", "attributes request", "stock days request",
)  # fmt: skip
SENT_IDS = ("style request", "store request", "run request", "abroad request")


class Canaries:
    """Values for one retailer, and the family to search for."""

    def __init__(self, name: str) -> None:
        self.family = Family(name, _random(PREFIX_LENGTH), secrets.token_bytes(8))
        for field in (*STORED, *SENT):
            self.family.members[field] = self.family.prefix + _random(REST_LENGTH)
        for field in (*KEPT_IDS, *SENT_IDS):
            self.family.members[field] = _uuid(self.family.uuid_prefix)

    def text(self, field: str) -> str:
        return str(self.family.members[field])

    def upper(self, field: str) -> str:
        """For fields of capitals, such as SKUs."""
        return self.text(field).upper()

    def fresh_id(self) -> str:
        """A request id of the family that nobody will look for by name."""
        return str(_uuid(self.family.uuid_prefix))

    def assigned(self, field: str, value: UUID) -> Family:
        """A family of its own for an id that the services have made."""
        return Family(field, "", value.bytes[:8], {field: value})


def planted(name: str) -> Family:
    """A family without members: nothing has been told to anybody yet."""
    return Family(name, _random(PREFIX_LENGTH))


def another(family: Family, name: str) -> str:
    """Adds a canary called ``name``."""
    made = family.prefix + _random(REST_LENGTH)
    family.members[name] = made
    return made


def _random(length: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def _uuid(prefix: bytes) -> UUID:
    return UUID(bytes=prefix + uuid4().bytes[8:])
