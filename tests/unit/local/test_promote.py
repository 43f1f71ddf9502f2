"""Which standby becomes the primary, and that no two promotions are under way at once."""

import threading
from pathlib import Path

import pytest

from deploy.local import copies, lag, promote
from deploy.local import world as worlds
from deploy.local.copies import Copy
from deploy.local.lag import Role, Standing
from deploy.local.places import Places
from deploy.local.postgres import Postgres
from deploy.local.refused import Refused

HOME, NEAR, FAR = COPIES = tuple(
    Copy("home", at, Postgres(Path(at), 1, "test-password")) for at in ("home", "near", "far")
)
SILENT, PRIMARY = Standing(Role.SILENT), Standing(Role.PRIMARY, written=300)
PATIENCE_SECONDS = 10.0


def standby(written: int, *, streaming: bool = False) -> Standing:
    return Standing(Role.STANDBY, streaming, written, written)


@pytest.mark.parametrize(
    ("its", "near", "far", "to", "chosen"),
    [
        # The primary is gone: what the other has not received is lost, whoever seems connected.
        (SILENT, standby(100, streaming=True), standby(200), None, FAR),
        (SILENT, standby(200), standby(100), None, NEAR),
        (SILENT, SILENT, standby(100), None, FAR),
        (SILENT, standby(100), standby(200), "near", NEAR),
        # It answers: whoever streams gets the rest before it is stopped.
        (PRIMARY, standby(200), standby(100, streaming=True), None, FAR),
    ],
)  # fmt: skip
def test_the_standby_with_the_least_to_lose_is_promoted(
    monkeypatch: pytest.MonkeyPatch,
    its: Standing,
    near: Standing,
    far: Standing,
    to: str | None,
    chosen: Copy,
) -> None:
    says = {HOME: its, NEAR: near, FAR: far}
    monkeypatch.setattr(lag, "standing", says.__getitem__)
    assert promote._target(COPIES, HOME, its, to) == (chosen, says[chosen])


def test_without_a_standby_that_answers_nothing_is_promoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lag, "standing", lambda _: SILENT)
    with pytest.raises(Refused, match="no standby of home answers at any sibling"):
        promote._target(COPIES, HOME, SILENT, None)
    with pytest.raises(Refused, match="mars may not hold the data of home"):
        promote._target(COPIES, HOME, SILENT, "mars")


def test_of_two_promotions_at_once_the_second_sees_what_the_first_has_recorded(
    tmp_path: Path,
) -> None:
    world = worlds.load(Places(tmp_path))
    seen = []

    def second() -> None:
        with promote.alone(world):
            seen.append(world.primary("eu-central-1").at)

    other = threading.Thread(target=second)
    with promote.alone(world):
        other.start()
        other.join(0.2)
        assert other.is_alive()
        assert seen == []
        copies.write(world.places.primaries, {"eu-central-1": "eu-west-1"})
    other.join(PATIENCE_SECONDS)
    assert seen == ["eu-west-1"]
