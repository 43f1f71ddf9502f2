"""Page tokens carry on where the last page ended, and fit no other list."""

from types import SimpleNamespace

import pytest

from services.chassis.errors import InvalidArgument
from services.chassis.paging import Limits, page_from

LIMITS = Limits(default=50, most=200)


def request(size: int = 0, token: str = "") -> SimpleNamespace:
    return SimpleNamespace(page_size=size, page_token=token)


def test_the_first_page_has_the_default_size_and_no_start() -> None:
    page = page_from(request(), LIMITS, key=(str,))
    assert (page.size, page.after) == (50, None)


def test_a_token_leads_to_the_row_after_the_last() -> None:
    token = page_from(request(), LIMITS, "stores/a", key=(str, int)).token(("sku-Ä", 7))
    assert page_from(request(10, token), LIMITS, "stores/a", key=(str, int)).after == ("sku-Ä", 7)


def test_no_last_row_means_no_next_page() -> None:
    assert page_from(request(), LIMITS, key=(str,)).token(None) == ""


@pytest.mark.parametrize("size", [-1, 201])
def test_a_page_size_out_of_limits_names_the_field(size: int) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        page_from(request(size), LIMITS, key=(str,))
    assert refusal.value.violations[0].field == "page_size"


def test_a_token_of_another_request_is_refused() -> None:
    token = page_from(request(), LIMITS, "stores/a", key=(str,)).token(("x",))
    for filters, key in [(("stores/b",), (str,)), (("stores/a",), (int,)), ((), (str,))]:
        with pytest.raises(InvalidArgument, match="page_token"):
            page_from(request(0, token), LIMITS, *filters, key=key)


@pytest.mark.parametrize("token", ["x", "%%%", "bnVsbA", "e30", "ÄÄÄ", "a" * 10_000])
def test_garbage_is_refused(token: str) -> None:
    with pytest.raises(InvalidArgument, match="page_token"):
        page_from(request(0, token), LIMITS, key=(str,))
