from uuid import UUID, uuid4

import pytest

from services.chassis.errors import InvalidArgument
from services.chassis.fields import Fields

ID = uuid4()


@pytest.mark.parametrize("text", [str(ID), str(ID).upper()])
def test_a_request_id_is_a_uuid_as_it_is_usually_written(text: str) -> None:
    fields = Fields()
    assert fields.request_id(text) == ID
    fields.check()


@pytest.mark.parametrize(
    "text", ["", "1", ID.hex, f"{{{ID}}}", f"urn:uuid:{ID}", f" {ID}", str(UUID(int=0))]
)
def test_anything_else_is_none(text: str) -> None:
    fields = Fields()
    fields.request_id(text)
    with pytest.raises(InvalidArgument, match="must be a UUID"):
        fields.check()


@pytest.mark.parametrize("text", ["", "stores/", "stores/A", "stores/a/b", "shops/a", "a"])
def test_a_name_is_its_collection_and_an_id(text: str) -> None:
    fields = Fields()
    fields.name(text, "parent", "stores")
    assert [violation.field for violation in fields.violations] == ["parent"]


def test_all_that_is_wrong_is_said_at_once() -> None:
    fields = Fields()
    fields.request_id("1")
    fields.name("a", "parent", "stores")
    with pytest.raises(InvalidArgument) as refused:
        fields.check()
    assert [violation.field for violation in refused.value.violations] == ["request_id", "parent"]
