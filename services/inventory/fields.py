"""The rules of single fields that only the inventory has."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis import fields
from services.chassis.fields import CONTROL, NAME, NAME_RULE, SKU
from services.chassis.wire import to_datetime

SKU_RULE = "must be 1 to 64 upper-case letters, digits and hyphens."
AHEAD = timedelta(days=1)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


class Fields(fields.Fields):
    def sku(self, value: str, field: str) -> str:
        if not SKU.fullmatch(value):
            self.refuse(field, SKU_RULE)
        return value

    def id(self, value: str, field: str, *, optional: bool = False) -> str:
        """The last part of a resource name, on its own."""
        if not NAME.fullmatch(value) and not (optional and not value):
            self.refuse(field, f"must be {NAME_RULE}")
        return value

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
