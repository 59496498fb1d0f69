# SPDX-License-Identifier: MIT
"""Source trees with options that are broken on purpose, and sweeps of them."""
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from sourcecopy import ROOT, copy_sources

sys.path.insert(0, str(ROOT / "scripts" / "measure"))

# Prints the line once more.
AGAIN = """// SPDX-License-Identifier: MIT
#include <ahoy/console.h>
#include <ahoy/init.h>

static void print_again(void)
{
    console_write("Hello world.\\n", 13);
}
INIT(late, print_again);
"""


class Swept(NamedTuple):
    """A sweep that has ended."""

    status: int
    out: str
    err: str
    folder: Path

    @property
    def report(self) -> Dict[str, Any]:
        """Its results."""
        return json.loads((self.folder / "results.json").read_text(encoding="utf-8"))

    @property
    def failed(self) -> Dict[str, Dict[str, Any]]:
        """The failures by their names."""
        return {r["name"]: r for r in self.report["results"] if r["status"] == "fail"}


def environment(**more: str) -> Dict[str, str]:
    """Return an environment without what an outer make or a caller has set."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "QEMU", "BIOS")
            if os.environ.get(name)}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **more}


def sweep(folder: Path, *words: str, root: Path = ROOT, timeout: float = 280,
          **variables: str) -> Swept:
    """Run a sweep of a source tree; its results are below folder."""
    done = subprocess.run([root / "scripts" / "sweep", "--dir", folder, *words],
                          env=environment(**variables), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout, check=False)
    return Swept(done.returncode, done.stdout, done.stderr, folder)


def broken_tree(folder: Path, kconfig: str, files: Dict[str, str], makefile: str) -> Path:
    """Return a copy of the sources with more options and more files in kernel/."""
    copy_sources(folder)
    with open(folder / "kernel" / "Kconfig", "a", encoding="utf-8") as file:
        file.write(kconfig)
    with open(folder / "kernel" / "Makefile", "a", encoding="utf-8") as file:
        file.write(makefile)
    for name, text in files.items():
        (folder / "kernel" / name).write_text(text, encoding="utf-8")
    return folder


def option(name: str, *lines: str) -> str:
    """Return a Kconfig entry."""
    return f'\nconfig {name}\n\tbool "{name}"\n' + "".join(f"\t{line}\n" for line in lines)


def names_of(fragment: str) -> List[str]:
    """Return the lines of a fragment without comments."""
    return [line for line in fragment.splitlines() if line and not line.startswith("# make")]
