#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Build and boot many configurations: random ones, make's own and those of configs/.

Each must build without a word, boot on the machine it is for, print the line
exactly once and come to its configured end. A kernel with a device tree is for
every machine. One without is built twice: with the addresses as they were
drawn, and with those of the machine, which is what boots.

What was done once is not done again while sources and tools stay the same. Of
a configuration that fails, the object tree is kept. LLVM= and CROSS_COMPILE= of
the environment choose the compiler, as for make.

Exit status: 0 if all is well, 1 after a failure, 2 when the request makes no
sense, 124 if the time was over before all were done.
"""
from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
RUN = ROOT / "scripts" / "run"
IMAGE = "arch/riscv/boot/Image"
LINE = b"Hello world."

# What a build depends on, beside its configuration.
SOURCES = ("Kbuild", "Kconfig", "Makefile", "arch", "configs", "drivers", "include", "kernel",
           "lib", "mm", "scripts")
SUFFIXES = ("", ".c", ".h", ".S", ".sh", ".config", ".debug", ".build", ".include", ".flags",
            ".targets", ".toolchain", ".run")
OWN_TARGETS = ("allnoconfig", "allyesconfig", "alldefconfig")
# What a configuration without a device tree must know of its machine.
ADDRESSES = r"^CONFIG_PLATFORM_(?:UART|RAM|TEST|TIMEBASE)\w*=.*\n"
# All that make and QEMU get of the caller's environment: an outer make exports much.
KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "LANG", "LLVM", "CROSS_COMPILE", "CCACHE", "CCACHE_DIR",
                  "BIOS")
MACHINES = ("virt", "sifive_u", "spike")
UARTS = {"virt": "SERIAL_8250", "sifive_u": "SERIAL_SIFIVE"}
FIRMWARE_END = re.compile(rb"^Boot HART MEDELEG +: 0x[0-9a-f]+\r?\n", re.MULTILINE)
SBI_VERSION = re.compile(rb"^Runtime SBI Version +: (\d+)\.(\d+)", re.MULTILINE)
STOPPED = "run: the kernel does not power this machine off: QEMU stopped\n"

# In seconds.
BUILD_TIMEOUT = 300
BOOT_TIMEOUT = 30

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_TIME = 124


class Failure(Exception):
    """A configuration does not do what it must."""


@dataclass
class Job:
    """A configuration to make."""

    name: str
    goals: list[str]
    variables: dict[str, str] = field(default_factory=dict)


@dataclass
class Result:
    """What became of one step of one configuration."""

    name: str
    step: str  # "build", "build as drawn" or "QEMU, machine"
    status: str  # ok, skip or FAIL
    why: str = ""
    seconds: float = 0.0
    cached: bool = False


@dataclass
class Emulator:
    """One QEMU with the firmware that it brings."""

    command: str
    version: str
    sbi: tuple[int, int] | None = None  # known after the first boot


def fail_usage(text: str) -> NoReturn:
    """End because the request makes no sense."""
    print(f"sweep: {text}", file=sys.stderr)
    sys.exit(EXIT_USAGE)


def environment(**variables: str) -> dict[str, str]:
    """Return an environment without what an outer make has set."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if os.environ.get(name)}
    return {**kept, "LC_ALL": "C", **variables}


def source_digest() -> str:
    """Return a digest of all that a build reads."""
    digest = hashlib.sha256()
    for top in SOURCES:
        path = ROOT / top
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not file.name.startswith(".") and file.suffix in SUFFIXES:
                digest.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    for name in KEPT_VARIABLES:
        digest.update(f"{name}={os.environ.get(name)}\n".encode())
    return digest.hexdigest()


def digest_of(*parts: str | bytes) -> str:
    """Return a digest of all parts."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()[:32]


def parse_config(text: str) -> dict[str, str]:
    """Return a configuration without CONFIG_ and quotes."""
    return dict(re.findall(r'^CONFIG_(\w+)="?(.*?)"?$', text, re.MULTILINE))


# ---- What is expected ---------------------------------------------------------

def has(config: dict[str, str], *names: str) -> bool:
    """Tell whether one of these options is on."""
    return any(config.get(name) == "y" for name in names)


def only_debug_console(config: dict[str, str]) -> bool:
    """Tell whether the kernel can print through SBI's debug console alone."""
    return has(config, "CONSOLE_SBI_DBCN") and not has(
        config, "CONSOLE_SBI_LEGACY", "SERIAL_8250", "SERIAL_SIFIVE")


