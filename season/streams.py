"""Random numbers by purpose, so that a change of one part leaves the draws of all others alone."""

import numpy as np

from season.config import SeasonConfig


def stream(config: SeasonConfig, purpose: str) -> np.random.Generator:
    """The generator of one purpose in one retailer's season."""
    words = f"{config.retailer.name}/{purpose}".encode()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([config.seed, *words])))
