# SPDX-License-Identifier: MIT
"""The configuration targets: syncconfig, alone and as make calls it."""
import os
import subprocess
import time
from pathlib import Path
from typing import Dict

import pytest

from kconfigtree import CONF, KCONFIG, PYTHON, SCRIPTS, Tree, age, values


def stamps(tree: Tree) -> Dict[str, int]:
    folder = tree.obj / "include/config"
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns
            for path in folder.rglob("*.h")}


def test_sync_writes_what_the_build_reads(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("CONFIG_LINEAR=y\n")
    tree.run("syncconfig")
    header = (tree.obj / "include/generated/autoconf.h").read_text()
    for line in ("#define CONFIG_MMU 1", "#define CONFIG_ADDRESS 0x80000000",
                 "#define CONFIG_SHIFT 12", '#define CONFIG_NAME "ahoy"'):
        assert line + "\n" in header
    assert "DRIVER" not in header
    auto = values(tree.obj / "include/config/auto.conf")
    assert auto == {name: value for name, value in tree.values().items() if value != "n"}
    assert set(stamps(tree)) == {name.lower().replace("_", "/") + ".h" for name in auto}


def test_sync_touches_changed_stamps_only(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("CONFIG_LINEAR=y\n")
    tree.run("syncconfig")
    for path in (tree.obj / "include").rglob("*"):
        age(path)
    before = stamps(tree)
    tree.run("syncconfig")
    assert stamps(tree) == before
    assert age(tree.obj / "include/generated/autoconf.h") == 1_000_000_000 * 10**9
    auto = tree.obj / "include/config/auto.conf"
    assert auto.stat().st_mtime_ns > 1_000_000_000 * 10**9, "touched though unchanged"

    tree.config_file.write_text(tree.config_file.read_text()
                                .replace("CONFIG_LINEAR=y", "# CONFIG_LINEAR is not set")
                                .replace("# CONFIG_DRIVER is not set", "CONFIG_DRIVER=y"))
    err = tree.run("syncconfig").stderr
    assert "CONFIG_ADDRESS=0x80000000: depends on LINEAR (=n)" in err
    after = stamps(tree)
    assert {name for name in after if after[name] != before.get(name)} == \
        {"linear.h", "address.h", "driver.h", "helper.h", "forced.h"}
    assert tree.values()["HELPER"] == "y", "hidden symbols follow in .config, too"


@pytest.mark.parametrize("still_named", [False, True])
def test_sync_touches_the_stamp_of_a_symbol_that_is_gone(tmp_path: Path,
                                                         still_named: bool) -> None:
    tree = Tree(tmp_path, 'config A\n\tbool "a"\nconfig B\n\tbool "b"\n')
    tree.write("CONFIG_A=y\nCONFIG_B=y\n")
    tree.run("syncconfig")
    age(tree.obj / "include/config/b.h")
    depends = "\tdepends on !B\n" if still_named else ""
    tree.kconfig('config A\n\tbool "a"\n' + depends)
    tree.run("syncconfig")
    assert (tree.obj / "include/config/b.h").stat().st_mtime_ns > 1_000_000_000 * 10**9


def test_sync_reports_new_symbols(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.run("alldefconfig")
    tree.kconfig(KCONFIG + """
config FRESH
    bool "fresh"
    default y

config FRESH_NUMBER
    int "number" if FRESH
    default 3

config FRESH_HIDDEN
    def_bool y

config FRESH_OFF
    bool "off"
    depends on !FRESH

choice
    prompt "fresh choice"
config FRESH_A
    bool "a"
config FRESH_B
    bool "b"
endchoice
""")
    lines = tree.run("syncconfig").stderr.splitlines()[1:]
    assert lines == ["  new symbol FRESH (=y)", "  new symbol FRESH_NUMBER (=3)",
                     "  new symbol FRESH_A (=y)"]
    assert tree.values()["FRESH_NUMBER"] == "3"
    assert tree.run("syncconfig").stderr == ""


AWKWARD = ["a b", "$HOME $(shell echo x) $$", "# a", "a#b", "a\\#b", "a\\\\#", "ends\\", '"quoted"',
           " led", "it's", "a\\$b#", "€"]


@pytest.mark.parametrize("text", AWKWARD)
def test_strings_reach_make_and_c_unharmed(tmp_path: Path, text: str) -> None:
    tree = Tree(tmp_path)
    literal = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    tree.write(f"CONFIG_NAME={literal}\n")
    tree.run("syncconfig")
    assert f"#define CONFIG_NAME {literal}\n" in \
        (tree.obj / "include/generated/autoconf.h").read_text(encoding="utf-8")
    makefile = tree.obj / "show.mk"
    makefile.write_text("include include/config/auto.conf\n$(info $(CONFIG_NAME))\nall: ;@:\n")
    shown = subprocess.run(["make", "-sf", "show.mk"], cwd=tree.obj, capture_output=True,
                           encoding="utf-8", check=True)
    assert shown.stdout == literal + "\n"
    age(tree.obj / "include/config/name.h")
    tree.run("syncconfig")
    assert (tree.obj / "include/config/name.h").stat().st_mtime == 1_000_000_000


# -- under make -------------------------------------------------------------------------

TOP = """\
MAKEFLAGS += -rR --no-print-directory
srctree ?= {src}
export srctree VERSION
Q := @
export Q
ifneq ($(filter %config,$(MAKECMDGOALS)),)
%config: FORCE
\t$(Q)$(MAKE) -f {scripts}/kconfig/Makefile $@
else
all: ; @echo NAME=$(CONFIG_NAME)
include include/config/auto.conf
-include include/config/auto.conf.cmd
include/config/auto.conf: .config
\t@echo SYNC
\t@$(MAKE) -f {scripts}/kconfig/Makefile syncconfig
include/config/auto.conf.cmd: ;
endif
FORCE:
.PHONY: FORCE all
"""


def make(tree: Tree, *args: str, status: int = 0, **env: str) -> str:
    (tree.obj / "Makefile").write_text(TOP.format(src=tree.src, scripts=SCRIPTS))
    full = tree.env(**env)
    del full["srctree"]
    done = subprocess.run(["make", *args], cwd=tree.obj, env=full, capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_make_syncs_once_for_each_cause(tmp_path: Path) -> None:
    tree = Tree(tmp_path, 'source "sub/Kconfig"\nsource "sub/two"\n')
    (tree.src / "sub").mkdir()
    sub, two = tree.src / "sub/Kconfig", tree.src / "sub/two"
    sub.write_text('config NAME\n\tstring "name"\n\tdefault "$(VERSION)$(EXTRA)"\n')
    two.write_text("")
    assert "written" in make(tree, "alldefconfig")
    tree.write("")

    def synced(*args: str, **env: str) -> bool:
        for path in [tree.config_file, sub, two, tree.src / "Kconfig"]:
            if path.exists() and path.stat().st_mtime > time.time() - 2:
                os.utime(path, (time.time() - 5, time.time() - 5))
        first = make(tree, *args, **env)
        assert first.count("SYNC") <= 1
        assert "SYNC" not in make(tree, *args, **env), "nothing to do the second time"
        return "SYNC" in first

    assert synced()
    assert synced(VERSION="2"), "an environment variable that a macro uses"
    assert synced(VERSION="a # $$b ' \\"), "whatever is in it"
    assert synced(VERSION=" led")
    assert synced(VERSION="1")
    assert synced("VERSION=$$HOME, (b"), "also from the command line"
    assert synced()
    assert synced("EXTRA=x"), "one that was not there"
    assert synced()
    assert not synced(UNRELATED="1")
    os.utime(sub)
    time.sleep(0.01)
    make_output = make(tree)
    assert make_output.count("SYNC") == 1, "a Kconfig file"
    tree.kconfig('source "sub/Kconfig"\n')
    two.unlink()
    assert "SYNC" in make(tree), "a Kconfig file that is gone"
    assert "No rule" not in make(tree)


def test_make_in_the_source_tree(tmp_path: Path) -> None:
    """srctree is "." and file names in auto.conf.cmd are plain."""
    tree = Tree(tmp_path)
    tree.obj = tree.src
    tree.config_file = tree.src / ".config"
    tree.preset("defconfig", "CONFIG_SHIFT=13\n")
    make(tree, "srctree=.", "defconfig")
    make(tree, "srctree=.")
    assert tree.values()["SHIFT"] == "13"
    assert "\tKconfig \\\n" in (tree.src / "include/config/auto.conf.cmd").read_text()
    tree.preset("defconfig", "CONFIG_SHIFT=1\n")
    assert "configs/defconfig:1: CONFIG_SHIFT=1: out of range" in \
        make(tree, "srctree=.", "defconfig", status=2)


def test_make_without_kconfiglib(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    out = make(tree, "defconfig", "KPYTHON=", status=2)
    assert "python3-kconfiglib" in out and "./scripts/setup.sh" in out
    bare = subprocess.run([PYTHON, "-S", "-E", str(CONF), "defconfig"], cwd=tree.obj,
                          env=tree.env(), capture_output=True, text=True, check=False)
    assert bare.returncode == 1
    assert "python3-kconfiglib" in bare.stderr and "./scripts/setup.sh" in bare.stderr
    assert "Traceback" not in bare.stderr


def test_make_finds_python_past_a_trap(tmp_path: Path) -> None:
    """A module of the same name in the object tree is not taken."""
    tree = Tree(tmp_path)
    (tree.obj / "kconfiglib.py").write_text("raise SystemExit('trap')\n")
    (tree.obj / "menuconfig.py").write_text("raise SystemExit('trap')\n")
    assert "written" in make(tree, "alldefconfig")
