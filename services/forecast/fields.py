"""The rules of single fields. Descriptions never repeat the value: it may hold anything."""

from uuid import UUID

from services.chassis.errors import FieldViolation, InvalidArgument
from services.chassis.fields import NAME, Fields

ALL_STORES = "-"


def is_store(value: str) -> bool:
    """Whether ``value`` may name a store. A hyphen alone stands for all of them."""
    return value != ALL_STORES and NAME.fullmatch(value) is not None


def request_id_from(value: str) -> UUID:
    """Reads a `request_id`. Raises InvalidArgument if it is no UUID."""
    fields = Fields()
    request_id = fields.request_id(value)
    fields.check()
    return request_id


def refusal(field: str, description: str) -> InvalidArgument:
    return InvalidArgument(FieldViolation(field, description))
