# SPDX-License-Identifier: MIT
"""The scripts around a configuration: config, diffconfig, merge_config.sh
and extract-ikconfig."""
import os
import subprocess
import time
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from kconfigtree import SCRIPTS, Tree, age, values


def run(script: str, *args: object, cwd: Path, status: int = 0,
        **env: str) -> "subprocess.CompletedProcess[str]":
    full = {name: value for name, value in os.environ.items()
            if not name.startswith(("KCONFIG", "KBUILD", "MAKE", "MFLAGS"))}
    done = subprocess.run([str(SCRIPTS / script), *map(str, args)], cwd=cwd,
                          env={**full, **env}, capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


# -- scripts/config -----------------------------------------------------------------

START = """\
# a comment
CONFIG_A=y
# CONFIG_B is not set
CONFIG_N=5
CONFIG_S="say \\"hi\\" \\\\"
CONFIG_AB=y
"""


@pytest.mark.parametrize("args,changes", [
    (["-e", "B"], {"B": "y"}),
    (["--enable", "b"], {"B": "y"}),
    (["--enable", "CONFIG_B"], {"B": "y"}),
    (["-d", "A"], {"A": "n"}),
    (["--disable", "A", "-e", "B"], {"A": "n", "B": "y"}),
    (["-e", "NEW"], {"NEW": "y"}),
    (["-k", "-e", "New"], {"New": "y"}),
    (["--keep-case", "-e", "New"], {"New": "y"}),
    (["--set-val", "N", "-7"], {"N": "-7"}),
    (["--set-val", "H", "0x10"], {"H": "0x10"}),
    (["--set-str", "S", "--x \"q\" \\ #"], {"S": '"--x \\"q\\" \\\\ #"'}),
    (["--set-str", "S", ""], {"S": '""'}),
    (["-u", "A", "--undefine", "B"], {"A": "", "B": ""}),
    (["-u", "NONE"], {}),
    (["-e", "B", "-d", "B"], {}),
])
def test_config_changes(tmp_path: Path, args: List[str], changes: Dict[str, str]) -> None:
    path = tmp_path / ".config"
    path.write_text(START)
    before = values(path)
    old = age(path)
    run("config", *args, cwd=tmp_path)
    wanted = {name: value for name, value in {**before, **changes}.items() if value}
    assert values(path) == wanted
    assert path.read_text().startswith("# a comment\n")
    assert (path.stat().st_mtime_ns == old) == (not changes), "no change, no write"
    assert [p.name for p in tmp_path.iterdir()] == [".config"]


@pytest.mark.parametrize("name,state", [("A", "y"), ("B", "n"), ("C", "undef"), ("N", "5"),
                                        ("S", 'say "hi" \\'), ("AB", "y")])
def test_config_state(tmp_path: Path, name: str, state: str) -> None:
    other = tmp_path / "other"
    other.write_text(START)
    assert run("config", "--file", other, "-s", name, cwd=tmp_path).stdout == state + "\n"
    assert run("config", "--state", name, cwd=tmp_path, KCONFIG_CONFIG="other").stdout == \
        state + "\n"


def test_config_order_and_place(tmp_path: Path) -> None:
    path = tmp_path / ".config"
    path.write_text(START + "CONFIG_A=y\n")
    run("config", "-E", "A", "C", "-D", "B", "A", cwd=tmp_path)
    assert path.read_text().splitlines()[1:4] == ["# CONFIG_B is not set",
                                                  "# CONFIG_A is not set", "CONFIG_N=5"]
    assert path.read_text().count("CONFIG_A ") == 1, "a repeated line is dropped"


@pytest.mark.parametrize("args,message", [
    ([], "no command"), (["-e"], "another argument"), (["--set-val", "A"], "another argument"),
    (["--frob", "A"], "unknown option --frob"), (["-e", "A B"], "not the name of a symbol"),
    (["-m", "A"], "unknown option -m"), (["--set-str", "A", "x\ny"], "one line"),
    (["--file", "none", "-e", "A"], "none: No such file"),
])
def test_config_mistakes(tmp_path: Path, args: List[str], message: str) -> None:
    path = tmp_path / ".config"
    path.write_text(START)
    assert message in run("config", *args, cwd=tmp_path, status=1).stderr
    assert path.read_text() == START


def test_config_then_sync(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.run("alldefconfig")
    run("config", "-e", "LINEAR", "--set-val", "SHIFT", "99", cwd=tree.obj)
    assert "CONFIG_SHIFT=99: out of range" in tree.run("syncconfig").stderr
    assert tree.values()["ADDRESS"] == "0x80000000"


# -- scripts/diffconfig ------------------------------------------------------------------

def diff_tree(tmp_path: Path) -> Tuple[Path, Path]:
    old, new = tmp_path / ".config.old", tmp_path / ".config"
    old.write_text("# c\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_N=5\nCONFIG_SAME=y\n"
                   "CONFIG_GONE=y\n")
    new.write_text("# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_N=6\nCONFIG_SAME=y\n"
                   "CONFIG_Z=\"x = y\"\n# CONFIG_C is not set\n")
    return old, new


DIFF = '-GONE y\n A y -> n\n B n -> y\n N 5 -> 6\n+C n\n+Z "x = y"\n'


def test_diffconfig(tmp_path: Path) -> None:
    old, new = diff_tree(tmp_path)
    assert run("diffconfig", old, new, cwd=tmp_path).stdout == DIFF
    assert run("diffconfig", cwd=tmp_path).stdout == DIFF
    assert run("diffconfig", cwd=Path("/"), KBUILD_OUTPUT=str(tmp_path)).stdout == DIFF
    assert run("diffconfig", old, old, cwd=tmp_path).stdout == ""


def test_diffconfig_as_a_fragment(tmp_path: Path) -> None:
    old, new = diff_tree(tmp_path)
    assert run("diffconfig", "-m", old, new, cwd=tmp_path).stdout == (
        "# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_N=6\n# CONFIG_C is not set\n"
        'CONFIG_Z="x = y"\n')


def test_diffconfig_mistakes(tmp_path: Path) -> None:
    assert "none: No such file" in \
        run("diffconfig", "none", "none", cwd=tmp_path, status=1).stderr
    assert "two files" in run("diffconfig", "one", cwd=tmp_path, status=2).stderr


# -- scripts/merge_config.sh -----------------------------------------------------------------

TOP = """\
%config:
\t@cd $(or $(O),.) && srctree=$(CURDIR) $(MAKE) --no-print-directory \
\t\t-f $(CURDIR)/scripts/kconfig/Makefile $@
"""


def merge_tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path)
    (tree.src / "Makefile").write_text(TOP)
    (tree.obj / "base").write_text("CONFIG_SHIFT=13\nCONFIG_DRIVER=y\n# CONFIG_LINEAR is not set\n")
    (tree.obj / "one").write_text("CONFIG_LINEAR=y\nCONFIG_SHIFT=13\n")
    (tree.obj / "two").write_text("CONFIG_NAME=\"two\"\nCONFIG_SHIFT=14\n")
    return tree


def merge(tree: Tree, *args: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run([str(tree.src / "scripts/merge_config.sh"), *args], cwd=tree.obj,
                          env={"PATH": os.environ["PATH"], "VERSION": "1"}, capture_output=True,
                          text=True, timeout=60, check=False)
    assert (done.returncode != 0) == (status != 0), done.stdout + done.stderr
    return done


def test_merge(tmp_path: Path) -> None:
    tree = merge_tree(tmp_path)
    out = merge(tree, "base", "one", "two").stdout
    got = tree.values()
    assert (got["SHIFT"], got["LINEAR"], got["NAME"], got["DRIVER"], got["BIG"]) == \
        ("14", "y", '"two"', "y", "y")
    assert "one:1: CONFIG_LINEAR=y replaces CONFIG_LINEAR=n of " in out
    assert "two:2: CONFIG_SHIFT=14 replaces CONFIG_SHIFT=13 of " in out
    assert "repeats" not in out
    assert "one:2: CONFIG_SHIFT=13 repeats" in merge(tree, "-r", "base", "one").stdout
    assert "replaces" not in merge(tree, "-Q", "base", "one", "two").stdout


def test_merge_other_folder_and_rest_no(tmp_path: Path) -> None:
    tree = merge_tree(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    (tree.obj / "one").write_text("CONFIG_PAGING_SV39=y\n")
    merge(tree, "-n", "-O", str(out), "base", "one")
    got = values(out / ".config")
    assert (got["BIG"], got["DRIVER"], got["PAGING_SV39"]) == ("n", "y", "y")
    assert not tree.config_file.exists()
    assert "no such folder" in merge(tree, "-O", "nowhere", "base", status=1).stderr


def test_merge_is_strict_about_fragments(tmp_path: Path) -> None:
    tree = merge_tree(tmp_path)
    (tree.obj / "one").write_text("CONFIG_ADDRESS=0x5000\n")
    err = merge(tree, "base", "one", status=1).stderr
    assert f"{tree.obj}/one:1: CONFIG_ADDRESS=0x5000: depends on LINEAR (=n)" in err
    assert not tree.config_file.exists()


def test_merge_refuses_redefinition_on_request(tmp_path: Path) -> None:
    tree = merge_tree(tmp_path)
    err = merge(tree, "-s", "base", "two", status=1).stderr
    assert "two:2: CONFIG_SHIFT=14 replaces CONFIG_SHIFT=13" in err
    assert not tree.config_file.exists()
    merge(tree, "-s", "two", "two")


def test_merge_text_only(tmp_path: Path) -> None:
    tree = merge_tree(tmp_path)
    (tree.obj / "one").write_text("CONFIG_LINEAR=y\nCONFIG_NOWHERE=y\n")
    merge(tree, "-m", "base", "one")
    assert values(tree.config_file) == {"SHIFT": "13", "DRIVER": "y", "LINEAR": "y",
                                        "NOWHERE": "y"}


def test_merge_mistakes(tmp_path: Path) -> None:
    tree = merge_tree(tmp_path)
    assert "usage" in merge(tree, status=1).stderr
    assert "usage" in merge(tree, "-x", "base", status=1).stderr
    assert "missing: no such file" in merge(tree, "base", "missing", status=1).stderr
    assert "-O DIR" in merge(tree, "-h").stdout


# -- scripts/extract-ikconfig --------------------------------------------------------------------

TEXT = b'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_N=-5\nCONFIG_H=0x10\nCONFIG_S="a \\"b\\" c"\n'


@pytest.mark.parametrize("before", [
    b"", b"\x7fELF" + bytes(range(256)) * 9, b"IKCFG_ST", b"IKCFG_STIKCFG_ED",
    b"IKCFG_ST\0IKCFG_ED", b"IKCFG_ST %s IKCFG_ED\n\0", b"IKCFG_ST\nIKCFG_ED",
    b"IKCFG_ST# only a comment\nIKCFG_ED",
    b"IKCFG_STCONFIG_X=y", b"IKCFG_STCONFIG_X=y\nrubbish\nIKCFG_ED", b"IKCFG_ED\0\0",
    b"IKCFG_STCONFIG_X=y\n\0",
])
def test_extract(tmp_path: Path, before: bytes) -> None:
    image = tmp_path / "Image"
    image.write_bytes(before + b"IKCFG_ST" + TEXT + b"IKCFG_ED"
                      + b"\0IKCFG_STCONFIG_Z=y\nIKCFG_ED")
    assert run("extract-ikconfig", image, cwd=tmp_path).stdout.encode() == TEXT


@pytest.mark.parametrize("value", ["IKCFG_ED", "IKCFG_ST", "IKCFG_STCONFIG_X=y",
                                   "IKCFG_STIKCFG_ED", "x IKCFG_ED\\\\"])
def test_extract_markers_inside(tmp_path: Path, value: str) -> None:
    text = TEXT + f'CONFIG_CMDLINE="{value}"\nCONFIG_LAST=y\n'.encode()
    image = tmp_path / "Image"
    image.write_bytes(b"\1\2IKCFG_ST" + text + b"IKCFG_ED")
    assert run("extract-ikconfig", image, cwd=tmp_path).stdout.encode() == text


@pytest.mark.parametrize("content", [b"", b"\x7fELF nothing", b"IKCFG_ST", b"IKCFG_STIKCFG_ED",
                                     b"IKCFG_ST" + TEXT, TEXT + b"IKCFG_ED",
                                     b"IKCFG_ST" + TEXT[:-1] + b"IKCFG_ED"])
def test_extract_nothing(tmp_path: Path, content: bytes) -> None:
    image = tmp_path / "Image"
    image.write_bytes(content)
    done = run("extract-ikconfig", image, cwd=tmp_path, status=1)
    assert done.stdout == "" and f"{image}: no configuration inside" in done.stderr
    assert "none: No such file" in run("extract-ikconfig", "none", cwd=tmp_path, status=1).stderr


def test_extract_is_linear(tmp_path: Path) -> None:
    image = tmp_path / "Image"
    image.write_bytes(b"IKCFG_ST" * 500_000 + TEXT * 20_000)
    start = time.monotonic()
    run("extract-ikconfig", image, cwd=tmp_path, status=1)
    assert time.monotonic() - start < 20