def machines_for(config: dict[str, str]) -> list[str]:
    """Return the machines that a kernel is for, the configured one first."""
    own = config["QEMU_MACHINE"]
    if not has(config, "OF"):
        return [own]
    # Its harts know Sv39 alone, whatever some versions of QEMU think.
    sv39 = has(config, "PAGING_BARE", "PAGING_SV39", "PAGING_FALLBACK")
    return [own] + [m for m in MACHINES if m != own and (sv39 or m != "sifive_u")]


def may_be_cut_off(config: dict[str, str], machine: str) -> bool:
    """Tell whether a reset may come before what firmware printed has left its UART.

    OpenSBI does not wait for that, and a kernel cannot ask it to. QEMU's
    sifive_u shows it, since its UART sends a moment later.
    """
    return machine == "sifive_u" and has(config, "FINISH_REBOOT") and not has(
        config, "SERIAL_SIFIVE")


def check_boot(config: dict[str, str], machine: str, status: int, output: bytes,
               notes: str) -> None:
    """Raise Failure unless a run did what its configuration promises."""
    if status:
        raise Failure(f"scripts/run: status {status}")
    count = output.count(LINE)
    if count != 1:
        raise Failure(f"the line came {count} times")
    kernel = FIRMWARE_END.split(output)[-1]
    by_firmware = machine not in UARTS or not has(config, UARTS[machine])
    line = LINE + (b"\r\n" if by_firmware or has(config, "SERIAL_CRLF") else b"\n")
    if not (b"\n" + kernel).endswith(b"\n" + line):
        raise Failure("the line is not the kernel's last, alone and well ended")
    if not has(config, "BANNER") and int(config.get("CONSOLE_LOGLEVEL_DEFAULT", 4)) <= 4 and (
            kernel != line):
        raise Failure("a quiet kernel says more than the line")
    if has(config, "FINISH_IDLE"):
        wanted: tuple[str, ...] = (STOPPED,)
    elif machine == "spike":
        wanted = ("", STOPPED)  # it ends on some versions of QEMU
    elif machine == "sifive_u":
        # It can be reset by SBI, and not switched off.
        wanted = ("",) if has(config, "FINISH_REBOOT") and has(config, "POWER_SBI_SRST") else (
            STOPPED,)
    else:
        wanted = ("",)
    if notes not in wanted:
        raise Failure("it does not come to its configured end")


# ---- Making and booting one configuration ----------------------------------------

