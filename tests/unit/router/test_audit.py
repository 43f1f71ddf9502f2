"""Where a call was served, by what a proxy reports of it."""

from uuid import UUID

import pytest

from services.chassis import topology
from services.router import audit, nodes
from services.router.audit import (
    HOUR_NANOS,
    OTHER_METHOD,
    UNKNOWN_REGION,
    VIOLATIONS_KEPT,
    Auditor,
    Count,
    Entry,
    Key,
    Tally,
)
from tests.support.api import TOPOLOGY
from tests.unit.router import world
from tests.unit.router.audit_world import (
    ABROAD,
    APP,
    FOREIGN,
    HOME,
    OWN,
    PATH,
    SIBLING,
    TENANT,
    WEST,
    body,
    endpoints,
)

EDGE = nodes.edge(HOME)
SIDECAR = nodes.sidecar(HOME, "inventory", 1)


def judged(*bodies: str, node: nodes.Node = EDGE, region: str = HOME) -> Tally:
    auditor = Auditor(topology.load(TOPOLOGY), endpoints(), region, [PATH])
    auditor.note(node, [Entry(HOUR_NANOS, b"\x0a" * 16, one) for one in bodies])
    return auditor.take()


def only(tally: Tally) -> tuple[Key, Count]:
    ((key, count),) = tally.totals.items()
    return key, count


@pytest.mark.parametrize(("host", "region"), [(OWN, HOME), (SIBLING, WEST)])
def test_a_call_served_inside_of_its_jurisdiction_is_counted_there(host: str, region: str) -> None:
    key, count = only(judged(body("EU", host)))
    assert key == Key(1, "EU", region, "edge")
    assert count == Count(1, 0)


def test_a_sidecar_reports_its_own_region() -> None:
    key, count = only(judged(body("EU", APP), node=SIDECAR))
    assert key == Key(1, "EU", HOME, "sidecar")
    assert count.violations == 0


def test_services_that_listen_on_the_same_loopback_address_are_of_the_reporting_region() -> None:
    shared = world.facts(HOME)
    (app, *_) = {str(host.app) for host in shared.endpoints[HOME].services["inventory"]}
    for region in world.REGIONS:
        auditor = Auditor(shared.topology, shared.endpoints, region, [PATH])
        jurisdiction = shared.topology.jurisdiction_of(region).name
        auditor.note(
            nodes.sidecar(region, "inventory", 1), [Entry(0, b"", body(jurisdiction, app))]
        )
        key, count = only(auditor.take())
        assert (key.served_region, count) == (region, Count(1, 0))


def test_a_service_of_another_region_that_a_proxy_reaches_directly_is_outside() -> None:
    app = str(endpoints()[WEST].services["inventory"][0].app)
    tally = judged(body("EU", app))
    assert tally.violations[0].served_region == UNKNOWN_REGION


@pytest.mark.parametrize("details", ["via_upstream", "upstream_reset_before_response_started{x}"])
def test_a_call_sent_outside_is_a_violation_whatever_came_of_it(details: str) -> None:
    tally = judged(body("EU", FOREIGN, details=details))
    assert only(tally)[1] == Count(1, 1)
    (found,) = tally.violations
    assert (found.token_jurisdiction, found.served_region) == ("EU", ABROAD)
    assert (found.node, found.method, found.trace_id) == (str(EDGE), PATH, "0a" * 16)


def test_a_first_attempt_outside_is_a_violation_though_the_answer_came_from_inside() -> None:
    tally = judged(body("EU", OWN, tried=f"{FOREIGN},{OWN}"))
    key, count = only(tally)
    assert (key.served_region, count.violations) == (HOME, 1)
    assert tally.violations[0].served_region == ABROAD


def test_an_address_that_nobody_knows_is_outside() -> None:
    tally = judged(body("EU", "192.0.2.1:1"))
    assert only(tally)[1].violations == 1
    assert tally.violations[0].served_region == UNKNOWN_REGION


def test_a_call_that_its_home_region_serves_for_a_foreign_edge_is_no_violation() -> None:
    key, count = only(judged(body("EU", OWN), node=nodes.edge(ABROAD), region=ABROAD))
    assert (key.served_region, count.violations) == (HOME, 0)


@pytest.mark.parametrize(
    "details", ["direct_response", "no_healthy_upstream", "jwt_authn_access_denied{Jwt_expired}"]
)
def test_a_call_that_nobody_served_has_no_region(details: str) -> None:
    key, count = only(judged(body("US", details=details)))
    assert (key.token_jurisdiction, key.served_region, count.violations) == ("US", "", 0)


def test_a_call_without_a_token_may_be_served_anywhere() -> None:
    key, count = only(judged(body("-", FOREIGN)))
    assert (key.token_jurisdiction, key.served_region, count.violations) == ("", ABROAD, 0)


def test_tenants_are_counted_of_the_own_jurisdiction_alone() -> None:
    tally = judged(body("EU", OWN, tenant=TENANT), body("US", tenant=TENANT))
    assert list(tally.tenants) == [UUID(TENANT)]
    assert sum(count.calls for count in tally.tenants[UUID(TENANT)].values()) == 1


def test_a_path_that_is_no_method_is_not_kept() -> None:
    tally = judged(body("EU", FOREIGN, path="/secret\tof a client"))
    assert tally.violations[0].method == OTHER_METHOD


def test_what_cannot_be_read_is_counted_as_such() -> None:
    tally = judged("nonsense", "")
    assert (tally.unreadable, tally.totals) == (2, {})


def test_violations_beyond_a_limit_are_counted_and_not_kept() -> None:
    tally = judged(*[body("EU", FOREIGN)] * (VIOLATIONS_KEPT + 5))
    assert only(tally)[1].violations == VIOLATIONS_KEPT + 5
    assert len(tally.violations) == VIOLATIONS_KEPT


def test_what_is_given_back_is_added_to_what_came_meanwhile() -> None:
    auditor = Auditor(topology.load(TOPOLOGY), endpoints(), HOME, [PATH])
    entries = [Entry(HOUR_NANOS, b"", body("EU", FOREIGN, tenant=TENANT))]
    auditor.note(EDGE, entries)
    taken = auditor.take()
    auditor.note(EDGE, entries)
    auditor.give_back(taken)
    tally = auditor.take()
    assert only(tally)[1] == Count(2, 2)
    assert len(tally.violations) == 2
    assert [count.calls for count in tally.tenants[UUID(TENANT)].values()] == [2]
    assert not auditor.take()


def test_counts_of_tenants_have_a_limit_and_totals_are_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audit, "TENANT_COUNTS_KEPT", 2)
    auditor = Auditor(topology.load(TOPOLOGY), endpoints(), HOME, [PATH])

    def note(*tenants: int) -> None:
        bodies = [body("EU", OWN, tenant=str(UUID(int=number))) for number in tenants]
        auditor.note(EDGE, [Entry(HOUR_NANOS, b"", one) for one in bodies])

    note(1, 2, 3, 1)
    first = auditor.take()
    assert only(first)[1] == Count(4, 0)
    assert {tenant.int for tenant in first.tenants} == {1, 2}
    assert first.unkept == 1
    note(2, 4)
    auditor.give_back(first)
    both = auditor.take()
    assert only(both)[1] == Count(6, 0)
    assert [(tenant.int, *counts.values()) for tenant, counts in both.tenants.items()] == [
        (2, Count(2, 0)),
        (4, Count(1, 0)),
    ]
    assert both.unkept == 3
