"""What an import reads, and the header names by which each field is recognised."""

import re
from dataclasses import dataclass

UNITS_SPELLINGS = ("quantity", "qty", "pieces", "pcs")
SKU_SPELLINGS = (
    "stockcode", "skucode", "skuid", "item", "itemcode", "itemno", "itemnumber", "article",
    "articleno", "articlenumber", "productcode", "variant", "variantsku", "ean", "gtin", "upc",
    "barcode",
)  # fmt: skip
STORE_SPELLINGS = (
    "storeid", "storename", "storecode", "shop", "shopid", "branch", "outlet", "location",
    "locationid", "warehouse",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field. Spellings are lower-case letters and digits; the name is one of them."""

    name: str
    meaning: str
    spellings: tuple[str, ...] = ()
    required: bool = True

    def recognises(self, header: str) -> bool:
        plain = spelling(header)
        return plain == self.name or plain in self.spellings


SALES = (
    Field(
        "document",
        "the receipt or invoice",
        (
            "documentno", "documentnumber", "invoice", "invoiceno", "invoicenumber", "invoiceid",
            "receipt", "receiptno", "receiptnumber", "receiptid", "order", "orderno",
            "ordernumber", "orderid", "transaction", "transactionid", "ticket",
        ),
        required=False,
    ),
    Field("store", "where it was sold", STORE_SPELLINGS, required=False),
    Field("sku", "the stock-keeping unit", SKU_SPELLINGS),
    Field(
        "product",
        "what planners rank, such as style/colour",
        ("choice", "stylecolour", "stylecolor"),
        required=False,
    ),
    Field(
        "date",
        "the day of the sale",
        (
            "saledate", "salesdate", "invoicedate", "orderdate", "transactiondate", "receiptdate",
            "datetime", "timestamp", "day", "ds", "soldat",
        ),
    ),
    Field("units", "units sold, negative for a return", ("unitssold", "y", *UNITS_SPELLINGS)),
    Field(
        "price",
        "the price of one unit",
        ("unitprice", "priceperunit", "salesprice", "netprice", "grossprice"),
        required=False,
    ),
)  # fmt: skip

STOCK = (
    Field("store", "where it was counted", STORE_SPELLINGS, required=False),
    Field("sku", "the stock-keeping unit", SKU_SPELLINGS),
    Field(
        "units",
        "units counted",
        ("onhand", "onhandunits", "stock", "stocklevel", "instock", "level", "counted",
         "count", *UNITS_SPELLINGS),
    ),
    Field("style", "the style of a new SKU", ("styleid", "stylename", "model"), required=False),
    Field("colour", "the colour of a new SKU", ("color", "colorname"), required=False),
    Field("size", "the size of a new SKU", ("sizename", "sizelabel"), required=False),
    Field("category", "the category of a new style", ("department",), required=False),
)  # fmt: skip


def spelling(header: str) -> str:
    """Lower-case letters and digits alone: `Invoice No.` and `invoice_no` are the same."""
    return re.sub(r"[^a-z0-9]", "", header.lower())
