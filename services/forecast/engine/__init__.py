"""The forecasting engine: a library of pure functions on numpy, scipy and LightGBM.

It knows panels of numbers, not tenants, databases or contracts. Nothing here reads a clock, a file
or a random source that was not given to it, and nothing reads past the end of the panel it is
given: a forecast from an origin is made from `Panel.until(origin, ahead)`, which has no more.
"""
