"""The comparison in the docs claims nothing that no test shows."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_every_row_of_ours_is_linked_to_a_test_that_is_there() -> None:
    page = (DOCS / "comparison.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "shown by" not in line]
    linked = re.findall(r"\[`(test_\w+)`\]\((\.\./tests/[\w/]+\.py)\)", page)
    assert len(linked) >= 39
    for name, file in linked:
        assert f"def {name}(" in (DOCS / file).read_text("utf-8"), (name, file)
    lacking = ("fewer than Onyx", "not planned", "the command line does")
    for row in rows:
        assert "[`test_" in row or any(word in row for word in lacking), row
