"""Signed in, for the commands that call the services.

    session = sign_in("planner@atelier-nord.example")
    with report_errors(), session.channel() as channel:
        ...

Signs in at the local provider, exchanges the ID token through an edge of the account's
jurisdiction, and calls the edge of the home region, or a sibling's where that one does not answer.
Everything raised is for `report_errors`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import grpc
from hemline.identity.v1 import identity_service_pb2 as pb
from hemline.identity.v1 import identity_service_pb2_grpc as pb_grpc

from cli.problems import WORLD_DOWN, WORLD_DOWN_HINT, Problem, code_of, note
from deploy.local import accounts
from deploy.local.places import places
from services.chassis import topology

ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105
EXCHANGE_SECONDS = 5.0
EDGE_SECONDS = 2.0
"""In which an edge that is up accepts a connection, and exchanges a token where another could do so
too. A frozen one never does."""
DOWN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
"""What an edge says, or leaves unsaid, that cannot help now."""
CALL_SECONDS = 60.0
"""The deadline of a call that sets none."""
RENEW_SECONDS = 60.0
"""A token that lives no longer than this is replaced before the next call."""


class Session:
    """One signed-in user. Renews the token when it is about to expire."""

    def __init__(self, email: str, near: str = "") -> None:
        self.email = email
        self._near = near
        self._exchange()

    @property
    def token(self) -> str:
        """The enriched token. Whoever has it is the user: print it only when asked to."""
        if time.monotonic() > self._renew_at:
            self._exchange()
        return self._answer.access_token

    @property
    def expires_in_seconds(self) -> int:
        """As of the exchange."""
        return self._answer.expires_in_seconds

    @property
    def home_region(self) -> str:
        return self._answer.home_region

    @property
    def home_endpoint(self) -> str:
        """URL of the home region's edge."""
        return self._answer.home_endpoint

    @contextmanager
    def channel(self, endpoint: str | None = None) -> Iterator[grpc.Channel]:
        """A channel to ``endpoint``, or to an edge that answers; calls carry the token.

        The home region's edge comes first, its siblings' follow: any of them knows the way.
        """
        with self._first_answering([endpoint] if endpoint else self._endpoints()) as channel:
            yield grpc.intercept_channel(channel, _Bearer(lambda: self.token))

    def has_just_answered(self, endpoint: str) -> bool:
        """Whether the edge has exchanged the token so lately that it need not be tried."""
        lately = time.monotonic() < self._exchanged + EDGE_SECONDS
        return lately and endpoint == self._exchanged_at

    def _endpoints(self) -> list[str]:
        found = local_topology()
        siblings = found.jurisdiction_of(self.home_region).regions
        endpoints = (found.regions[name].endpoint for name in siblings)
        return list(dict.fromkeys((self.home_endpoint, *endpoints)))

    @contextmanager
    def _first_answering(self, endpoints: Sequence[str]) -> Iterator[grpc.Channel]:
        """A channel to the first edge that answers; to the last, whether or not it does."""
        *others, last = endpoints
        for endpoint in others:
            with connect(endpoint) as channel:
                if self.has_just_answered(endpoint) or answers(channel):
                    yield channel
                    return
            note(f"the edge at {endpoint} does not answer")
        with connect(last) as channel:
            yield channel

    def _exchange(self) -> None:
        self._answer, self._exchanged_at = _enriched(self.email, self._near)
        self._exchanged = time.monotonic()
        self._renew_at = self._exchanged + self._answer.expires_in_seconds - RENEW_SECONDS


def sign_in(email: str, near: str = "") -> Session:
    """Signs in as ``email``.

    Args:
        email: of an account.
        near: the region whose edge is asked first; the others of the jurisdiction follow.

    Raises:
        Problem: the world is down, or has no such account.
        grpc.RpcError: identity refuses.
    """
    return Session(email.strip().lower(), near)


