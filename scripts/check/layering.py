#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Check that each room uses only what it may.

A room is a top folder of the kernel's sources. Checked are the includes of its
files, where assembly stands, and, given an object tree, what its objects need
of other rooms when they are linked.

Prints FILE:LINE: message and exits with 1 if there is anything to say.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple


class Room(NamedTuple):
    """What a room may use beside itself."""

    rooms: Set[str]
    # Whether it may use what COMMON declares and what the build generates.
    common: bool


ROOMS = {
    "lib": Room(set(), False),
    "arch": Room({"lib"}, True),
    "mm": Room({"arch", "lib"}, True),
    "kernel": Room({"mm", "arch", "lib"}, True),
    "drivers": Room({"kernel", "mm", "arch", "lib"}, True),
    # No folder: the interface that the kernel and tests implement.
    "core": Room({"lib"}, True),
    "posix": Room({"lib", "core"}, False),
}

# Whose interface each header of include/ahoy is.
HEADERS = {
    "compiler.h": "lib", "cpio.h": "lib", "ctype.h": "lib", "elf.h": "lib", "errname.h": "lib",
    "errno.h": "lib", "fdt.h": "lib", "kconfig.h": "lib", "kstrtox.h": "lib", "params.h": "lib",
    "printf.h": "lib",
    "chacha.h": "lib", "libc.h": "lib", "list.h": "lib", "ring.h": "lib", "rbtree.h": "lib",
    "softfloat.h": "lib", "string.h": "lib", "types.h": "lib",
    # What lib's "%pS" asks whoever links it for.
    "kallsyms.h": "lib",
    "address_space.h": "mm", "fail_alloc.h": "mm", "fault.h": "mm", "memblock.h": "mm",
    "page_alloc.h": "mm", "slab.h": "mm", "vmalloc.h": "mm",
    "bench.h": "kernel", "cmdline.h": "kernel", "console.h": "kernel",
    "console_input.h": "kernel", "crash.h": "kernel", "init.h": "kernel", "irq.h": "kernel",
    "hangs.h": "kernel", "interrupt.h": "kernel", "ktest.h": "kernel", "lockdep.h": "kernel",
    "mutex.h": "kernel", "of.h": "kernel", "panic.h": "kernel",
    "phase.h": "kernel", "power.h": "kernel", "printk.h": "kernel", "sched.h": "kernel",
    "section.h": "kernel", "smp.h": "kernel", "spinlock.h": "kernel", "stackprotector.h": "kernel",
    "thread.h": "kernel", "time.h": "kernel", "timer.h": "kernel", "wait.h": "kernel",
    "initramfs.h": "kernel", "user.h": "kernel", "core.h": "core", "personality.h": "core",
    "user_memory.h": "core",
    "console_direct.h": "drivers", "uart8250.h": "drivers", "uart_sifive.h": "drivers",
}

# What the core offers a personality. Interfaces of rooms leave it to this header to declare that.
CORE = "core.h"

# Open to every room but lib: printing, panic, spinlocks, which hart this is, tests, labels of
# phases, and the tables in which a file registers what it brings. init.h and interrupt.h also
# name the entries that arch calls.
COMMON = {"bench.h", "cmdline.h", "crash.h", "fault.h", "init.h", "interrupt.h", "ktest.h",
          "lockdep.h", "panic.h", "personality.h", "phase.h", "printk.h", "section.h", "smp.h",
          "spinlock.h", "user_memory.h"}

# mm's upper storey, address spaces, may use threads and their locks besides.
UPPER = re.compile(r"mm/(address_space|memory_object|own_page|space_)\w*\.[cho]$")
UPPER_HEADERS = {"core.h", "mutex.h", "sched.h", "smp.h", "thread.h"}

# Headers of arch that no other room includes.
PRIVATE = {"csr.h", "pte.h"}

# (file, header): exceptions, each with a reason.
EXCEPTIONS = {
    # A console that is the only one is called, not looked up: the driver's
    # inline functions stand in the kernel's.
    ("include/ahoy/console.h", "ahoy/console_direct.h"),
    # Most system calls begin with the current thread's word: one load where arch says how.
    ("include/ahoy/core.h", "asm/word.h"),
}

# Compiled with musl's headers, as parts of it; of the kernel they know one header.
MUSL = "lib/musl/"
MUSL_HEADER = "ahoy/libc.h"
# Built with them: an archive, of which the kernel's own objects use what they need.
MUSL_ARCHIVE = "lib/musl/libc.a"

# Of the compiler's own headers, and what it calls by itself.
COMPILER_HEADERS = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h"}
COMPILER_SYMBOLS = {"__stack_chk_fail", "__stack_chk_guard"}

