# SPDX-License-Identifier: MIT
"""Measure what a kernel does to print a line.

The kernel is run in QEMU with a plugin that counts exactly: from the first
instruction at the kernel's entry to the store by which the end of the line
reaches the console. Time is the count of instructions and seeds are fixed, so
the same image on the same QEMU and firmware always gives the same figures.
Nothing is asked of the kernel: any one for the machine can be measured.

Exit status: 0 with figures, 1 when the run gave none, 2 when the request makes
no sense.
"""
from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NoReturn, Optional

import meter_run
import sizes
from meter_run import IMAGE, Failure, Refused, usage
from symbols import ENTRY, Symbols

SCHEMA = "ahoy-meter-1"
LEAST_HARTS = {"sifive_u": 2}
SUFFIXES = {"": 20, "K": 10, "M": 20, "G": 30, "T": 40}
MODES = ("kernel", "firmware", "user")
CROSSINGS = {"firmware_calls": "calls into firmware", "firmware_traps": "traps into firmware",
             "system_calls": "system calls", "traps": "traps into the kernel"}
FIRST_PHASE = "entry"
MARKER = re.compile(r"marker:(\d+)")
MOST_MARKERS = 2048


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        usage(f"{message}; --help lists the options")


def parser() -> Parser:
    """Return the command line's options."""
    made = Parser(description="Measure what a kernel does from its entry to the end of a line "
                  "on its console: instructions, pages of memory, crossings between modes.")
    made.add_argument("--kernel", default=IMAGE, metavar="IMAGE",
                      help="the image or ELF file to boot (%(default)s)")
    made.add_argument("--want", default="Hello world.", metavar="TEXT",
                      help="text of the line (%(default)s)")
    made.add_argument("--symbols", metavar="ELF",
                      help="the image's ELF file: count by function and phase too")
    made.add_argument("--map", metavar="FILE",
                      help="the linker's map, which tells functions' objects (ELF.map)")
    made.add_argument("--json", action="store_true", help="print the figures as JSON")
    made.add_argument("--trace", metavar="FILE", help="log every run of instructions")
    made.add_argument("--from", dest="start", metavar="MARK",
                      help="measure intervals too, from here: an address, a function, "
                      "function+offset, or marker:N for the instruction slti x0, x0, N (the entry)")
    made.add_argument("--to", dest="stop", metavar="MARK",
                      help="where intervals end (the line)")
    made.add_argument("--power-off", action="store_true",
                      help="go on until the machine is switched off, and tell the "
                      "instructions up to there as well")
    made.add_argument("--machine", default=os.environ.get("MACHINE") or "virt",
                      help="QEMU's machine (%(default)s)")
    made.add_argument("--mem", default=os.environ.get("MEM") or "128M",
                      help="memory (%(default)s)")
    made.add_argument("--smp", default=os.environ.get("SMP"),
                      help="number of harts (1; sifive_u: 2)")
    made.add_argument("--cpu", default=os.environ.get("CPU"), help="QEMU's -cpu")
    made.add_argument("--bios", default=os.environ.get("BIOS") or "default",
                      help="firmware; none: what runs in M-mode is the kernel (%(default)s)")
    made.add_argument("--append", default=os.environ.get("APPEND"),
                      help="kernel command line")
    made.add_argument("--initrd", metavar="FILE", help="initial file system")
    made.add_argument("--dtb", metavar="FILE", help="device tree instead of QEMU's own")
    made.add_argument("--qemu", default=os.environ.get("QEMU") or "qemu-system-riscv64",
                      help="the emulator, or a command that starts it (%(default)s)")
    made.add_argument("--qemu-args", default=os.environ.get("QEMU_ARGS"), metavar="ARGS",
                      help="more arguments for QEMU")
    made.add_argument("--entry", metavar="ADDR",
                      help=f"address of the kernel's first instruction ({ENTRY:#x}; an ELF "
                      "file's lowest)")
    made.add_argument("--tx", metavar="ADDR",
                      help="transmit register of a UART that QEMU lets send with delay "
                      "(sifive_u's is known)")
    made.add_argument("--timeout", type=float, default=120, metavar="SECONDS",
                      help="give up after so long (%(default)s)")
    made.add_argument("--build-dir", metavar="DIR",
                      help="where the plugin is built (.meter in the image's object tree)")
    return made


