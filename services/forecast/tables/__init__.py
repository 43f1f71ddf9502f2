"""The tables of the forecast database. Only the stores may import them."""
