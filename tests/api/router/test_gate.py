"""Envoy is shown what is new before anybody hears of it, and what it refuses stays out."""

import asyncio
import copy
import dataclasses
import stat
from collections.abc import AsyncIterator
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.router import gate, nodes, publish, xds_types
from services.router.cache import SnapshotCache
from services.router.gate import Gate, NoAnswer
from services.router.nodes import Node
from services.router.policy import Policy
from services.router.publish import Publisher
from services.router.snapshot import Snapshot, resource
from services.router.translate import Facts, translate
from tests.support.certificates import MeshCertificates
from tests.support.envoy import until
from tests.unit.router.world import facts, key

FACTS = facts()
EDGE = nodes.edge(FACTS.region)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """With certificates that hold."""
    folder = tmp_path_factory.mktemp("certificates")
    certificates = MeshCertificates(folder, FACTS.topology).load(FACTS.region)
    return dataclasses.replace(FACTS, certificates=certificates)


@pytest.fixture
def asked() -> Gate:
    return Gate(gate.find(""))


def changed(real: Facts, kind: str, change: Any) -> dict[Node, Snapshot]:
    """The edge's snapshot with one resource of a type made another."""
    whole = translate(real)[EDGE]
    first = next(iter(whole.of(kind)))
    kept = [
        one
        for each in xds_types.ORDER
        for name, one in whole.of(each).items()
        if (each, name) != (kind, first)
    ]
    return {
        EDGE: Snapshot([*kept, resource(kind, change(copy.deepcopy(whole.of(kind)[first].plain)))])
    }


async def test_what_is_translated_is_good(asked: Gate, real: Facts) -> None:
    snapshots = translate(real)
    assert not asked.passed(snapshots)
    assert await asked.problem(snapshots) is None
    assert asked.passed(snapshots)


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        (
            xds_types.ROUTES,
            lambda body: {**body, "virtual_hosts": body["virtual_hosts"] * 2},
            "wildcard domain",
        ),
        (xds_types.CLUSTER, lambda body: {**body, "connect_timeout": "-1s"}, "positive duration"),
        (
            xds_types.LISTENER,
            lambda body: {**body, "filter_chains": body["filter_chains"] * 2},
            "filter chain",
        ),
    ],
)
async def test_what_envoy_would_refuse_is_found(
    asked: Gate, real: Facts, kind: str, change: Any, words: str
) -> None:
    problem = await asked.problem(changed(real, kind, change))
    assert problem is not None
    assert words in problem
    assert "edge/eu-central-1/1" in problem


async def test_a_drain_does_not_wait_for_envoy(asked: Gate, real: Facts) -> None:
    assert await asked.problem(translate(real)) is None
    for percent in (1, 50, 100):
        drained = Policy(drained={FACTS.region: percent})
        assert asked.passed(translate(dataclasses.replace(real, policies={"EU": drained})))


