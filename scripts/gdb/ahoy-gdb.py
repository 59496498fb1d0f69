# SPDX-License-Identifier: MIT
"""Kernel-aware commands for gdb, and the connection to QEMU.

    gdb-multiarch ahoy -x scripts/gdb/ahoy-gdb.py

"make gdb" does that. The port is GDB_PORT (1234); "help user-defined" lists
the commands.
"""

import os
import sys
from pathlib import Path

import gdb

# Leave no compiled modules in the source tree.
sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from ahoy import log, paging, trap  # noqa: E402  (found by the line above)

COMMANDS = (trap.Backtrace, trap.Early, paging.Walk, paging.Maps, log.Dmesg, log.Config)


def connect() -> None:
    """Connect to the gdb stub of "make debug"."""
    port = os.environ.get("GDB_PORT") or "1234"
    # Long enough for a "make debug" that was started just now.
    gdb.execute("set tcp connect-timeout 3")
    try:
        gdb.execute(f"target remote 127.0.0.1:{port}")
    except gdb.error as err:
        print(f'No gdb stub on port {port} ({err}): run "make debug" in another terminal, '
              f'then "target remote :{port}" here.')


# Debug information names source files as in the source tree.
gdb.execute(f"directory {Path(__file__).resolve().parents[2]}", to_string=True)
for command in COMMANDS:
    command()
trap.register_unwinder()
connect()
print("Commands: " + ", ".join(command.name for command in COMMANDS) + '; "help ahoy-bt" tells '
      "about one.")
