"""Figures agree with those of utilsforecast, where that is installed (uv group `yardsticks`)."""

from typing import Any

import numpy as np
import pytest

from services.forecast import metrics

pd: Any = pytest.importorskip("pandas")
losses: Any = pytest.importorskip("utilsforecast.losses")


def test_figures_agree_with_a_library_of_the_field() -> None:
    random = np.random.default_rng(1)
    series, past, ahead = 30, 60, 8
    units = random.poisson(random.gamma(2.0, 3.0, (series, 1)), (series, past + ahead)) + 1.0
    mean = random.gamma(4.0, 1.5, (series, ahead))

    def frame(values: metrics.Floats, start: int) -> Any:
        times = np.tile(np.arange(start, start + values.shape[1]), series)
        ids = np.repeat(np.arange(series), values.shape[1])
        return pd.DataFrame({"unique_id": ids, "ds": times, "y": values.ravel()})

    train, test = frame(units[:, :past], 0), frame(units[:, past:], past)
    test["model"] = mean.ravel()
    actual, scale = units[:, past:], metrics.scales(units[:, :past])

    def peer(name: str, **more: Any) -> float:
        return float(getattr(losses, name)(test, models=["model"], **more)["model"].mean())

    seasonal = metrics.seasonal_scale(units[:, :past], 7)
    assert metrics.rmsse(actual, mean, scale) == pytest.approx(
        peer("rmsse", seasonality=1, train_df=train)
    )
    assert metrics.mase(actual, mean, scale.mean_absolute) == pytest.approx(
        peer("mase", seasonality=1, train_df=train)
    )
    assert metrics.mase(actual, mean, seasonal) == pytest.approx(
        peer("mase", seasonality=7, train_df=train)
    )
    assert metrics.smape(actual, mean) == pytest.approx(200 * peer("smape"))
    for level in metrics.LEVELS:
        found = metrics.pinball(actual, mean, level).mean()
        assert found == pytest.approx(peer_quantile(test, level))


def peer_quantile(test: Any, level: float) -> float:
    found = losses.quantile_loss(test, models={"model": "model"}, q=level)
    return float(found["model"].mean())
