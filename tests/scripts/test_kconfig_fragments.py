# SPDX-License-Identifier: MIT
"""The configuration targets: defconfigs and fragments, which are held to the
letter."""
import re
from pathlib import Path

import pytest

from kconfigtree import DEFAULTS, Tree

REFUSALS = [
    ("CONFIG_NOPE=y", "no such symbol in Kconfig"),
    ("# CONFIG_NOPE is not set", "no such symbol in Kconfig"),
    ("CONFIG_LINAER=y", "no such symbol; did you mean CONFIG_LINEAR?"),
    ("CONFIG_BIG=m", "y or n is needed"),
    ("CONFIG_BIG=1", "y or n is needed"),
    ("CONFIG_SHIFT=0x10", "a decimal number is needed"),
    ("CONFIG_SHIFT=", "a decimal number is needed"),
    ("CONFIG_SHIFT=y", "a decimal number is needed"),
    ("CONFIG_ADDRESS=-1", "a hexadecimal number is needed"),
    ("CONFIG_NAME=5", "a string in double quotes is needed"),
    ("CONFIG_NAME=ahoy", "malformed value (a string needs double quotes)"),
    ('CONFIG_NAME="a"b"', "malformed value (malformed string)"),
    ('CONFIG_NAME="a', "malformed value (malformed string)"),
    ("CONFIG_BIG", "malformed line (neither CONFIG_NAME=value nor a comment)"),
    ("BIG=y", "malformed line"),
    (" CONFIG_BIG=y", "malformed line"),
    ("CONFIG_BIG =y", "malformed line"),
    ("CONFIG_SHIFT=21", "out of range (10 to 20 if BIG (=y))"),
    ("CONFIG_SHIFT=9", "out of range (10 to 20 if BIG (=y))"),
    ("# CONFIG_BIG is not set\nCONFIG_SHIFT=10", "out of range (3 to 9)"),
    ("CONFIG_ADDRESS=0x5000", "depends on LINEAR (=n)"),
    ("CONFIG_LINEAR=y\nCONFIG_ADDRESS=0xfff", "out of range (0x1000 to 0xffffffffffffffff)"),
    ("CONFIG_HELPER=y", "cannot be set (no prompt); HELPER (=n; needs DRIVER (=n))"),
    ("CONFIG_PAGING_BARE=y\nCONFIG_LINEAR=y",
     "depends on MMU (=n; default !PAGING_BARE (=y))"),
    ("# CONFIG_BIG is not set\nCONFIG_PAGING_SV39=y\nCONFIG_LINEAR=y", "depends on BIG (=n)"),
    ("# CONFIG_BIG is not set\nCONFIG_PAGING_SV48=y", "depends on BIG (=n)"),
    ("CONFIG_DRIVER=y\n# CONFIG_FORCED is not set", "is y, selected by DRIVER (=y)"),
    ("CONFIG_DRIVER=y\n# CONFIG_HELPER is not set", "is y, selected by DRIVER (=y)"),
    ("# CONFIG_PAGING_SV48 is not set",
     'is the member that choice "Paging" falls to; set another one to y: '
     "PAGING_BARE, PAGING_SV39"),
    ("CONFIG_BIG=y\nCONFIG_BIG=n", "contradicts CONFIG_BIG=y on line 2 of the same file"),
]


@pytest.mark.parametrize("text,reason", REFUSALS)
@pytest.mark.parametrize("kind", ["defconfig", "x_defconfig", "x.config"])
def test_strict_refusal(tmp_path: Path, kind: str, text: str, reason: str) -> None:
    tree = Tree(tmp_path)
    tree.preset(kind, f"# what this is\n{text}\n")
    before = None
    if kind == "x.config":
        tree.write("# mine\n")
        before = tree.config_file.read_text()
    err = tree.run(kind, status=1).stderr
    last = text.split("\n")[-1]
    line = 1 + len(text.split("\n"))
    where = f"{tree.src}/configs/{kind}:{line}: "
    assert err.startswith(where), err
    if last.startswith("#"):
        last = f"CONFIG_{last.split()[1][len('CONFIG_'):]}=n"
    assert err.startswith(f"{where}{last}: "), err
    assert reason in err
    assert err.count("\n") == 1, "one mistake, one line"
    assert (tree.config_file.read_text() if before else tree.config_file.exists()) == \
        (before or False), "nothing is written"


