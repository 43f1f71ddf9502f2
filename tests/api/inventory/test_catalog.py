from copy import deepcopy
from typing import Any
from uuid import uuid4

import grpc
import pytest
from hemline.inventory.v1 import catalog_service_pb2 as pb

from tests.api.inventory.client import SHIRT, Client, line, refused

EXISTS = grpc.StatusCode.ALREADY_EXISTS


def coat(**changed: Any) -> pb.Style:
    stated = {
        "name": "styles/coat",
        "choices": [pb.Choice(colour="black", sizes=[pb.Size(size="S", sku="COAT-S")])],
    }
    return pb.Style(**stated | changed)


async def get_style(client: Client, name: str) -> pb.Style:
    return (await client.catalog.GetStyle(pb.GetStyleRequest(name=name), metadata=client.who)).style


async def list_all(client: Client, what: str, page_size: int) -> list[Any]:
    method = getattr(client.catalog, f"List{what.title()}")
    request = getattr(pb, f"List{what.title()}Request")(page_size=page_size)
    seen: list[Any] = []
    for _ in range(100):
        page = await method(request, metadata=client.who)
        assert len(getattr(page, what)) <= page_size
        seen += getattr(page, what)
        if not page.next_page_token:
            return seen
        request.page_token = page.next_page_token
    raise AssertionError("paging does not end")


async def test_a_style_keeps_the_order_of_its_colours_and_sizes(client: Client) -> None:
    style = await get_style(client, "styles/shirt")
    assert style.HasField("create_time")
    assert [choice.colour for choice in style.choices] == ["red", "blue"]
    assert [size.size for size in style.choices[1].sizes] == ["XL", "L"]
    style.ClearField("create_time")
    assert style == SHIRT


async def test_styles_are_listed_by_name_each_once(client: Client) -> None:
    for name in ("b", "a-1", "a", "z"):
        sizes = [pb.Size(size=size, sku=f"{name.upper()}-{size}") for size in ("M", "L")]
        choices = [pb.Choice(colour="c", sizes=sizes)]
        await client.create_style(pb.Style(name=f"styles/{name}", choices=choices))
    for page_size in (1, 2, 5, 50):
        styles = await list_all(client, "styles", page_size)
        assert [style.name for style in styles] == [
            f"styles/{name}" for name in ("a", "a-1", "b", "shirt", "z")
        ]
        assert [size.size for size in styles[0].choices[0].sizes] == ["M", "L"]


async def test_stores_are_listed_by_name_each_once(client: Client) -> None:
    await client.create_store("aarhus", time_zone="Europe/Copenhagen")
    for page_size in (1, 2, 3, 50):
        stores = await list_all(client, "stores", page_size)
        assert [store.name for store in stores] == [
            f"stores/{name}" for name in ("aarhus", "berlin", "oslo")
        ]
        assert stores[0].time_zone == "Europe/Copenhagen"


async def test_an_unknown_style_is_not_found(client: Client) -> None:
    with refused() as refusal:
        await get_style(client, "styles/nothing")
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "STYLE_NOT_FOUND")
    with refused() as refusal:
        await get_style(client, "nothing")
    assert refusal.fields == ["name"]


async def test_a_retry_returns_the_style_as_first_made(client: Client) -> None:
    request_id = str(uuid4())
    first = await client.create_style(coat(), request_id)
    await client.count([line(2, sku="COAT-M", style="coat", colour="black", size="M")])
    assert len((await get_style(client, "styles/coat")).choices[0].sizes) == 2
    assert await client.create_style(coat(), request_id) == first


async def test_a_retry_returns_the_store_as_first_made(client: Client) -> None:
    request_id = str(uuid4())
    first = await client.create_store("riga", request_id=request_id)
    assert await client.create_store("riga", request_id=request_id) == first
    with refused() as refusal:
        await client.create_store("riga", request_id=request_id, time_zone="Europe/Riga")
    assert (refusal.code, refusal.reason) == (EXISTS, "REQUEST_ID_REUSED")
    with refused() as refusal:
        await client.create_store("vilnius", request_id=request_id)
    assert (refusal.code, refusal.reason) == (EXISTS, "REQUEST_ID_REUSED")


