"""What a proto says of access and errors is what the code does."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import services
from services.chassis import contract, status
from services.chassis.errors import HemlineError

PROTOS = Path(__file__).parents[2] / "protos"
ERROR_LINE = re.compile(r"//\s+([A-Z_]+)\s+- ([A-Z_]+): ")
SERVICE_FILES = sorted(PROTOS.rglob("*_service.proto"))


def error_classes() -> dict[str, set[str]]:
    """Every reason in the code, with the gRPC codes of its classes."""
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: dict[str, set[str]] = {}
    waiting = list(HemlineError.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        code = next(
            name for name, number in status.code_pb2.Code.items() if number == status.code_of(kind)
        )
        found.setdefault(kind.reason, set()).add(code)
    return found


CLASSES = error_classes()


@pytest.mark.parametrize("file", SERVICE_FILES, ids=lambda path: path.stem)
def test_documented_errors_exist_with_that_code(file: Path) -> None:
    documented = ERROR_LINE.findall(file.read_text())
    assert documented
    for code, reason in documented:
        assert code in CLASSES.get(reason, set()), f"{file.name}: {code} - {reason}"


def test_every_error_of_a_service_is_documented() -> None:
    documented = {
        reason for file in SERVICE_FILES for _, reason in ERROR_LINE.findall(file.read_text())
    }
    undocumented = set(CLASSES) - documented - {"UNSPECIFIED", "DEADLINE_EXCEEDED"}
    assert not undocumented


def test_every_method_lists_its_errors() -> None:
    for file in SERVICE_FILES:
        text = file.read_text()
        for comment, name in re.findall(r"((?:  //[^\n]*\n)+)  rpc (\w+)", text):
            assert "Errors" in comment, f"{file.name}: {name}"


def test_writes_take_a_request_id_and_reads_are_marked() -> None:
    reads = ("Get", "List", "WhoAmI", "ResolveRegion", "ExchangeToken")
    safe = {method.path for method in contract.methods() if method.safe}
    for service in contract.services():
        for method in service.methods:
            if method.name.startswith(reads):
                continue
            if f"/{service.full_name}/{method.name}" not in safe:
                assert "request_id" in method.input_type.fields_by_name, method.full_name


def test_lists_page() -> None:
    unpaged = {"ListSigningKeys"}  # At most ten, says its comment.
    for service in contract.services():
        for method in service.methods:
            if method.name.startswith("List") and method.name not in unpaged:
                assert {"page_size", "page_token"} <= set(method.input_type.fields_by_name)
                assert "next_page_token" in method.output_type.fields_by_name


def test_every_method_says_who_may_call_it() -> None:
    for method in contract.methods():
        assert re.fullmatch(r"public|signed-in|[a-z]+:[a-z]+", method.access), method.path


def test_only_single_messages_that_are_idempotent_are_retryable() -> None:
    retryable = {method.path.rsplit("/", 1)[1]: method.retryable for method in contract.methods()}
    assert retryable["GetForecast"]
    assert retryable["RecordMovement"]
    assert not retryable["ImportSales"]
