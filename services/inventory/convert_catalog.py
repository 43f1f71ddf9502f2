"""Catalogue messages to domain values and back."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from hemline.inventory.v1 import catalog_service_pb2 as pb

from services.chassis.paging import Limits, Page, page_from
from services.chassis.wire import to_timestamp
from services.inventory.domain import Sku, StoreId
from services.inventory.domain_catalog import MOST_CHOICES, MOST_SIZES, Choice, Size, Store, Style
from services.inventory.fields import Fields

STYLE_PAGES = Limits(default=50, most=200)
STORE_PAGES = Limits(default=50, most=500)

MOST_DISPLAY_NAME = 200
MOST_CATEGORY = 63
MOST_COLOUR = 63
MOST_SIZE = 20


class NewStyle(NamedTuple):
    request_id: UUID
    style: Style


class NewStore(NamedTuple):
    request_id: UUID
    store: Store


def style_from(request: pb.CreateStyleRequest) -> NewStyle:
    fields = Fields()
    request_id = fields.request_id(request.request_id)
    stated = request.style
    if not request.HasField("style"):
        fields.refuse("style", "needed.")
        fields.check()
    style = Style(
        name=fields.name(stated.name, "style.name", "styles"),
        display_name=fields.text(stated.display_name, "style.display_name", MOST_DISPLAY_NAME),
        category=fields.text(stated.category, "style.category", MOST_CATEGORY),
        choices=_choices_from(stated, fields),
    )
    fields.check()
    return NewStyle(request_id, style)


def _choices_from(stated: pb.Style, fields: Fields) -> tuple[Choice, ...]:
    if not 1 <= len(stated.choices) <= MOST_CHOICES:
        fields.refuse("style.choices", f"must be 1 to {MOST_CHOICES} colours.")
        return ()
    choices = []
    colours: set[str] = set()
    skus: set[str] = set()
    for number, choice in enumerate(stated.choices):
        path = f"style.choices[{number}]"
        colour = fields.text(choice.colour, f"{path}.colour", MOST_COLOUR, optional=False)
        _once(colour, colours, f"{path}.colour", "style", fields)
        choices.append(Choice(colour, _sizes_from(choice, path, skus, fields)))
    return tuple(choices)


def _sizes_from(choice: pb.Choice, path: str, skus: set[str], fields: Fields) -> tuple[Size, ...]:
    if not 1 <= len(choice.sizes) <= MOST_SIZES:
        fields.refuse(f"{path}.sizes", f"must be 1 to {MOST_SIZES} sizes.")
        return ()
    made = []
    sizes: set[str] = set()
    for number, stated in enumerate(choice.sizes):
        size_path = f"{path}.sizes[{number}]"
        size = fields.text(stated.size, f"{size_path}.size", MOST_SIZE, optional=False)
        sku = fields.sku(stated.sku, f"{size_path}.sku")
        _once(size, sizes, f"{size_path}.size", "choice", fields)
        _once(sku, skus, f"{size_path}.sku", "style", fields)
        made.append(Size(size, Sku(sku)))
    return tuple(made)


def _once(value: str, seen: set[str], field: str, whole: str, fields: Fields) -> None:
    if value and value in seen:
        fields.refuse(field, f"stands in the {whole} twice.")
    seen.add(value)


def style_to(style: Style, create_time: datetime) -> pb.Style:
    return pb.Style(
        name=f"styles/{style.name}",
        display_name=style.display_name,
        category=style.category,
        choices=[
            pb.Choice(
                colour=choice.colour,
                sizes=[pb.Size(size=size.size, sku=size.sku) for size in choice.sizes],
            )
            for choice in style.choices
        ],
        create_time=to_timestamp(create_time),
    )


def style_name_from(request: pb.GetStyleRequest) -> str:
    fields = Fields()
    name = fields.name(request.name, "name", "styles")
    fields.check()
    return name


def styles_page_from(request: pb.ListStylesRequest) -> Page:
    return page_from(request, STYLE_PAGES, "styles", key=(str,))


def store_from(request: pb.CreateStoreRequest) -> NewStore:
    fields = Fields()
    request_id = fields.request_id(request.request_id)
    stated = request.store
    if not request.HasField("store"):
        fields.refuse("store", "needed.")
        fields.check()
    store = Store(
        name=StoreId(fields.name(stated.name, "store.name", "stores")),
        display_name=fields.text(stated.display_name, "store.display_name", MOST_DISPLAY_NAME),
        time_zone=fields.time_zone(stated.time_zone, "store.time_zone"),
    )
    fields.check()
    return NewStore(request_id, store)


def store_to(store: Store, create_time: datetime) -> pb.Store:
    return pb.Store(
        name=f"stores/{store.name}",
        display_name=store.display_name,
        time_zone=store.time_zone,
        create_time=to_timestamp(create_time),
    )


def stores_page_from(request: pb.ListStoresRequest) -> Page:
    return page_from(request, STORE_PAGES, "stores", key=(str,))
