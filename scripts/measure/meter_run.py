# SPDX-License-Identifier: MIT
"""The meter's run: its plugin, built when it is first needed, in QEMU."""
from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NoReturn, Optional

HERE = Path(__file__).resolve().parent
IMAGE = "arch/riscv/boot/Image"
MEMORY_BASE = 0x80000000
# Where a UART model sends later than at the store, its transmit register.
LATE_UARTS = {"sifive_u": 0x10010000}
UNRESERVED_MEMORY = 1 << 30


class Failure(Exception):
    """The run gave no figures."""


class Refused(Failure):
    """What was asked for makes no sense."""


def usage(text: str) -> NoReturn:
    """Refuse what was asked for."""
    raise Refused(text)


def words(text: str, name: str) -> list[str]:
    """Split a command as a shell does."""
    try:
        return shlex.split(text)
    except ValueError as err:
        usage(f"{name} {text}: {err}")


# ---- The plugin -------------------------------------------------------------

def plugin_files() -> list[Path]:
    """Return the plugin's sources."""
    return sorted([*HERE.glob("plugin*.c"), *HERE.glob("plugin*.h")])


def build_plugin(args: argparse.Namespace) -> Path:
    """Return the plugin, compiled if this source was not compiled before."""
    compiler = words(os.environ.get("HOSTCC") or "cc", "HOSTCC")
    flags = ["-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden"]
    digest = hashlib.sha256(repr(compiler + flags).encode())
    for path in plugin_files():
        digest.update(path.read_bytes())
    folder = Path(args.build_dir) if args.build_dir else default_build_dir(args)
    plugin = folder.absolute() / f"plugin-{digest.hexdigest()[:12]}.so"
    if plugin.exists():
        return plugin
    if not compiler or not shutil.which(compiler[0]):
        raise Failure(f'no host compiler "{" ".join(compiler)}": run scripts/setup.sh, '
                      "install gcc, or set HOSTCC")
    # Several meters may run at once: compile aside, then move into place.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            made = Path(scratch) / "plugin.so"
            done = subprocess.run(compiler + flags + ["-o", str(made)]
                                  + [str(path) for path in plugin_files() if path.suffix == ".c"],
                                  stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode:
                raise Failure(f"the QEMU plugin does not compile:\n{done.stderr.rstrip()}")
            made.replace(plugin)
    except OSError as err:
        raise Failure(f'cannot build the QEMU plugin in "{folder}": {err.strerror}') from err
    return plugin


def default_build_dir(args: argparse.Namespace) -> Path:
    """Return a folder of the object tree, or a cache where there is none."""
    kernel = os.path.abspath(args.kernel)
    if kernel.endswith("/" + IMAGE):
        return Path(kernel[:-len(IMAGE)]) / ".meter"
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(cache) / "ahoy-meter"


# ---- The run ----------------------------------------------------------------

def comma(text: Any) -> str:
    """Escape a value for QEMU's comma-separated options."""
    return str(text).replace(",", ",,")


def plugin_options(args: argparse.Namespace, scratch: Path,
                   marks: list[tuple[str, str]]) -> list[tuple[str, Any]]:
    """Return the plugin's arguments."""
    options: list[tuple[str, Any]] = [
        ("entry", hex(args.entry)),
        ("base", hex(MEMORY_BASE)),
        ("top", hex(MEMORY_BASE + args.memory)),
        ("console", scratch / "console"),
        ("out", scratch / "report"),
        ("want", args.want.encode().hex()),
        ("tx", hex(args.tx or LATE_UARTS.get(args.machine_name, 0))),
        ("firmware", "off" if args.bios == "none" else "on"),
        ("sites", "on" if args.symbols else "off"),
        ("to-end", "on" if args.power_off else "off"),
    ]
    if args.trace:
        options.append(("trace", os.path.abspath(args.trace)))
    return options + marks


def qemu_words(args: argparse.Namespace) -> list[str]:
    """Return the command that starts the emulator."""
    command = words(args.qemu, "--qemu")
    if not command or not shutil.which(command[0]):
        usage(f'QEMU not found: no program "{args.qemu}"; run scripts/setup.sh')
    return command


def qemu_version(args: argparse.Namespace) -> str:
    """Return the emulator's version."""
    done = subprocess.run([*qemu_words(args), "--version"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=args.timeout, check=False)
    match = re.search(r"version (\d[\w.]*)", done.stdout)
    if not match:
        raise Failure(f"{args.qemu} --version tells no version: {done.stdout.strip()}")
    return match[1]


def firmware_version(scratch: Path) -> Optional[str]:
    """Return what OpenSBI's banner on the console says it is."""
    try:
        text = (scratch / "console").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    match = re.search(r"^OpenSBI v(\S+)", text, re.MULTILINE)
    return f"OpenSBI {match[1]}" if match else None


def qemu_command(args: argparse.Namespace, plugin: Path, scratch: Path,
                 marks: list[tuple[str, str]]) -> list[str]:
    """Return QEMU's command line."""
    command = qemu_words(args)
    machine = args.machine
    if args.memory >= UNRESERVED_MEMORY:
        machine += ",memory-backend=ram"
        command += ["-object",
                    f"memory-backend-ram,id=ram,size={args.memory >> 10}K,reserve=off"]
    options = plugin_options(args, scratch, marks)
    command += ["-M", machine, "-m", f"{args.memory >> 10}K", "-smp", args.smp,
                "-bios", args.bios, "-kernel", args.kernel,
                "-display", "none", "-monitor", "none", "-no-reboot",
                "-serial", f"file:{comma(scratch / 'console')}",
                # All that could differ from run to run.
                "-icount", "shift=0,sleep=off", "-seed", "1",
                "-rtc", "base=2000-01-01,clock=vm",
                "-plugin", ",".join([comma(plugin)] + [f"{name}={comma(value)}"
                                                       for name, value in options])]
    for name in ("cpu", "append", "dtb", "initrd"):
        if getattr(args, name):
            command += [f"-{name}", getattr(args, name)]
    return command + words(args.qemu_args or "", "--qemu-args")


def stop_tree(process: subprocess.Popen[str]) -> None:
    """Stop QEMU, also below a wrapper: all run in a process group of their own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run_qemu(command: list[str], args: argparse.Namespace, scratch: Path) -> list[list[str]]:
    """Run QEMU; return the words of the plugin's report."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            errors = process.communicate(timeout=args.timeout)[1]
        except subprocess.TimeoutExpired:
            what = (f'the line "{args.want}" and the end of the machine were'
                    if args.power_off else f'the line "{args.want}" was')
            raise Failure(f"{what} not seen within {args.timeout:g} seconds"
                          + console_tail(scratch)) from None
        finally:
            stop_tree(process)
    try:
        lines = (scratch / "report").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        lines = []
    if not lines or lines[-1] != "end":
        raise Failure(f"QEMU ended with status {process.returncode} before the plugin's report"
                      + indented(errors))
    report = [line.split() for line in lines]
    facts = {line[0]: line[1] for line in report if len(line) == 2}
    if facts["entered"] == "0":
        raise Failure(f"the kernel's entry {args.entry:#x} was never reached"
                      + (indented(errors) or console_tail(scratch)))
    if facts["line"] == "0":
        raise Failure(f'the run ended without the line "{args.want}"' + console_tail(scratch))
    return report


def indented(text: str) -> str:
    """Return lines as they stand below a message."""
    return "".join(f"\n  {line}" for line in text.splitlines())


def console_tail(scratch: Path) -> str:
    """Return the last lines that the console showed, for a message."""
    try:
        text = (scratch / "console").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    lines = text.splitlines()[-8:]
    if not lines:
        return "; the console stayed empty"
    return "; the console's last lines:" + indented("\n".join(lines))