class Sweep:
    """All configurations with one compiler, on some emulators."""

    def __init__(self, args: argparse.Namespace, emulators: list[Emulator]) -> None:
        self.args = args
        self.emulators = emulators
        self.dir = Path(args.dir).resolve()
        self.cache = self.dir / "cache"
        self.failed = self.dir / "failed"
        for folder in (self.cache, self.failed):
            folder.mkdir(parents=True, exist_ok=True)
        self.fragment = self.dir / "sweep.config"
        lines = [f"# CONFIG_{o[:-2]} is not set" if o.endswith("=n") else f"CONFIG_{o}"
                 for o in args.set]
        self.fragment.write_text("".join(line + "\n" for line in lines), encoding="ascii")
        self.compiler = "?"
        self.stop = threading.Event()  # begin no more
        self.interrupted = False

    def jobs(self) -> list[Job]:
        """Return what is to be made."""
        jobs: list[Job] = []
        fragment = [str(self.fragment)] if self.args.set else []
        names = [] if self.args.no_named else [
            *OWN_TARGETS, *sorted(p.name for p in (ROOT / "configs").glob("*defconfig"))]
        for name in names:
            jobs.append(Job(name, [name, *fragment]))
        preset = {"KCONFIG_ALLCONFIG": str(self.fragment)} if self.args.set else {}
        for seed in self.args.seeds:
            for percent in self.args.probability:
                jobs.append(Job(f"random-{seed}-{percent}", ["randconfig"], {
                    **preset, "KCONFIG_SEED": str(seed), "KCONFIG_PROBABILITY": str(percent)}))
        return jobs

    def make(self, tree: Path, *goals: str, **variables: str) -> None:
        """Run make; raise Failure unless it succeeds without a word on stderr."""
        try:
            done = subprocess.run(["make", "-s", "-C", str(ROOT), f"O={tree}", *goals],
                                  env=environment(**variables), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=BUILD_TIMEOUT, check=False)
        except subprocess.TimeoutExpired as err:
            raise Failure(f"make {' '.join(goals)}: no end after {err.timeout:g} seconds") from err
        if done.returncode:
            raise Failure(f"make {' '.join(goals)}: status {done.returncode}\n{done.stderr}")
        if done.stderr:
            raise Failure(f"make {' '.join(goals)} is not silent\n{done.stderr}")

    def keep(self, tree: Path, name: str) -> None:
        """Keep the object tree of a failure."""
        kept = self.failed / name
        shutil.rmtree(kept, ignore_errors=True)
        tree.rename(kept)

    def build(self, tree: Path, text: str) -> tuple[bytes, bool]:
        """Return the image of what is configured in tree, and whether it was there already."""
        for _ in range(5):
            sources = source_digest()
            stored = self.cache / digest_of(sources, text)
            if stored.exists():
                return stored.read_bytes(), True
            self.make(tree, "all")
            if source_digest() != sources:
                continue  # somebody edits them
            image = (tree / IMAGE).read_bytes()
            # Whoever stores it at the same time stores the same.
            part = stored.with_suffix(f".{threading.get_ident()}")
            part.write_bytes(image)
            part.rename(stored)
            return image, False
        raise Failure("the sources do not stand still")

    def boot(self, tree: Path, config: dict[str, str], image: bytes, emulator: Emulator,
             machine: str) -> Result:
        """Boot an image on one machine."""
        step = f"{emulator.version}, {machine}"
        if only_debug_console(config) and emulator.sbi and emulator.sbi < (2, 0):
            return Result("", step, "skip", "this firmware has no debug console")
        text = (tree / ".config").read_text(encoding="utf-8")
        stored = self.cache / digest_of(image, text, emulator.command, emulator.version, machine,
                                        RUN.read_bytes())
        if stored.exists() and emulator.sbi:
            return Result("", step, "ok", cached=True)
        kernel = tree / "Image"
        kernel.write_bytes(image)
        start = time.monotonic()
        try:
            done = subprocess.run(
                [str(RUN), "--kernel", str(kernel), "--config", str(tree / ".config"), "--qemu",
                 emulator.command, "--machine", machine, "--timeout", str(BOOT_TIMEOUT)],
                cwd=tree, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, timeout=BOOT_TIMEOUT + 30, check=False)
        except subprocess.TimeoutExpired:
            return Result("", step, "FAIL", "scripts/run does not end")
        seconds = time.monotonic() - start
        notes = done.stderr.decode(errors="replace")
        version = SBI_VERSION.search(done.stdout)
        if version:
            emulator.sbi = (int(version.group(1)), int(version.group(2)))
            if only_debug_console(config) and emulator.sbi < (2, 0):
                return Result("", step, "skip", "this firmware has no debug console")
        try:
            check_boot(config, machine, done.returncode, done.stdout, notes)
        except Failure as err:
            said = FIRMWARE_END.split(done.stdout)[-1].decode(errors="replace")
            if may_be_cut_off(config, machine) and LINE.decode().startswith(said.splitlines()[-1]):
                return Result("", step, "skip", "a reset overtook the firmware's UART")
            return Result("", step, "FAIL", f"{err}\n{notes}--- console:\n{said}", seconds)
        stored.touch()
        return Result("", step, "ok", seconds=seconds)

    def build_step(self, results: list[Result], step: str, tree: Path) -> bytes:
        """Build what is configured in tree, as a step of its own."""
        start = time.monotonic()
        text = (tree / ".config").read_text(encoding="utf-8")
        image, cached = self.build(tree, text)
        results.append(Result("", step, "ok", "", time.monotonic() - start, cached))
        return image

    def do(self, job: Job) -> list[Result]:
        """Make, build and boot one configuration."""
        if self.stop.is_set():
            return []
        results: list[Result] = []
        tree = self.dir / "work" / f"{os.getpid()}-{job.name}"
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        dot_config = tree / ".config"
        step = "configure"
        try:
            self.make(tree, *job.goals, **job.variables)
            text = dot_config.read_text(encoding="utf-8")
            known = re.sub(ADDRESSES, "", text, flags=re.MULTILINE)
            if job.goals[0] == "randconfig" and known != text:
                step = "build as drawn"
                self.build_step(results, step, tree)
                dot_config.write_text(known, encoding="utf-8")
                self.make(tree, "olddefconfig")
            step = "build"
            image = self.build_step(results, step, tree)
            config = parse_config(dot_config.read_text(encoding="utf-8"))
            self.compiler = config["CC_VERSION_TEXT"]
            for emulator in self.emulators:
                for machine in machines_for(config)[:None if self.args.all_machines else 1]:
                    results.append(self.boot(tree, config, image, emulator, machine))
        except Failure as err:
            results.append(Result("", step, "FAIL", str(err)))
        if self.interrupted:
            shutil.rmtree(tree)
            return []
        for result in results:
            result.name = job.name
        if any(result.status == "FAIL" for result in results):
            if not self.args.keep_going:
                self.stop.set()
            self.keep(tree, job.name)
        else:
            shutil.rmtree(tree)
        return results


