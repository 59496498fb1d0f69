# SPDX-License-Identifier: MIT
"""Building and booting configurations: the part of a sweep that runs many times.

Runs from a copy of the source tree, on any machine. One line of JSON on standard
input is a batch of cases and how to treat them; each line of standard output is
the result of one case. Object trees are used again and again, because fixdep
knows what another configuration leaves as it is; each is locked by who uses it.
"""
from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Iterator, NoReturn, Optional

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "arch/riscv/boot/Image"
LINE = b"Hello world."

FIRMWARE_END = re.compile(rb"^Boot HART MEDELEG +: 0x[0-9a-f]+\r?\n", re.MULTILINE)
# With HEAP_DEBUG and a talkative console this comes when the line's thread has ended.
HEAP_REPORT = re.compile(rb"(?:(?:\[ *\d+\.\d+\] )?heap: \d+ objects of \d+ bytes[^\n]*\n)*\Z")
# The firmware itself is not allowed to write stimecmp: QEMU's spike, from some version on.
FIRMWARE_TIMER = re.compile(rb"sbi_trap_error: .* mtval=0x0*14d[0-9a-f]{2}073")
SBI_VERSION = re.compile(rb"^Runtime SBI Version +: (\d+)\.(\d+)", re.MULTILINE)
STOPPED = "run: the kernel does not power this machine off: QEMU stopped\n"

# In seconds. A loaded machine is slow.
BUILD_TIMEOUT = 300
# Ticket locks take their time where harts are more than processors, and more so beside other work.
BOOT_TIMEOUT = 180
PROBE_TIMEOUT = 20


class Failure(Exception):
    """A configuration does not do what it must."""


@dataclass
class Settings:
    """How the cases of a sweep are treated.

    @env:   the environment of make and QEMU
    @qemus: commands that start QEMU; a kernel boots on the first whose firmware suits it
    @work:  where the object trees are
    @boot:  boot what was built
    """

    env: dict[str, str]
    qemus: list[str]
    work: str
    boot: bool = True


@dataclass
class Done:
    """A program that has ended."""

    status: int
    out: bytes
    err: bytes


def execute(command: list[str], cwd: Path, env: dict[str, str], timeout: float) -> Done:
    """Run a program; end it and all that it started after so many seconds."""
    with subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          start_new_session=True) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"{Path(command[0]).name}: no end after {timeout:g} seconds") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Done(process.returncode, out, err)


