"""Accuracy and cost of the forecasting engine beside yardsticks, on panels of real sales."""
