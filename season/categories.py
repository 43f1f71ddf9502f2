"""What kinds of things a fashion retailer sells, and when people want them."""

from dataclasses import dataclass

LETTERS = ("XXS", "XS", "S", "M", "L", "XL", "XXL", "3XL")
WAISTS = ("26", "28", "30", "32", "34", "36", "38", "40")
ONE_SIZE = ("ONE",)


@dataclass(frozen=True, slots=True)
class Category:
    """A category of the range. Days of the year count from 1 January as 0."""

    name: str
    designs: tuple[str, ...]
    size_labels: tuple[str, ...]
    price_points: tuple[float, ...]  # In units of the retailer's currency.
    peak_day: int  # Day of the year on which it sells best.
    swing: float  # Log amplitude of the year: 0.5 is 65 % more at the peak than on average.
    warmth_effect: float  # Log demand per standard deviation of warmer weather.
    gift_effect: float  # Log demand added on the last days before Christmas.
    share: float  # Of the styles.


CATEGORIES = (
    Category(
        name="dresses",
        designs=(
            "linen-dress",
            "silk-midi-dress",
            "wrap-dress",
            "poplin-shirt-dress",
            "jersey-dress",
        ),
        size_labels=LETTERS,
        price_points=(59.95, 79.95, 99.95),
        peak_day=160,
        swing=0.75,
        warmth_effect=0.16,
        gift_effect=0.0,
        share=0.18,
    ),
    Category(
        name="shirts",
        designs=(
            "linen-shirt",
            "oxford-shirt",
            "poplin-blouse",
            "jersey-tee",
            "silk-blouse",
            "boxy-tee",
        ),
        size_labels=LETTERS,
        price_points=(24.95, 39.95, 49.95),
        peak_day=150,
        swing=0.3,
        warmth_effect=0.08,
        gift_effect=0.1,
        share=0.24,
    ),
    Category(
        name="knitwear",
        designs=(
            "merino-crewneck",
            "cable-sweater",
            "lambswool-cardigan",
            "cashmere-rollneck",
            "knit-vest",
        ),
        size_labels=LETTERS,
        price_points=(59.95, 89.95, 129.0),
        peak_day=330,
        swing=0.75,
        warmth_effect=-0.16,
        gift_effect=0.5,
        share=0.2,
    ),
    Category(
        name="outerwear",
        designs=("wool-coat", "down-parka", "waxed-jacket", "cotton-trench", "quilted-jacket"),
        size_labels=LETTERS,
        price_points=(149.0, 199.0, 259.0),
        peak_day=300,
        swing=1.0,
        warmth_effect=-0.22,
        gift_effect=0.1,
        share=0.14,
    ),
    Category(
        name="trousers",
        designs=(
            "slim-chinos",
            "straight-jeans",
            "wide-trousers",
            "cord-trousers",
            "pleated-culottes",
        ),
        size_labels=WAISTS,
        price_points=(49.95, 69.95, 89.95),
        peak_day=250,
        swing=0.18,
        warmth_effect=-0.02,
        gift_effect=0.1,
        share=0.14,
    ),
    Category(
        name="accessories",
        designs=("leather-tote", "wool-scarf", "suede-belt", "ribbed-beanie", "canvas-weekender"),
        size_labels=ONE_SIZE,
        price_points=(19.95, 29.95, 69.95),
        peak_day=345,
        swing=0.25,
        warmth_effect=-0.05,
        gift_effect=0.9,
        share=0.1,
    ),
)

COLOURS = (
    "navy", "black", "ecru", "olive", "rust", "sky",
    "camel", "burgundy", "sage", "charcoal", "rose", "mustard",
)  # fmt: skip
