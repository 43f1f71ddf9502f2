"""The season as a whole: repeatable, of the promised size, and true to itself."""

import re
from collections import Counter
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from season import Season, SeasonConfig, simulate
from season.presets import ATELIER_NORD, HARBOR_AND_PINE, PRESETS, season_of

END = date(2026, 10, 31)


def test_equal_configurations_give_equal_seasons(small: SeasonConfig) -> None:
    one, two = simulate(small), simulate(replace(small))
    assert list(one.sales) == list(two.sales)
    assert list(one.stock) == list(two.stock)
    assert one.promotions == two.promotions
    for name in ("expected", "demand", "sold", "available", "on_sale"):
        assert np.array_equal(getattr(one.truth, name), getattr(two.truth, name))


@pytest.mark.parametrize("change", [{"seed": 2}, {"retailer": HARBOR_AND_PINE}])
def test_another_seed_or_retailer_gives_another_season(
    small: SeasonConfig, change: dict[str, object]
) -> None:
    assert list(simulate(small).sales) != list(simulate(replace(small, **change)).sales)


@pytest.mark.parametrize("name", PRESETS)
def test_demo_seasons_have_the_promised_size(name: str) -> None:
    found = simulate(season_of(name, END))
    assert 600 <= len(found.series) <= 850
    assert len(found.days) == 420
    assert found.days[-1] == END
    assert 50_000 <= len(found.sales) <= 80_000


@pytest.mark.parametrize("share", [0.02, 0.08, 0.2])
def test_stock_outs_meet_their_target(share: float) -> None:
    config = replace(season_of("harbor-and-pine", END), stock_out_share=share)
    assert simulate(config).truth.stock_out_share == pytest.approx(share, abs=0.01)


def test_stock_outs_hide_high_demand_not_days_at_random(season: Season) -> None:
    truth = season.truth
    out = truth.stock_out & (truth.demand > truth.sold)
    kept = truth.on_sale & ~out
    assert truth.demand[out].mean() > 3 * truth.demand[kept].mean()
    assert 0.01 < truth.lost_share < 0.2


def test_true_demand_scatters_around_its_expectation(season: Season) -> None:
    truth = season.truth
    mean, demand = truth.expected[truth.on_sale], truth.demand[truth.on_sale]
    assert demand.sum() == pytest.approx(mean.sum(), rel=0.01)
    assert mean.mean() == pytest.approx(season.config.daily_units)
    # Negative binomial: the squared residual is mean + mean^2 / k, at every height of the mean.
    variance = mean + mean**2 / season.config.dispersion
    for low, high in ((0.05, 0.2), (0.2, 0.8), (0.8, 3.0)):
        cells = (mean >= low) & (mean < high)
        ratio = ((demand - mean) ** 2)[cells].sum() / variance[cells].sum()
        assert ratio == pytest.approx(1, abs=0.1)


def test_nothing_is_wanted_before_its_launch_or_on_closed_days(season: Season) -> None:
    truth = season.truth
    assert truth.expected[~truth.on_sale].max() == 0
    assert truth.demand[~truth.on_sale].max() == 0
    sundays = [day.weekday() == 6 for day in season.days]
    assert truth.demand[sundays].sum() == 0


def test_stock_is_conserved(season: Season) -> None:
    shelves = season.shelves
    moved = shelves.received + shelves.returned - shelves.sold
    assert np.array_equal(np.cumsum(moved, axis=0), shelves.closing)
    assert shelves.closing.min() >= 0
    assert np.array_equal(shelves.sold, np.minimum(season.truth.demand, shelves.available))


def test_first_deliveries_and_closing_levels_are_of_the_same_series(season: Season) -> None:
    closing = {(count.store, count.sku): count.on_hand_units for count in season.stock}
    opening = {(count.store, count.sku): count.on_hand_units for count in season.opening}
    assert len(closing) == len(season.series)
    assert set(opening) <= set(closing)
    assert min(opening.values()) > 0
    assert {units for key, units in closing.items() if key not in opening} <= {0}
    assert sum(closing.values()) == season.shelves.closing[-1].sum()


