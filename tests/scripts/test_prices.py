# SPDX-License-Identifier: MIT
"""Ledgers of prices: what is worked out from them, and what is said of them."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "measure"))

import interactions  # noqa: E402
import ledger as ledgers  # noqa: E402
import pricetext  # noqa: E402
from ledger import Ledger  # noqa: E402

PAGE = ROOT / "docs" / "prices.md"


def figures(size: int, instructions: int) -> dict[str, int]:
    """Return figures of a kernel or a price: all bytes are text."""
    return {"image": size, "text": size, "rodata": 0, "data": 0, "bss": 0, "embedded_config": 0,
            "instructions": instructions, "kernel": instructions, "firmware": 0, "pages": 0}


def entry(option: str, value: str, old: str, size: int, instructions: int,
          also: Any = (), status: str = "ok") -> dict[str, Any]:
    """Return a price."""
    return {"option": option, "value": value, "old": old, "also": [list(row) for row in also],
            "status": status, "why": "no line after 60 seconds" if status != "ok" else "",
            "figures": figures(size, instructions), "folders": [["kernel", size]],
            "symbols": [], "functions": []}


def data(keys: Any = None) -> dict[str, Any]:
    """Return a ledger: BIG needs SMALL, MODE_B is in a choice with MODE_A."""
    return {
        "schema": "ahoy-ledger-1",
        "stamp": {"base": "defconfig", "revision": "v1-5-gabc", "compiler": "gcc 12.2.0",
                  "qemu": "7.2.22", "firmware": "OpenSBI 1.1", "machine": "virt 131072K 1",
                  "keys": keys or {"sources": "s", "compiler": "c", "emulator": "e"}},
        "base": {"name": "defconfig", "text": "", "figures": figures(1000, 500),
                 "values": {"SMALL": "y", "BIG": "y", "MODE_A": "y", "MODE_B": "n", "SHIFT": "12",
                            "DEPTH": "3"},
                 "settable": ["SMALL", "BIG", "MODE_A", "MODE_B", "SHIFT", "DEPTH", "LATE"]},
        "prices": [entry("SMALL", "n", "y", -300, -40, [("BIG", "y", "n")]),
                   entry("BIG", "n", "y", -200, -30),
                   entry("MODE_B", "y", "n", 50, 7, [("MODE_A", "y", "n")]),
                   entry("SHIFT", "20", "12", 8, 0),
                   entry("LATE", "y", "n", 4, 0, status="not booted")],
        "interactions": {"configurations": 9, "pairs_possible": 5, "candidates": 3, "examined": 2,
                         "stopped": "at most 2 by --pairs", "impossible": 0,
                         "pairs": [{"options": [["BIG", "n"], ["MODE_B", "y"]],
                                    "extra": {"bytes": 16, "image": 16, "instructions": -2}}]}}


def total(**changed: str) -> ledgers.Total:
    """Return the total of the base with some values changed."""
    made = Ledger(data())
    return made.total({**made.base, **changed})


def test_the_base_is_exact() -> None:
    assert total() == (figures(1000, 500), True, [])


def test_one_price_is_exact() -> None:
    found = total(BIG="n")
    assert (found.figures["image"], found.figures["instructions"], found.exact) == (800, 470, True)


def test_what_changes_with_an_option_counts_once() -> None:
    found = total(SMALL="n", BIG="n")
    assert (found.figures["image"], found.exact) == (700, True)


def test_a_sum_is_an_estimate_with_interactions() -> None:
    found = total(BIG="n", MODE_B="y", MODE_A="n")
    assert found.figures["image"] == 1000 - 200 + 50 + 16
    assert found.figures["instructions"] == 500 - 30 + 7 - 2
    assert not found.exact


def test_what_has_no_price_is_named() -> None:
    assert total(DEPTH="4").unknown == ["DEPTH"]
    assert total(LATE="y").unknown == ["LATE"]
    hidden = Ledger(data())
    values = {**hidden.base}
    del values["SHIFT"]  # a number that is hidden is no difference
    assert hidden.total(values).exact


@pytest.mark.parametrize("option,now,then,size", [
    ("BIG", "y", "n", -200), ("BIG", "n", "y", 200), ("SHIFT", "20", "12", -8)])
def test_the_way_back_costs_the_opposite(option: str, now: str, then: str, size: int) -> None:
    made = Ledger(data())
    found = made.switch({**made.base, option: now}, option, then)
    assert found and found[0]["image"] == size and found[1]


def test_what_has_changed_already_costs_nothing_again() -> None:
    made = Ledger(data())
    # BIG goes with SMALL, and is gone.
    found = made.switch({**made.base, "BIG": "n"}, "SMALL", "n")
    assert found and found[0]["image"] == -100 and found[1]
    # The sum of two prices is an estimate.
    found = made.switch({**made.base, "BIG": "n"}, "MODE_B", "y", "MODE_A")
    assert found and found[0]["image"] == 50 + 16 and not found[1]
    # Back to the chosen one of the base.
    found = made.switch({**made.base, "MODE_A": "n", "MODE_B": "y"}, "MODE_A", "y", "MODE_B")
    assert found and found[0]["image"] == -50 and found[1]


def test_no_price_from_a_value_that_was_not_measured() -> None:
    made = Ledger(data())
    assert made.switch({**made.base, "SHIFT": "13"}, "SHIFT", "20") is None
    assert made.switch(made.base, "LATE", "y") is None


def test_stale() -> None:
    made = Ledger(data())
    now = dict(made.stamp["keys"])
    assert made.stale(now) == []
    assert made.stale({**now, "sources": "x"}) == ["the sources"]
    lines = pricetext.stamp_lines(made, made.stale({**now, "compiler": "x", "emulator": "x"}))
    assert lines[-1].startswith("STALE: the compiler or its flags, the emulator")


def test_nothing_is_shown_without_the_stamp() -> None:
    made = Ledger(data())
    for text in (pricetext.table(made, ["the sources"]), pricetext.markdown(made, ["the sources"]),
                 "\n".join(pricetext.story(made, "BIG", ["the sources"]))):
        assert "base defconfig, revision v1-5-gabc" in text
        assert "gcc 12.2.0" in text and "QEMU 7.2.22, OpenSBI 1.1" in text
        assert "STALE: the sources changed since" in text


def test_the_table_drops_nothing() -> None:
    text = pricetext.table(Ledger(data()), [])
    for name in ("SMALL: y to n", "with it: BIG y to n", "MODE_B", "SHIFT: 12 to 20", "LATE"):
        assert name in text
    assert "does not print the line here: no line after 60 seconds" in text
    assert "2 of them were built together, 1 cost another sum. Not built: 1 candidates" in text
    assert "BIG=n and MODE_B=y together: +16 bytes, -2 instructions" in text


def test_written_and_read(tmp_path: Path) -> None:
    Ledger(data()).write(tmp_path / "a" / "defconfig.json")
    assert Ledger.read(tmp_path / "a" / "defconfig.json").data == data()
    (tmp_path / "a" / "bad.json").write_text('{"schema": "ahoy-ledger-9"}')
    with pytest.raises(ledgers.BadLedger):
        Ledger.read(tmp_path / "a" / "bad.json")
    found = ledgers.nearest([tmp_path / "none", tmp_path / "a"], {"BIG": "y"})
    assert found and found.path == tmp_path / "a" / "defconfig.json"


def test_file_names() -> None:
    assert ledgers.file_name("tiny", "x") == "tiny.json"
    assert ledgers.file_name("/a/.config", "x") != ledgers.file_name("/b/.config", "y")
    assert "/" not in ledgers.file_name("/a/.config", "x")


def test_the_pair_behind_a_rest_is_the_first_candidate() -> None:
    made = data()
    made["interactions"]["pairs"] = []
    made["prices"] = [entry(name, "y", "n", 10, 1) for name in "ABCD"]
    made["base"].update(values={name: "n" for name in "ABCD"}, settable=list("ABCD"))
    ledger = Ledger(made)

    def measured(on: str) -> tuple[dict[str, str], dict[str, int]]:
        more = 64 * (set("BC") <= set(on))
        return ({name: "y" if name in on else "n" for name in "ABCD"},
                figures(1000 + 10 * len(on) + more, 500 + len(on)))

    lefts = interactions.leftovers(ledger, map(measured, ("ABC", "BCD", "ACD", "ABD", "CD")))
    assert [left.rest["bytes"] for left in lefts] == [64, 64, 0, 0, 0]
    found = interactions.candidates(interactions.pairs_of(ledger), lefts)
    assert [pair.options for pair in found] == [[["B", "y"], ["C", "y"]]]
    pairs = interactions.found_in(ledger, [(found[0], measured("BC")[1])])
    assert pairs[0]["extra"]["bytes"] == 64 and "instructions" not in pairs[0]["extra"]
    assert interactions.found_in(ledger, [(found[0], figures(1020, 502))]) == []


def test_a_pair_that_contradicts_itself_is_none() -> None:
    made = data()
    names = {frozenset((one["option"], other["option"]))
             for one, other in interactions.pairs_of(Ledger(made))}
    # BIG is off where SMALL is; LATE has no price.
    assert frozenset(("SMALL", "BIG")) not in names
    assert frozenset(("BIG", "MODE_B")) in names and not any("LATE" in pair for pair in names)


def price(*words: object, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run scripts/price where nothing is built."""
    return subprocess.run([str(ROOT / "scripts" / "price"), *map(str, words)],
                          env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)


