# SPDX-License-Identifier: MIT
"""A QEMU that keeps running, to be looked at with gdb."""

import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import List, Optional, Type

import pytest

from bootlib import BOOT_TIMEOUT, ROOT, Kernel, environment, qemu_command

COMMANDS = ROOT / "scripts" / "gdb" / "ahoy-gdb.py"
GDBS = ("gdb-multiarch", "riscv64-unknown-elf-gdb", "riscv64-linux-gnu-gdb")
MARK = "@@next"


class Machine:
    """QEMU with a kernel, and its console's output so far."""

    def __init__(self, kernel: Kernel, *args: object) -> None:
        self.kernel = kernel
        self.output = b""
        # The name of a socket must be short.
        self.folder = tempfile.mkdtemp(prefix="ahoy-")
        self.socket = Path(self.folder) / "gdb"
        command = qemu_command(kernel, *args) + [
            "-chardev", f"socket,path={self.socket},server=on,wait=off,id=gdb",
            "-gdb", "chardev:gdb"]
        self.qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL, env=environment())

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        if self.qemu.poll() is None:
            self.qemu.send_signal(signal.SIGTERM)
        try:
            self.qemu.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self.qemu.kill()
            self.qemu.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_for(self, pattern: bytes, timeout: float = BOOT_TIMEOUT) -> None:
        """Read the console until it has shown this regular expression."""
        assert self.qemu.stdout
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.output):
            left = deadline - time.monotonic()
            ready = select.select([self.qemu.stdout], [], [], max(0.0, left))[0]
            data = os.read(self.qemu.stdout.fileno(), 65536) if ready else b""
            assert data, f"{pattern!r} did not come\n{self.output.decode(errors='replace')}"
            self.output += data

    def cpu_seconds(self) -> float:
        """Return the host's processor time that QEMU has used."""
        stat = Path(f"/proc/{self.qemu.pid}/stat").read_text(encoding="ascii")
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def gdb(self, *lines: str) -> List[str]:
        """Stop the machine, give gdb these commands, go on; return the output of each."""
        program = next(filter(shutil.which, GDBS), None)
        if not program:
            pytest.skip("no gdb for RISC-V")
        script = ["set pagination off", f"target remote {self.socket}"]
        for line in lines:
            script += [f"echo \\n{MARK}\\n", line]
        script += [f"echo \\n{MARK}\\n", "detach"]
        done = subprocess.run([program, "-nx", "-q", "-batch", str(self.kernel.elf), "-x",
                               str(COMMANDS)] + [w for line in script for w in ("-ex", line)],
                              cwd=self.kernel.tree, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60, check=False, env=environment())
        parts = re.split(rf"^{MARK}\n", done.stdout, flags=re.MULTILINE)
        assert len(parts) == len(lines) + 2, done.stdout
        return [part.strip() for part in parts[1:-1]]

    def pcs(self) -> List[int]:
        """Return where each hart is."""
        # By QEMU's own command: gdb sees the harts of one cluster only.
        text, = self.gdb("monitor info registers -a")
        found = re.findall(r"^ *pc +([0-9a-f]+)\r?$", text, re.MULTILINE)
        assert found, text
        return [int(pc, 16) for pc in found]
