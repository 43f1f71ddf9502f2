"""The ranking of best-sellers, against what would sell best with full shelves everywhere."""

from dataclasses import replace

import numpy as np
from scipy.stats import spearmanr

from benchmarks.season.world import World, world
from services.forecast.engine.arrays import Floats
from services.forecast.engine.popularity import popularity

STYLES = 40
SHARE = 0.3
TOP = 10


def measure(seed: int) -> dict[str, float]:
    """Rank correlation and share of the true top ten, of the engine's bound and of raw units."""
    made = world(seed, stock_out_share=SHARE, styles=STYLES)
    choice, store = made.panel.static["choice"], made.panel.static["store"]
    found = popularity(made.uncensored(), choice, store)
    truth = _truth(made)
    raw = np.bincount(choice, np.nansum(made.sold[:, -56:], axis=1), truth.size)
    known = found.order
    best = set(known[np.argsort(-truth[known], kind="stable")][:TOP].tolist())
    units = known[np.argsort(-raw[known], kind="stable")]
    return {
        "rank_ic": float(spearmanr(found.lower[known], truth[known]).statistic),
        "units_rank_ic": float(spearmanr(raw[known], truth[known]).statistic),
        "top10": len(best & set(known[:TOP].tolist())) / TOP,
        "units_top10": len(best & set(units[:TOP].tolist())) / TOP,
        "bound_holds": float((truth[known] >= found.lower[known]).mean()),
    }


def _truth(made: World) -> Floats:
    """(choices,). The rate that endless customers and full shelves would show."""
    wanted = replace(made.panel, units=np.where(made.on_sale, made.expected, np.nan) * 1e6)
    return popularity(wanted, made.panel.static["choice"], made.panel.static["store"]).rate
