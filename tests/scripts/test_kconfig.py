# SPDX-License-Identifier: MIT
"""The configuration targets: the user's own .config, which may be older than
the Kconfig files, and what all targets have in common."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

import kconfiglib
import pytest

from kconfigtree import CONF, DEFAULTS, KCONFIG, PYTHON, Tree, age, values

NEED_CONFIG = ["syncconfig", "oldconfig", "olddefconfig", "savedefconfig", "listnewconfig",
               "helpnewconfig", "whyconfig", "x.config"]


@pytest.mark.parametrize("target", NEED_CONFIG)
def test_no_configuration(tmp_path: Path, target: str) -> None:
    """Above all, the source tree's .config is not taken instead."""
    tree = Tree(tmp_path)
    tree.preset("x.config", "")
    (tree.src / ".config").write_text("CONFIG_SHIFT=19\n")
    done = tree.run(target, status=1)
    assert done.stderr == \
        "*** No configuration. Run 'make defconfig' (or 'make menuconfig') first.\n"
    assert list(tree.obj.iterdir()) == []


def test_source_trees_config_is_never_read(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    (tree.src / ".config").write_text("CONFIG_SHIFT=19\n")
    tree.run("config", stdin="\n" * 20)
    assert tree.values()["SHIFT"] == "12"


@pytest.mark.parametrize("target", ["syncconfig", "olddefconfig"])
def test_lenient_warnings(tmp_path: Path, target: str) -> None:
    tree = Tree(tmp_path)
    tree.write("CONFIG_GONE=y\n# CONFIG_GONE2 is not set\nCONFIG_LINEAR=y\nCONFIG_PAGING_BARE=y\n"
               "CONFIG_SHIFT=99\nCONFIG_NAME=y\nCONFIG_HELPER=y\n")
    err = tree.run(target).stderr
    assert ".config:1: warning: CONFIG_GONE=y: no such symbol\n" in err
    assert ".config:2: warning: CONFIG_GONE2=n: no such symbol\n" in err
    assert ".config:3: warning: CONFIG_LINEAR=y: depends on MMU (=n; default !PAGING_BARE" in err
    assert ".config:5: warning: CONFIG_SHIFT=99: out of range (10 to 20 if BIG (=y))\n" in err
    assert ".config:6: warning: CONFIG_NAME=y: a string in double quotes is needed\n" in err
    assert err.count("SHIFT") == 1, "kconfiglib does not say it again"
    assert "HELPER" not in err, "values of hidden symbols are computed, not the user's"
    assert "GONE" not in tree.config_file.read_text()
    assert tree.values()["SHIFT"] == "12"
    assert tree.run(target).stderr == "", "what is written is clean"


@pytest.mark.parametrize("target", NEED_CONFIG)
def test_malformed_config(tmp_path: Path, target: str) -> None:
    tree = Tree(tmp_path)
    tree.preset("x.config", "")
    text = "CONFIG_BIG=y\nCONFIG_SHIFT 5\n"
    tree.write(text)
    err = tree.run(target, status=1, SYMBOL="BIG").stderr
    assert err.startswith(".config:2: CONFIG_SHIFT 5: malformed line")
    assert tree.config_file.read_text() == text
    assert not (tree.obj / "include").exists()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x80"])
def test_binary_config(tmp_path: Path, content: bytes) -> None:
    tree = Tree(tmp_path)
    tree.config_file.write_bytes(content)
    assert ".config: not a configuration file" in tree.run("olddefconfig", status=1).stderr


def test_config_is_a_folder(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.config_file.mkdir()
    assert ".config: Is a directory" in tree.run("olddefconfig", status=1).stderr


def test_unchanged_config_keeps_its_time(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("CONFIG_SHIFT=13\n")
    tree.run("olddefconfig")
    assert (tree.obj / ".config.old").read_text() == "CONFIG_SHIFT=13\n"
    old = age(tree.config_file)
    for target in ("olddefconfig", "syncconfig", "oldconfig"):
        tree.run(target)
        assert tree.config_file.stat().st_mtime_ns == old, target
    assert (tree.obj / ".config.old").read_text() == "CONFIG_SHIFT=13\n"


def test_symbolic_link_stays(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    real = tmp_path / "real.config.txt"
    real.write_text("CONFIG_SHIFT=13\n")
    tree.config_file.symlink_to(real)
    tree.run("olddefconfig")
    assert tree.config_file.is_symlink() and values(real)["SHIFT"] == "13"
    assert "BIG" in values(real)


def test_kconfig_config(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    other = tree.obj / "other"
    other.write_text("CONFIG_SHIFT=14\n")
    tree.run("olddefconfig", KCONFIG_CONFIG="other")
    assert not tree.config_file.exists() and values(other)["SHIFT"] == "14"


def test_quiet(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    assert tree.run("alldefconfig").stdout == "Configuration written to .config\n"
    assert tree.run("alldefconfig").stdout == "No change to .config\n"
    assert tree.run("allnoconfig", quiet="silent_").stdout == ""


def test_number_without_default_survives(tmp_path: Path) -> None:
    tree = Tree(tmp_path, 'config N\n\tint "n"\n')
    tree.write("")
    tree.run("olddefconfig")
    assert tree.values() == {"N": ""}
    assert tree.run("olddefconfig").stderr == ""


def test_listnewconfig(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("CONFIG_SHIFT=13\nCONFIG_PAGING_BARE=y\nCONFIG_DRIVER=y\n")
    assert tree.run("listnewconfig").stdout == 'CONFIG_BIG=y\nCONFIG_NAME="ahoy"\n'
    assert "  Help on BIG.\n" in tree.run("helpnewconfig").stdout
    assert tree.config_file.read_text().count("\n") == 3


def test_whyconfig(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("CONFIG_PAGING_BARE=y\nCONFIG_DRIVER=y\n")
    out = tree.run("whyconfig", SYMBOL="MMU CONFIG_LINEAR HELPER FORCED DRIVER PAGING_SV39 "
                                       "SHIFT").stdout
    line = KCONFIG[:KCONFIG.index("config LINEAR")].count("\n") + 1
    assert f"LINEAR (=n), defined at Kconfig:{line}\n" in out
    assert re.sub(r", defined at .*", "", out) == """\
MMU (=n)
  default !PAGING_BARE (=y)
  cannot be set by hand: no prompt
LINEAR (=n)
  nothing sets it
  cannot be set: depends on MMU (=n; default !PAGING_BARE (=y))
HELPER (=y)
  selected by DRIVER (=y)
  cannot be set by hand: no prompt
FORCED (=y)
  selected by DRIVER (=y)
  cannot be switched off while selected
DRIVER (=y)
  set by .config:2
PAGING_SV39 (=n)
  choice "Paging" has PAGING_BARE (=y)
SHIFT (=12)
  default 12
"""
    assert "NOPE: no such symbol" in tree.run("whyconfig", status=1, SYMBOL="NOPE").stderr
    assert "Name the symbols" in tree.run("whyconfig", status=1).stderr


def test_savedefconfig(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("CONFIG_PAGING_SV39=y\nCONFIG_LINEAR=y\nCONFIG_SHIFT=12\nCONFIG_DRIVER=y\n")
    before = tree.config_file.read_text()
    tree.run("savedefconfig")
    assert (tree.obj / "defconfig").read_text() == \
        "CONFIG_PAGING_SV39=y\nCONFIG_LINEAR=y\nCONFIG_DRIVER=y\n"
    assert tree.config_file.read_text() == before


@pytest.mark.parametrize("seed", range(10))
def test_savedefconfig_round_trip(tmp_path: Path, seed: int) -> None:
    tree = Tree(tmp_path)
    tree.run("randconfig", KCONFIG_SEED=str(seed))
    wanted = tree.config_file.read_text()
    tree.run("savedefconfig")
    tree.preset("x_defconfig", (tree.obj / "defconfig").read_text())
    tree.run("x_defconfig")
    assert tree.config_file.read_text() == wanted


# -- mistakes in other places -----------------------------------------------------------

def test_unknown_target(tmp_path: Path) -> None:
    err = Tree(tmp_path).run("fooconfig", status=1).stderr
    assert "no configuration target fooconfig" in err and "olddefconfig" in err


def test_kconfig_mistake(tmp_path: Path) -> None:
    tree = Tree(tmp_path, "config A\n\tboool\n")
    assert "Kconfig:2" in tree.run("alldefconfig", status=1).stderr
    assert not tree.config_file.exists()
    tree.kconfig('source "missing"\n')
    assert "missing" in tree.run("alldefconfig", status=1).stderr


def test_unmet_select(tmp_path: Path) -> None:
    """A mistake of the Kconfig files: a warning, or on request an error."""
    tree = Tree(tmp_path, 'config A\n\tbool "a"\n\tdefault y\n\tselect B\n'
                          'config B\n\tbool\n\tdepends on C\nconfig C\n\tbool "c"\n')
    assert "warning: B" in tree.run("alldefconfig").stderr
    tree.config_file.unlink()
    assert "KCONFIG_WERROR" in tree.run("alldefconfig", status=1, KCONFIG_WERROR="1").stderr
    assert not tree.config_file.exists()
    assert tree.run("allnoconfig").stderr == ""


def test_scripts_folder_stays_as_it_is(tmp_path: Path) -> None:
    """With compiled modules a source tree would no longer be clean."""
    tree = Tree(tmp_path)
    (tree.src / "scripts").unlink()
    folder = tree.src / "scripts/kconfig"
    shutil.copytree(CONF.parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = sorted(folder.rglob("*"))
    for safe in ("", "1"):  # with "1" Python does not search the script's folder by itself
        for target in ("alldefconfig", "syncconfig", "oldconfig"):
            done = subprocess.run([PYTHON, str(folder / "conf.py"), target], cwd=tree.obj,
                                  env=tree.env(PYTHONSAFEPATH=safe), capture_output=True,
                                  text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
    assert sorted(folder.rglob("*")) == before


def test_names_of_modules() -> None:
    """They come first on the module path, and must hide no others."""
    names = {path.stem for path in CONF.parent.glob("*.py")}
    assert "conf" in names and not names & set(sys.stdlib_module_names)
    theirs = {path.stem for path in Path(kconfiglib.__file__).parent.glob("*config*.py")}
    assert "menuconfig" in theirs and not names & theirs


def test_stray_environment(tmp_path: Path) -> None:
    """Settings of kconfiglib's own do not change what is written."""
    tree = Tree(tmp_path)
    tree.run("alldefconfig", CONFIG_="X_", KCONFIG_FUNCTIONS="os",
             KCONFIG_CONFIG_HEADER="rubbish\n")
    assert tree.values() == DEFAULTS
