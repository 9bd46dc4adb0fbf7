"""Marks all tests of this folder as `soak` and `slow`, and gives them the time they need."""

from __future__ import annotations

from pathlib import Path

import pytest

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before ``-m`` selects."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.soak)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(1_800))
