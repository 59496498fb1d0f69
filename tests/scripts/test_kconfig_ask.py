# SPDX-License-Identifier: MIT
"""The configuration targets: config and oldconfig, which ask line by line."""
import re
from pathlib import Path

from kconfigtree import Tree


def test_oldconfig_asks_for_new_symbols_only(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.run("alldefconfig")
    assert "[" not in tree.run("oldconfig").stdout
    text = tree.config_file.read_text().replace("CONFIG_SHIFT=12\n", "")
    tree.write(text.replace("# CONFIG_LINEAR is not set\n", ""))
    out = tree.run("oldconfig", stdin="?\nmaybe\nyes\n9\nabc\n15\n0x2000\n").stdout
    assert re.findall(r"\((\w+)\) \[(.*?)\]", out) == \
        [("LINEAR", "N/y/?")] * 3 + [("SHIFT", "12")] * 3 + [("ADDRESS", "0x80000000")]
    assert "*\n* Devices\n*\n" in out and "(NEW)" in out
    assert "no help" in out and "y or n is needed" in out
    assert "out of range (10 to 20 if BIG (=y))" in out and "decimal number is needed" in out
    got = tree.values()
    assert (got["LINEAR"], got["SHIFT"], got["ADDRESS"]) == ("y", "15", "0x2000")


def test_config_asks_for_everything(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.preset("defconfig", "CONFIG_SHIFT=19\n")
    out = tree.run("config", stdin="?\n7\n2\n?\n\ny\nn\n\n\n1\n\nnew name\n" + "\n" * 5).stdout
    assert "How addresses are translated." in out and "Help on BIG." in out
    assert "a number from 1 to 3 is needed" in out
    got = tree.values()
    assert (got["PAGING_SV39"], got["LINEAR"], got["DRIVER"]) == ("y", "y", "n")
    assert got["SHIFT"] == "19", "begins with defconfig's value, which an empty line keeps"
    assert got["NAME"] == '"new name"'


def test_input_ends(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("CONFIG_BIG=y\n")
    assert "olddefconfig" in tree.run("oldconfig", status=1, stdin="\n").stderr
    assert tree.config_file.read_text() == "CONFIG_BIG=y\n"
