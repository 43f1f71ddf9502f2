"""The rules of single fields. Descriptions never repeat the value: it may hold anything."""

from datetime import date
from uuid import UUID

from services.chassis.errors import FieldViolation, InvalidArgument
from services.chassis.fields import NAME, Fields

ALL_STORES = "-"
ISO_DATE_CHARACTERS = 10


def is_store(value: str) -> bool:
    """Whether ``value`` may name a store. A hyphen alone stands for all of them."""
    return value != ALL_STORES and NAME.fullmatch(value) is not None


def request_id_from(value: str) -> UUID:
    """Reads a `request_id`. Raises InvalidArgument if it is no UUID."""
    fields = Fields()
    request_id = fields.request_id(value)
    fields.check()
    return request_id


def iso_date(text: str) -> date | None:
    """Reads `YYYY-MM-DD`. None if it is anything else."""
    # `fromisoformat` also takes 20260131 and 2026-W05-6.
    if len(text) != ISO_DATE_CHARACTERS or "W" in text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def day_from(value: str, field: str, fields: Fields) -> date:
    """Reads a day, or notes in ``fields`` that it is none."""
    found = iso_date(value)
    if found is None:
        fields.refuse(field, "must be a day, YYYY-MM-DD.")
    return found or date.min


def refusal(field: str, description: str) -> InvalidArgument:
    return InvalidArgument(FieldViolation(field, description))


def parent_store(parent: str) -> str | None:
    """The store of a `parent`, None for all of them. Raises InvalidArgument."""
    prefix, _, store = (parent or f"stores/{ALL_STORES}").partition("/")
    if prefix != "stores" or not (store == ALL_STORES or is_store(store)):
        raise refusal("parent", "must be stores/{store}, or stores/- for all of them.")
    return None if store == ALL_STORES else store
