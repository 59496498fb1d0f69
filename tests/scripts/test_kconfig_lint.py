# SPDX-License-Identifier: MIT
"""The linter of Kconfig files: scripts/kconfig/lint.py."""
import re
import subprocess
from pathlib import Path
from typing import List

import pytest

from kconfigtree import PYTHON, SCRIPTS

CLEAN = """\
config USED
    bool "used"
    default y
    help
      It is used. By a source file.

config IN_KCONFIG
    bool

config READER
    bool "reader"
    depends on IN_KCONFIG
    select SELECTED
    help
      It reads another symbol. E.g. this one!

config SELECTED
    bool

choice
    prompt "One of"
    help
      One of two. The second is what remains.

config FIRST
    bool "first"
    help
      The first. It has a file.

config SECOND
    bool "second"
    help
      The second. It has none.

endchoice

config NUMBER
    int "number"
    range 1 2
    default 1
    help
      A number. It is in a header.

config BY_SCRIPT
    string
    default "x"
"""
SOURCES = {
    "kernel/main.c": "#ifdef CONFIG_USED\nint x = CONFIG_NUMBER_MODULE + KCONFIG_CONFIG;\n"
                     "/* obj-$(CONFIG_X) */\n",
    "kernel/Makefile": "obj-$(CONFIG_READER) += r.o\nx := $(CONFIG_SHELL) $(CONFIG_$(y))\n",
    "arch/a.lds.S": "CONFIG_SELECTED\n",
    "kernel/Kbuild": "obj-$(CONFIG_FIRST) += first.o\n",
    "scripts/run": "machine = config.get('BY_SCRIPT')\n",
}


def lint(tmp_path: Path, kconfig: str = CLEAN, git: bool = False,
         **sources: str) -> List[str]:
    for name, text in {**SOURCES, **{name.replace("__", "/"): text
                                     for name, text in sources.items()}}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "Kconfig").write_text(kconfig)
    if git:
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    done = subprocess.run([PYTHON, str(SCRIPTS / "kconfig/lint.py"), str(tmp_path)], cwd="/",
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.returncode == (1 if done.stdout else 0)
    return done.stdout.splitlines()


def changed(old: str, new: str) -> str:
    assert CLEAN.count(old) == 1
    return CLEAN.replace(old, new)


@pytest.mark.parametrize("git", [False, True])
def test_lint_clean(tmp_path: Path, git: bool) -> None:
    assert lint(tmp_path, git=git) == []


@pytest.mark.parametrize("old,new,message", [
    ("    help\n      It is used. By a source file.\n", "",
     "Kconfig:1: CONFIG_USED has no help text"),
    ("It is used. By a source file.", "It is used: by e.g. a file.",
     "Kconfig:1: CONFIG_USED has less than two sentences"),
    ("One of two. The second is what remains.", "One.",
     'Kconfig:{choice}: choice "One of" has less than two sentences'),
    ("    default 1\n", "", "Kconfig:{config NUMBER}: CONFIG_NUMBER is a number without a default"),
    ("depends on IN_KCONFIG", "depends on USED",
     "Kconfig:{config IN_KCONFIG}: CONFIG_IN_KCONFIG is not used"),
    ("depends on IN_KCONFIG", "depends on IN_KCONFIG && TYPO", "TYPO"),
    ("config USED", "config USEDD", "kernel/main.c:1: CONFIG_USED is not a symbol"),
    ("int \"number\"", "intt \"number\"", "Kconfig:{intt}"),
])
def test_lint_kconfig(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = changed(old, new)
    place = re.search(r"{(.*)}", message)
    if place:
        # The number of the line that holds these words.
        line = text[:text.index(place[1])].count("\n") + 1
        message = message.replace(place[0], str(line))
    problems = lint(tmp_path, text)
    assert any(message in line for line in problems), problems


def test_lint_sources(tmp_path: Path) -> None:
    assert lint(tmp_path, kernel__x="CONFIG_NOT_A_SOURCE\n",
                include__generated__g="CONFIG_G\n") == []
    (tmp_path / "include/generated/autoconf.h").write_text("#define CONFIG_STALE 1\n")
    assert lint(tmp_path) == [], "what a build left is no source"
    (tmp_path / "kernel/new.h").write_text("\n// IS_ENABLED(CONFIG_MISSING)\n")
    assert lint(tmp_path) == ["kernel/new.h:2: CONFIG_MISSING is not a symbol of Kconfig"]


def test_lint_unused(tmp_path: Path) -> None:
    sources = {name: "" for name in SOURCES}
    text = "\n".join(lint(tmp_path, **{name.replace("/", "__"): text
                                       for name, text in sources.items()}))
    for name in ("USED", "READER", "SELECTED", "SECOND", "NUMBER", "BY_SCRIPT"):
        assert f"CONFIG_{name} is not used anywhere" in text
    assert "FIRST" not in text, "one member of a choice may be the rest"
    assert "IN_KCONFIG" not in text


@pytest.mark.parametrize("entry,clean", [
    ("def_bool !USED\n    select SELECTED", True),
    ("def_bool !USED\n    imply NUDGED", True),
    ("def_bool !USED", False),
    ("def_bool !USED\nconfig NONE\n    select SELECTED", True),
    ("bool \"none\"\n    select SELECTED\n    help\n      Asked. It is of no use.", False),
    ("bool\n    select SELECTED\nconfig NONE\n    bool \"none\"\n    help\n      One. Two.", False),
])
def test_lint_selecting_is_a_use(tmp_path: Path, entry: str, clean: bool) -> None:
    """Of a symbol that nobody is asked about."""
    line = CLEAN.count("\n") + 2
    nudged = '\nconfig NUDGED\n    bool "nudged"\n    help\n      One. Two.\n'
    problems = lint(tmp_path, f"{CLEAN}\nconfig NONE\n    {entry}\n{nudged}",
                    kernel__Makefile=SOURCES["kernel/Makefile"] + "obj-$(CONFIG_NUDGED) += n.o\n")
    assert problems == ([] if clean else [f"Kconfig:{line}: CONFIG_NONE is not used anywhere"])
