"""`hemline stock` shows what is on hand: one matrix of colours and sizes for each style."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from hemline.inventory.v1 import catalog_service_pb2 as catalog_pb
from hemline.inventory.v1 import catalog_service_pb2_grpc as catalog_grpc
from hemline.inventory.v1 import inventory_service_pb2 as pb
from hemline.inventory.v1 import inventory_service_pb2_grpc as pb_grpc
from rich.text import Text

from cli import output
from cli.pages import pages
from cli.problems import report_errors
from cli.session import sign_in

LEVELS_PER_PAGE = 500
STYLES_PER_PAGE = 200

Sizes = dict[str, int]


def register(app: typer.Typer) -> None:
    app.command("stock")(show)


def show(
    *,
    user: Annotated[str, typer.Option(help="Whose stock: the e-mail of an account.")],
    store: Annotated[str, typer.Option(help="Only this store; else the sum over all.")] = "-",
    style: Annotated[str, typer.Option(help="Only this style.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The levels as JSON.")] = False,
) -> None:
    """Show the stock on hand, style by style: a row for each colour, a column for each size."""
    parent = f"stores/{store.removeprefix('stores/')}"
    with report_errors(), sign_in(user).channel() as channel:
        levels = _levels(pb_grpc.InventoryServiceStub(channel), parent)
        styles = [] if as_json else _styles(catalog_grpc.CatalogServiceStub(channel))
    wanted = f"styles/{style.removeprefix('styles/')}" if style else ""
    levels = [level for level in levels if wanted in ("", level.style)]
    if as_json:
        plain = [output.plain(one) for one in levels]
        output.print_json({"stock_levels": plain})
        return
    if not levels:
        typer.echo("No stock there.")
    units = _sum(levels)
    for one in styles:
        if one.name in units:
            _print_style(one, units[one.name])


def _levels(stub: Any, parent: str) -> list[pb.StockLevel]:
    request = pb.ListStockLevelsRequest(parent=parent)
    read = pages(stub.ListStockLevels, request, "stock_levels", page_size=LEVELS_PER_PAGE)
    return [level for page in read for level in page.stock_levels]


def _styles(stub: Any) -> list[catalog_pb.Style]:
    """All styles. They know the order of the size run."""
    request = catalog_pb.ListStylesRequest()
    read = pages(stub.ListStyles, request, "styles", page_size=STYLES_PER_PAGE)
    return [style for page in read for style in page.styles]


def _sum(levels: Iterable[pb.StockLevel]) -> dict[str, dict[str, Sizes]]:
    """Units by style, colour and size, over the stores."""
    units: dict[str, dict[str, Sizes]] = defaultdict(lambda: defaultdict(dict))
    for level in levels:
        sizes = units[level.style][level.colour]
        sizes[level.size] = sizes.get(level.size, 0) + level.on_hand_units
    return units


def _print_style(style: catalog_pb.Style, colours: dict[str, Sizes]) -> None:
    sizes = list(dict.fromkeys(size.size for choice in style.choices for size in choice.sizes))
    rows = []
    for choice in style.choices:
        if of_colour := colours.get(choice.colour):
            cells = [_cell(of_colour.get(size)) for size in sizes]
            rows.append((choice.colour, *cells, f"{sum(of_colour.values()):,}"))
    name = style.display_name or style.name.removeprefix("styles/")
    title = f"{name} ({style.category})" if style.category else name
    headings = ("Colour", *(f">{size}" for size in sizes), ">Total")
    output.print_table(title, headings, rows)
    typer.echo()


def _cell(units: int | None) -> str | Text:
    """A dot where the size never was, and a 0 that stands out where it has run out."""
    if units is None:
        return "·"
    return f"{units:,}" if units else Text("0", style="red")
