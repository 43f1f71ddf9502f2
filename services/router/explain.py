"""Where a call goes, and why, in sentences for people. Pure.

It says what the edges were told, and what this router has heard of health; the edges themselves
may know better, since they ask each host several times a second.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from services.chassis.contract import PUBLIC, Method
from services.chassis.topology import ForeignEdges, Jurisdiction
from services.router import policy as rules
from services.router.errors import NoHealthyRegion
from services.router.operations_rules import Scene
from services.router.policy import PERCENT, WHOLE, Mode, Policy


class RouteOutcome(Enum):
    SERVED = auto()
    REDIRECTED = auto()
    NO_HEALTHY_REGION = auto()


@dataclass(frozen=True, slots=True)
class Question:
    """Regions are of the topology; who asks has checked that."""

    home: str
    edge: str
    method: Method | None = None  # None for any.
    down: frozenset[str] = frozenset()  # Thought down, besides those that are.


@dataclass(frozen=True, slots=True)
class Step:
    region: str
    endpoints: tuple[str, ...]  # Of the asked service's sidecars; none if no method was asked for.
    healthy: bool
    serves: bool


@dataclass(frozen=True, slots=True)
class Choice:
    percent: float
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    outcome: RouteOutcome
    choices: tuple[Choice, ...]
    reasons: tuple[str, ...]
    retried: bool
    hedged: bool


def explain(scene: Scene, policy: Policy, question: Question) -> Explanation:
    """Answers ``question`` with the policy of the scene's jurisdiction.

    Raises:
        KeyError: a region is not in the topology.
    """
    method = question.method
    if method is not None and method.access == PUBLIC:
        # Nobody knows whose call it is yet: the edge's own region answers.
        question = Question(question.edge, question.edge, method, question.down)
    topology = scene.topology
    owner, crossed = (
        topology.jurisdiction_of(question.home),
        topology.jurisdiction_of(question.edge),
    )
    retried = method is not None and method.retryable
    hedged = method is not None and method.retryable and method.safe
    first = [_whose(owner, question)]
    if owner != crossed and owner.foreign_edges is ForeignEdges.REDIRECT:
        endpoint = topology.regions[question.home].endpoint
        first.append(
            f"The edge of {question.edge} is in {crossed.name}. {owner.name} lets no foreign edge "
            f"pass its calls on: the answer is WRONG_REGION with {endpoint}."
        )
        return Explanation(RouteOutcome.REDIRECTED, (), tuple(first), retried=False, hedged=False)
    # How another jurisdiction steers its traffic is its own affair, here as in its foreign edges.
    held = policy if owner == crossed and owner.name == scene.jurisdiction else Policy()
    choices = tuple(
        Choice(found.share * PERCENT / WHOLE, _steps(scene, held, question, found.regions))
        for found in rules.choices(topology, held, question.edge, question.home)
    )
    served = any(step.serves for choice in choices for step in choice.steps)
    reasons = (
        *first,
        *_steered(scene, held, question),
        *_health(scene, held, question),
        *_outcome(owner, choices),
        *_repeats(method),
    )
    outcome = RouteOutcome.SERVED if served else RouteOutcome.NO_HEALTHY_REGION
    return Explanation(outcome, choices, reasons, retried, hedged)


def _steps(
    scene: Scene, policy: Policy, question: Question, regions: tuple[str, ...]
) -> tuple[Step, ...]:
    healthy = [name for name in regions if not _unwell(scene, policy, question, name)]
    service = question.method.service if question.method else ""
    return tuple(
        Step(
            name,
            tuple(str(host.sidecar) for host in scene.endpoints[name].services.get(service, ())),
            healthy=name in healthy,
            serves=name in healthy[:1],
        )
        for name in regions
    )


def _unwell(scene: Scene, policy: Policy, question: Question, region: str) -> str:
    """Says why ``region`` would not answer, nothing if it would."""
    if region in question.down:
        return "thought to be down"
    if scene.topology.jurisdiction_of(region).name != scene.jurisdiction:
        return ""  # Not known here, and not ours to know.
    if question.method is not None:
        return scene.ailment(policy, question.home, region, question.method.service)
    return ", ".join(scene.ailing(policy, question.home, region))


def _whose(owner: Jurisdiction, question: Question) -> str:
    regions = ", ".join(owner.regions)
    if question.method is not None and question.method.access == PUBLIC:
        name = question.method.path.rpartition("/")[2]
        return (
            f"{name} needs no token: the edge's own region is asked, and {owner.name} ({regions})."
        )
    return f"Tenants at home in {question.home} are of {owner.name}: only {regions} may serve them."


def _steered(scene: Scene, policy: Policy, question: Question) -> Iterator[str]:
    family = rules.family(scene.topology, question.home)
    edge = question.edge
    match policy.mode:
        case Mode.FAILOVER:
            order = ", ".join(family)
            yield f"Mode failover: the home region first, then its siblings in order: {order}."
        case Mode.LATENCY:
            told = {name: scene.topology.latency_ms(edge, name) or 0.0 for name in family}
            order = ", ".join(
                f"{name} {told[name]:g} ms" for name in sorted(family, key=lambda each: told[each])
            )
            yield f"Mode latency: the shortest round trip from {edge} first: {order}."
        case Mode.GEOLOCATION:
            yield f"Mode geolocation: the region nearest to {edge} on the globe first."
        case Mode.WEIGHTED:
            order = ", ".join(f"{name} {policy.weights.get(name, 0)} %" for name in family)
            yield f"Mode weighted: each region first for its share: {order}."
    for name in family:
        if percent := policy.drained.get(name, 0):
            rest = "nobody asks it" if percent >= PERCENT else "the next takes them"
            yield f"{name} is drained: {percent} % of its calls are taken off it, {rest}."
    yield from _tracks(scene, policy, question)
    if policy.home_epoch_floor:
        yield f"Tokens with a home epoch below {policy.home_epoch_floor} are refused."


def _tracks(scene: Scene, policy: Policy, question: Question) -> Iterator[str]:
    for name in [question.method.service] if question.method else scene.services:
        if held := scene.tracks(policy, question.home, name):
            yield f"{name} runs as {_percents(held)}."
        elif tracks := policy.tracks.get(name):
            yield f"{name} uses its hosts alike: none runs as {_percents(tracks)} any more."


def _health(scene: Scene, policy: Policy, question: Question) -> Iterator[str]:
    for name in rules.family(scene.topology, question.home):
        if problem := _unwell(scene, policy, question, name):
            yield f"{name} does not count as healthy: {problem}."


def _outcome(owner: Jurisdiction, choices: tuple[Choice, ...]) -> Iterator[str]:
    taken: dict[str, float] = {}
    for choice in choices:
        for step in choice.steps:
            if step.serves:
                taken[step.region] = taken.get(step.region, 0) + choice.percent
    if taken:
        found = " and ".join(f"{region} answers {share:g} %" for region, share in taken.items())
        yield f"So {found} of the calls."
    else:
        yield (
            f"Nobody in {owner.name} is left: the answer is UNAVAILABLE {NoHealthyRegion.reason}. "
            "No other jurisdiction is asked."
        )


def _repeats(method: Method | None) -> Iterator[str]:
    if method is None:
        return
    name = method.path.rpartition("/")[2]
    if not method.retryable:
        yield f"{name} is sent again only if nobody can have seen it."
    elif method.safe:
        yield (
            f"{name} changes nothing: it is sent on to the next if the first fails, and a second "
            "copy runs beside a slow first."
        )
    else:
        yield f"{name} may run twice: it is sent on to the next if the first fails."


def _percents(tracks: Mapping[str, int]) -> str:
    return ", ".join(f"{track} {percent} %" for track, percent in sorted(tracks.items()))
