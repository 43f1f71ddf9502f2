"""Which route each kind of token takes at each path: an edge's routes, followed as Envoy does."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from services.router.check.plain import Plain
from services.router.check.rbac import Unknown
from services.router.check.residencies import Residencies

PATHS = frozenset({"path", "prefix"})


class Flow(NamedTuple):
    path: str
    tokens: int  # As of `Residencies`.
    route: Plain


class _Route(NamedTuple):
    path: str
    whole: bool  # Else a prefix.
    tokens: int
    plain: Plain


def flows(residencies: Residencies, routes: list[Plain], known: Iterable[str]) -> Iterator[Flow]:
    """Follows every token at the paths ``known``, and at one for each that a route names.

    The first route that matches is taken. What no route takes comes with an empty one.

    Raises:
        Unknown: a route matches by something else than path and claims.
    """
    read = [_read(residencies, route) for route in routes]
    named = {one.path if one.whole else f"{one.path}x" for one in read}
    prefixes = [(i, one) for i, one in enumerate(read) if not one.whole]
    exact: dict[str, list[tuple[int, _Route]]] = {}
    for i, one in enumerate(read):
        if one.whole:
            exact.setdefault(one.path, []).append((i, one))
    for path in sorted(named | set(known)):
        fitting = [(i, one) for i, one in prefixes if path.startswith(one.path)]
        left = residencies.all
        for _, one in sorted([*exact.get(path, ()), *fitting], key=lambda each: each[0]):
            taken = left & one.tokens
            if taken:
                left &= ~taken
                yield Flow(path, taken, one.plain)
        if left:
            yield Flow(path, left, {})


def _read(residencies: Residencies, route: Plain) -> _Route:
    match = route.get("match", {})
    [*by] = PATHS & match.keys()
    if len(by) != 1 or match.keys() - PATHS - {"dynamic_metadata"}:
        raise Unknown(f"route {route.get('name')} matches by {sorted(match)}")
    tokens = residencies.matching(match.get("dynamic_metadata", []))
    return _Route(match[by[0]], by[0] == "path", tokens, route)
