"""A recipe as text and back, for states that are kept."""

import json
from dataclasses import asdict

from services.forecast.engine.promo.columns import Closer, Column, Kind
from services.forecast.engine.promo.terms import Recipe


def written(recipe: Recipe) -> str:
    return json.dumps(
        {
            "columns": [{**asdict(column), "kind": column.kind.value} for column in recipe.columns],
            "products": recipe.products,
            "memory": recipe.memory,
            "closers": [asdict(closer) for closer in recipe.closers],
        }
    )


def read(text: str) -> Recipe:
    found = json.loads(text)
    columns = [
        Column(**{**column, "kind": Kind(column["kind"]), "codes": tuple(column["codes"])})
        for column in found["columns"]
    ]
    products = [(int(a), int(b)) for a, b in found["products"]]
    closers = tuple(Closer(**closer) for closer in found["closers"])
    return Recipe(tuple(columns), tuple(products), float(found["memory"]), closers)