def test_into_a_page(tmp_path: Path) -> None:
    """The page says whose figures they are, and that they are out of date."""
    Ledger(data()).write(tmp_path / "defconfig.json")
    page = tmp_path / "page.md"
    page.write_text("# Prices\n<!-- prices -->\nold\n<!-- end of prices -->\nrest\n")
    done = price("--page", page, "--dir", tmp_path, AHOY_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert "old" not in text and text.startswith("# Prices") and text.endswith("rest\n")
    assert "STALE" in text and "| BIG: y to n |" in text
    page.write_text("no place\n")
    done = price("--page", page, "--dir", tmp_path)
    assert done.returncode == 2 and "has no <!-- prices -->" in done.stderr


@pytest.mark.parametrize("words,said", [
    ([], "name options"), (["--all", "--show"], "name options"), (["X", "--jobs", "0"], "--jobs"),
    (["X", "--base", "nonsense"], '"nonsense" is neither'),
    (["NO_SUCH_OPTION_AT_ALL"], "no such option")])
def test_requests_that_make_no_sense(words: list[str], said: str, tmp_path: Path) -> None:
    done = price(*words, AHOY_CACHE=str(tmp_path / "cache"), AHOY_PRICES=str(tmp_path))
    assert done.returncode == 2 and said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_page_in_the_docs() -> None:
    """A table of which every row has all columns, between the marks, with its stamp."""
    text = PAGE.read_text(encoding="utf-8")
    part = pricetext.MARKS.search(text)
    assert part
    lines = part[0].splitlines()
    assert any(line.startswith("- base defconfig, revision ") for line in lines)
    assert any(line.startswith("- QEMU ") for line in lines)
    assert "STALE" not in part[0]
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) > 30
    assert {row.count("|") for row in rows} == {len(pricetext.TABLE) + 3}
    assert "Interactions: " in part[0]


def test_json_is_whole(tmp_path: Path) -> None:
    Ledger(data()).write(tmp_path / "defconfig.json")
    done = price("--show", "--format", "json", "--dir", tmp_path)
    assert json.loads(done.stdout)["prices"] == data()["prices"]
    assert json.loads(done.stdout)["stale"]
