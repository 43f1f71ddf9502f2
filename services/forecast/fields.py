"""The rules of single fields. Descriptions never repeat the value: it may hold anything."""

import re
from uuid import UUID

from services.chassis.errors import FieldViolation, InvalidArgument

STORE = re.compile(r"(?!-$)[a-z0-9-]{1,63}")  # `-` stands for all stores.
SKU = re.compile(r"[A-Z0-9-]{1,64}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def request_id_from(value: str) -> UUID:
    """Reads a `request_id`. Raises InvalidArgument if it is no UUID."""
    if not UUID_TEXT.fullmatch(value):
        raise refusal("request_id", "must be a UUID, such as 6f1c9a52-0c6e-4c0e-9a57-1d8a51f9a0b3.")
    return UUID(value)


def refusal(field: str, description: str) -> InvalidArgument:
    return InvalidArgument(FieldViolation(field, description))
