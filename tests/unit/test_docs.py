"""What the documentation names is there: links, modules, tests, and targets of make."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page.relative_to(ROOT)
    for folder in (
        "",
        "docs",
        "docs/adr",
        "docs/forecast",
        "docs/runbooks",
        "proofs",
        "services/router",
        "deploy/local",
    )
    for page in (ROOT / folder).glob("*.md")
)
FOLDERS = ("services", "tests", "proofs", "deploy", "cli", "benchmarks", "season", "tools")

LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)[^)]*\)")
MODULE = re.compile(r"`([\w./-]+\.py)`")
TARGET = re.compile(r"`make ([a-z-]+)")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    found = LINK.findall((ROOT / page).read_text("utf-8"))
    assert [link for link in found if not (ROOT / page.parent / link).exists()] == []


@cache
def modules() -> frozenset[str]:
    """Ours, as paths from the root that begin with a slash."""
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return frozenset(f"/{path.relative_to(ROOT)}" for path in found)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_modules_that_are_named_exist(page: Path) -> None:
    named = sorted(set(MODULE.findall((ROOT / page).read_text("utf-8"))))
    # A page may leave out the beginning of a path.
    assert [name for name in named if not any(one.endswith(f"/{name}") for one in modules())] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_targets_of_make_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(TARGET.findall((ROOT / page).read_text("utf-8"))) <= targets
