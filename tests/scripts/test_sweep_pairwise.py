# SPDX-License-Identifier: MIT
"""Pairwise sets: every pair of values, proven by z3, held against kconfiglib; and a part
of this tree's set is built and booted at every check."""
import itertools
import sys
from pathlib import Path
from typing import Callable

import pytest

from sourcecopy import ROOT
from sweeptree import sweep

sys.path.insert(0, str(ROOT / "scripts" / "measure"))
pytest.importorskip("z3")

import model  # noqa: E402
import pairwise  # noqa: E402

# How many configurations of the set "make check" builds and boots.
FIXED = 6

# Two options that never go together, one that always is, a choice, numbers, strings,
# defaults, selects and implications: 12 bools, so that all configurations can be tried.
KCONFIG = '''
config A
    bool "a"
config B
    bool "b"
    depends on !A
config C
    bool "c"
    select D if A
    imply E
config D
    bool
    default y if B
config E
    bool "e" if N > 3
    depends on A || B
config N
    int "n"
    range 1 5 if A
    range 2 9
    default 2
config BIG
    def_bool N > 5
config S
    string "s"
    default "one" if A
config ONE
    def_bool S = "one"
config EMPTY
    def_bool S = ""
choice
    prompt "colour"
    depends on C || !A
config RED
    bool "red"
config BLUE
    bool "blue"
    depends on E
endchoice
config ALWAYS
    def_bool y
'''


def small_model(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> model.Model:
    """Return the model of a Kconfig file."""
    monkeypatch.setattr(model, "make_environment", lambda root: {})
    (folder / "Kconfig").write_text(text)
    return model.Model(folder)


def all_pairs(ours: model.Model) -> set:
    """Return the pairs of values of all configurations, by trying every one."""
    wishes: dict[str, list[str]] = {}
    for sym in ours.settable():
        wishes[sym.name] = {model.BOOL: ["n", "y"], model.STRING: ["", "one", "other"]}.get(
            sym.orig_type, ["1", "2", "3", "4", "5", "6", "9"])
    pairs = set()
    for values in itertools.product(*wishes.values()):
        ours.assign(dict(zip(wishes, values)))
        now = [(sym.name, sym.str_value) for sym in ours.symbols if sym.orig_type == model.BOOL]
        pairs.update(itertools.combinations(sorted(now), 2))
    return pairs


def test_against_all_configurations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """z3 calls feasible exactly what some configuration has, and the set holds it all."""
    ours = small_model(tmp_path, KCONFIG, monkeypatch)
    found = pairwise.find(ours)
    pairs = all_pairs(ours)
    count = len(found.options)
    assert found.feasible == len(pairs)
    assert found.feasible + found.infeasible == 4 * count * (count - 1) // 2
    covered = pairwise.coverage(found, found.texts)
    assert covered.covered == covered.feasible and "100.00 %" in covered.text()
    assert len(found.texts) <= 20


def test_wrong_formulas_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where z3 believes in other rules than kconfiglib, that is an error."""
    ours = small_model(tmp_path, KCONFIG, monkeypatch)
    right: Callable = pairwise.Formulas.expr

    def wrong(self: pairwise.Formulas, expr: object) -> object:
        if isinstance(expr, tuple) and expr[0] == pairwise.NOT:
            return pairwise.z3.BoolVal(True)
        return right(self, expr)

    monkeypatch.setattr(pairwise.Formulas, "expr", wrong)
    with pytest.raises(model.ModelError, match="for z3 and .* for kconfiglib"):
        pairwise.find(ours)


def test_coverage_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the set does not claim the whole."""
    ours = small_model(tmp_path, KCONFIG, monkeypatch)
    found = pairwise.find(ours)
    part = pairwise.coverage(found, found.texts[:2])
    assert 0 < part.covered < part.feasible
    assert pairwise.coverage(found, []).covered == 0


def test_this_tree() -> None:
    """The whole set of this tree covers every feasible pair, and each member is valid."""
    ours = model.load()
    found = pairwise.find(ours)
    covered = pairwise.coverage(found, found.texts)
    assert covered.covered == covered.feasible > 1000
    for text in found.texts:
        assert ours.complete(text) == text


@pytest.mark.slow
def test_same_every_time() -> None:
    """Twice the same set."""
    ours = model.load()
    assert pairwise.find(ours).texts == pairwise.find(ours).texts


def test_fixed_part(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """The first configurations of the set work."""
    done = sweep(tmp_path, "pairwise", "--first", str(FIXED), "--jobs", "1", "--shrink", "1")
    assert done.status == 0, done.out + done.err
    report = done.report
    assert len(report["results"]) == FIXED
    record_property("summary", f"pairwise: {report['notes']['pairwise']}")
