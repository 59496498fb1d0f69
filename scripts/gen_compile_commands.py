#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Print a compilation database of what was built.

Reads the .cmd files that the build keeps beside its objects. Run in the object
tree; "make compile_commands.json" does.
"""
import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Dict, List

# The command of an object, and the first file that it depends on: its source.
COMMAND = re.compile(r"^savedcmd_(\S+\.o) := (.*)\n\ndeps_\S+ := \\\n\t(\S+\.[cS]) ", re.MULTILINE)


def entries(objtree: Path) -> List[Dict[str, str]]:
    """One entry an object, in the order of the sources' names."""
    found = []
    for folder, folders, files in os.walk(objtree):
        folders[:] = [name for name in folders if name not in (".git", "build")]
        for name in files:
            if not name.endswith(".o.cmd"):
                continue
            text = (Path(folder) / name).read_text(encoding="utf-8", errors="replace")
            match = COMMAND.search(text)
            if match:
                target, command, source = match.groups()
                # The .cmd file holds the command as a makefile's variable.
                command = command.replace("$(pound)", "#").replace("$$", "$")
                found.append({"directory": str(objtree), "command": command,
                              "file": source, "output": target})
    return sorted(found, key=lambda entry: entry["file"])


def main() -> None:
    """Print the database."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    found = entries(Path.cwd())
    if not found:
        sys.exit("gen_compile_commands.py: nothing was built in this folder")
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
