"""Recipes with all of their algorithms."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.e2e.test_compare import check_difference_rates, make_compared
from tests.typed import in_this_process


def test_the_difference_rate_is_that_of_the_printed_indices(tmp_path: Path) -> None:
    make_compared(tmp_path)
    check_difference_rates(partial(in_this_process, tmp_path))