def options(**values: Any) -> argparse.Namespace:
    """Return the command line's defaults with some values set, for measure().

    Names are the command line's, with "_" for "-" ("start" for --from, "stop"
    for --to).
    """
    args = parser().parse_args([])
    for name, value in values.items():
        if not hasattr(args, name):
            raise TypeError(f"the meter has no option {name}")
        setattr(args, name, value)
    return args


# ---- What is asked for --------------------------------------------------------

def address(text: str, what: str) -> int:
    """Return an address that was given as a number."""
    try:
        return int(text, 0)
    except ValueError:
        usage(f"{what} {text}: not an address")


def parse_memory(text: str) -> int:
    """Return the bytes that --mem asks for."""
    match = re.fullmatch(r"(\d+)([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if not match:
        usage(f"--mem {text}: not a memory size; write for example 64M or 2G")
    return int(match.group(1)) << SUFFIXES[match.group(2).upper()]


def elf_entry(path: str) -> Optional[int]:
    """Return where QEMU enters an ELF file: at its lowest address; None if it is none."""
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return None
    try:
        segments = sizes.Elf(Path(path)).segments
    except sizes.BadFile as err:
        usage(str(err))
    return min((physical for kind, _, _, physical, size in segments
                if kind == sizes.PT_LOAD and size), default=None)


def complete(args: argparse.Namespace) -> argparse.Namespace:
    """Check what is asked for and fill in what follows from it."""
    args = argparse.Namespace(**vars(args))
    for name, what in (("kernel", "kernel image"), ("symbols", "ELF file"), ("map", "map"),
                       ("dtb", "device tree"), ("initrd", "initial file system")):
        value = getattr(args, name)
        if value is not None:
            setattr(args, name, str(value))
            if not os.path.isfile(value):
                usage(f'no {what} "{value}"')
    for name in ("entry", "tx"):
        value = getattr(args, name)
        setattr(args, name, address(str(value), f"--{name}") if value else 0)
    args.entry = args.entry or elf_entry(args.kernel) or ENTRY
    args.machine_name = args.machine.split(",")[0]
    args.smp = str(args.smp or LEAST_HARTS.get(args.machine_name, 1))
    if not re.fullmatch(r"[1-9]\d*", args.smp):
        usage(f"--smp {args.smp}: not a number of harts")
    args.memory = parse_memory(args.mem)
    if not args.memory:
        usage(f"--mem {args.mem}: no memory")
    if args.timeout <= 0:
        usage(f"--timeout {args.timeout:g}: above 0")
    if not 0 < len(args.want.encode()) <= 256:
        usage("--want: the text must have 1 to 256 bytes")
    return args


def read_symbols(args: argparse.Namespace) -> Optional[Symbols]:
    """Return the kernel's symbols if they are wanted."""
    if not args.symbols:
        return None
    try:
        return Symbols(args.symbols, args.map, args.entry)
    except sizes.BadFile as err:
        usage(f"--symbols: {err}")


def mark(option: str, text: Optional[str], known: Optional[Symbols]) -> list[tuple[str, str]]:
    """Return the plugin's arguments for one end of the intervals."""
    if text is None:
        return []
    match = MARKER.fullmatch(text)
    if match:
        if int(match[1]) >= MOST_MARKERS:
            usage(f"--{option} {text}: markers have the numbers 0 to {MOST_MARKERS - 1}")
        return [(f"{option}-marker", match[1])]
    if re.match(r"\d", text):
        return [(option, hex(address(text, f"--{option}")))]
    if known is None:
        usage(f"--{option} {text}: the name of a function needs --symbols")
    place = known.address(text)
    if place is None:
        usage(f'--{option} {text}: "{known.path}" has no such function')
    return [(option, hex(found)) for found in known.places(place)]


def all_marks(args: argparse.Namespace, known: Optional[Symbols]) -> list[tuple[str, str]]:
    """Return the plugin's arguments for intervals and phases."""
    marks = mark("from", args.start, known) + mark("to", args.stop, known)
    for place, name in known.phases() if known else []:
        marks += [("phase", f"{found:#x}:{name}") for found in known.places(place)]
    return marks


# ---- Figures -------------------------------------------------------------------

Report = list[list[str]]
Row = dict[str, Any]


class Functions:
    """Counts by function, from counts by address."""

    def __init__(self, known: Optional[Symbols]) -> None:
        self.known = known
        self.counts: defaultdict[tuple[str, str, Optional[str], Optional[str]], int] = (
            defaultdict(int))

    def add(self, mode: str, place: int, count: int) -> None:
        """Take one instruction's count."""
        if mode != "kernel":
            key = (f"({mode})", mode, None, None)
        else:
            found = self.known.find(place) if self.known else None
            key = ((found.name, mode, found.object, found.folder) if found
                   else (f"{place:#x}", mode, None, None))
        self.counts[key] += count

    def rows(self) -> list[Row]:
        """Return the functions, largest first."""
        rows = [{"name": name, "mode": mode, "object": owner, "folder": folder,
                 "instructions": count}
                for (name, mode, owner, folder), count in self.counts.items()]
        return sorted(rows, key=lambda row: (-row["instructions"], row["name"],
                                             row["object"] or ""))

    def merge(self, other: Functions) -> None:
        """Take another's counts too."""
        for key, count in other.counts.items():
            self.counts[key] += count

    def folders(self) -> list[Row]:
        """Return the folders, largest first."""
        sums: defaultdict[tuple[str, str], int] = defaultdict(int)
        for (_, mode, _, folder), count in self.counts.items():
            if mode != "kernel":
                folder = f"({mode})"
            sums[(folder or "(unknown)", mode)] += count
        rows = [{"name": name, "mode": mode, "instructions": count}
                for (name, mode), count in sums.items()]
        return sorted(rows, key=lambda row: (-row["instructions"], row["name"]))


def by_phase(report: Report, known: Optional[Symbols]) -> tuple[list[Row], Functions]:
    """Return the phases, and all functions."""
    phases: list[Row] = []
    name = FIRST_PHASE
    every = Functions(known)
    here = Functions(known)
    for line in report:
        if line[0] == "phase":
            phases.append({"name": name, **dict(zip(MODES, map(int, line[1:])))})
            here = Functions(known)
        elif line[0] == "site":
            here.add(line[2], int(line[3], 0), int(line[4]))
        if line[0] == "phase-name" or line[0] == "end":
            phases[-1]["functions"] = here.rows()
            every.merge(here)
            name = " ".join(line[1:])
    return phases, every


def named(report: Report, word: str) -> dict[str, int]:
    """Return the figures that the report has under a word."""
    return {line[1]: int(line[2]) for line in report if line[0] == word}


def figures(args: argparse.Namespace, report: Report, known: Optional[Symbols]) -> Row:
    """Turn the plugin's report into figures."""
    harts: defaultdict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(MODES, 0))
    facts = {line[0]: line[1] for line in report if len(line) == 2}
    for line in report:
        if line[0] == "hart":
            harts[int(line[1])][line[2]] = int(line[3])
    result: Row = {"schema": SCHEMA, "want": args.want}
    result["total"] = sum(sum(hart.values()) for hart in harts.values())
    for mode in MODES:
        result[mode] = sum(hart[mode] for hart in harts.values())
    result["boot_hart"] = int(facts["boot"])
    result["harts"] = [{"hart": number, **harts[number]} for number in sorted(harts)]
    result["modes_by"] = facts["modes-by"]
    if args.power_off:
        result["power_off"] = named(report, "off")
    result["pages"] = named(report, "pages")
    result["tree"] = next(({"address": int(line[1]), "size": int(line[2])} for line in report
                           if line[0] == "tree"), None)
    result["crossings"] = named(report, "crossings")
    result["phases"], every = by_phase(report, known)
    if known:
        result["functions"] = every.rows()
        result["folders"] = every.folders()
        total = sum(row["instructions"] for row in result["functions"])
        if total != result["total"]:
            raise Failure(f"functions sum up to {total}, not to {result['total']}")
    if args.start or args.stop:
        result["intervals"] = [dict(zip(MODES, map(int, line[1:]))) for line in report
                               if line[0] == "interval"]
    return result


