"""The rules of single fields, and what to say of a field that breaks one.

Descriptions state the rule and never repeat the value: it may hold anything.
"""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.errors import FieldViolation, InvalidArgument
from services.chassis.wire import to_datetime

NAME = re.compile(r"[a-z0-9-]{1,63}")
SKU = re.compile(r"[A-Z0-9-]{1,64}")
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

NAME_RULE = "1 to 63 lower-case letters, digits and hyphens."
SKU_RULE = "must be 1 to 64 upper-case letters, digits and hyphens."
UUID_RULE = "must be a UUID, such as 6f1c9a52-0c6e-4c0e-9a57-1d8a51f9a0b3, and not all zeros."
AHEAD = timedelta(days=1)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


class Fields:
    """Reads the fields of one request and collects all that is wrong with it.

    Each method returns the value, or something harmless of its type if it breaks its rule; call
    `check` before using any of them.
    """

    def __init__(self) -> None:
        self.violations: list[FieldViolation] = []

    def refuse(self, field: str, description: str) -> None:
        self.violations.append(FieldViolation(field, description))

    def check(self) -> None:
        """Raises InvalidArgument with all violations, if there are any."""
        if self.violations:
            raise InvalidArgument(*self.violations)

    def request_id(self, value: str, field: str = "request_id") -> UUID:
        if UUID_TEXT.fullmatch(value) and UUID(value).int:
            return UUID(value)
        self.refuse(field, UUID_RULE)
        return UUID(int=0)

    def sku(self, value: str, field: str) -> str:
        if not SKU.fullmatch(value):
            self.refuse(field, SKU_RULE)
        return value

    def id(self, value: str, field: str, *, optional: bool = False) -> str:
        """The last part of a resource name, on its own."""
        if not NAME.fullmatch(value) and not (optional and not value):
            self.refuse(field, f"must be {NAME_RULE}")
        return value

    def name(self, value: str, field: str, collection: str) -> str:
        """Returns the part after ``collection``, such as `berlin` of `stores/berlin`."""
        prefix, _, last = value.partition("/")
        if prefix != collection or not NAME.fullmatch(last):
            self.refuse(field, f"must be {collection}/ and {NAME_RULE}")
        return last

    def text(self, value: str, field: str, most: int, *, optional: bool = True) -> str:
        if len(value) > most or (not value and not optional):
            self.refuse(field, f"must be {'at most' if optional else '1 to'} {most} characters.")
        elif CONTROL.search(value):
            self.refuse(field, "must not hold control characters.")
        return value

    def count(self, value: int, field: str, least: int, most: int) -> int:
        if not least <= value <= most:
            self.refuse(field, f"must be {least} to {most}.")
        return value

    def time_zone(self, value: str, field: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError):
            self.refuse(field, "must be an IANA time zone, such as Europe/Berlin.")
        return value

    def moment(self, value: Timestamp, field: str, now: datetime) -> datetime:
        """Returns the moment, cut to microseconds."""
        try:
            moment = to_datetime(value)
        except ValueError:
            self.refuse(field, "must be a valid timestamp.")
            return now
        if not EARLIEST <= moment <= now + AHEAD:
            self.refuse(field, "must be in 1900 or later, and at most a day ahead.")
        return moment
