"""Promotions, calendars, attributes and stock days over the wire."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import grpc
import pytest
from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import attribute_service_pb2_grpc as attributes_grpc
from hemline.forecast.v1 import plan_service_pb2 as pb
from hemline.forecast.v1 import plan_service_pb2_grpc as pb_grpc
from hemline.forecast.v1 import stock_day_service_pb2 as stock_pb
from hemline.forecast.v1 import stock_day_service_pb2_grpc as stock_grpc

from services.chassis.wire import to_timestamp
from tests.api.forecast.support import refused
from tests.support.api import Api

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOW = datetime.now(UTC)
TODAY = NOW.date()


class Kind(NamedTuple):
    """One kind of import."""

    stub: Any
    method: str
    message: Any
    line: Any
    good: dict[str, Any]
    listing: tuple[str, Any, str] = ("", None, "")

    def lines(self, *changes: dict[str, Any]) -> list[Any]:
        return [
            self.line(**(self.good | {"row": row} | change))
            for row, change in enumerate(changes, start=1)
        ]


PROMOTIONS = Kind(
    pb_grpc.PlanServiceStub,
    "ImportPromotions",
    pb.ImportPromotionsRequest,
    pb.PromotionLine,
    {
        "promotion": "spring",
        "store": "-",
        "scope": "style",
        "target": "linen-shirt",
        "start_date": "2026-07-01",
        "end_date": "2026-07-14",
        "kind": "markdown",
        "discount_share": 0.3,
    },
    ("ListPromotions", pb.ListPromotionsRequest, "promotions"),
)
CALENDAR = Kind(
    pb_grpc.PlanServiceStub,
    "ImportCalendar",
    pb.ImportCalendarRequest,
    pb.CalendarLine,
    {
        "event": "fair",
        "store": "berlin",
        "start_date": "2026-07-01",
        "end_date": "2026-07-02",
        "closed": False,
    },
    ("ListCalendar", pb.ListCalendarRequest, "events"),
)
ATTRIBUTES = Kind(
    attributes_grpc.AttributeServiceStub,
    "ImportAttributes",
    attributes_pb.ImportAttributesRequest,
    attributes_pb.AttributeLine,
    {"sku": "SHIRT-M", "attributes": {"style": "shirt", "colour": "navy"}},
    ("ListAttributes", attributes_pb.ListAttributesRequest, "attributes"),
)
STOCK_DAYS = Kind(
    stock_grpc.StockDayServiceStub,
    "ImportStockDays",
    stock_pb.ImportStockDaysRequest,
    stock_pb.StockDayLine,
    {"store": "berlin", "sku": "SHIRT-M", "stock_date": "2026-03-02", "on_hand_units": 4},
    ("ListStockDays", stock_pb.ListStockDaysRequest, "stock_days"),
)
KINDS = [PROMOTIONS, CALENDAR, ATTRIBUTES, STOCK_DAYS]
IDS = [kind.method for kind in KINDS]


class Desk:
    """A planner who imports and lists plans."""

    def __init__(self, running: Api) -> None:
        self.channel = running.channel
        self.who: Any = running.as_tenant(uuid4())

    async def imports(
        self,
        kind: Kind,
        lines: Sequence[Any],
        request_id: str | None = None,
        lines_per_message: int = 1_000,
        **heading: Any,
    ) -> Any:
        name = str(uuid4()) if request_id is None else request_id

        async def messages() -> AsyncIterator[Any]:
            for start in range(0, max(len(lines), 1), lines_per_message):
                part = lines[start : start + lines_per_message]
                extra = {"request_id": name, **heading} if start == 0 else {}
                yield kind.message(lines=part, **extra)

        call = getattr(kind.stub(self.channel), kind.method)
        return await call(messages(), metadata=self.who)

    async def lists(self, kind: Kind, **request: Any) -> Any:
        method, message, _ = kind.listing
        call = getattr(kind.stub(self.channel), method)
        return await call(message(**request), metadata=self.who)

    async def walks(self, kind: Kind, page_size: int, **request: Any) -> list[Any]:
        found: list[Any] = []
        token = ""
        while True:
            page = await self.lists(kind, page_size=page_size, page_token=token, **request)
            items = getattr(page, kind.listing[2])
            assert len(items) <= page_size
            found += items
            token = page.next_page_token
            if not token:
                return found


@pytest.fixture
def desk(running: Api) -> Desk:
    return Desk(running)


def counts(answer: Any) -> list[int]:
    """Received, new, changed, known."""
    return [getattr(answer, field.name) for field in answer.DESCRIPTOR.fields]


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
async def test_lines_are_added_once_and_cut_as_one_likes(desk: Desk, kind: Kind) -> None:
    key = {"ImportAttributes": "sku", "ImportStockDays": "sku"}.get(kind.method, "store")
    names = [f"SKU-{at}" if key == "sku" else f"store-{at}" for at in range(25)]
    lines = kind.lines(*({key: name} for name in names))
    values = 50 if kind is ATTRIBUTES else 25
    name = str(uuid4())
    first = await desk.imports(kind, lines, name)
    assert counts(first) == [values, values, 0, 0]
    assert await desk.imports(kind, lines, name, lines_per_message=4) == first
    assert counts(await desk.imports(kind, lines)) == [values, 0, 0, values]
    assert len(await desk.walks(kind, 7)) == 25


async def test_promotions_come_back_as_they_were_known(desk: Desk) -> None:
    early, late = (to_timestamp(NOW - timedelta(days=days)) for days in (20, 10))
    await desk.imports(PROMOTIONS, PROMOTIONS.lines({}), known_time=early)
    changed = {"discount_share": 0.0, "price_micros": 19_000_000, "store": "-"}
    await desk.imports(PROMOTIONS, PROMOTIONS.lines(changed), known_time=late)
    (first,) = (await desk.lists(PROMOTIONS, as_of=early)).promotions
    assert (first.discount_share, first.HasField("price_micros")) == (0.3, False)
    assert first.known_time == early
    (now,) = (await desk.lists(PROMOTIONS)).promotions
    assert (now.promotion, now.store, now.scope, now.target) == (
        "spring", "-", "style", "linen-shirt",
    )  # fmt: skip
    assert (now.start_date, now.end_date, now.kind) == ("2026-07-01", "2026-07-14", "markdown")
    assert (now.price_micros, now.known_time) == (19_000_000, late)
    called_off = await desk.imports(PROMOTIONS, PROMOTIONS.lines({"cancelled": True}))
    assert called_off.changed_lines == 1
    assert not (await desk.lists(PROMOTIONS)).promotions
    assert (await desk.lists(PROMOTIONS, as_of=late)).promotions


async def test_a_stores_plan_holds_what_is_planned_for_all(desk: Desk) -> None:
    for kind in (PROMOTIONS, CALENDAR):
        await desk.imports(kind, kind.lines(*({"store": name} for name in ("-", "rome", "oslo"))))
        found = await desk.walks(kind, 1, parent="stores/rome")
        assert [each.store for each in found] == ["-", "rome"]
        assert len(await desk.walks(kind, 50, parent="stores/-")) == 3


async def test_attributes_are_set_one_by_one(desk: Desk) -> None:
    await desk.imports(ATTRIBUTES, ATTRIBUTES.lines({}))
    more = ATTRIBUTES.lines({"attributes": {"colour": "red", "size": "M"}})
    more += [attributes_pb.AttributeLine(row=2, store="rome", attributes={"region": "süd"})]
    assert counts(await desk.imports(ATTRIBUTES, more)) == [3, 2, 1, 0]
    (shirt,) = (await desk.lists(ATTRIBUTES)).attributes
    assert shirt.code == "SHIRT-M"
    assert dict(shirt.attributes) == {"style": "shirt", "colour": "red", "size": "M"}
    stores = attributes_pb.ATTRIBUTE_SUBJECT_STORE
    (rome,) = (await desk.lists(ATTRIBUTES, subject=stores)).attributes
    assert (rome.code, dict(rome.attributes)) == ("rome", {"region": "süd"})


async def test_stock_days_are_replaced_and_listed_by_sku(desk: Desk) -> None:
    lines = STOCK_DAYS.lines({}, {"sku": "COAT-L"}, {"stock_date": "2026-03-04"})
    await desk.imports(STOCK_DAYS, lines)
    answer = await desk.imports(STOCK_DAYS, STOCK_DAYS.lines({"on_hand_units": 0}))
    assert answer.changed_lines == 1
    found = await desk.walks(STOCK_DAYS, 1, parent="stores/berlin", sku="SHIRT-M")
    assert [(day.stock_date, day.on_hand_units) for day in found] == [
        ("2026-03-02", 0),
        ("2026-03-04", 4),
    ]


TEXTS = {"control": "a\tb", "long": "x" * 129}
BAD = [
    *((PROMOTIONS, change, field) for change, field in [
        ({"row": 0}, "row"),
        ({"promotion": ""}, "promotion"),
        ({"promotion": "x" * 65}, "promotion"),
        ({"store": ""}, "store"),
        ({"store": "Berlin"}, "store"),
        ({"scope": ""}, "scope"),
        ({"target": ""}, "target"),
        ({"target": TEXTS["long"]}, "target"),
        ({"target": TEXTS["control"]}, "target"),
        ({"scope": "sku", "target": "shirt m"}, "target"),
        ({"scope": "all"}, "target"),
        ({"start_date": "2026-7-1"}, "start_date"),
        ({"start_date": "1999-12-31"}, "start_date"),
        ({"start_date": f"{TODAY.year + 6}-01-01"}, "start_date"),
        ({"end_date": ""}, "end_date"),
        ({"end_date": "2026-06-30"}, "end_date"),
        ({"end_date": "2028-07-03"}, "end_date"),
        ({"kind": "Mark down"}, "kind"),
        ({"discount_share": 30}, "discount_share"),
        ({"discount_share": -0.1}, "discount_share"),
        ({"discount_share": float("nan")}, "discount_share"),
        ({"price_micros": 1}, "discount_share"),
        ({"discount_share": 0, "price_micros": -1}, "price_micros"),
        ({"cancelled": True}, "cancelled"),
    ]),
    *((CALENDAR, change, field) for change, field in [
        ({"event": ""}, "event"),
        ({"event": "Black Friday"}, "event"),
        ({"store": "?"}, "store"),
        ({"start_date": ""}, "start_date"),
        ({"end_date": "2026-06-01"}, "end_date"),
        ({"cancelled": True}, "cancelled"),
    ]),
    *((ATTRIBUTES, change, field) for change, field in [
        ({"sku": "shirt"}, "sku"),
        ({"attributes": {}}, "attributes"),
        ({"attributes": {f"a{at}": "x" for at in range(33)}}, "attributes"),
        ({"attributes": {"Style": "x"}}, "attributes"),
        ({"attributes": {"sku": "x"}}, "attributes"),
        ({"attributes": {"style": ""}}, "attributes[style]"),
        ({"attributes": {"style": TEXTS["long"]}}, "attributes[style]"),
    ]),
    *((STOCK_DAYS, change, field) for change, field in [
        ({"store": "-"}, "store"),
        ({"sku": ""}, "sku"),
        ({"stock_date": "2026-02-30"}, "stock_date"),
        ({"stock_date": str(TODAY + timedelta(days=2))}, "stock_date"),
        ({"on_hand_units": -1}, "on_hand_units"),
        ({"on_hand_units": 10**9 + 1}, "on_hand_units"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "field"), BAD)
async def test_a_bad_field_is_named_with_its_row_and_keeps_all_out(
    desk: Desk, kind: Kind, change: dict[str, Any], field: str
) -> None:
    bad = kind.line(**(kind.good | {"row": 7} | change))
    code, reason, metadata, fields = await refused(desk.imports(kind, [*kind.lines({}), bad]))
    assert (code, reason) == (INVALID, "IMPORT_REJECTED")
    assert metadata == {"rejected_lines": "1"}
    assert fields == [f"lines[{bad.row}].{field}"]
    assert await desk.walks(kind, 50) == []


async def test_a_line_of_neither_sku_nor_store_is_named(desk: Desk) -> None:
    bad = attributes_pb.AttributeLine(row=3, attributes={"style": "x"})
    assert (await refused(desk.imports(ATTRIBUTES, [bad])))[3] == ["lines[3].sku"]


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
async def test_an_import_needs_a_uuid_and_lines(desk: Desk, kind: Kind) -> None:
    _, reason, _, fields = await refused(desk.imports(kind, kind.lines({}), "no-uuid"))
    assert (reason, fields) == ("INVALID_REQUEST", ["request_id"])
    _, reason, _, fields = await refused(desk.imports(kind, []))
    assert (reason, fields) == ("INVALID_REQUEST", ["lines"])
    many = kind.lines(*({} for _ in range(1_001)))
    _, reason, _, fields = await refused(desk.imports(kind, many, lines_per_message=2_000))
    assert (reason, fields) == ("INVALID_REQUEST", ["lines"])


@pytest.mark.parametrize("kind", [PROMOTIONS, CALENDAR], ids=IDS[:2])
async def test_nothing_is_known_before_now_and_one_import_has_one_moment(
    desk: Desk, kind: Kind
) -> None:
    for moment in (NOW + timedelta(days=1), datetime(1999, 12, 31, tzinfo=UTC)):
        call = desk.imports(kind, kind.lines({}), known_time=to_timestamp(moment))
        assert (await refused(call))[3] == ["known_time"]

    async def two_moments() -> AsyncIterator[Any]:
        for days in (2, 1):
            moment = to_timestamp(NOW - timedelta(days=days))
            yield kind.message(request_id=name, known_time=moment, lines=kind.lines({}))

    name = str(uuid4())
    call = getattr(kind.stub(desk.channel), kind.method)(two_moments(), metadata=desk.who)
    assert (await refused(call))[3] == ["known_time"]


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
async def test_writing_and_reading_need_their_permissions(
    running: Api, desk: Desk, kind: Kind
) -> None:
    desk.who = running.as_tenant(uuid4(), ["forecast:read", "inventory:write"])
    call = desk.imports(kind, kind.lines({}))
    assert (await refused(call))[:2] == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING")
    desk.who = running.as_tenant(uuid4(), ["forecast:write", "inventory:read"])
    assert (await refused(desk.lists(kind)))[1] == "PERMISSION_MISSING"


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
async def test_a_page_token_belongs_to_its_list(desk: Desk, kind: Kind) -> None:
    key = "sku" if kind in (ATTRIBUTES, STOCK_DAYS) else "store"
    await desk.imports(kind, kind.lines({key: "A" if key == "sku" else "a"},
                                        {key: "B" if key == "sku" else "b"}))  # fmt: skip
    token = (await desk.lists(kind, page_size=1)).next_page_token
    assert token
    assert not (await desk.lists(kind, page_size=1, page_token=token)).next_page_token
    other = next(each for each in KINDS if each is not kind)
    for wrong in (token + "x", "x"):
        assert (await refused(desk.lists(kind, page_token=wrong)))[3] == ["page_token"]
    assert (await refused(desk.lists(other, page_token=token)))[3] == ["page_token"]
    assert (await refused(desk.lists(kind, page_size=501)))[3] == ["page_size"]


@pytest.mark.parametrize(
    ("kind", "request_fields", "field"),
    [
        (PROMOTIONS, {"parent": "shops/rome"}, "parent"),
        (PROMOTIONS, {"as_of": to_timestamp(NOW + timedelta(days=1))}, "as_of"),
        (CALENDAR, {"parent": "stores/Rome"}, "parent"),
        (ATTRIBUTES, {"subject": 7}, "subject"),
        (STOCK_DAYS, {"parent": "stores/"}, "parent"),
        (STOCK_DAYS, {"sku": "x y"}, "sku"),
    ],
)
async def test_a_list_names_the_field_that_is_wrong(
    desk: Desk, kind: Kind, request_fields: dict[str, Any], field: str
) -> None:
    assert (await refused(desk.lists(kind, **request_fields)))[3] == [field]


async def test_a_tenant_lists_nothing_of_anothers(running: Api, desk: Desk) -> None:
    for kind in KINDS:
        await desk.imports(kind, kind.lines({}))
    other = Desk(running)
    for kind in KINDS:
        assert await other.walks(kind, 10) == []
