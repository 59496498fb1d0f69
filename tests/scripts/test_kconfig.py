# SPDX-License-Identifier: MIT
"""The configuration targets: scripts/kconfig/conf.py and its makefile.

Each test makes a small Kconfig tree of its own and never looks at the kernel's.
"""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
CONF = SCRIPTS / "kconfig" / "conf.py"
PYTHON = "/usr/bin/python3"

KCONFIG = """\
mainmenu "Test $(VERSION)"

config MMU
    def_bool !PAGING_BARE

choice
    prompt "Paging"
    default PAGING_SV48
    help
      How addresses are translated.

config PAGING_BARE
    bool "Bare"

config PAGING_SV39
    bool "Sv39"

config PAGING_SV48
    bool "Sv48"
    depends on BIG

endchoice

config BIG
    bool "Big"
    default y
    help
      Help on BIG.

menu "Devices"

config LINEAR
    bool "Linear map"
    depends on MMU && BIG

config DRIVER
    bool "Driver"
    select HELPER
    select FORCED

config HELPER
    bool

config FORCED
    bool "Forced"

config SHIFT
    int "Shift"
    range 10 20 if BIG
    range 3 9
    default 5 if !BIG
    default 12

config ADDRESS
    hex "Address"
    depends on LINEAR
    range 0x1000 0xffffffffffffffff
    default 0x80000000

config NAME
    string "Name"
    default "ahoy"

endmenu
"""


class Tree:
    """A source tree and an object tree in a temporary folder."""

    def __init__(self, path: Path, kconfig: str = KCONFIG) -> None:
        self.src = path / "src"
        self.obj = path / "obj"
        (self.src / "configs").mkdir(parents=True)
        self.obj.mkdir()
        (self.src / "scripts").symlink_to(SCRIPTS)
        self.kconfig(kconfig)
        self.config_file = self.obj / ".config"

    def kconfig(self, text: str) -> None:
        (self.src / "Kconfig").write_text(text)

    def preset(self, name: str, text: str) -> None:
        (self.src / "configs" / name).write_text(text)

    def env(self, **more: str) -> Dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TERM")
                if name in os.environ}
        return {**kept, "srctree": str(self.src), "VERSION": "1", **more}

    def run(self, target: str, status: int = 0, stdin: Optional[str] = None,
            **env: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run([PYTHON, str(CONF), target], cwd=self.obj, env=self.env(**env),
                              capture_output=True, text=True, timeout=60,
                              **({"input": stdin} if stdin is not None
                                 else {"stdin": subprocess.DEVNULL}))
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert not list(self.obj.rglob("*.tmp*"))
        return done

    def write(self, text: str) -> None:
        self.config_file.write_text(text)

    def values(self, path: Optional[Path] = None) -> Dict[str, str]:
        return values(path or self.config_file)


def values(path: Path) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for line in path.read_text().splitlines():
        match = re.fullmatch(r"CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set", line)
        if match:
            found[match[1] or match[3]] = match[2] if match[1] else "n"
        else:
            assert not line or line.startswith("#"), line
    return found


def age(path: Path) -> int:
    """Make a file old, so that a later time shows a write."""
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path.stat().st_mtime_ns


DEFAULTS = {"MMU": "y", "PAGING_BARE": "n", "PAGING_SV39": "n", "PAGING_SV48": "y", "BIG": "y",
            "LINEAR": "n", "DRIVER": "n", "FORCED": "n", "SHIFT": "12", "NAME": '"ahoy"'}


# -- defconfigs and fragments: strict ----------------------------------------------

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


# -- the user's own .config: lenient -------------------------------------------------

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


# -- syncconfig ----------------------------------------------------------------------

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


def test_number_without_default_survives(tmp_path: Path) -> None:
    tree = Tree(tmp_path, 'config N\n\tint "n"\n')
    tree.write("")
    tree.run("olddefconfig")
    assert tree.values() == {"N": ""}
    assert tree.run("olddefconfig").stderr == ""


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


def test_stray_environment(tmp_path: Path) -> None:
    """Settings of kconfiglib's own do not change what is written."""
    tree = Tree(tmp_path)
    tree.run("alldefconfig", CONFIG_="X_", KCONFIG_FUNCTIONS="os",
             KCONFIG_CONFIG_HEADER="rubbish\n")
    assert tree.values() == DEFAULTS


# -- all*config, savedefconfig -----------------------------------------------------------

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


# -- line by line ------------------------------------------------------------------------------

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


# -- full screen ------------------------------------------------------------------------------

class Terminal:
    """A program in a terminal of its own, by tmux."""

    def __init__(self, tree: Tree, command: str) -> None:
        self.socket = str(tree.obj.parent / "tmux")
        env = tree.env(TERM="screen", LANG="C.UTF-8")
        self.env = env
        self.tmux("new-session", "-d", "-x", "80", "-y", "30", "-c", str(tree.obj),
                  f"{command}; echo exit status $?; sleep 60")

    def tmux(self, *args: str) -> str:
        done = subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *args], env=self.env,
                              capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def see(self, text: str) -> str:
        screen = ""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            screen = self.tmux("capture-pane", "-p")
            if text in screen:
                return screen
            time.sleep(0.05)
        raise AssertionError(f"{text!r} does not appear:\n{screen}")

    def keys(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: Any) -> None:
        self.tmux("kill-server")


