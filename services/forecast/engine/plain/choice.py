"""Chooses among candidates by their errors on earlier origins."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.plain import weights
from services.forecast.engine.plain.candidates import OWN_PROFILES, Key, names, worth_logs
from services.forecast.engine.plain.workshop import Workshop

EARLIER = 3
LEAST_PAST = 2
SAME_PEAK = 1.25  # Up to so many times the height that was judged is no new peak,
LEAST_PEAK = 0.05  # nor is what departs so little from the mean.
MOST_GROWTH = 5.0  # Of a forecast over the highest that was seen: more is a trend gone astray.
DEFAULT = ("level 4", "level 16", "smooth")  # Where there is no earlier origin to learn from.
KEPT_SHARE = 0.3  # Of the past: what an earlier origin must have seen,
LATEST_SHARE = 0.55  # and the latest of them: rather part of a horizon than too short a past.


@dataclass(frozen=True, slots=True)
class Choice:
    """Candidates for one origin, and how to weigh them."""

    origin: int
    earlier: tuple[int, ...]
    keys: tuple[Key, ...]
    stand_ins: tuple[Key, ...]  # For the keys, at the earlier origins.
    gram: Floats  # (keys, keys). The panel's products of errors.
    start: Floats  # (keys,). The panel's weights.

    def forecast(self, shop: Workshop) -> Floats:
        """(ahead, series)."""
        made = shop.forecasts(self.origin, self.keys)
        shares = np.broadcast_to(self.start, (made.shape[2], self.start.size))
        if self.earlier:
            found = [shop.errors(each, self.stand_ins, self.origin) for each in self.earlier]
            errors = np.concatenate([error for error, _ in found], axis=1)
            known = np.concatenate([one for _, one in found])
            shares = weights.each(errors, known, self.gram, self.start)
        forecast = np.einsum("nk,khn->hn", shares, made)
        highest = MOST_GROWTH * shop.observed(self.origin).highest()
        bounded: Floats = np.minimum(forecast, highest)
        return bounded


def choose(sample: Workshop, origin: int) -> Choice:
    """The candidates worth their while on the ``sample`` of a panel."""
    profiles = sample.learned(origin).names()
    whole = _whole(origin, sample.ahead)
    alike = [each for each in whole if sample.learned(each).names() == profiles]
    if not alike or alike[0] < LATEST_SHARE * origin:
        parts = [origin - sample.ahead // 2, origin - sample.ahead // 4]
        parts = [each for each in parts if LEAST_PAST <= each < origin]
        alike = [each for each in parts if sample.learned(each).names() == profiles][:1] or alike
    keys = names(profiles, logs=worth_logs(sample.observed(origin)))
    own = _own(profiles)
    if alike:
        if not _shown(sample, origin, alike):
            keys = [key for key in keys if key[0].startswith(own)]
        return _chosen(sample, origin, alike, keys, keys)
    if not whole:
        some = tuple((own, model) for model in DEFAULT)
        equal = np.full(len(some), 1.0 / len(some))
        return Choice(origin, (), some, some, np.eye(len(some)), equal)
    # The year is not yet in the earlier origins: its profile is taken on trust, since it is drawn
    # towards none by how well it repeats, and the rest is chosen as if there were none.
    keys = [key for key in keys if key[0] == own]
    before = _own(sample.learned(whole[0]).names())
    return _chosen(sample, origin, whole[:1], keys, [(before, model) for _, model in keys])


def _chosen(
    sample: Workshop, origin: int, earlier: list[int], keys: list[Key], stand_ins: list[Key]
) -> Choice:
    found = [sample.errors(each, stand_ins, origin)[0] for each in earlier]
    errors, scales = np.concatenate(found, axis=1), sample.scales(origin)
    typical = np.median((errors**2).mean(axis=1), axis=0)
    kept, start = weights.select(weights.products(errors, weights.importance(typical, scales)))
    # Again, now that it is known how well the kept ones together do on each series.
    errors = errors[kept]
    together = (np.einsum("k,kns->ns", start, errors) ** 2).mean(axis=0)
    gram = weights.products(errors, weights.importance(together, scales))
    return Choice(
        origin,
        tuple(earlier),
        tuple(keys[each] for each in kept),
        tuple(stand_ins[each] for each in kept),
        gram,
        weights.best(gram),
    )


def _whole(origin: int, ahead: int) -> list[int]:
    """Earlier origins to learn from, the latest first: up to three that do not overlap."""
    least = max(LEAST_PAST, KEPT_SHARE * origin)
    found = [origin - ahead * (1 + each) for each in range(EARLIER)]
    return [each for each in found if each >= least]


def _shown(sample: Workshop, origin: int, earlier: list[int]) -> bool:
    """Whether the earlier origins had a season like the one ahead, as far as the panel has one.

    If not, they cannot judge profiles, and poorer ones are not to compete with the richest, which
    has proved itself by repeating.
    """
    learned, ahead = sample.learned(origin), sample.ahead
    before = max(learned.peak(each, min(each + ahead, origin)) for each in earlier)
    return learned.peak(origin, origin + ahead) <= SAME_PEAK * before + LEAST_PEAK


def _own(profiles: Collection[str]) -> str:
    """The richest profile of each series' own."""
    return next(name for name in OWN_PROFILES if name in profiles)