@contextmanager
def connect(endpoint: str) -> Iterator[grpc.Channel]:
    """A channel to an edge: TLS for `https`, plain HTTP/2 for `http`."""
    url = urlsplit(endpoint)
    # gRPC would send even a loopback call through the machine's HTTP proxy.
    options = [("grpc.enable_http_proxy", 0)]
    if url.scheme == "https":
        credentials = grpc.ssl_channel_credentials()
        target = f"{url.hostname}:{url.port or 443}"
        channel = grpc.secure_channel(target, credentials, options)
    else:
        channel = grpc.insecure_channel(f"{url.hostname}:{url.port or 80}", options)
    with channel:
        yield channel


def answers(channel: grpc.Channel) -> bool:
    """Whether an edge accepts the connection."""
    try:
        grpc.channel_ready_future(channel).result(EDGE_SECONDS)
    except grpc.FutureTimeoutError:
        return False
    return True


def local_topology() -> topology.Topology:
    """The topology of the running world. Raises Problem if none has been started."""
    path = places().topology
    if not path.exists():
        raise world_down("it has not been started here")
    try:
        return topology.load(path)
    except topology.TopologyError as error:
        raise Problem(f"topology: {error}") from None


def world_down(why: str) -> Problem:
    return Problem(f"the local world is not up ({why})", WORLD_DOWN_HINT, WORLD_DOWN)


def _enriched(email: str, near: str) -> tuple[pb.ExchangeTokenResponse, str]:
    """The enriched token, and the endpoint of the edge that it was had at."""
    found = local_topology()
    try:
        known = {account.email: account for account in accounts.read(places().accounts)}
        if email not in known:
            users = ", ".join(known) or "none yet"
            raise Problem(f"no account of {email} in the local world", f"known: {users}")
        account = known[email]
        pool = accounts.pool(places().providers, account.jurisdiction)
        subject_token = accounts.sign_in(pool, account)
    except accounts.ProviderDown as error:
        raise world_down(str(error)) from None
    except accounts.AccountsError as error:
        raise Problem(str(error)) from None
    regions = sorted(
        found.jurisdictions[account.jurisdiction].regions, key=lambda region: region != near
    )
    return _exchange([found.regions[region].endpoint for region in regions], subject_token)


def _exchange(endpoints: list[str], subject_token: str) -> tuple[pb.ExchangeTokenResponse, str]:
    """Any region of the jurisdiction will do, so a dead edge is not the end."""
    request = pb.ExchangeTokenRequest(subject_token=subject_token, subject_token_type=ID_TOKEN_TYPE)
    *others, last = endpoints
    for endpoint in others:
        try:
            return _exchange_at(endpoint, request, EDGE_SECONDS), endpoint
        except grpc.RpcError as error:
            if code_of(error) not in DOWN:
                raise
    return _exchange_at(last, request, EXCHANGE_SECONDS), last


def _exchange_at(
    endpoint: str, request: pb.ExchangeTokenRequest, seconds: float
) -> pb.ExchangeTokenResponse:
    # Not `answers` first: a channel that was waited for takes up to 0.2 s to close.
    with connect(endpoint) as channel:
        answer: pb.ExchangeTokenResponse = pb_grpc.IdentityServiceStub(channel).ExchangeToken(
            request, timeout=seconds
        )
    return answer


class _Details(NamedTuple):
    """What a client interceptor may pass on in place of the call's details."""

    method: str
    timeout: float | None
    metadata: Any
    credentials: Any
    wait_for_ready: Any
    compression: Any


class _Bearer(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Adds the token and a deadline. Call credentials would need TLS, which loopback has not."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def _one(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return continuation(self._filled(client_call_details), request)

    def _many(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return continuation(self._filled(client_call_details), request_iterator)

    intercept_unary_unary = _one
    intercept_unary_stream = _one
    intercept_stream_unary = _many
    intercept_stream_stream = _many

    def _filled(self, details: Any) -> _Details:
        return _Details(
            method=details.method,
            timeout=CALL_SECONDS if details.timeout is None else details.timeout,
            metadata=[
                *(details.metadata or ()),
                ("authorization", f"Bearer {self._token()}"),
            ],
            credentials=details.credentials,
            wait_for_ready=details.wait_for_ready,
            compression=details.compression,
        )
