"""Two retailers' work with canaries in every field, through the edges, as clients do it.

Signing in, catalogue, stock, sales, forecasts; mistakes of all kinds; every method at the other
jurisdiction's edges; and reads while the home region's service is frozen, answered by a sibling.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
from hemline.forecast.v1 import forecast_service_pb2 as forecast_pb
from hemline.forecast.v1 import forecast_service_pb2_grpc as forecast_grpc
from hemline.forecast.v1 import sales_service_pb2 as sales_pb
from hemline.forecast.v1 import sales_service_pb2_grpc as sales_grpc
from hemline.identity.v1 import identity_service_pb2 as identity_pb
from hemline.identity.v1 import identity_service_pb2_grpc as identity_grpc
from hemline.identity.v1 import tenant_service_pb2 as tenant_pb
from hemline.identity.v1 import tenant_service_pb2_grpc as tenant_grpc
from hemline.inventory.v1 import catalog_service_pb2 as catalog_pb
from hemline.inventory.v1 import catalog_service_pb2_grpc as catalog_grpc
from hemline.inventory.v1 import inventory_service_pb2 as inventory_pb
from hemline.inventory.v1 import inventory_service_pb2_grpc as inventory_grpc

from cli.session import Session, connect, sign_in
from cli.tenant import open_account, operator
from deploy.local import state
from deploy.local.world import World
from proofs.leaks import plans
from proofs.leaks.canaries import Canaries
from proofs.leaks.scan import Family

SECONDS = 20
DAYS = 60
RECEIPT = inventory_pb.MovementReason.MOVEMENT_REASON_RECEIPT


class Retailer:
    """One retailer with its planner, at home in ``region``."""

    def __init__(self, name: str, region: str) -> None:
        self.region = region
        self.words = Canaries(name)
        self.email = f"{self.words.text('e-mail')}@retailer.example"
        self.families: list[Family] = [self.words.family]
        self.calls = 0
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        if self._session is None:
            self._session = sign_in(self.email)
        return self._session

    def sign_up(self) -> None:
        name = f"tenants/{self.words.text('tenant')}"
        with operator(self.region).channel() as channel:
            stub = tenant_grpc.TenantServiceStub(channel)
            tenant = tenant_pb.Tenant(
                name=name, display_name=self.words.text("tenant display name")
            )
            made = self._ok(
                stub.CreateTenant,
                tenant_pb.CreateTenantRequest(tenant=tenant, request_id=self.words.fresh_id()),
            ).tenant
            user = tenant_pb.User(email=self.email, role="planner")
            self._ok(
                stub.CreateUser,
                tenant_pb.CreateUserRequest(
                    parent=name, user=user, request_id=self.words.fresh_id()
                ),
            )
        open_account(self.email, self.region)
        self.families.append(self.words.assigned("tenant id", UUID(made.uid)))

    def work(self) -> None:
        """Writes a canary into every field that is kept."""
        with self.session.channel() as channel:
            who = self._ok(
                identity_grpc.IdentityServiceStub(channel).WhoAmI, identity_pb.WhoAmIRequest()
            )
            self.families.append(self.words.assigned("user id", UUID(_last(who.user))))
            self._catalogue(catalog_grpc.CatalogServiceStub(channel))
            self._stock(inventory_grpc.InventoryServiceStub(channel))
            self._ok(
                sales_grpc.SalesServiceStub(channel).ImportSales,
                iter([sales_pb.ImportSalesRequest(**self._sales())]),
            )
            for method, message in plans.writes(self.words, channel):
                self._ok(method, iter([message]))
            self._ok(
                forecast_grpc.ForecastServiceStub(channel).CreateForecastRun,
                forecast_pb.CreateForecastRunRequest(
                    horizon_days=14, request_id=self.words.text("run request")
                ),
            )

    def read(self) -> None:
        """Reads back what was written, by way of caches where there are any."""
        with self.session.channel() as channel:
            for method, request in self._reads(channel):
                self._ok(method, request)

    def err(self) -> None:
        """Makes the mistakes that put a caller's words into answers."""
        word, upper = self.words.text, self.words.upper
        with self.session.channel() as channel:
            stock = inventory_grpc.InventoryServiceStub(channel)
            level = f"stores/{word('unknown store')}/levels/{upper('unknown sku')}"
            self._refused(stock.GetStockLevel, inventory_pb.GetStockLevelRequest(name=level))
            self._refused(
                stock.ListStockLevels,
                inventory_pb.ListStockLevelsRequest(page_token=word("page token")),
            )
            style = catalog_pb.Style(name=f"styles/{word('style')}", category=word("bad category"))
            style.category = f"{style.category} {'x' * 300}\n"
            self._refused(
                catalog_grpc.CatalogServiceStub(channel).CreateStyle,
                catalog_pb.CreateStyleRequest(style=style, request_id=self.words.fresh_id()),
            )
            self._refused(
                forecast_grpc.ForecastServiceStub(channel).GetForecast,
                forecast_pb.GetForecastRequest(
                    name=f"stores/{word('store')}/forecasts/{upper('unknown forecast')}"
                ),
            )
        with connect(self.session.home_endpoint) as channel:
            bad = [("authorization", f"Bearer {word('broken token')}")]
            self._refused(
                inventory_grpc.InventoryServiceStub(channel).ListStockLevels,
                inventory_pb.ListStockLevelsRequest(),
                metadata=bad,
            )

    def go_abroad(self, endpoint: str) -> None:
        """Sends reads and writes to an edge of another jurisdiction, which turns them away."""
        word = self.words.text
        headers = [("x-canary", word("header")), ("x-request-id", word("header"))]
        agent = [("grpc.primary_user_agent", word("user agent")), ("grpc.enable_http_proxy", 0)]
        token = [("authorization", f"Bearer {self.session.token}")]
        with grpc.insecure_channel(endpoint.partition("//")[2], agent) as channel:
            for method, request in (*self._reads(channel), *self._writes(channel)):
                self._refused(method, request, metadata=[*token, *headers])
            path = f"/hemline.inventory.v1.InventoryService/ListStockLevels?q={word('query')}"
            self._refused(
                channel.unary_unary(path), word("query").encode(), metadata=[*token, *headers]
            )

    def _catalogue(self, stub: Any) -> None:
        for request in self._catalogue_requests():
            style = isinstance(request, catalog_pb.CreateStyleRequest)
            self._ok(stub.CreateStyle if style else stub.CreateStore, request)

    def _catalogue_requests(self) -> Iterator[Any]:
        word, upper = self.words.text, self.words.upper
        yield catalog_pb.CreateStoreRequest(
            store=catalog_pb.Store(
                name=f"stores/{word('store')}",
                display_name=word("store display name"),
                time_zone="Europe/Berlin",
            ),
            request_id=word("store request"),
        )
        sizes = [
            catalog_pb.Size(size="M", sku=upper("sku")),
            catalog_pb.Size(size="L", sku=upper("other sku")),
        ]
        yield catalog_pb.CreateStyleRequest(
            style=catalog_pb.Style(
                name=f"styles/{word('style')}",
                display_name=word("style display name"),
                category=word("category"),
                choices=[catalog_pb.Choice(colour=word("colour"), sizes=sizes)],
            ),
            request_id=word("style request"),
        )

    def _stock(self, stub: Any) -> None:
        self._ok(stub.RecordMovement, self._movement(self.words.text("movement request")))
        word = self.words.text
        line = inventory_pb.StockLine(
            row=1,
            store=word("imported store"),
            sku=self.words.upper("imported sku"),
            on_hand_units=31,
            style=word("imported style"),
            colour=word("imported colour"),
            size="M",
            category=word("imported category"),
        )
        request = inventory_pb.ImportStockRequest(
            request_id=word("stock import request"), lines=[line]
        )
        request.count_time.FromDatetime(datetime.now(UTC))
        self._ok(stub.ImportStock, iter([request]))

    def _movement(self, request_id: str) -> Any:
        movement = inventory_pb.Movement(
            sku=self.words.upper("sku"), delta_units=40, reason=RECEIPT
        )
        movement.occur_time.FromDatetime(datetime.now(UTC))
        parent = f"stores/{self.words.text('store')}"
        return inventory_pb.RecordMovementRequest(
            parent=parent, movement=movement, request_id=request_id
        )

    def _sales(self) -> dict[str, Any]:
        first = datetime.now(UTC).date() - timedelta(days=DAYS)
        lines = [
            sales_pb.SalesLine(
                row=day + 1,
                document=f"{self.words.text('document')}-{day}",
                store=self.words.text("store"),
                sku=self.words.upper("sku"),
                product=self.words.text("product"),
                sale_date=(first + timedelta(days=day)).isoformat(),
                units=1 + day % 3,
                unit_price_micros=19_900_000,
            )
            for day in range(DAYS)
        ]
        return {"request_id": self.words.text("sales import request"), "lines": lines}

    def _reads(self, channel: Any) -> Iterator[tuple[Callable[..., Any], Any]]:
        stock = inventory_grpc.InventoryServiceStub(channel)
        catalogue = catalog_grpc.CatalogServiceStub(channel)
        forecasts = forecast_grpc.ForecastServiceStub(channel)
        store = f"stores/{self.words.text('store')}"
        level = f"{store}/levels/{self.words.upper('sku')}"
        yield stock.GetStockLevel, inventory_pb.GetStockLevelRequest(name=level)
        yield stock.ListStockLevels, inventory_pb.ListStockLevelsRequest(parent=store)
        style = f"styles/{self.words.text('style')}"
        yield catalogue.GetStyle, catalog_pb.GetStyleRequest(name=style)
        yield catalogue.ListStores, catalog_pb.ListStoresRequest()
        yield forecasts.ListForecasts, forecast_pb.ListForecastsRequest(parent=store)
        yield forecasts.ListTrendingProducts, forecast_pb.ListTrendingProductsRequest()
        yield from plans.reads(self.words, channel)

    def _writes(self, channel: Any) -> Iterator[tuple[Callable[..., Any], Any]]:
        catalogue = catalog_grpc.CatalogServiceStub(channel)
        for request in self._catalogue_requests():
            style = isinstance(request, catalog_pb.CreateStyleRequest)
            yield (catalogue.CreateStyle if style else catalogue.CreateStore), request
        abroad = self.words.text("abroad request")
        yield (
            inventory_grpc.InventoryServiceStub(channel).RecordMovement,
            self._movement(abroad),
        )
        sales = sales_grpc.SalesServiceStub(channel)
        imports = (
            (sales.ImportSales, sales_pb.ImportSalesRequest(**self._sales())),
            *plans.writes(self.words, channel),
        )
        for method, message in imports:
            yield _with_one(method), message

    def _ok(self, method: Callable[..., Any], request: Any) -> Any:
        self.calls += 1
        return method(request, timeout=SECONDS)

    def _refused(self, method: Callable[..., Any], request: Any, **options: Any) -> None:
        self.calls += 1
        try:
            method(request, timeout=SECONDS, **options)
        except grpc.RpcError:
            return
        raise AssertionError("a call was answered that had to be refused")


def _with_one(method: Callable[..., Any]) -> Callable[..., Any]:
    """Calls a method that takes a stream with a single message."""
    return lambda message, **options: method(iter([message]), **options)


def _last(name: str) -> str:
    return name.rpartition("/")[2]


@contextmanager
def frozen(found: World, part: str) -> Iterator[None]:
    """Stops the clock of ``part``, such as `eu-central-1/inventory`: its calls go to a sibling."""
    status = state.read(found.places.status)
    record = status.parts[part].process if status else None
    process = record.find() if record else None
    if process is None:
        raise RuntimeError(f"{part} does not run")
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)