def test_two_members_of_a_choice(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.preset("defconfig", "CONFIG_PAGING_SV39=y\nCONFIG_PAGING_BARE=y\n")
    assert ':1: CONFIG_PAGING_SV39=y: choice "Paging" has PAGING_BARE (=y)' in \
        tree.run("defconfig", status=1).stderr


def test_all_mistakes_at_once_in_order(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.preset("defconfig", "CONFIG_SHIFT=1\nCONFIG_A=y\nrubbish\nCONFIG_ADDRESS=0x1000\n")
    err = tree.run("defconfig", status=1).stderr.splitlines()
    assert [re.sub(r".*defconfig:(\d+):.*", r"\1", line) for line in err] == list("1234")


def test_defconfig(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.preset("defconfig", "# text\n\nCONFIG_LINEAR=y\nCONFIG_ADDRESS=5000\nCONFIG_BIG=y\r\n"
                             "# CONFIG_HELPER is not set\nCONFIG_NAME=\"a \\\"b\\\\\"\n")
    tree.run("defconfig")
    assert tree.values() == {**DEFAULTS, "LINEAR": "y", "ADDRESS": "0x5000",
                             "NAME": '"a \\"b\\\\"'}
    head = tree.config_file.read_text().splitlines()[:4]
    assert head[2] == "# Test 1" and all(line.startswith("#") for line in head)


def test_named_defconfig_missing(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.preset("tiny_defconfig", "")
    err = tree.run("huge_defconfig", status=1).stderr
    assert "no " in err and "configs/huge_defconfig" in err and "tiny_defconfig" in err


def test_fragment(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.preset("defconfig", "CONFIG_LINEAR=y\n")
    tree.preset("bare.config", "CONFIG_PAGING_BARE=y\n# CONFIG_LINEAR is not set\n")
    tree.run("defconfig")
    done = tree.run("bare.config")
    wanted = {**DEFAULTS, "PAGING_BARE": "y", "PAGING_SV48": "n"}
    del wanted["MMU"], wanted["LINEAR"]
    assert tree.values() == wanted
    assert f"{tree.src}/configs/bare.config:1: CONFIG_PAGING_BARE=y (was n)" in done.stdout
    assert "PAGING_SV48" not in done.stderr, "the other member is no surprise"


def test_fragment_takes_a_choice_away(tmp_path: Path) -> None:
    """Without its y the choice falls back to its default."""
    tree = Tree(tmp_path)
    tree.write("CONFIG_PAGING_BARE=y\n")
    tree.preset("x.config", "# CONFIG_PAGING_BARE is not set\n")
    tree.run("x.config")
    assert tree.values()["PAGING_SV48"] == "y"


def test_fragment_breaks_a_value(tmp_path: Path) -> None:
    """What the fragment makes impossible is said, and is no error."""
    tree = Tree(tmp_path)
    tree.write("CONFIG_LINEAR=y\n")
    tree.preset("x.config", "CONFIG_PAGING_BARE=y\n")
    err = tree.run("x.config").stderr
    assert ".config:1: warning: CONFIG_LINEAR=y: depends on MMU (=n" in err


def test_fragment_by_path(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("")
    other = tmp_path / "mine.config"
    other.write_text("CONFIG_SHIFT=17\n")
    tree.run(str(other))
    assert tree.values()["SHIFT"] == "17"
    (tree.obj / "local.config").write_text("CONFIG_SHIFT=18\n")
    tree.run("local.config")
    assert tree.values()["SHIFT"] == "18"
    assert "no fragment none.config" in tree.run("none.config", status=1).stderr
