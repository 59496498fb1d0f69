# SPDX-License-Identifier: MIT
"""All that is known of one kernel, as a record that is kept beside the builds.

A record ("schema": "ahoy-record-1") is a dictionary that JSON can hold. What
could not be found out is null, and a line in "notes" says why.
"""
from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Optional

import builds
import leastram
import sizes
from builds import ROOT, Build, Cache, Failure, Unknown, digest_of

SCHEMA = "ahoy-record-1"
LINE = "Hello world."
HERE = Path(__file__).resolve().parent
METER = ROOT / "scripts" / "meter"
RUN = ROOT / "scripts" / "run"
ENTRY = 0x80200000
BASE = 0x80000000
METER_TIMEOUT = 60.0
LEAST_TIMEOUT = 10.0
# What changes the machine; scripts/run and scripts/meter read them.
MACHINE_VARIABLES = ("QEMU", "MACHINE", "MEM", "SMP", "CPU", "BIOS", "APPEND", "QEMU_ARGS")


def tools() -> str:
    """Return a digest of all that makes the figures."""
    patterns = ("record.py", "sizes.py", "options.py", "leastram.py", "symbols.py", "meter*.py",
                "plugin*.[ch]")
    files = [RUN, METER, *(file for pattern in patterns for file in sorted(HERE.glob(pattern)))]
    return digest_of(*(file.read_bytes() for file in files))