def test_sales_lines_add_up_to_what_left_and_came_back(season: Season) -> None:
    net: Counter[tuple[str, str, str]] = Counter()
    for line in season.sales:
        net[line.sale_date, line.store, line.sku] += line.units
    shelves = season.shelves
    expected = shelves.sold - shelves.returned
    for day, series in zip(*np.nonzero(expected), strict=True):
        sku = season.catalog.skus[season.series.sku_index[series]]
        store = season.stores[season.series.store_index[series]]
        key = (season.days[day].isoformat(), store.name, sku.sku)
        assert net.pop(key) == expected[day, series]
    assert not +net
    assert not -net


def test_sales_lines_keep_the_contract(season: Season) -> None:
    for line in season.sales:
        assert re.fullmatch(r"[A-Z0-9-]{1,64}", line.sku)
        assert re.fullmatch(r"[a-z0-9-]{1,63}", line.store)
        assert 1 <= len(line.document) <= 64
        assert line.units
        assert 0 < line.unit_price_micros <= 10**12
    products = {line.product for line in season.sales}
    assert products <= set(season.catalog.choices)
    assert list(season.sales.day) == sorted(season.sales.day)


def test_sizes_sell_in_their_shares() -> None:
    config = replace(season_of("atelier-nord", END), carried_share=1, daily_units=2.0)
    season = simulate(config)
    skus = season.catalog.skus
    demand = season.truth.demand.sum(axis=0)
    by_sku = np.bincount(season.series.sku_index, demand, len(skus))
    choice = np.array([sku.choice_index for sku in skus])
    total = np.bincount(choice, by_sku)[choice]
    share = np.array([sku.size_share for sku in skus])
    assert np.bincount(choice, share) == pytest.approx(1)
    sold = total > 0
    error = np.abs(by_sku[sold] / total[sold] - share[sold])
    # Three standard errors of a share, widened for the overdispersion of the demand.
    assert (
        error < 3 * 2.0 * np.sqrt(share * (1 - share) / total.clip(1))[sold] + 1e-9
    ).mean() > 0.98


def test_promotions_raise_demand_and_lower_the_price(season: Season) -> None:
    price = {style.name: style.price_micros for style in season.catalog.styles}
    for promotion in season.promotions:
        assert promotion.uplift > 1
        inside = [
            line.unit_price_micros
            for line in season.sales
            if line.product.startswith(f"{promotion.style}/")
            and promotion.start_date.isoformat() <= line.sale_date <= promotion.end_date.isoformat()
        ]
        assert all(paid < price[promotion.style] for paid in inside)


@given(
    seed=st.integers(0, 2**63 - 1),
    weeks=st.integers(1, 12),
    stores=st.integers(1, 10),
    styles=st.integers(1, 9),
    sizes=st.integers(1, 8),
)
@settings(max_examples=25, deadline=None)
def test_any_configuration_gives_a_season(
    seed: int, weeks: int, stores: int, styles: int, sizes: int
) -> None:
    config = SeasonConfig(
        ATELIER_NORD, END, seed=seed, weeks=weeks, stores=stores, styles=styles, sizes=sizes
    )
    found = simulate(config)
    assert found.shelves.closing.min() >= 0
    assert (found.truth.sold <= found.truth.available).all()
    assert len({sku.sku for sku in found.catalog.skus}) == len(found.catalog.skus)
    assert len({store.name for store in found.stores}) == stores
    assert len(found.catalog.styles) == styles


@pytest.mark.parametrize(
    "change",
    [{"weeks": 0}, {"stores": 0}, {"sizes": 9}, {"stock_out_share": 0.9}, {"daily_units": 0.0}],
)
def test_a_value_out_of_range_is_named(small: SeasonConfig, change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(small, **change)
