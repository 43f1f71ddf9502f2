"""Whose word on health and load counts, and for how long."""

from datetime import UTC, datetime

from services.router.observed import Load, Observed

EDGE, OTHER = "edge/eu-central-1/1", "edge/eu-central-1/2"
REGION, SERVICE = PLACE = ("eu-central-1", "inventory")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WELL, ILL = {PLACE: {"10.0.0.1:1": True}}, {PLACE: {"10.0.0.1:1": False}}


def test_a_host_is_healthy_if_every_edge_says_so() -> None:
    observed = Observed()
    observed.take_health(EDGE, "a", WELL, NOW)
    assert observed.healthy_hosts(*PLACE) == (1, 1)
    observed.take_health(OTHER, "b", ILL, NOW)
    assert observed.healthy_hosts(*PLACE) == (0, 1)
    observed.ended(OTHER, "b")
    assert observed.healthy_hosts(*PLACE) == (1, 1)


def test_calls_of_all_edges_are_added_up() -> None:
    observed = Observed()
    for edge in (EDGE, OTHER):
        observed.take_load(edge, edge, {PLACE: Load(2.0, 0.5)})
    assert observed.load(*PLACE) == Load(4.0, 1.0)


def test_an_edge_that_is_back_before_its_old_stream_ends_is_not_forgotten() -> None:
    observed = Observed()
    for stream in ("old", "new"):
        observed.take_health(EDGE, stream, WELL, NOW)
        observed.take_load(EDGE, stream, {PLACE: Load(2.0, 0.5)})
    assert observed.load(*PLACE) == Load(2.0, 0.5), "it counts once"
    observed.ended(EDGE, "old")
    assert observed.healthy_hosts(*PLACE) == (1, 1)
    assert observed.load(*PLACE) == Load(2.0, 0.5)
    observed.ended(EDGE, "new")
    assert observed.healthy_hosts(*PLACE) is None
    assert observed.load(*PLACE) is None
    assert observed.report_time(*PLACE) is None