# What the personality may need that nobody of core.h or lib defines: one name a line.
PERSONALITY_SYMBOLS = Path("scripts/check/personality-symbols")

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
ASSEMBLY = re.compile(r"\b(__asm__|__asm|asm)\b\s*(__volatile__|volatile)?\s*\(")
# An empty statement or a bound on the optimiser is no instruction.
NO_INSTRUCTION = re.compile(r'(__asm__|asm)\s*(__volatile__|volatile)?\s*\(\s*""')


def sources(srctree: Path) -> Iterator[str]:
    """The files with C or assembly of all rooms and of their interfaces."""
    for top in (*ROOMS, "include"):
        for path in sorted((srctree / top).rglob("*.[chS]")):
            name = path.relative_to(srctree).as_posix()
            if not name.startswith(("include/generated/", "include/config/")):
                yield name


def room_of(name: str) -> str:
    """The room that a file belongs to; empty if nobody knows."""
    if name.startswith("include/ahoy/"):
        return HEADERS.get(name[len("include/ahoy/"):], "")
    top = name.split("/", 1)[0]
    return top if top in ROOMS else ""


def may_include(name: str, room: str, header: str) -> str:
    """Why this file must not include the header; empty if it may."""
    rules = ROOMS[room]
    folder, _, base = header.rpartition("/")
    if name.startswith(MUSL):
        return "" if header == MUSL_HEADER or folder not in ("ahoy", "asm", "generated") else \
            f"musl includes <{header}>, and knows <{MUSL_HEADER}> alone"
    if header in COMPILER_HEADERS or (name, header) in EXCEPTIONS:
        return ""
    if folder == "ahoy":
        owner = HEADERS.get(base)
        if owner is None:
            return f"<{header}> has no room yet: add it to scripts/check/layering.py"
        if owner in (room, *rules.rooms) or (rules.common and base in COMMON):
            return ""
        if UPPER.match(name) and base in UPPER_HEADERS:
            return ""
        # Tables that the linker collects are open to all but lib.
        if base == "section.h" and room == "posix":
            return ""
        if base == CORE and (room == "kernel" or name.startswith("include/ahoy/")):
            return ""
        return f"{room}/ includes <{header}>, which is {owner}/'s"
    if folder == "asm" or folder.startswith("asm/"):
        if room == "arch" or ("arch" in rules.rooms and base not in PRIVATE):
            return ""
        return f"{room}/ includes <{header}>, which is for arch/" + \
            (" alone" if base in PRIVATE else " and the rooms above it")
    if folder == "generated":
        return "" if rules.common or name == "include/ahoy/kconfig.h" else \
            f"{room}/ includes <{header}>: it knows no configuration"
    return f"{room}/ includes <{header}>, which is no interface of the kernel"


def check_sources(srctree: Path) -> Iterator[str]:
    """Check includes and assembly."""
    for name in sources(srctree):
        room = room_of(name)
        if not room:
            yield f"{name}:1: belongs to no room: add it to scripts/check/layering.py"
            continue
        if name.endswith(".S") and room != "arch":
            yield f"{name}:1: assembly outside arch/"
        text = (srctree / name).read_text(encoding="utf-8")
        for number, line in enumerate(text.split("\n"), 1):
            match = INCLUDE.match(line)
            if match and match.group(1) == '"':
                # A file beside this one; nothing of another room.
                if "/" in match.group(2):
                    yield f"{name}:{number}: \"{match.group(2)}\" leads out of the folder"
            elif match:
                why = may_include(name, room, match.group(2))
                if why:
                    yield f"{name}:{number}: {why}"
            elif room != "arch" and ASSEMBLY.search(line) and not NO_INSTRUCTION.search(line):
                yield f"{name}:{number}: assembly outside arch/"


def declared(header: Path) -> Set[str]:
    """The words of a header outside its comments."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", header.read_text(encoding="utf-8"), flags=re.DOTALL)
    return set(re.findall(r"\w+", text))


def symbols(nm: str, objects: List[str], objtree: Path) -> Tuple[Set[str], Dict[str, str]]:
    """Global symbols that the objects define, and those that they need: name, first object."""
    listed = subprocess.run([nm, "-A", "-P", "-g", *objects], cwd=objtree, stdout=subprocess.PIPE,
                            text=True, check=True).stdout
    defined: Set[str] = set()
    needed: Dict[str, str] = {}
    for line in listed.splitlines():
        file, _, rest = line.partition(": ")
        name, kind = rest.split()[:2]
        if kind in "Uw":
            needed.setdefault(name, file)
        else:
            defined.add(name)
    return defined, {name: file for name, file in needed.items() if name not in defined}


def listed(path: Path) -> Set[str]:
    """The names of a file with one a line; "#" begins a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.split("#")[0].strip() for line in lines} - {""}


