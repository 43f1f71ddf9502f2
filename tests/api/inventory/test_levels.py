import base64
import json
from uuid import uuid4

import grpc
import pytest

from tests.api.inventory.client import Client, line, refused
from tests.support.api import Api


async def test_a_level_says_what_its_sku_is(client: Client) -> None:
    recorded = await client.move()
    level = await client.level("stores/berlin/levels/SHIRT-RED-M")
    assert level.name == "stores/berlin/levels/SHIRT-RED-M"
    assert (level.style, level.colour, level.size) == ("styles/shirt", "red", "M")
    assert (level.sku, level.on_hand_units) == ("SHIRT-RED-M", 5)
    assert level.update_time == recorded.movement.record_time


async def test_what_was_never_stocked_has_no_level(service: Api, client: Client) -> None:
    await client.move()
    with refused() as refusal:
        await client.level("stores/oslo/levels/SHIRT-RED-M")
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "LEVEL_NOT_FOUND")
    client.who = service.as_tenant(uuid4())
    with refused() as refusal:
        await client.level("stores/berlin/levels/SHIRT-RED-M")
    assert refusal.reason == "LEVEL_NOT_FOUND"


@pytest.mark.parametrize("name", ["", "stores/berlin", "stores/berlin/levels/x", "a/b/c/D"])
async def test_a_malformed_level_name_is_refused(client: Client, name: str) -> None:
    with refused() as refusal:
        await client.level(name)
    assert refusal.fields == ["name"]


async def stock_many(client: Client) -> list[str]:
    """Stocks 2 x 40 levels. Returns their names in the order of the contract."""
    lines = [
        line(number, store=store, sku=f"S-{number % 7}-{number}", style="sock", colour="c",
             size=str(number))
        for store in ("oslo", "berlin")
        for number in range(1, 41)
    ]  # fmt: skip
    await client.count(lines)
    return sorted(f"stores/{line.store}/levels/{line.sku}" for line in lines)


@pytest.mark.parametrize("page_size", [1, 7, 40, 79, 80, 500])
@pytest.mark.parametrize("parent", ["", "stores/-", "stores/oslo"])
async def test_paging_walks_all_levels_once(client: Client, page_size: int, parent: str) -> None:
    names = await stock_many(client)
    seen: list[str] = []
    token = ""
    for _ in range(len(names) + 1):
        page = await client.levels(parent=parent, page_size=page_size, page_token=token)
        assert len(page.stock_levels) <= page_size
        seen += [level.name for level in page.stock_levels]
        token = page.next_page_token
        if not token:
            break
    assert seen == [name for name in names if "oslo" in name or parent != "stores/oslo"]


async def test_without_a_size_a_page_has_fifty(client: Client) -> None:
    await stock_many(client)
    page = await client.levels()
    assert len(page.stock_levels) == 50
    assert page.stock_levels[0].size
    # An empty parent and the wildcard are one request.
    rest = await client.levels(parent="stores/-", page_token=page.next_page_token)
    assert len(rest.stock_levels) == 30
    assert not rest.next_page_token


def forged(*key: object) -> str:
    shape = "3973e022e93220f9"  # Of no parent; a token is no secret.
    text = json.dumps([shape, *key])
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "token", ["x", "ä", "!!!!", forged(), forged("a"), forged("a", "\x00"), forged("a", "\ud800"),
              forged(1, 2), base64.urlsafe_b64encode(b"[" * 100_000).decode()],
)  # fmt: skip
async def test_a_token_that_is_none_is_refused(client: Client, token: str) -> None:
    with refused() as refusal:
        await client.levels(page_token=token)
    assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["page_token"])


async def test_a_token_of_another_list_is_refused(client: Client) -> None:
    await stock_many(client)
    page = await client.levels(parent="stores/oslo", page_size=5)
    with refused() as refusal:
        await client.levels(parent="stores/berlin", page_token=page.next_page_token)
    assert refusal.fields == ["page_token"]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"page_size": -1}, "page_size"),
        ({"page_size": 501}, "page_size"),
        ({"parent": "oslo"}, "parent"),
    ],
)
async def test_a_broken_field_is_named(
    client: Client, request_: dict[str, object], field: str
) -> None:
    with refused() as refusal:
        await client.levels(**request_)
    assert refusal.fields == [field]


async def test_an_unknown_store_has_no_levels(client: Client) -> None:
    assert not (await client.levels(parent="stores/nowhere")).stock_levels