def measure(asked: argparse.Namespace) -> Row:
    """Return the figures of one run. Raises Failure where there are none.

    Its subclass Refused is for what makes no sense. See options().
    """
    args = complete(asked)
    known = read_symbols(args)
    marks = all_marks(args, known)
    plugin = meter_run.build_plugin(args)
    with tempfile.TemporaryDirectory(prefix="ahoy-meter-") as folder:
        scratch = Path(folder)
        command = meter_run.qemu_command(args, plugin, scratch, marks)
        report = meter_run.run_qemu(command, args, scratch)
        firmware = meter_run.firmware_version(scratch)
    result = figures(args, report, known)
    result["qemu"] = meter_run.qemu_version(args)
    result["firmware_version"] = firmware
    return result


# ---- For people ------------------------------------------------------------------

def show_rows(title: str, rows: list[Row]) -> None:
    """Print counts with names."""
    print(title)
    for row in rows:
        print(f"{row['instructions']:>14,}  {row['name']}")


def show(result: Row) -> None:
    """Print the figures for people."""
    print(f"instructions from the kernel's entry to the end of \"{result['want']}\"")
    for name in ("total",) + MODES:
        print(f"{result[name]:>14,}  {name}")
    if "power_off" in result:
        print(f"{sum(result['power_off'].values()):>14,}  total, until the machine is switched off")
    if len(result["harts"]) > 1:
        print("by hart")
        for hart in result["harts"]:
            parts = ", ".join(f"{hart[mode]:,} {mode}" for mode in MODES if hart[mode])
            boot = " (boot)" if hart["hart"] == result["boot_hart"] else ""
            print(f"{sum(hart[mode] for mode in MODES):>14,}  hart {hart['hart']}{boot}: {parts}")
    pages = result["pages"]
    print(f"pages of memory touched: {pages['total']:,} ("
          + ", ".join(f"{pages[mode]:,} {mode}" for mode in MODES)
          + f"; {pages['code']:,} code, {pages['written']:,} written)")
    print("crossings: " + (", ".join(f"{result['crossings'][name]:,} {text}"
                                     for name, text in CROSSINGS.items()
                                     if result["crossings"][name]) or "none"))
    if len(result["phases"]) > 1:
        show_rows("by phase", [{"name": phase["name"],
                                "instructions": sum(phase[mode] for mode in MODES)}
                               for phase in result["phases"]
                               if any(phase[mode] for mode in MODES)])
    if "functions" in result:
        show_rows("by folder", result["folders"])
        show_rows("by function", result["functions"])
    if "intervals" in result:
        show_intervals(result["intervals"])
    if result["modes_by"] == "address":
        print(f"(QEMU {result['qemu']} does not tell the privilege: modes are told by address)")


def show_intervals(intervals: list[Row]) -> None:
    """Print the intervals, equal ones in a row as one."""
    print(f"intervals: {len(intervals)} (kernel, firmware, user; times)")
    previous: Optional[Row] = None
    times = 0
    for interval in [*intervals, None]:
        if previous is not None and interval != previous:
            counts = "".join(f"{previous[mode]:>14,}" for mode in MODES)
            print(counts + (f"  x {times:,}" if times > 1 else ""))
            times = 0
        previous = interval
        times += 1


def interrupted(signum: int, frame: Any) -> NoReturn:
    """Turn a signal into what Ctrl-C does: QEMU must not outlive the meter."""
    raise KeyboardInterrupt


def main() -> int:
    """Measure as asked; return the exit status."""
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupted)
    try:
        args = parser().parse_args()
        result = measure(args)
    except KeyboardInterrupt:
        print("meter: interrupted", file=sys.stderr)
        return 130
    except Failure as failure:
        print(f"meter: {failure}", file=sys.stderr)
        return 2 if isinstance(failure, Refused) else 1
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
