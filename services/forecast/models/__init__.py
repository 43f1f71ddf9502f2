"""Forecasting models: pure functions of arrays, on numpy alone."""
