# SPDX-License-Identifier: MIT
"""Count the instructions that a kernel takes to print a line.

The kernel is run in QEMU with a plugin that counts exactly: from the first
instruction at the kernel's entry to the store by which the end of the line
reaches the console. Time is the count of instructions and seeds are fixed, so
the same image on the same QEMU and firmware always gives the same figures.

Exit status: 0 with figures, 1 when the run gave none, 2 when the request makes
no sense.
"""

import argparse
import bisect
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, DefaultDict, Dict, List, NoReturn, Optional, Tuple

PLUGIN_SOURCE = Path(__file__).resolve().parent / "plugin.c"
IMAGE = "arch/riscv/boot/Image"
MEMORY_BASE = 0x80000000
ENTRY = 0x80200000
# Where a UART model sends later than at the store, its transmit register.
LATE_UARTS = {"sifive_u": 0x10010000}
LEAST_HARTS = {"sifive_u": 2}
UNRESERVED_MEMORY = 1 << 30
SUFFIXES = {"": 20, "K": 10, "M": 20, "G": 30, "T": 40}
MODES = ("kernel", "firmware", "user")


class Failure(Exception):
    """The run gave no figures."""


def usage(text: str) -> NoReturn:
    """End because the request makes no sense."""
    print(f"meter: {text}", file=sys.stderr)
    sys.exit(2)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        usage(f"{message}; --help lists the options")


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = Parser(description="Count the instructions from a kernel's entry to the end of "
                    "a line on its console.")
    parser.add_argument("--kernel", default=IMAGE, metavar="IMAGE",
                        help="the image to boot (%(default)s)")
    parser.add_argument("--want", default="Hello world.", metavar="TEXT",
                        help="text of the line (%(default)s)")
    parser.add_argument("--symbols", metavar="ELF",
                        help="the image's ELF file: count by function too")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--machine", default=os.environ.get("MACHINE") or "virt",
                        help="QEMU's machine (%(default)s)")
    parser.add_argument("--mem", default=os.environ.get("MEM") or "128M",
                        help="memory (%(default)s)")
    parser.add_argument("--smp", default=os.environ.get("SMP"),
                        help="number of harts (1; sifive_u: 2)")
    parser.add_argument("--cpu", default=os.environ.get("CPU"), help="QEMU's -cpu")
    parser.add_argument("--bios", default=os.environ.get("BIOS") or "default",
                        help="firmware; none: what runs in M-mode is the kernel (%(default)s)")
    parser.add_argument("--append", default=os.environ.get("APPEND"),
                        help="kernel command line")
    parser.add_argument("--qemu", default=os.environ.get("QEMU") or "qemu-system-riscv64",
                        help="the emulator, or a command that starts it (%(default)s)")
    parser.add_argument("--qemu-args", default=os.environ.get("QEMU_ARGS"), metavar="ARGS",
                        help="more arguments for QEMU")
    parser.add_argument("--entry", default=hex(ENTRY), metavar="ADDR",
                        help="address of the kernel's first instruction (%(default)s)")
    parser.add_argument("--tx", metavar="ADDR",
                        help="transmit register of a UART that QEMU lets send with delay "
                        "(sifive_u's is known)")
    parser.add_argument("--timeout", type=float, default=120, metavar="SECONDS",
                        help="give up after so long (%(default)s)")
    parser.add_argument("--build-dir", metavar="DIR",
                        help="where the plugin is built (.meter in the image's object tree)")
    args = parser.parse_args()
    for name in ("entry", "tx"):
        value = getattr(args, name)
        try:
            setattr(args, name, int(value, 0) if value else 0)
        except ValueError:
            usage(f"--{name} {value}: not an address")
    args.machine_name = args.machine.split(",")[0]
    args.smp = args.smp or str(LEAST_HARTS.get(args.machine_name, 1))
    args.memory = parse_memory(args.mem)
    if not os.path.isfile(args.kernel):
        usage(f'no kernel image "{args.kernel}"')
    if args.symbols and not os.path.isfile(args.symbols):
        usage(f'no ELF file "{args.symbols}"')
    if not 0 < len(args.want.encode()) <= 256:
        usage("--want: the text must have 1 to 256 bytes")
    return args


