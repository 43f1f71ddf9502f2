"""Where the answer to another plan is cut off, because nothing like it can have been learnt."""

from collections.abc import Mapping

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats
from services.forecast.engine.promo import PromoState
from services.forecast.engine.promo.made import LOG_LIMIT
from services.forecast.engine.promo.state import followed_columns
from services.forecast.engine.promo.terms import RATIO_LIMIT, Usual

NEAR = 1e-5  # Terms are single precision.
FAR_PRICE = (
    f"A price beyond {np.exp(RATIO_LIMIT):.0f} times the usual one, or below that part of it, is "
    "answered as if it were there."
)
FAR_EFFECT = (
    f"The answer ends at the model's limit: {np.exp(LOG_LIMIT):.0f} times the planned units, or "
    "that part of them."
)


def cut_off(state: PromoState, known: Mapping[str, Floats]) -> list[str]:
    """What to say of ``known``, each (ahead,), tried on the state of one series."""
    ratio = state.ratio(0, known)
    effect = np.abs(np.log(ratio, out=np.zeros(state.ahead), where=ratio > 0))
    notes = [FAR_EFFECT] if (effect >= LOG_LIMIT - NEAR).any() else []
    return notes + ([FAR_PRICE] if _far(state, known).any() else [])


def _far(state: PromoState, known: Mapping[str, Floats]) -> Booleans:
    """(ahead,). Where a price counts that is not as planned, and is taken for a nearer one."""
    usual = {
        column.name: Usual(state.usual[:1, index, 0], state.usual[:1, index, 1])
        for index, column in enumerate(followed_columns(state.recipe))
    }
    rows = {name: known[name][np.newaxis] for name in state.columns}
    planes, _ = state.recipe.planes(rows, usual)
    found = np.zeros(state.ahead, np.bool_)
    for index, label in enumerate(state.recipe.labels()):
        if label.part == "price" and label.name.endswith(":ratio") and state.moves[0, index]:
            planned = state.planned[0, state.columns.index(label.source)]
            far = np.abs(planes[index][0]) >= RATIO_LIMIT - NEAR
            found |= far & (known[label.source] != planned)
    return found
