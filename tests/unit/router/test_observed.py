"""Whose word on health and load counts, and for how long."""

from datetime import UTC, datetime, timedelta

from services.router.observed import COUNTS, Load, Observed

EDGE, OTHER = "edge/eu-central-1/1", "edge/eu-central-1/2"
REGION, SERVICE = PLACE = ("eu-central-1", "inventory")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WELL, ILL = {PLACE: {"10.0.0.1:1": True}}, {PLACE: {"10.0.0.1:1": False}}


def test_a_host_is_healthy_if_every_edge_says_so() -> None:
    observed = Observed(lambda: NOW)
    observed.take_health(EDGE, "a", WELL)
    assert observed.healthy_hosts(*PLACE) == (1, 1)
    observed.take_health(OTHER, "b", ILL)
    assert observed.healthy_hosts(*PLACE) == (0, 1)
    observed.ended(OTHER, "b")
    assert observed.healthy_hosts(*PLACE) == (1, 1)


def test_hosts_are_counted_among_those_that_are_meant() -> None:
    observed = Observed(lambda: NOW)
    observed.take_health(EDGE, "a", {PLACE: {"10.0.0.1:1": True, "10.0.0.2:1": False}})
    assert observed.healthy_hosts(*PLACE) == (1, 2)
    assert observed.healthy_hosts(*PLACE, {"10.0.0.2:1"}) == (0, 1)
    assert observed.healthy_hosts(*PLACE, {"10.0.0.3:1"}) is None, "nobody has told of it"


def test_calls_of_all_edges_are_added_up() -> None:
    observed = Observed(lambda: NOW)
    for edge in (EDGE, OTHER):
        observed.take_load(edge, edge, {PLACE: Load(2.0, 0.5)})
    assert observed.load(*PLACE) == Load(4.0, 1.0)


def test_an_edge_that_is_back_before_its_old_stream_ends_is_not_forgotten() -> None:
    observed = Observed(lambda: NOW)
    for stream in ("old", "new"):
        observed.take_health(EDGE, stream, WELL)
        observed.take_load(EDGE, stream, {PLACE: Load(2.0, 0.5)})
    assert observed.load(*PLACE) == Load(2.0, 0.5), "it counts once"
    observed.ended(EDGE, "old")
    assert observed.healthy_hosts(*PLACE) == (1, 1)
    assert observed.load(*PLACE) == Load(2.0, 0.5)
    observed.ended(EDGE, "new")
    assert observed.healthy_hosts(*PLACE) is None
    assert observed.load(*PLACE) is None
    assert observed.report_time(*PLACE) is None


def test_what_an_edge_said_last_does_not_count_for_long() -> None:
    now = NOW
    observed = Observed(lambda: now)
    observed.take_health(EDGE, "a", WELL)
    observed.take_load(EDGE, "a", {PLACE: Load(2.0, 0.5)})
    now += COUNTS + timedelta(seconds=1)
    assert observed.healthy_hosts(*PLACE) is None
    assert observed.load(*PLACE) is None
    assert observed.report_time(*PLACE) == NOW
    observed.take_health(EDGE, "a", WELL)
    assert observed.healthy_hosts(*PLACE) == (1, 1)
