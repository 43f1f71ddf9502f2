"""Panels in files: Parquet or CSV in, what a forecast may know at a cutoff out, and its rows back.

A panel has the columns unique_id, ds and y, one row a series and period, and any others. Nothing
after a cutoff leaves `cut` but the columns that are known in advance, up to the horizon.
"""
