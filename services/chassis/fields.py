"""The rules of single fields that services share, and what to say of a field that breaks one.

Descriptions state the rule and never repeat the value: it may hold anything.
"""

import re
from uuid import UUID

from services.chassis.errors import FieldViolation, InvalidArgument

NAME = re.compile(r"[a-z0-9-]{1,63}")
SKU = re.compile(r"[A-Z0-9-]{1,64}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

NAME_RULE = "1 to 63 lower-case letters, digits and hyphens."
UUID_RULE = "must be a UUID, such as 6f1c9a52-0c6e-4c0e-9a57-1d8a51f9a0b3, and not all zeros."


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

    def name(self, value: str, field: str, collection: str) -> str:
        """Returns the part after ``collection``, such as `berlin` of `stores/berlin`."""
        prefix, _, last = value.partition("/")
        if prefix != collection or not NAME.fullmatch(last):
            self.refuse(field, f"must be {collection}/ and {NAME_RULE}")
        return last
