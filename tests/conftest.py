# SPDX-License-Identifier: MIT
"""Options of all tests."""
from typing import List

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --slow."""
    parser.addoption("--slow", action="store_true",
                     help="also run tests that take minutes or fetch packages")


def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    """Leave slow tests out, unless --slow is given or -m chooses."""
    if config.getoption("slow") or config.getoption("markexpr"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]
