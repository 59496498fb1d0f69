# SPDX-License-Identifier: MIT
"""A small Kconfig tree, for tests of the configuration targets. They never look
at the kernel's."""
import os
import re
import subprocess
from pathlib import Path
from typing import Dict, Optional

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
