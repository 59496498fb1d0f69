# SPDX-License-Identifier: MIT
"""The kernel's benchmarks: what mechanisms cost, and that it does not grow with the machine."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from bootlib import ROOT

sys.path.insert(0, str(ROOT / "scripts" / "measure"))

import mechanisms  # noqa: E402

# Measured once, by one of those that run tests.
pytestmark = pytest.mark.xdist_group("mechanisms")

# Compilers differ.
MARGIN = 1.1
WANTED = ("coop", "preempt", "spaces", "smp 1", "smp 8", "32M", "64G")


@pytest.fixture(scope="module", name="figures")
def fixture_figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The figures of some variants."""
    return mechanisms.measure(tmp_path_factory.mktemp("mechanisms"), [
        variant for variant in mechanisms.VARIANTS if variant.name in WANTED])


def test_all_ran(figures: dict[str, Any]) -> None:
    """Every benchmark in the sources has figures, where it makes sense."""
    names = {f"{suite}.{name}" for path in ROOT.glob("*/**/*_bench.c")
             for suite, name in mechanisms.names_in(path.read_text("utf-8"))}
    assert len(names) > 10
    assert names == set().union(*figures.values())
    assert "smp.ipi_round_trip" in figures["smp 8"]
    assert "smp.ipi_round_trip" not in figures["smp 1"]


@pytest.mark.parametrize("name", mechanisms.AIMS)
def test_aims(figures: dict[str, Any], name: str) -> None:
    """What is done most takes few instructions."""
    for variant in ("coop", "preempt"):
        assert 5 < figures[variant][name]["median"] <= mechanisms.AIMS[name] * MARGIN


def test_growth(figures: dict[str, Any]) -> None:
    """Neither harts nor memory make any of it cost more."""
    local = [name for name in figures["smp 1"]
             if name.split(".")[0] in ("heap", "mutex", "page", "trap") or name == "thread.switch"]
    assert len(local) > 5
    for name in local:
        assert figures["smp 8"][name]["median"] <= figures["smp 1"][name]["median"] * MARGIN
    for name in figures["32M"]:
        assert figures["64G"][name]["median"] <= figures["32M"][name]["median"] * MARGIN


def test_table(figures: dict[str, Any]) -> None:
    """All of it is in the table."""
    text = mechanisms.table(figures)
    assert text.splitlines()[0].split()[3] == "coop"
    for name, row in figures["preempt"].items():
        line = next(line for line in text.splitlines() if line.startswith(name))
        assert str(row["median"]) in line.split()


def test_no_figures(tmp_path: Path) -> None:
    """A kernel without benchmarks is no variant."""
    variant = mechanisms.Variant("none", "threads", ("BENCH=n",))
    with pytest.raises(mechanisms.Failure, match="0 intervals|no marker|without"):
        mechanisms.measure(tmp_path, [variant])