need_tmux = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")


@need_tmux
def test_menuconfig(tmp_path: Path) -> None:
    """Starts from defconfig, moves, explains, changes, saves."""
    tree = Tree(tmp_path)
    (tree.src / ".config").write_text("CONFIG_SHIFT=19\n")
    tree.preset("defconfig", "CONFIG_SHIFT=13\n")
    with Terminal(tree, f"{PYTHON} {CONF} menuconfig") as term:
        term.see("Devices")
        assert "Paging" in term.see("Test 1")
        term.keys("Down", "Down", "Enter")
        term.see("(13) Shift")
        term.keys("y")
        term.see("[*] Linear map")
        term.keys("Down", "y")
        term.see("-*- Forced")
        term.keys("Down", "?")
        term.see("selected by DRIVER (=y)")
        term.keys("q")
        term.see("-*- Forced")
        term.keys("q")
        term.see("Save configuration?")
        term.keys("y")
        term.see("exit status 0")
    got = tree.values()
    assert (got["LINEAR"], got["DRIVER"], got["FORCED"], got["SHIFT"]) == ("y", "y", "y", "13")
    assert tree.config_file.read_text().startswith("#\n# Automatically generated")


@need_tmux
def test_menuconfig_refuses_a_malformed_file(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("rubbish\n")
    with Terminal(tree, f"{PYTHON} {CONF} nconfig") as term:
        term.see("exit status 1")
        term.see(".config:1: rubbish: malformed line")


@need_tmux
def test_menuconfig_shows_warnings(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("CONFIG_GONE=y\nCONFIG_SHIFT=19\n")
    with Terminal(tree, f"{PYTHON} {CONF} menuconfig 2>err") as term:
        term.see("Devices")
        term.keys("q")
        term.see("Save configuration?")
        term.keys("y")
        term.see("exit status 0")
    assert (tree.obj / "err").read_text() == ".config:1: warning: CONFIG_GONE=y: no such symbol\n"
    assert tree.values()["SHIFT"] == "19"


@need_tmux
def test_menuconfig_unknown_terminal(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    with Terminal(tree, f"TERM=nonsense {PYTHON} {CONF} menuconfig") as term:
        assert "Traceback" not in term.see("exit status 1")


def test_menuconfig_needs_a_terminal(tmp_path: Path) -> None:
    assert "needs a terminal" in Tree(tmp_path).run("menuconfig", status=1).stderr


@pytest.mark.parametrize("target", ["guiconfig", "xconfig"])
def test_guiconfig_without_a_display(tmp_path: Path, target: str) -> None:
    tree = Tree(tmp_path)
    err = tree.run(target, status=1, DISPLAY="").stderr
    assert "python3-tk" in err or "display" in err