class Machine:
    """The emulator that kernels are booted in, as the environment names it."""

    def __init__(self) -> None:
        self.variables = {name: os.environ[name] for name in MACHINE_VARIABLES
                          if os.environ.get(name)}
        text = self.variables.get("QEMU", "qemu-system-riscv64")
        try:
            self.command = shlex.split(text)
        except ValueError as err:
            raise Failure(f"QEMU={text}: {err}") from err
        if not self.command or not shutil.which(self.command[0]):
            raise Failure(f'QEMU not found: no program "{text}"; run scripts/setup.sh')
        said = self.ask("--version")
        version = re.search(r"version (\S+)", said)
        self.version = version[1] if version else ""
        # Firmware is a package of its own and may change alone.
        files = [Path(line.strip()) / "opensbi-riscv64-generic-fw_dynamic.bin"
                 for line in self.ask("-L", "help").splitlines()]
        states = [f"{os.path.realpath(file)} {file.stat().st_mtime_ns} {file.stat().st_size}"
                  for file in files if file.exists()]
        bios = self.variables.get("BIOS", "")
        if os.path.isfile(bios):
            states.append(digest_of(Path(bios).read_bytes()))
        self.key = digest_of(said, *states, *(f"{name}={value}" for name, value in
                                              sorted(self.variables.items())))
        self.trees: dict[tuple[str, ...], bytes] = {}

    def ask(self, *words: str) -> str:
        """Return what QEMU says."""
        try:
            return subprocess.run([*self.command, *words], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                  timeout=60, check=False).stdout
        except (OSError, subprocess.SubprocessError) as err:
            raise Failure(f"{shlex.join(self.command)}: {err}") from err

    def described(self, image: Path, config_text: str, scratch: Path) -> dict[str, str]:
        """Return the machine that scripts/run would boot an image on.

        Only it knows which machine a configuration is for.
        """
        config = scratch / "run.config"
        config.write_text(config_text, encoding="utf-8")
        done = subprocess.run([str(RUN), "--print", "--kernel", str(image), "--config",
                               str(config)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        if done.returncode:
            said = done.stderr.strip().removeprefix("run: ")
            # A variable of the caller's makes no sense.
            raise Unknown(said) if re.match("[A-Z]+=", said) else Failure(said)
        words = shlex.split(done.stdout)
        found = {"machine": words[words.index("-M") + 1].split(",memory-backend=")[0],
                 "memory": words[words.index("-m") + 1], "harts": words[words.index("-smp") + 1]}
        for name in ("-cpu", "-bios", "-append", "-initrd"):
            if name in words:
                found[name[1:]] = words[words.index(name) + 1]
        return found

    def device_tree(self, machine: dict[str, str], scratch: Path) -> bytes:
        """Return the device tree that QEMU would hand to a kernel."""
        words = ["-m", machine["memory"], "-smp", machine["harts"], "-display", "none",
                 "-seed", "1", *shlex.split(self.variables.get("QEMU_ARGS", ""))]
        if "cpu" in machine:
            words += ["-cpu", machine["cpu"]]
        key = (machine["machine"], *words, machine.get("append", ""))
        if key not in self.trees:
            file = scratch / "tree.dtb"
            # A kernel makes QEMU take a command line; any file will do.
            kernel = scratch / "empty"
            kernel.write_bytes(bytes(64))
            self.ask("-M", f"{machine['machine']},dumpdtb={str(file).replace(',', ',,')}", *words,
                     "-kernel", str(kernel), "-append", machine.get("append", ""))
            if not file.exists():
                raise leastram.BadTree("this QEMU does not tell this machine's device tree")
            self.trees[key] = file.read_bytes()
        return self.trees[key]


# ---- The meter -------------------------------------------------------------------

class NoLine(Exception):
    """The kernel was run and did not print the line."""


def run_meter(machine: dict[str, str], image: Path, elf: Optional[Path], scratch: Path,
              timeout: float, tree: Optional[Path] = None) -> dict[str, Any]:
    """Run a kernel under the meter; return its figures.

    Raises NoLine, or Failure where the meter itself cannot do it.
    """
    command = [str(METER), "--json", "--kernel", str(image), "--want", LINE,
               "--machine", machine["machine"], "--mem", machine["memory"],
               "--smp", machine["harts"], "--timeout", str(timeout),
               "--build-dir", str(scratch.parent / "meter")]
    if elf:
        command += ["--symbols", str(elf)]
    if tree:
        command += ["--dtb", str(tree)]
    if "initrd" in machine:
        command += ["--initrd", machine["initrd"]]
    # A group of its own: an interrupt of this program ends it, and QEMU with it.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        builds.RUNNING.add(process.pid)
        try:
            out, errors = process.communicate()
        finally:
            builds.RUNNING.discard(process.pid)
    said = errors.strip().removeprefix("meter: ")
    if process.returncode == 1:
        raise NoLine(said)
    if process.returncode:
        raise Failure(said)
    return json.loads(out)


def least_ram(qemu: Machine, machine: dict[str, str], image: Path, pages: dict[str, Any],
              scratch: Path) -> dict[str, Any]:
    """Return the least RAM that a kernel boots with."""
    tree = qemu.device_tree(machine, scratch)
    memory = re.fullmatch(r"(\d+)K", machine["memory"])
    assert memory
    plenty = int(memory[1]) << 10
    base = leastram.told(tree, plenty)[1]
    runs = 0

    def boot(size: int) -> Optional[int]:
        nonlocal runs
        runs += 1
        file = scratch / "told.dtb"
        file.write_bytes(leastram.told(tree, size)[0])
        try:
            result = run_meter(machine, image, None, scratch, LEAST_TIMEOUT, file)
        except NoLine:
            return None
        return result["pages"]["top"] - base

    size = leastram.search(boot, pages["top"] - base, ENTRY - base, plenty)
    return {"bytes": size, "beyond_firmware": size - (ENTRY - base), "runs": runs}


# ---- The options -----------------------------------------------------------------

def explained(cache: Cache, build: Build, scratch: Path) -> list[dict[str, Any]]:
    """Return the options with why they are what they are: see options.py."""
    if not build.config_text:
        return []
    root = cache.source_root(build.source) if build.source else ROOT
    tree = scratch / "tree"
    tree.mkdir()
    (tree / ".config").write_text(build.config_text, encoding="utf-8")
    script = f"/usr/bin/python3 {HERE / 'options.py'}"
    done = subprocess.run(["make", "-s", "-C", str(root), f"O={tree}", f"KPYTHON={script}",
                           "olddefconfig"], env=builds.environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise Failure(f"the options cannot be explained:\n{done.stderr.strip()}") from None


def plain_options(build: Build) -> list[dict[str, Any]]:
    """Return the options by value alone, where Kconfig cannot be asked."""
    return [{"name": name, "type": None, "prompt": None, "choice": None, "value": value,
             "because": None, "why": None, "from": []} for name, value in build.values.items()]


# ---- The record ------------------------------------------------------------------

def same_kernel(cache: Cache, build: Build, image: Path, notes: list[str]) -> Build:
    """Return a given kernel with the symbols of the same one built here, if that can be.

    An image alone has no symbols; but it may tell its configuration.
    """
    if not build.config_text or (build.elf and build.map):
        return build
    try:
        made = cache.build(build.config_text)
    except Failure:
        made = None
    if made and made.image and made.image.read_bytes() == image.read_bytes():
        notes.append("symbols and objects are those of the same image, built here from its own "
                     "configuration")
        return dataclasses.replace(build, elf=made.elf, map=made.map)
    notes.append("its configuration gives another image with these sources and this compiler")
    return build


def measure_sizes(build: Build, record: dict[str, Any], image: Path) -> None:
    """Put the sizes into a record."""
    notes = record["notes"]
    record["image"] = image.stat().st_size
    if not build.elf:
        notes.append("an image without symbols: nothing is known by section, object, symbol and "
                     "function")
        return
    try:
        record.update(sizes.measure(build.elf, build.map))
    except sizes.BadFile as err:
        notes.append(str(err))
        return
    if not record["knows_objects"]:
        notes.append("no linker map beside the ELF file: nothing is known by object and folder")
    if not record["knows_symbols"]:
        notes.append("the ELF file has no symbols: nothing is known by symbol and function")


def measure_run(qemu: Machine, build: Build, record: dict[str, Any], image: Path, scratch: Path,
                with_least: bool, details: bool) -> bool:
    """Put what a boot shows into a record; False where the tools failed, not the kernel."""
    notes = record["notes"]
    try:
        machine = qemu.described(image, build.config_text, scratch)
        record["machine"] = machine
        named = build.elf if details and record["knows_symbols"] else None
        record["run"] = run_meter(machine, image, named, scratch, METER_TIMEOUT)
    except Unknown:
        raise
    except NoLine as err:
        record["run_failure"] = str(err)
        notes.append(f"it did not print the line: {str(err).splitlines()[0]}")
        return True
    except Failure as err:
        record["run_failure"] = str(err)
        notes.append(f"it could not be run: {str(err).splitlines()[0]}")
        return False
    if with_least and "pages" in record["run"]:
        try:
            record["least_ram"] = least_ram(qemu, machine, image, record["run"]["pages"], scratch)
        except (leastram.BadTree, Failure, KeyError) as err:
            notes.append(f"least RAM is not known: {err}")
    return True


def make_record(cache: Cache, build: Build, qemu: Machine, with_least: bool,
                details: bool) -> tuple[dict[str, Any], bool]:
    """Find out all there is to know; also tell whether it would be so again."""
    notes: list[str] = []
    record: dict[str, Any] = {
        "schema": SCHEMA, "key": build.key, "options": None, "image": None, "sizes": None,
        "sections": [], "symbols": [], "knows_symbols": False, "knows_objects": False,
        "machine": None, "run": None, "run_failure": None,
        "least_ram": None, "notes": notes}
    with tempfile.TemporaryDirectory(prefix="record-", dir=cache.root) as folder:
        scratch = Path(folder)
        image = build.image
        if image is None:
            assert build.elf
            try:
                image = scratch / "Image"
                image.write_bytes(sizes.Elf(build.elf).flat())
            except sizes.BadFile as err:
                raise Failure(str(err)) from err
        build = same_kernel(cache, build, image, notes)
        measure_sizes(build, record, image)
        lasting = measure_run(qemu, build, record, image, scratch, with_least, details)
        if build.config_text and not details:
            record["options"] = plain_options(build)
        elif build.config_text:
            try:
                record["options"] = explained(cache, build, scratch)
            except Failure as err:
                record["options"] = plain_options(build)
                notes.append(str(err).splitlines()[0])
        else:
            notes.append("it carries no configuration: nothing is known of its options")
    return record, lasting


def contents(build: Build) -> str:
    """Return a digest of all that a build hands over."""
    files = [path for path in (build.image, build.elf, build.map) if path]
    # Files that the kernel gets beside its image.
    archive = build.tree / "usr" / "initramfs.cpio" if build.tree else None
    if archive and archive.exists():
        files.append(archive)
    try:
        return digest_of(build.config_text, *(path.read_bytes() for path in files))
    except OSError as err:
        raise Failure(f'"{err.filename}": {err.strerror}') from err


def measure(build: Build, least_ram: bool = False, cache: Optional[Cache] = None,
            qemu: Optional[Machine] = None, details: bool = True) -> dict[str, Any]:
    """Return the record of a kernel, from the cache where that knows it.

    @least_ram: find the least RAM that boots too; takes some boots more
    @details: ask Kconfig why options are what they are, and the meter for functions and
              phases; without, a record takes half as long
    Raises builds.Failure where nothing can be measured at all.
    """
    cache = cache or Cache()
    qemu = qemu or Machine()
    key = digest_of(contents(build), qemu.key, tools())
    if not (build.elf and build.map):
        # Whether its symbols are known depends on the sources: same_kernel().
        key = digest_of(key, cache.digests(ROOT)[0], cache.compiler)

    def stored(with_least: bool, with_details: bool) -> Path:
        parts = [key, *["least"] * with_least, *["plain"] * (not with_details)]
        return cache.root / "records" / ("-".join(parts) + ".json")

    record = None
    # One that has more will do.
    for with_least, with_details in ((least_ram, details), (True, details), (least_ram, True),
                                     (True, True)):
        try:
            file = stored(with_least, with_details)
            record = json.loads(file.read_text(encoding="utf-8"))
            os.utime(file)
            break
        except (OSError, ValueError):
            continue
    if record is None:
        record, lasting = make_record(cache, build, qemu, least_ram, details)
        if lasting:
            builds.write_atomic(stored(least_ram, details), json.dumps(record))
    if not least_ram:
        record["least_ram"] = None
    record.update(name=build.name, kind=build.source.kind if build.source else "text",
                  seconds=build.seconds, qemu=qemu.version, variables={
                      **qemu.variables, **{name: os.environ[name] for name in
                                           ("LLVM", "CROSS_COMPILE", "KCFLAGS", "KAFLAGS")
                                           if os.environ.get(name)}})
    return record
