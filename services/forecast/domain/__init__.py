"""Rules, values and errors. Pure."""
