"""The fields of promotions, calendars, attributes and stock days."""

import re

from cli.importing.fields import SKU_SPELLINGS, STORE_SPELLINGS, UNITS_SPELLINGS, Field, spelling

NAME = re.compile(r"[a-z0-9-]{1,63}")
START_SPELLINGS = (
    "startdate", "from", "fromdate", "begin", "begindate", "validfrom", "firstday", "dtstart",
)  # fmt: skip
END_SPELLINGS = (
    "enddate", "to", "todate", "until", "validto", "validuntil", "lastday", "through", "dtend",
)  # fmt: skip
DAY_SPELLINGS = ("date", "day", "ds")
CANCELLED = Field(
    "cancelled",
    "whether it is called off",
    ("canceled", "calledoff", "withdrawn"),
    required=False,
)
STYLE_SPELLINGS = ("styleid", "stylename", "model")

PROMOTIONS = (
    Field(
        "promotion",
        "what it is called; its days, if nothing",
        ("promo", "promotionid", "promotionname", "promoid", "campaign", "campaignid", "offer"),
        required=False,
    ),
    Field("store", "where it holds; in all stores, if empty", STORE_SPELLINGS, required=False),
    Field("sku", "the SKU promoted", SKU_SPELLINGS, required=False),
    Field("product", "or the product", ("choice", "stylecolour", "stylecolor"), required=False),
    Field("style", "or the style", STYLE_SPELLINGS, required=False),
    Field("category", "or the category", ("department",), required=False),
    Field("start", "the first day", START_SPELLINGS),
    Field("end", "the last day", END_SPELLINGS),
    Field(
        "kind",
        "what sort it is, such as markdown",
        ("type", "promotype", "promotiontype", "mechanic", "tactic"),
        required=False,
    ),
    Field(
        "discount",
        "the share off: 0.3 or 30%",
        ("discountshare", "discountrate", "discountpercent", "reduction", "percentoff", "off"),
        required=False,
    ),
    Field(
        "price",
        "the price it sets",
        ("promoprice", "promotionprice", "promotionalprice", "saleprice", "offerprice"),
        required=False,
    ),
    CANCELLED,
)
TARGETS = ("sku", "product", "style", "category")
"""What may be promoted, the finest first."""

CALENDAR = (
    Field("event", "what it is", ("eventname", "holiday", "name", "occasion"), required=False),
    Field("store", "where it holds; in all stores, if empty", STORE_SPELLINGS, required=False),
    Field("start", "the day, or the first", (*DAY_SPELLINGS, *START_SPELLINGS)),
    Field("end", "the last day, if there are several", END_SPELLINGS, required=False),
    Field("closed", "whether the store is closed", ("isclosed", "shut"), required=False),
    CANCELLED,
)


def _attribute(name: str, *spellings: str) -> Field:
    return Field(name, f"the {name}", spellings, required=False)


OF_SKUS = (
    Field("sku", "the stock-keeping unit", SKU_SPELLINGS),
    _attribute("style", *STYLE_SPELLINGS),
    _attribute("colour", "color", "colorname"),
    _attribute("size", "sizename", "sizelabel"),
    _attribute("category", "department"),
    _attribute("subcategory"),
    _attribute("brand", "label"),
    _attribute("gender"),
    _attribute("season"),
    _attribute("collection"),
    _attribute("material", "fabric"),
    _attribute("fit"),
)
OF_STORES = (
    Field("store", "the store", STORE_SPELLINGS),
    _attribute("region", "area", "district"),
    _attribute("country"),
    _attribute("city", "town"),
    _attribute("format", "storetype", "storeformat", "type"),
    _attribute("cluster", "segment"),
)
CODES = ("sku", "store")
TAKEN = (*CODES, "product", "all")
"""Words that mean something else where an attribute may stand."""

STOCK_DAYS = (
    Field("store", "where it was on hand", STORE_SPELLINGS, required=False),
    Field("sku", "the stock-keeping unit", SKU_SPELLINGS),
    Field("date", "the day", ("stockdate", "snapshotdate", "day", "ds", "asof")),
    Field(
        "units",
        "units on hand when the day ended",
        ("onhand", "onhandunits", "closing", "closingunits", "closingstock", "stock", "stocklevel",
         "level", *UNITS_SPELLINGS),
    ),
)  # fmt: skip


def attribute_of(name: str) -> Field:
    """The field of an attribute that has no well-known name."""
    plain = spelling(name)
    return Field(name, f"the {name}", () if plain == name else (plain,), required=False)


def may_name(name: str) -> bool:
    """Whether an attribute may be called so."""
    return NAME.fullmatch(name) is not None and name not in TAKEN