# ---- Telling --------------------------------------------------------------------

class Progress:
    """Tells what happens: failures at once, the rest on one line of a terminal."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.failed = 0
        self.start = time.monotonic()
        self.tty = sys.stdout.isatty()

    def add(self, job: Job, results: list[Result]) -> None:
        """One configuration is done."""
        self.done += 1
        bad = [r for r in results if r.status == "FAIL"]
        self.failed += bool(bad)
        clear = "\r\033[K" if self.tty else ""
        for result in bad:
            print(f"{clear}FAIL {result.name}: {result.step}: {result.why.rstrip()}")
        seconds = time.monotonic() - self.start
        text = f"[{self.done}/{self.total}] {self.failed} failed, {seconds:.0f} s, {job.name}"
        if self.tty:
            print(f"{clear}{text}", end="", flush=True)
        elif self.done % 25 == 0 or self.done == self.total:
            print(text, flush=True)

    def end(self) -> None:
        """The last one is done."""
        if self.tty:
            print("\r\033[K", end="")


def print_summary(results: list[Result], compiler: str) -> None:
    """Print a table: a step a line."""
    steps = list(dict.fromkeys(result.step for result in results))
    print(compiler)
    print(f"{'':32}{'ok':>8}{'skip':>8}{'FAIL':>8}{'cached':>8}{'s each':>8}")
    for step in steps:
        chosen = [r for r in results if r.step == step]
        count = Counter(r.status for r in chosen)
        fresh = [r.seconds for r in chosen if r.seconds and not r.cached]
        mean = f"{sum(fresh) / len(fresh):.1f}" if fresh else "-"
        print(f"{step:32}{count['ok']:8}{count['skip']:8}{count['FAIL']:8}"
              f"{sum(r.cached for r in chosen):8}{mean:>8}")


# ---- The request ------------------------------------------------------------------

def parse_seeds(text: str) -> list[int]:
    """Return the seeds of "A-B,C"; none for an empty text."""
    seeds: list[int] = []
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if not match:
            raise argparse.ArgumentTypeError(f'"{part}" is not a seed, or seeds as A-B')
        seeds += range(int(match.group(1)), int(match.group(2) or match.group(1)) + 1)
    return seeds


def parse_percents(text: str) -> list[int]:
    """Return the numbers of "N,N"."""
    parts = text.split(",")
    if not all(re.fullmatch(r"\d+", part) and int(part) <= 100 for part in parts):
        raise argparse.ArgumentTypeError(f'"{text}" is not a list of percentages')
    return [int(part) for part in parts]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    lines = (__doc__ or "").splitlines()
    parser = argparse.ArgumentParser(description=lines[0], epilog="\n".join(lines[2:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=parse_seeds, default="1-50", metavar="A-B,C",
                        help='seeds of randconfig, "" for none (%(default)s)')
    parser.add_argument("--probability", type=parse_percents, default="10,50,90", metavar="N,N",
                        help="percentages of options that are on, for each seed (%(default)s)")
    parser.add_argument("--no-named", action="store_true",
                        help="leave out configs/ and make's all...config")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="hold an option in all configurations")
    parser.add_argument("--llvm", nargs="?", const="1", metavar="SUFFIX",
                        help="build with clang, as make LLVM=")
    parser.add_argument("--qemu", action="append", metavar="COMMAND",
                        help="boot with this QEMU; may be given again ($QEMU, qemu-system-riscv64)")
    parser.add_argument("--no-boot", action="store_true", help="build only")
    parser.add_argument("--all-machines", action="store_true",
                        help="boot on every machine that a kernel is for, not only the configured")
    parser.add_argument("--jobs", type=int, default=2, metavar="N",
                        help="configurations at the same time (%(default)s)")
    parser.add_argument("--time", type=float, metavar="SECONDS", help="begin no more after so long")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at a failure")
    parser.add_argument("--json", metavar="FILE", help="write all results there")
    parser.add_argument("--dir", default=str(ROOT / "build" / "sweep"),
                        help="where builds, results and failed trees are (build/sweep)")
    args = parser.parse_args()
    for option in args.set:
        if not re.fullmatch(r"\w+=\S+", option):
            parser.error(f"--set {option}: not NAME=VALUE")
    if args.jobs < 1:
        parser.error("--jobs: at least 1")
    return args


def find_emulators(args: argparse.Namespace) -> list[Emulator]:
    """Return the emulators to boot with."""
    emulators: list[Emulator] = []
    if args.no_boot:
        return emulators
    for command in args.qemu or [os.environ.get("QEMU") or "qemu-system-riscv64"]:
        try:
            text = subprocess.run([*shlex.split(command), "--version"], stdout=subprocess.PIPE,
                                  text=True, check=True, timeout=30).stdout
        except (OSError, ValueError, subprocess.SubprocessError) as err:
            fail_usage(f"{command}: {err}")
        match = re.search(r"version (\S+)", text)
        emulators.append(Emulator(command, f"QEMU {match.group(1) if match else '?'}"))
    return emulators


def on_signal(signum: int, frame: FrameType | None) -> NoReturn:
    """Turn a signal into what Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> int:
    """Do what is asked; return the exit status."""
    args = parse_args()
    signal.signal(signal.SIGTERM, on_signal)
    if args.llvm:
        os.environ["LLVM"] = args.llvm
    sweep = Sweep(args, find_emulators(args))
    jobs = sweep.jobs()
    progress = Progress(len(jobs))
    results: list[Result] = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        futures = {pool.submit(sweep.do, job): job for job in jobs}
        try:
            for future in concurrent.futures.as_completed(futures, args.time):
                found = future.result()
                if found:
                    progress.add(futures[future], found)
                results += found
        except concurrent.futures.TimeoutError:
            pass
        except KeyboardInterrupt:
            sweep.interrupted = True
        finally:
            sweep.stop.set()
            pool.shutdown(cancel_futures=True)
    progress.end()
    print_summary(results, sweep.compiler)
    if args.json:
        Path(args.json).write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n",
                                   encoding="utf-8")
    failed = [r for r in results if r.status == "FAIL"]
    missing = len(jobs) - progress.done
    if failed:
        names = dict.fromkeys(r.name for r in failed)
        print(f"{len(names)} of {progress.done} configurations failed; their trees are in "
              f"{sweep.failed}: {' '.join(names)}")
    if missing:
        print(f"{missing} of {len(jobs)} configurations were not done")
    if failed:
        return EXIT_FAILED
    return EXIT_TIME if missing else 0


if __name__ == "__main__":
    sys.exit(main())
