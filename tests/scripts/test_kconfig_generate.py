# SPDX-License-Identifier: MIT
"""The configuration targets: all*config and randconfig."""
import re
from pathlib import Path
from typing import Dict, List

import pytest

from kconfigtree import DEFAULTS, Tree


def test_allconfigs(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.run("alldefconfig")
    assert tree.values() == DEFAULTS
    tree.run("allnoconfig")
    got = tree.values()
    assert (got["BIG"], got["PAGING_BARE"], got["SHIFT"]) == ("n", "y", "5")
    tree.run("allyesconfig")
    got = tree.values()
    assert (got["BIG"], got["PAGING_SV48"], got["HELPER"], got["ADDRESS"]) == \
        ("y", "y", "y", "0x80000000")


@pytest.mark.parametrize("which", ["no", "yes", "def", "random"])
def test_allconfig_presets(tmp_path: Path, which: str) -> None:
    tree = Tree(tmp_path)
    target = f"all{which}config" if which != "random" else "randconfig"
    err = tree.run(target, status=1, KCONFIG_ALLCONFIG="1").stderr
    assert f"all{which}.config" in err and "all.config" in err
    (tree.obj / "all.config").write_text("CONFIG_NAME=\"general\"\nCONFIG_BIG=y\n")
    tree.run(target, KCONFIG_ALLCONFIG="1")
    assert (tree.values()["NAME"], tree.values()["BIG"]) == ('"general"', "y")
    (tree.obj / f"all{which}.config").write_text("CONFIG_NAME=\"special\"\nCONFIG_BIG=n\n")
    tree.run(target, KCONFIG_ALLCONFIG="")
    assert (tree.values()["NAME"], tree.values()["BIG"]) == ('"special"', "n")
    (tree.obj / "mine").write_text("CONFIG_PAGING_SV39=y\n")
    tree.run(target, KCONFIG_ALLCONFIG="mine")
    assert tree.values()["PAGING_SV39"] == "y"
    (tree.obj / "mine").write_text("CONFIG_BIG=n\nCONFIG_BIG=y\n")
    assert "mine:2: CONFIG_BIG=y: contradicts CONFIG_BIG=n on line 1" in \
        tree.run(target, status=1, KCONFIG_ALLCONFIG="mine").stderr
    (tree.obj / "mine").write_text("CONFIG_BIG=n\nCONFIG_PAGING_SV48=y\n")
    before = tree.config_file.read_text()
    err = tree.run(target, status=1, KCONFIG_ALLCONFIG="mine").stderr
    assert "mine:2: CONFIG_PAGING_SV48=y: depends on BIG (=n)" in err
    assert tree.config_file.read_text() == before


# -- randconfig -----------------------------------------------------------------------------

def test_seed(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    out = tree.run("randconfig").stdout
    seed = re.search(r"KCONFIG_SEED=(0x[0-9A-F]+)", out)
    assert seed
    first = tree.config_file.read_text()
    for text in (seed[1], str(int(seed[1], 16))):
        tree.config_file.unlink()
        out = tree.run("randconfig", KCONFIG_SEED=text, quiet="silent_").stdout
        assert out == f"KCONFIG_SEED={seed[1]}\n"
        assert tree.config_file.read_text() == first
    assert "KCONFIG_SEED=pi: not a number" in \
        tree.run("randconfig", status=1, KCONFIG_SEED="pi").stderr


@pytest.mark.parametrize("probability,big", [("0", 0), ("100", 20), ("60:40", 20), ("0:50:50", 0),
                                             ("100:0:0", 20)])
def test_probability_ends(tmp_path: Path, probability: str, big: int) -> None:
    tree = Tree(tmp_path)
    count = 0
    for seed in range(20):
        tree.run("randconfig", KCONFIG_SEED=str(seed), KCONFIG_PROBABILITY=probability)
        count += tree.values()["BIG"] == "y"
    assert count == big


@pytest.mark.parametrize("probability", ["101", "x", "-1", "60:60", "1:2:3:4", "10:99:2", "5:"])
def test_probability_refused(tmp_path: Path, probability: str) -> None:
    tree = Tree(tmp_path)
    assert f"KCONFIG_PROBABILITY={probability}: " in \
        tree.run("randconfig", status=1, KCONFIG_PROBABILITY=probability).stderr


def test_random_spread(tmp_path: Path) -> None:
    """Every member, both ends of a range, and values of dependent symbols."""
    tree = Tree(tmp_path)
    seen: Dict[str, List[str]] = {}
    for seed in range(120):
        tree.run("randconfig", KCONFIG_SEED=str(seed), quiet="silent_")
        got = tree.values()
        for name, value in got.items():
            seen.setdefault(name, []).append(value)
        shift = int(got["SHIFT"])
        assert 10 <= shift <= 20 if got["BIG"] == "y" else 3 <= shift <= 9
        assert (got.get("HELPER") == "y") == (got["DRIVER"] == "y")
        assert got["DRIVER"] == "n" or got["FORCED"] == "y"
        assert ("LINEAR" in got) == (got["BIG"] == "y" and got["MMU"] == "y"
                                     if "MMU" in got else False)
        assert sum(got.get(f"PAGING_{name}") == "y" for name in ("BARE", "SV39", "SV48")) == 1
        assert got["NAME"] == '"ahoy"'
    for name in ("PAGING_BARE", "PAGING_SV39", "PAGING_SV48"):
        assert 15 < seen[name].count("y") < 75
    assert {"3", "9", "10", "20"} < set(seen["SHIFT"]) and len(set(seen["SHIFT"])) > 10
    assert 35 < seen["BIG"].count("y") < 85


def test_random_wide_range(tmp_path: Path) -> None:
    """Nothing is lost to floating point, the ends included."""
    tree = Tree(tmp_path)
    (tree.obj / "mine").write_text("CONFIG_LINEAR=y\nCONFIG_PAGING_SV39=y\n")
    seen = set()
    for seed in range(40):
        tree.run("randconfig", KCONFIG_SEED=str(seed), KCONFIG_ALLCONFIG="mine")
        seen.add(tree.values()["ADDRESS"])
    assert {"0x1000", "0xffffffffffffffff"} < seen
    assert sum(int(value, 16) % 2 for value in seen) > 5


def test_random_is_valid(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    for seed in range(20):
        tree.run("randconfig", KCONFIG_SEED=str(seed))
        text = tree.config_file.read_text()
        assert tree.run("olddefconfig").stderr == ""
        assert tree.config_file.read_text() == text


def test_random_settles_backward_dependencies(tmp_path: Path) -> None:
    """The first symbols depend on the last ones, twenty deep."""
    text = "".join(f'config S{i:02}\n\tbool "s"\n\tdepends on S{i + 1:02}\n' for i in range(20))
    text += 'config S20\n\tbool "s"\nchoice\n\tprompt "c"\nconfig C0\n\tbool "c0"\n' \
            '\tdepends on S00\nconfig C1\n\tbool "c1"\nendchoice\n' \
            'config N\n\tint "n"\n\trange 5 6 if C0\n\trange 1 2\n\tdefault 1\n'
    tree = Tree(tmp_path, text)
    chosen = set()
    for seed in range(20):
        tree.run("randconfig", KCONFIG_SEED=str(seed), KCONFIG_PROBABILITY="100")
        got = tree.values()
        assert got["S00"] == "y"
        assert got["N"] in (("5", "6") if got["C0"] == "y" else ("1", "2"))
        chosen.add(got["C0"])
    assert chosen == {"y", "n"}


def test_random_settles_choices_that_depend_on_later_ones(tmp_path: Path) -> None:
    text = "".join(f'choice\n  prompt "c{i}"\nconfig A{i}\n  bool "a"\n  depends on A{i + 1}\n'
                   f'config B{i}\n  bool "b"\n  depends on !A{i + 1}\n'
                   f'config C{i}\n  bool "c"\nendchoice\n' for i in range(6))
    text += 'config A6\n  bool "a6"\nconfig N\n  int "n"\n  range 0 M\n  default 0\n' \
            'config M\n  int "m"\n  range 0 1000\n  default 5\n'
    tree = Tree(tmp_path, text)
    first, wide = [], 0
    for seed in range(60):
        tree.run("randconfig", KCONFIG_SEED=str(seed))
        got = tree.values()
        first.append("C0" if got["C0"] == "y" else "A0 or B0")
        assert 0 <= int(got["N"]) <= int(got["M"])
        wide += int(got["N"]) > 5
    assert 15 < first.count("C0") < 45, "one of two visible members each time"
    assert wide > 20, "the range of the later symbol's new value, not of its default"


def test_random_keeps_what_presets_rule_out(tmp_path: Path) -> None:
    text = "".join(f'choice\n  prompt "c{i}"\n' +
                   "".join(f'config C{i}_{j}\n  bool "c"\n' for j in range(9)) + "endchoice\n"
                   for i in range(4))
    tree = Tree(tmp_path, text)
    (tree.obj / "mine").write_text("".join(f"# CONFIG_C{i}_{j} is not set\n"
                                           for i in range(4) for j in range(8)))
    tree.run("randconfig", KCONFIG_SEED="1", KCONFIG_ALLCONFIG="mine")
    assert [name for name, value in tree.values().items() if value == "y"] == \
        ["C0_8", "C1_8", "C2_8", "C3_8"]


def test_random_keeps_presets(tmp_path: Path) -> None:
    """Also those that hold in few draws only."""
    tree = Tree(tmp_path)
    (tree.obj / "mine").write_text("CONFIG_LINEAR=y\nCONFIG_ADDRESS=0x1234\n"
                                   "# CONFIG_PAGING_SV48 is not set\n")
    drivers = set()
    for seed in range(20):
        tree.run("randconfig", KCONFIG_SEED=str(seed), KCONFIG_ALLCONFIG="mine")
        got = tree.values()
        assert (got["ADDRESS"], got["PAGING_SV39"]) == ("0x1234", "y")
        drivers.add(got["DRIVER"])
    assert drivers == {"y", "n"}