def core_headers(srctree: Path) -> Set[str]:
    """The headers that declare the core's interface: the core's own, and what they include."""
    names = {name for name, owner in HEADERS.items() if owner == "core"}
    for name in sorted(names):
        text = (srctree / "include" / "ahoy" / name).read_text(encoding="utf-8")
        names |= set(re.findall(r"#include <ahoy/(\w+\.h)>", text))
    return names


def check_personality(srctree: Path, objtree: Path, nm: str, ld: str) -> Iterator[str]:
    """Link all of posix/ into one object: it is a whole that needs the core and lib only."""
    objects = [str(path) for path in sorted((objtree / "posix").rglob("*.o"))]
    lib = lib_objects(objtree)
    if not objects:
        return
    with tempfile.TemporaryDirectory() as folder:
        linked = subprocess.run([ld, "-r", "-o", f"{folder}/posix.o", *objects],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                check=False)
        if linked.returncode:
            yield f"posix: its objects do not link: {linked.stdout.strip()}"
            return
        _, needed = symbols(nm, ["posix.o"], Path(folder))
    offered = symbols(nm, lib, objtree)[0] if lib else set()
    for name in core_headers(srctree):
        offered |= declared(srctree / "include" / "ahoy" / name)
    offered |= listed(srctree / PERSONALITY_SYMBOLS) | COMPILER_SYMBOLS
    for name in sorted(set(needed) - offered):
        yield f"posix: as one object it needs {name}, which is neither core.h's nor lib/'s"


def lib_objects(objtree: Path) -> List[str]:
    """lib/'s objects, with the archive of musl where the kernel has that."""
    found = sorted(str(path.relative_to(objtree)) for path in (objtree / "lib").rglob("*.o"))
    return found + [MUSL_ARCHIVE] * (objtree / MUSL_ARCHIVE).exists()


def check_objects(srctree: Path, objtree: Path, nm: str) -> Iterator[str]:
    """Check what each room's objects need."""
    defined: Dict[str, Set[str]] = {}
    needed: Dict[str, Dict[str, str]] = {}
    for room in ROOMS:
        objects = sorted(str(path.relative_to(objtree)) for path in (objtree / room).rglob("*.o"))
        if objects:
            defined[room], needed[room] = symbols(nm, objects, objtree)
    if "lib" in defined:
        # What musl itself needs is up to who calls what of it.
        defined["lib"] |= symbols(nm, lib_objects(objtree), objtree)[0]
    if not defined:
        sys.exit(f"layering.py: no objects in {objtree}")
    words = {name: declared(srctree / "include" / "ahoy" / name) for name in HEADERS}
    for room, names in needed.items():
        rules = ROOMS[room]
        contract = set().union(*(words[name] for name, owner in HEADERS.items()
                                 if owner in (room, "core" if room == "posix" else room)
                                 or (rules.common and name in COMMON)))
        for name, file in sorted(names.items()):
            owners = [other for other in defined if name in defined[other]]
            if name in COMPILER_SYMBOLS or name in contract or rules.rooms & set(owners):
                continue
            if room == "posix" and name in listed(srctree / PERSONALITY_SYMBOLS):
                continue
            if UPPER.match(file) and any(name in words[header] for header in UPPER_HEADERS):
                continue
            # The linker script's symbols.
            if not owners and rules.common:
                continue
            yield f"{file}: {room}/ needs {name}, which is {(owners or ['nobody'])[0]}/'s"


def main() -> None:
    """Check what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--srctree", type=Path, default=Path(__file__).resolve().parents[2],
                        help="the source tree (default: the one of this script)")
    parser.add_argument("--objects", type=Path, metavar="DIR",
                        help="check the objects of this object tree instead of the sources")
    parser.add_argument("--nm", default=os.environ.get("NM") or "riscv64-linux-gnu-nm",
                        help="the nm to list symbols with (%(default)s)")
    parser.add_argument("--ld", default=os.environ.get("LD") or "riscv64-linux-gnu-ld",
                        help="the linker to make one object of posix/ with (%(default)s)")
    args = parser.parse_args()
    if args.objects:
        objtree = args.objects.resolve()
        problems = list(check_objects(args.srctree, objtree, args.nm))
        problems += check_personality(args.srctree, objtree, args.nm, args.ld)
    else:
        problems = list(check_sources(args.srctree))
    for text in problems:
        print(text)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