async def test_a_new_key_is_shown_to_envoy_once_for_all_sidecars(
    asked: Gate, real: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await asked.problem(translate(real)) is None
    shown: list[Node] = []
    validate = asked._validate

    async def noted(node: Node, snapshot: Snapshot) -> str | None:
        shown.append(node)
        return await validate(node, snapshot)

    monkeypatch.setattr(asked, "_validate", noted)
    keys = {**FACTS.keys, "EU": (*FACTS.keys["EU"], key(FACTS.topology, "EU", "2"))}
    snapshots = translate(dataclasses.replace(real, keys=keys))
    assert not asked.passed(snapshots)
    assert await asked.problem(snapshots) is None
    assert [node.kind.value for node in shown] == ["edge", "sidecar"]
    assert asked.passed(snapshots)


def program(path: Path, body: str) -> Path:
    """An Envoy that does what ``body`` says."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(stat.S_IRWXU)
    return path


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("exec sleep 60", "did not answer"),
        ("kill -KILL $$", "code -9"),
        ("exit 127", "code 127: no word"),
    ],
)
async def test_an_envoy_that_hangs_or_dies_has_said_nothing(
    tmp_path: Path, real: Facts, monkeypatch: pytest.MonkeyPatch, body: str, words: str
) -> None:
    monkeypatch.setattr(gate, "LIMIT_SECONDS", 0.5)
    asked = Gate(program(tmp_path / "envoy", body))
    with pytest.raises(NoAnswer, match=words):
        await asked.problem({EDGE: translate(real)[EDGE]})
    assert not asked.passed({EDGE: translate(real)[EDGE]})


async def test_a_disk_that_is_full_has_said_nothing(
    asked: Gate, real: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    # /dev/full takes no byte, as a full disk does.
    with FileIO("/dev/full", "w") as full:
        monkeypatch.setattr(gate, "NamedTemporaryFile", lambda **_: full)
        with pytest.raises(NoAnswer, match="No space left"):
            await asked.problem({EDGE: translate(real)[EDGE]})


async def test_a_program_that_is_gone_has_said_nothing(tmp_path: Path, real: Facts) -> None:
    with pytest.raises(NoAnswer, match="No such file"):
        await Gate(tmp_path / "envoy").problem({EDGE: translate(real)[EDGE]})


async def test_what_is_bad_is_bad_although_envoy_died_over_something_else(
    tmp_path: Path, real: Facts
) -> None:
    dies_at_the_edge = 'grep -q \'"id": "edge/\' "$4" && kill -KILL $$; echo bad >&2; exit 1'
    problem = await Gate(program(tmp_path / "envoy", dies_at_the_edge)).problem(translate(real))
    assert problem is not None
    assert problem.endswith(": bad")


async def test_a_snapshot_waits_until_envoy_answers_again(
    tmp_path: Path, real: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "RETRY_SECONDS", 0.05)
    envoy = program(tmp_path / "envoy", "kill -KILL $$")
    cache = SnapshotCache(real.nodes)
    publisher = Publisher(real, cache, Gate(envoy))
    running = asyncio.create_task(publisher.run())
    assert not publisher.update()
    assert await until(lambda: "code -9" in publisher.refused, seconds=10)
    assert cache.get(EDGE) is None
    program(tmp_path / "well", "exit 0").replace(envoy)
    assert await until(lambda: cache.get(EDGE) is not None, seconds=10)
    assert publisher.refused == ""
    assert not running.done()
    running.cancel()


def test_without_envoy_there_is_no_gate(tmp_path: Path) -> None:
    with pytest.raises(gate.NoEnvoyError, match="no program"):
        gate.find(str(tmp_path / "envoy"))


class Doubting:
    """A validator whose answer the test gives."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[str | None] = asyncio.Queue()
        self.good: list[str] = []
        self.shown: list[str] = []

    def passed(self, snapshots: Any) -> bool:
        return snapshots[EDGE].version in self.good

    async def problem(self, snapshots: Any) -> str | None:
        self.shown.append(snapshots[EDGE].version)
        found = await self.answers.get()
        if found is None:
            self.good.append(snapshots[EDGE].version)
        return found


class Doubted:
    def __init__(self) -> None:
        self.validator = Doubting()
        self.cache = SnapshotCache(FACTS.nodes)
        self.publisher = Publisher(FACTS, self.cache, self.validator)

    @property
    def version(self) -> str | None:
        found = self.cache.get(EDGE)
        return found.version if found else None

    async def answer(self, problem: str | None, then: Any) -> None:
        self.validator.answers.put_nowait(problem)
        assert await until(then, seconds=10)


@pytest_asyncio.fixture
async def doubted() -> AsyncIterator[Doubted]:
    made = Doubted()
    running = asyncio.create_task(made.publisher.run())
    yield made
    running.cancel()


def keys(kid: str) -> Any:
    return {**FACTS.keys, "EU": (key(FACTS.topology, "EU", kid),)}


async def test_a_refused_snapshot_leaves_the_last_good_one_in_force(doubted: Doubted) -> None:
    publisher = doubted.publisher
    assert not publisher.update(keys=keys("1"))
    await doubted.answer(None, lambda: doubted.version)
    good = doubted.version
    assert not publisher.update(keys=keys("2"))
    await doubted.answer("no such thing", lambda: publisher.refused)
    assert (publisher.refused, doubted.version) == ("no such thing", good)
    assert not publisher.update(policies={})
    await doubted.answer(None, lambda: doubted.version != good)
    assert publisher.refused == ""


async def test_what_was_asked_about_earlier_does_not_replace_what_is_newer(
    doubted: Doubted,
) -> None:
    doubted.publisher.update(keys=keys("1"))
    await doubted.answer(None, lambda: doubted.version)
    first = doubted.version
    doubted.publisher.update(keys=keys("2"))
    assert await until(lambda: len(doubted.validator.shown) == 2, seconds=10)
    assert doubted.publisher.update(keys=keys("1")), "known to be good, and newer"
    doubted.validator.answers.put_nowait(None)
    assert await until(lambda: len(doubted.validator.good) == 2, seconds=10)
    assert doubted.version == first