def digest_file(path: Path) -> str:
    """Return a digest of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


class Worker:
    """Does cases one after the other."""

    def __init__(self, settings: Settings, root: Path = ROOT) -> None:
        self.settings = settings
        self.root = root
        self.sbi: dict[str, tuple[int, int]] = {}

    @contextmanager
    def tree(self) -> Iterator[Path]:
        """Have an object tree that nobody else has."""
        work = Path(self.settings.work).expanduser()
        number = 0
        while True:
            tree = work / str(number)
            tree.mkdir(parents=True, exist_ok=True)
            with open(work / f"{number}.lock", "w", encoding="ascii") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    number += 1
                    continue
                yield tree
                return

    def firmware(self, qemu: str) -> tuple[int, int]:
        """Return the version of SBI that a QEMU's firmware implements."""
        if qemu not in self.sbi:
            command = [*shlex.split(qemu), "-M", "virt", "-nographic", "-bios",
                       self.settings.env.get("BIOS") or "default"]
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, env=self.settings.env,
                                  start_new_session=True) as process:
                assert process.stdout
                # Without a kernel it never ends: SIGALRM bounds what we read.
                old = signal.signal(signal.SIGALRM, lambda *_: process.kill())
                signal.alarm(PROBE_TIMEOUT)
                try:
                    match = None
                    for line in process.stdout:
                        match = SBI_VERSION.match(line)
                        if match:
                            break
                finally:
                    signal.alarm(0)
                    signal.signal(signal.SIGALRM, old)
                    os.killpg(process.pid, signal.SIGKILL)
            if not match:
                raise Failure(f"{qemu}: its firmware does not say which SBI it is")
            self.sbi[qemu] = int(match[1]), int(match[2])
        return self.sbi[qemu]

    def qemu_for(self, boot: dict[str, Any]) -> Optional[str]:
        """Return the first QEMU that can boot a kernel."""
        if not boot["needs_sbi2"]:
            return self.settings.qemus[0]
        for qemu in self.settings.qemus:
            if self.firmware(qemu) >= (2, 0):
                return qemu
        return None

    # -- one case ---------------------------------------------------------------------

    def build(self, tree: Path, text: str, words: list[str]) -> None:
        """Build a configuration; raise Failure unless that goes without a word."""
        (tree / ".config").write_text(text, encoding="utf-8")
        command = ["make", "-s", "-C", str(self.root), f"O={tree}", *words, "all"]
        done = execute(command, tree, self.settings.env, BUILD_TIMEOUT)
        said = done.err.decode(errors="replace")
        if done.status:
            raise Failure(f"make: status {done.status}\n{said}")
        if said or done.out:
            raise Failure(f"make is not silent\n{said}{done.out.decode(errors='replace')}")
        now = (tree / ".config").read_text(encoding="utf-8")
        if now != text:
            raise Failure("make changes the configuration")

    def boot(self, tree: Path, boot: dict[str, Any]) -> str:
        """Boot what is in a tree; return how it went: "ok" or "skip" and why."""
        qemu = self.qemu_for(boot)
        if not qemu:
            return "skip: no firmware here has SBI's debug console"
        # An absolute path: who wraps QEMU may change the folder.
        done = execute([str(self.root / "scripts/run"), "--kernel", str(tree / IMAGE), "--qemu",
                        qemu, "--machine", boot["machine"], "--smp", str(boot["harts"]),
                        "--timeout", str(BOOT_TIMEOUT)], tree, self.settings.env, BOOT_TIMEOUT + 30)
        try:
            check_boot(boot, done)
        except Failure as err:
            said = FIRMWARE_END.split(done.out)[-1].decode(errors="replace")
            if boot["cut_off"] and LINE.decode().startswith((said.splitlines() or [""])[-1]):
                return "skip: a reset overtook the firmware's UART"
            if FIRMWARE_TIMER.search(done.out):
                return "skip: this firmware sets a timer that its machine has not"
            notes = done.err.decode(errors="replace")
            raise Failure(f"{boot['machine']}, {boot['harts']} harts: {err}\n{notes}"
                          f"--- console:\n{said}") from err
        return "ok"

    def do(self, case: dict[str, Any], tree: Path) -> dict[str, Any]:
        """Build and boot one case; return its result."""
        start = time.monotonic()
        boots: list[dict[str, Any]] = []
        result: dict[str, Any] = {"name": case["name"], "status": "ok", "step": "", "why": "",
                                  "host": socket.gethostname(), "boots": boots}
        step = "build"
        try:
            if case.get("drawn"):
                step = "build as drawn"
                self.build(tree, case["drawn"], case["words"])
                step = "build"
            self.build(tree, case["text"], case["words"])
            result["image"] = digest_file(tree / IMAGE)
            result["elf"] = digest_file(tree / "ahoy")
            result["built"] = round(time.monotonic() - start, 3)
            step = "boot"
            for boot in case["boots"] if self.settings.boot else []:
                how = self.boot(tree, boot)
                boots.append({"machine": boot["machine"], "harts": boot["harts"], "how": how})
        except Failure as err:
            result.update(status="fail", step=step, why=str(err))
        except OSError as err:
            result.update(status="fail", step=step, why=f"{err.filename}: {err.strerror}")
        result["seconds"] = round(time.monotonic() - start, 3)
        return result


def check_boot(boot: dict[str, Any], done: Done) -> None:
    """Raise Failure unless a run did what its configuration promises."""
    if done.status:
        raise Failure(f"scripts/run: status {done.status}")
    count = done.out.count(LINE)
    if count != 1:
        raise Failure(f"the line came {count} times")
    kernel = HEAP_REPORT.sub(b"", FIRMWARE_END.split(done.out)[-1])
    line = LINE + (b"\r\n" if boot["crlf"] else b"\n")
    if not (b"\n" + kernel).endswith(b"\n" + line):
        raise Failure("the line is not the kernel's last, alone and well ended")
    if boot["quiet"] and kernel != line:
        raise Failure("a quiet kernel says more than the line")
    wanted = {"yes": ("",), "no": (STOPPED,), "maybe": ("", STOPPED)}[boot["ends"]]
    if done.err.decode(errors="replace") not in wanted:
        raise Failure("it does not come to its configured end")


def on_signal(signum: int, frame: Optional[FrameType]) -> NoReturn:
    """End, and with us what we started."""
    sys.exit(128 + signum)


def main() -> int:
    """Do the batches that come on standard input."""
    for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(signum, on_signal)
    # What belongs to this machine and not to the one that asks.
    own = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    for line in sys.stdin:
        batch = json.loads(line)
        settings = Settings(**batch["settings"])
        settings.env = {**{name: value for name, value in settings.env.items()
                           if name != "TMPDIR"}, **own}
        worker = Worker(settings)
        with worker.tree() as tree:
            for case in batch["cases"]:
                result = worker.do(case, tree)
                if result["status"] != "ok":
                    # Nothing of it may reach the next one.
                    shutil.rmtree(tree, ignore_errors=True)
                    tree.mkdir(exist_ok=True)
                print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
