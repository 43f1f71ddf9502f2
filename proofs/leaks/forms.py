"""The ways in which a canary may be spelled. A hash of one is none of them: it tells nothing."""

import base64
import math
from collections.abc import Iterator, Mapping
from functools import cache
from uuid import UUID

BASE64_BITS, BYTE_BITS = 6, 8


# Asked for at each of some thousand places where a canary stands.
@cache
def of_text(text: str) -> Mapping[str, bytes]:
    """Each form of ``text``, by name. Of equal forms there is one."""
    return _distinct(_of_text(text))


@cache
def of_uuid(value: UUID) -> Mapping[str, bytes]:
    """The same of a UUID: with hyphens, without, and as 16 bytes."""
    return _distinct(_of_uuid(str(value), value.bytes))


def of_uuid_prefix(prefix: bytes) -> Mapping[str, bytes]:
    """What the first 8 bytes of a UUID look like in all of its forms."""
    return _distinct(_of_uuid(str(UUID(bytes=prefix.ljust(16, b"\0")))[:18], prefix))


def _of_uuid(text: str, raw: bytes) -> Iterator[tuple[str, bytes]]:
    yield from _of_text(text)
    yield from ((f"compact {name}", form) for name, form in _of_text(text.replace("-", "")))
    yield "bytes", raw
    for offset in range(3):
        yield f"bytes in base64 at {offset}", _base64(raw, offset)


def _of_text(text: str) -> Iterator[tuple[str, bytes]]:
    for case, spelled in (("", text), ("upper ", text.upper()), ("lower ", text.lower())):
        data = spelled.encode()
        yield f"{case}plain", data
        for offset in range(3):
            yield f"{case}base64 at {offset}", _base64(data, offset)
            yield f"{case}base64url at {offset}", _base64(data, offset, b"-_")
        yield f"{case}hexadecimal", data.hex().encode()
        yield f"{case}hexadecimal capitals", data.hex().upper().encode()
        yield f"{case}percent", "".join(f"%{byte:02x}" for byte in data).encode()
        yield f"{case}percent capitals", "".join(f"%{byte:02X}" for byte in data).encode()
        yield f"{case}UTF-16 LE", spelled.encode("utf-16-le")
        yield f"{case}UTF-16 BE", spelled.encode("utf-16-be")


def _base64(data: bytes, offset: int, altchars: bytes = b"+/") -> bytes:
    """What is sure of ``data`` in base64, with ``offset`` bytes before it and anything after."""
    encoded = base64.b64encode(b"\0" * offset + data, altchars)
    first = math.ceil(offset * BYTE_BITS / BASE64_BITS)
    return encoded[first : (offset + len(data)) * BYTE_BITS // BASE64_BITS]


def _distinct(forms: Iterator[tuple[str, bytes]]) -> Mapping[str, bytes]:
    found: dict[bytes, str] = {}
    for name, form in forms:
        found.setdefault(form, name)
    return {name: form for form, name in found.items()}
