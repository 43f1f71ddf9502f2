from datetime import UTC, datetime
from uuid import uuid4

from google.rpc import error_details_pb2
from hemline.forecast.v1 import sales_service_pb2 as pb

from services.chassis import status
from services.chassis.imports import ImportRejected
from services.forecast.wire.convert.sales import SalesReader

CLIENT_METADATA_BYTES = 8 * 1024
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def read(*lines: pb.SalesLine) -> ImportRejected:
    message = pb.ImportSalesRequest(request_id=str(uuid4()), lines=lines)
    batch = SalesReader(NOW).read(message)
    rejected = batch.rejected_lines
    return ImportRejected(batch.violations, rejected_lines=rejected)


def test_what_is_named_fits_into_the_trailers_that_clients_take() -> None:
    good = {"document": "R", "store": "a", "sku": "S", "sale_date": "2026-05-01", "units": 1}
    for field, bad in {
        "document": "",
        "store": "A",
        "sku": "s",
        "product": "x" * 129,
        "sale_date": "x",
        "units": 0,
        "unit_price_micros": -1,
    }.items():
        lines = [pb.SalesLine(row=1_999_000 + at, **{**good, field: bad}) for at in range(200)]
        made = status.to_status(read(*lines))
        bad_request = error_details_pb2.BadRequest()
        assert made.details[1].Unpack(bad_request)
        assert 60 <= len(bad_request.field_violations) <= 100
        # As a proxy passes it on: in base64, and the message once more beside it.
        assert made.ByteSize() * 4 / 3 + len(made.message) < CLIENT_METADATA_BYTES - 512


def test_every_wrong_field_of_a_line_is_named_and_the_line_counted_once() -> None:
    rejected = read(pb.SalesLine(row=7, sale_date="2026-06-03"))
    fields = [violation.field for violation in rejected.violations]
    assert fields == [
        f"lines[7].{name}" for name in ("document", "store", "sku", "sale_date", "units")
    ]
    assert rejected.metadata == {"rejected_lines": "1"}


def test_tomorrow_is_a_date_somewhere_already() -> None:
    line = pb.SalesLine(row=1, document="R", store="a", sku="S", units=1, sale_date="2026-06-02")
    message = pb.ImportSalesRequest(request_id=str(uuid4()), lines=[line])
    batch = SalesReader(NOW).read(message)
    assert batch.rejected_lines == 0
    assert batch.lines[0].product == "S"
