"""Who is calling. Set once for each call by an interceptor, read by whoever needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", UUID)
UserId = NewType("UserId", UUID)


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller. Only `auth` may make one, from a token whose signature it has checked."""

    tenant_id: TenantId
    user_id: UserId
    permissions: frozenset[str]
    jurisdiction: str
    home_region: str
    home_epoch: int
    expire_time: datetime  # Aware, UTC.


_caller: ContextVar[Caller] = ContextVar("caller")
_reading: ContextVar[bool] = ContextVar("reading", default=False)


def current_caller() -> Caller:
    """Returns the caller of the RPC being served. Raises LookupError outside of an RPC."""
    return _caller.get()


@contextmanager
def serving(caller: Caller) -> Iterator[None]:
    """Makes ``caller`` the current one for the length of a call."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


def is_reading() -> bool:
    """Whether nothing may be written now, so that a replica will do."""
    return _reading.get()


@contextmanager
def reading() -> Iterator[None]:
    """Says that nothing is written inside: what is read may come from a replica."""
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)
