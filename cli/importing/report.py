"""What an import says: the columns it reads, the faults it found, what it has done."""

from collections import Counter
from typing import Any

from google.protobuf.message import Message
from rich.markup import escape

from cli import output
from cli.importing.check import Checked
from cli.importing.columns import Columns
from cli.importing.faults import Fault
from cli.importing.lines import Tally

MOST_CODES = 10


def columns_text(columns: Columns, default_store: str, *, sells: bool) -> str:
    """One line with the mapping used, and one with what is left in the file."""
    used = [f"{field} = {header}" for field, header in columns.used.items()]
    if default_store and "store" not in columns.index:
        used.append(f"store is {default_store} for all rows")
    if sells and "price" not in columns.index:
        used.append("price is 0 for all rows")
    text = f"Columns: {', '.join(used)}."
    return f"{text}\nNot read: {', '.join(columns.unread)}." if columns.unread else text


def print_faults(faults: list[Fault], total: int, most: int) -> None:
    """Prints at most ``most`` faults and the total, on standard error."""
    screen = output.console(stderr=True)
    for fault in faults[:most]:
        screen.print(escape(f"  {fault}"), style="red")
    shown = min(len(faults), most)
    first = f", the first {shown} above" if total > shown else ""
    noun = "error" if total == 1 else "errors"
    screen.print(f"{total:,} {noun}{first}. Nothing was imported.", style="bold")


def faults_json(file: str, faults: list[Fault], total: int) -> dict[str, Any]:
    return {
        "file": file,
        "changed": False,
        "error_count": total,
        "errors": [fault.as_json() for fault in faults],
    }


def summary(
    checked: Checked, tally: Tally, blank_rows: int, answer: Message | None
) -> dict[str, Any]:
    """What happened, for `--json`. ``answer`` is None after a dry run."""
    found: dict[str, Any] = {
        "rows": checked.rows,
        "lines": checked.lines,
        "skus": len(tally.skus),
        "stores": sorted(tally.stores),
        "skipped": {
            "blank_rows": blank_rows,
            "not_products": dict(tally.not_products.most_common()),
        },
        "upper_cased_skus": tally.upper_cased,
        "dry_run": answer is None,
    }
    if tally.first_day:
        found["first_day"], found["last_day"] = tally.first_day, tally.last_day
    if tally.sells:
        found["returns"], found["free"] = tally.returns, tally.free
    if answer is not None:
        found["answer"] = {
            field.name: int(getattr(answer, field.name)) for field in answer.DESCRIPTOR.fields
        }
    return found


def print_summary(found: dict[str, Any], next_step: str) -> None:
    """The same for people."""
    screen = output.console()
    not_products = found["skipped"]["not_products"]
    of_skus = f" of {found['skus']:,} SKUs" if found["skus"] else ""
    parts = [f"{found['rows']:,} rows read", f"{found['lines']:,} lines{of_skus}"]
    if "first_day" in found:
        parts.append(f"{found['first_day']} to {found['last_day']}")
    if "returns" in found:
        parts.append(f"{found['returns']:,} returns, {found['free']:,} with price 0")
    screen.print(escape("; ".join(parts) + "."))
    if not_products:
        screen.print(escape(f"Left out, not products: {codes_text(not_products)}."))
    if found["skipped"]["blank_rows"]:
        screen.print(f"Left out, blank: {found['skipped']['blank_rows']:,} rows.")
    if found["upper_cased_skus"]:
        screen.print(f"SKUs written in upper case: {found['upper_cased_skus']:,} lines.")
    screen.print(_outcome(found.get("answer")), style="bold")
    if "note" in found:
        screen.print(found["note"])
    if next_step:
        screen.print(escape(f"Next: {next_step}"))


def print_carried(found: dict[str, Any], next_step: str) -> None:
    """What came from another service, for people."""
    screen = output.console()
    days = f"; {found['first_day']} to {found['last_day']}" if "first_day" in found else ""
    screen.print(f"{found['lines']:,} lines of the inventory{days}.")
    if found["lines"] or found["dry_run"]:
        screen.print(_outcome(found.get("answer")), style="bold")
    screen.print(escape(f"Next: {next_step}"))


def _outcome(answer: dict[str, int] | None) -> str:
    if answer is None:
        return "No errors. Nothing was sent (--dry-run)."
    if "movements" not in answer:
        return _merged(answer)
    return (
        f"{answer['movements']:,} levels were corrected; "
        f"{answer['new_skus']:,} SKUs and {answer['new_stores']:,} stores are new."
    )


def _merged(answer: dict[str, int]) -> str:
    noun = "values" if "new_values" in answer else "lines"
    new, known = answer[f"new_{noun}"], answer[f"known_{noun}"]
    changed = answer.get(f"changed_{noun}")
    replaced = "" if changed is None else f"{changed:,} replace another, "
    return f"{new:,} {noun} are new, {replaced}{known:,} were known."


def codes_text(counts: dict[str, int]) -> str:
    """The codes left out most often, with their number of rows."""
    common = Counter(counts).most_common()
    text = ", ".join(f"{code} {count:,}" for code, count in common[:MOST_CODES])
    more = f" and {len(common) - MOST_CODES:,} more codes" if len(common) > MOST_CODES else ""
    return f"{sum(counts.values()):,} rows ({text}{more})"