def parse_memory(text: str) -> int:
    """Return the bytes that --mem asks for."""
    match = re.fullmatch(r"(\d+)([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if not match:
        usage(f"--mem {text}: not a memory size; write for example 64M or 2G")
    return int(match.group(1)) << SUFFIXES[match.group(2).upper()]


def words(text: str, name: str) -> List[str]:
    """Split a command as a shell does."""
    try:
        return shlex.split(text)
    except ValueError as err:
        usage(f"{name} {text}: {err}")


# ---- The plugin -------------------------------------------------------------

def build_plugin(args: argparse.Namespace) -> Path:
    """Return the plugin, compiled if this source was not compiled before."""
    compiler = words(os.environ.get("HOSTCC") or "cc", "HOSTCC")
    flags = ["-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden"]
    digest = hashlib.sha256(PLUGIN_SOURCE.read_bytes())
    digest.update(repr(compiler + flags).encode())
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
            done = subprocess.run(compiler + flags + ["-o", str(made), str(PLUGIN_SOURCE)],
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


def qemu_command(args: argparse.Namespace, plugin: Path, scratch: Path) -> List[str]:
    """Return QEMU's command line."""
    options = {
        "entry": hex(args.entry),
        "base": hex(MEMORY_BASE),
        "top": hex(MEMORY_BASE + args.memory),
        "console": scratch / "console",
        "out": scratch / "report",
        "want": args.want.encode().hex(),
        "tx": hex(args.tx or LATE_UARTS.get(args.machine_name, 0)),
        "firmware": "off" if args.bios == "none" else "on",
        "sites": "on" if args.symbols else "off",
    }
    command = words(args.qemu, "--qemu")
    if not command or not shutil.which(command[0]):
        usage(f'QEMU not found: no program "{args.qemu}"; run scripts/setup.sh')
    machine = args.machine
    if args.memory >= UNRESERVED_MEMORY:
        machine += ",memory-backend=ram"
        command += ["-object",
                    f"memory-backend-ram,id=ram,size={args.memory >> 10}K,reserve=off"]
    command += ["-M", machine, "-m", f"{args.memory >> 10}K", "-smp", args.smp,
                "-bios", args.bios, "-kernel", args.kernel,
                "-display", "none", "-monitor", "none", "-no-reboot",
                "-serial", f"file:{comma(scratch / 'console')}",
                # All that could differ from run to run.
                "-icount", "shift=0,sleep=off", "-seed", "1",
                "-rtc", "base=2000-01-01,clock=vm",
                "-plugin", ",".join([comma(plugin)] + [f"{name}={comma(value)}" for
                                                       name, value in options.items()])]
    if args.cpu:
        command += ["-cpu", args.cpu]
    if args.append:
        command += ["-append", args.append]
    return command + words(args.qemu_args or "", "--qemu-args")


def stop_tree(process: "subprocess.Popen[str]") -> None:
    """Stop QEMU, also below a wrapper: all run in a process group of their own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run_qemu(command: List[str], args: argparse.Namespace, scratch: Path) -> List[List[str]]:
    """Run QEMU; return the words of the plugin's report."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            errors = process.communicate(timeout=args.timeout)[1]
        except subprocess.TimeoutExpired:
            raise Failure(f'the line "{args.want}" was not seen within {args.timeout:g} seconds'
                          + console_tail(scratch)) from None
        finally:
            stop_tree(process)
    try:
        lines = (scratch / "report").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        lines = []
    if not lines or lines[-1] != "end":
        raise Failure(f"QEMU ended with status {process.returncode} before the plugin's report"
                      + "".join("\n  " + line for line in errors.splitlines()))
    report = [line.split() for line in lines]
    facts = {line[0]: line[1] for line in report if len(line) == 2}
    if facts["entered"] == "0":
        raise Failure(f"the kernel's entry {args.entry:#x} was never reached"
                      + console_tail(scratch))
    if facts["line"] == "0":
        raise Failure(f'the run ended without the line "{args.want}"' + console_tail(scratch))
    return report


def console_tail(scratch: Path) -> str:
    """Return the last lines that the console showed, for a message."""
    try:
        text = (scratch / "console").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    lines = text.splitlines()[-8:]
    if not lines:
        return "; the console stayed empty"
    return "; the console's last lines:" + "".join(f"\n  {line}" for line in lines)


# ---- Functions --------------------------------------------------------------

class Symbols:
    """The functions of an ELF file."""

    def __init__(self, path: str, entry: int) -> None:
        try:
            from elftools.common.exceptions import ELFError
            from elftools.elf.elffile import ELFFile
        except ImportError:
            usage("--symbols needs the Python module elftools: run scripts/setup.sh, or "
                  "install python3-pyelftools")
        try:
            with open(path, "rb") as file:
                self.read(ELFFile(file), entry)
        except (ELFError, OSError) as err:
            usage(f'"{path}" is not a readable ELF file: {err}')

    def read(self, elf: Any, entry: int) -> None:
        """Collect where functions start; where several do, keep the best name."""
        table = elf.get_section_by_name(".symtab")
        if table is None:
            usage("--symbols: the ELF file has no symbol table")
        best: Dict[int, Tuple[bool, bool, str]] = {}
        for symbol in table.iter_symbols():
            kind = symbol["st_info"]["type"]
            index = symbol["st_shndx"]
            if kind not in ("STT_FUNC", "STT_NOTYPE") or not isinstance(index, int):
                continue
            # SHF_EXECINSTR; $x and .L are the assembler's own.
            if not elf.get_section(index)["sh_flags"] & 4 or re.match(r"\$|\.L|$", symbol.name):
                continue
            rank = (kind == "STT_FUNC", symbol["st_info"]["bind"] == "STB_GLOBAL", symbol.name)
            address = symbol["st_value"]
            best[address] = max(best.get(address, rank), rank)
        self.starts = sorted(best)
        self.names = [best[start][2] for start in self.starts]
        self.ranges = [(segment["p_vaddr"], segment["p_vaddr"] + segment["p_memsz"])
                       for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD"]
        # Before paging is on the kernel runs where it was loaded.
        self.offset = min((low for low, _ in self.ranges), default=entry) - entry

    def name(self, address: int) -> str:
        """Return the name of the function at an address."""
        for candidate in (address, address + self.offset):
            if any(low <= candidate < high for low, high in self.ranges):
                index = bisect.bisect_right(self.starts, candidate) - 1
                if index >= 0:
                    return self.names[index]
        return f"{address:#x}"


def by_function(report: List[List[str]], symbols: Symbols) -> List[Dict[str, Any]]:
    """Return the instructions of each function, largest first."""
    totals: DefaultDict[Tuple[str, str], int] = defaultdict(int)
    for line in report:
        if line[0] == "site":
            mode = line[1]
            name = symbols.name(int(line[2], 0)) if mode == "kernel" else f"({mode})"
            totals[(name, mode)] += int(line[3])
    rows = [{"name": name, "mode": mode, "instructions": count}
            for (name, mode), count in totals.items()]
    return sorted(rows, key=lambda row: (-row["instructions"], row["name"]))


# ---- Figures ----------------------------------------------------------------

def figures(args: argparse.Namespace, report: List[List[str]],
            symbols: Optional[Symbols]) -> Dict[str, Any]:
    """Turn the plugin's report into figures."""
    harts: DefaultDict[int, Dict[str, int]] = defaultdict(lambda: dict.fromkeys(MODES, 0))
    facts = {line[0]: line[1] for line in report if len(line) == 2}
    for line in report:
        if line[0] == "hart":
            harts[int(line[1])][line[2]] = int(line[3])
    result: Dict[str, Any] = {"want": args.want}
    result["total"] = sum(sum(hart.values()) for hart in harts.values())
    for mode in MODES:
        result[mode] = sum(hart[mode] for hart in harts.values())
    result["boot_hart"] = int(facts["boot"])
    result["harts"] = [{"hart": number, **harts[number]} for number in sorted(harts)]
    result["modes_by"] = facts["modes-by"]
    if symbols:
        result["functions"] = by_function(report, symbols)
        total = sum(row["instructions"] for row in result["functions"])
        if total != result["total"]:
            raise Failure(f"functions sum up to {total}, not to {result['total']}")
    return result


def show(result: Dict[str, Any]) -> None:
    """Print the figures for people."""
    print(f"instructions from the kernel's entry to the end of \"{result['want']}\"")
    for name in ("total",) + MODES:
        print(f"{result[name]:>14,}  {name}")
    if len(result["harts"]) > 1:
        print("by hart")
        for hart in result["harts"]:
            parts = ", ".join(f"{hart[mode]:,} {mode}" for mode in MODES if hart[mode])
            boot = " (boot)" if hart["hart"] == result["boot_hart"] else ""
            print(f"{sum(hart[mode] for mode in MODES):>14,}  hart {hart['hart']}{boot}: {parts}")
    if "functions" in result:
        print("by function")
        for row in result["functions"]:
            print(f"{row['instructions']:>14,}  {row['name']}")


def main() -> int:
    """Measure as asked; return the exit status."""
    args = parse_args()
    symbols = Symbols(args.symbols, args.entry) if args.symbols else None
    try:
        plugin = build_plugin(args)
        with tempfile.TemporaryDirectory(prefix="ahoy-meter-") as scratch:
            command = qemu_command(args, plugin, Path(scratch))
            report = run_qemu(command, args, Path(scratch))
        result = figures(args, report, symbols)
    except Failure as failure:
        print(f"meter: {failure}", file=sys.stderr)
        return 1
    try:
        if args.json:
            print(json.dumps(result, indent=2))
        else:
            show(result)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; nor may Python flush at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0
