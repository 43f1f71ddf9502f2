"""Cold start messages to domain values and back. A field that breaks its rule: InvalidArgument."""

import math

from hemline.forecast.v1 import cold_start_service_pb2 as pb

from services.chassis.fields import Fields
from services.forecast.domain.cold_start import (
    DEFAULT_WEEKS,
    MOST_ANALOGUES,
    MOST_ATTRIBUTES,
    MOST_SIZES,
    MOST_STORES,
    MOST_WEEKS,
    MOST_WEIGHT,
    Expected,
    NewProduct,
)
from services.forecast.wire.filters import MOST_VALUE_CHARACTERS, are_attributes, are_stores
from services.forecast.wire.lines import is_text


def wanted_from(request: pb.ForecastNewProductRequest) -> NewProduct:
    fields = Fields()
    attributes = tuple(sorted(request.attributes.items()))
    valued = len(attributes) > 0 and all(value for _, value in attributes)
    if not valued or not are_attributes(request.attributes, MOST_ATTRIBUTES):
        rule = f"must be 1 to {MOST_ATTRIBUTES} names of attributes with printable values."
        fields.refuse("attributes", rule)
    if not are_stores(request.stores, MOST_STORES):
        fields.refuse("stores", f"must be at most {MOST_STORES} names of stores.")
    if not 0 <= request.horizon_weeks <= MOST_WEEKS:
        fields.refuse("horizon_weeks", f"must be 1 to {MOST_WEEKS}, or 0 for {DEFAULT_WEEKS}.")
    analogues = {analogue.product: analogue.weight for analogue in request.analogues}
    fair = all(
        is_text(product, MOST_VALUE_CHARACTERS)
        and math.isfinite(weight)
        and 0 < weight <= MOST_WEIGHT
        for product, weight in analogues.items()
    )
    if len(request.analogues) > min(MOST_ANALOGUES, len(analogues)) or not fair:
        rule = f"must be at most {MOST_ANALOGUES} products, each once, with weights above 0, "
        fields.refuse("analogues", f"{rule}at most {MOST_WEIGHT:.0f}.")
    sizes = tuple(request.sizes)
    named = all(is_text(size, MOST_VALUE_CHARACTERS) for size in sizes)
    if len(sizes) > min(MOST_SIZES, len(set(sizes))) or not named:
        fields.refuse("sizes", f"must be at most {MOST_SIZES} printable values, each once.")
    fields.check()
    weeks = request.horizon_weeks or DEFAULT_WEEKS
    stores = tuple(sorted(set(request.stores)))
    return NewProduct(attributes, stores, weeks, tuple(analogues.items()), sizes)


def message_of_expected(expected: Expected) -> pb.ForecastNewProductResponse:
    whole = sum(store.mean for store in expected.stores)
    return pb.ForecastNewProductResponse(
        forecasts=[
            pb.NewProductForecast(
                store=store.store,
                mean_units=store.mean,
                p10_units=store.p10,
                p50_units=store.p50,
                p90_units=store.p90,
                weekly_mean_units=store.weekly,
            )
            for store in expected.stores
        ],
        analogues=[pb.Analogue(**analogue._asdict()) for analogue in expected.analogues],
        sizes=[
            pb.NewProductSize(size=size, share=share, mean_units=share * whole)
            for size, share in expected.sizes
        ],
    )