@pytest.mark.parametrize(
    ("style", "reason"),
    [
        (coat(name="styles/shirt"), "STYLE_EXISTS"),
        (
            coat(choices=[pb.Choice(colour="x", sizes=[pb.Size(size="S", sku="SHIRT-RED-S")])]),
            "SKU_EXISTS",
        ),
    ],
)
async def test_what_is_taken_is_refused_whole(client: Client, style: pb.Style, reason: str) -> None:
    with refused() as refusal:
        await client.create_style(style)
    assert (refusal.code, refusal.reason) == (EXISTS, reason)
    assert [style.name for style in await list_all(client, "styles", 50)] == ["styles/shirt"]


async def test_another_style_with_the_same_request_id_is_refused(client: Client) -> None:
    request_id = str(uuid4())
    await client.create_style(coat(), request_id)
    for style in (coat(category="x"), coat(name="styles/cape")):
        with refused() as refusal:
            await client.create_style(style, request_id)
        assert (refusal.code, refusal.reason) == (EXISTS, "REQUEST_ID_REUSED")


async def test_a_taken_store_is_refused(client: Client) -> None:
    with refused() as refusal:
        await client.create_store("berlin")
    assert (refusal.code, refusal.reason) == (EXISTS, "STORE_EXISTS")


def sizes(count: int) -> list[pb.Size]:
    return [pb.Size(size=str(number), sku=f"X-{number}") for number in range(count)]


@pytest.mark.parametrize(
    ("style", "field"),
    [
        (coat(name="coat"), "style.name"),
        (coat(display_name="x" * 201), "style.display_name"),
        (coat(display_name="a\x00b"), "style.display_name"),
        (coat(category="x" * 64), "style.category"),
        (coat(choices=[]), "style.choices"),
        (coat(choices=[pb.Choice(colour="", sizes=sizes(1))]), "style.choices[0].colour"),
        (coat(choices=[pb.Choice(colour="x")]), "style.choices[0].sizes"),
        (coat(choices=[pb.Choice(colour="x", sizes=sizes(61))]), "style.choices[0].sizes"),
        (
            coat(choices=[pb.Choice(colour="x", sizes=[pb.Size(size="S", sku="x")])]),
            "style.choices[0].sizes[0].sku",
        ),
        (
            coat(choices=[pb.Choice(colour="x", sizes=[pb.Size(size="x" * 21, sku="X")])]),
            "style.choices[0].sizes[0].size",
        ),
    ],
)
async def test_a_broken_field_of_a_style_is_named(
    client: Client, style: pb.Style, field: str
) -> None:
    with refused() as refusal:
        await client.create_style(style)
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_REQUEST",
    )
    assert refusal.fields == [field]


async def test_whatever_stands_twice_is_named(client: Client) -> None:
    style = deepcopy(SHIRT)
    style.name = "styles/again"
    style.choices[1].colour = "red"
    style.choices[1].sizes[1].size = "XL"
    style.choices[1].sizes[1].sku = "SHIRT-RED-S"
    with refused() as refusal:
        await client.create_style(style)
    assert refusal.fields == [
        "style.choices[1].colour",
        "style.choices[1].sizes[1].size",
        "style.choices[1].sizes[1].sku",
    ]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "berlin"}, "store.name"),
        ({"display_name": "x" * 201}, "store.display_name"),
        ({"time_zone": ""}, "store.time_zone"),
        ({"time_zone": "Mars/Olympus"}, "store.time_zone"),
        ({"time_zone": "Europe"}, "store.time_zone"),
        ({"time_zone": "../../etc/passwd"}, "store.time_zone"),
        ({"time_zone": "a\x00b"}, "store.time_zone"),
        ({"time_zone": "x" * 5000}, "store.time_zone"),
        ({"request_id": "x"}, "request_id"),
    ],
)
async def test_a_broken_field_of_a_store_is_named(
    client: Client, changed: dict[str, str], field: str
) -> None:
    with refused() as refusal:
        await client.create_store("new", **changed)
    assert refusal.fields == [field]


async def test_an_absent_style_or_store_is_named(client: Client) -> None:
    with refused() as refusal:
        await client.catalog.CreateStyle(pb.CreateStyleRequest(), metadata=client.who)
    assert refusal.fields == ["request_id", "style"]
    with refused() as refusal:
        await client.catalog.CreateStore(pb.CreateStoreRequest(), metadata=client.who)
    assert refusal.fields == ["request_id", "store"]
