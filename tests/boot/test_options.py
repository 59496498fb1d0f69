# SPDX-License-Identifier: MIT
"""Options: one that is off is not there, and an image tells which are on."""

import functools
import re
import shutil
import subprocess
from typing import Dict, List, Optional, Set

import pytest

from bootlib import LINE, ROOT, Kernel, boot, build, config_names, environment
from placed import PREFIXES

# What is the compiler's business, and not told by an image.
UNTOLD = ("CC_INCLUDE_DIR", "CC_UBSAN_FLAGS")
EXTRACT = ROOT / "scripts" / "extract-ikconfig"


# ---- An option that is off costs nothing ----------------------------------------------

@functools.lru_cache(maxsize=None)
def objects() -> Dict[str, str]:
    """Return the option by which each object is built, from the folders' makefiles."""
    found = {}
    for folder in ("arch/riscv", "kernel", "mm", "lib", "posix", "drivers/serial", "drivers/power"):
        for name in ("Kbuild", "Makefile"):
            path = ROOT / folder / name
            if not path.exists():
                continue
            for option, names in re.findall(r"^obj-\$\(CONFIG_(\w+)\) \+= (.*)$",
                                            path.read_text(encoding="utf-8"), re.MULTILINE):
                found.update({f"{folder}/{one}": option for one in names.split()
                              if one.endswith(".o")})
    assert len(found) > 20
    return found


def find_nm() -> str:
    """Return a program that lists the names in an object, or skip the test."""
    names = [f"{prefix}nm" for prefix in PREFIXES] + ["llvm-nm"]
    found = next(filter(shutil.which, names), None)
    if not found:
        pytest.skip("no nm for RISC-V")
    return found


def defined(kernel: Kernel, name: str) -> Set[str]:
    """Return the global names that an object of a kernel defines."""
    done = subprocess.run([find_nm(), "-g", "--defined-only", str(kernel.tree / name)], check=True,
                          stdout=subprocess.PIPE, text=True, timeout=30, env=environment())
    return {line.split()[2] for line in done.stdout.splitlines()}


@functools.lru_cache(maxsize=None)
def definers() -> Dict[str, Set[str]]:
    """Return the objects that define a name in any of the configurations."""
    found: Dict[str, Set[str]] = {}
    for base in config_names():
        kernel = build(base)
        for name in list(objects()) + ["kernel/main.o"]:
            if (kernel.tree / name).exists():
                for symbol in defined(kernel, name):
                    found.setdefault(symbol, set()).add(name)
    return found


@pytest.mark.parametrize("base", config_names())
def test_off(base: str) -> None:
    """What belongs to an option that is off is neither built nor linked."""
    kernel = build(base)
    config, symbols = kernel.config, set(kernel.symbols)
    off = {name for name, option in objects().items() if config.get(option) != "y"}
    for name in off:
        assert not (kernel.tree / name).exists(), name
    for symbol, where in definers().items():
        if where <= off:
            assert symbol not in symbols, f"{symbol} of {where}"
    # What is on is built, so that this test does not look for what nobody makes.
    for name, option in objects().items():
        if config.get(option) == "y" and not name.startswith("drivers/"):
            assert (kernel.tree / name).exists(), name


def test_all_seen() -> None:
    """Every object with an option is built in some configuration of configs/, or is a choice's."""
    trees = [build(base).tree for base in config_names()]
    trees += [build("ktest", "HEAP_FIRST_FIT=y").tree, build("debug", "CRASH_TEST=y").tree,
              build("ktest", "KTEST=n", "CRASH_TEST=y", "STACKTRACE=y", "KALLSYMS=y").tree]
    for name in objects():
        assert any((tree / name).exists() for tree in trees), f"nothing in configs/ builds {name}"


TOGGLES = ["TRAPS", "IKCONFIG", "COMMAND_LINE", "PRINTK_TIME", "SERIAL_8250", "SERIAL_SIFIVE",
           "SERIAL_CRLF", "CONSOLE_SBI_DBCN", "LINEAR_MAP", "PAGING_FALLBACK", "POWER_SBI_SRST",
           "POWER_SBI_LEGACY", "POWER_SIFIVE_TEST", "RISCV_BOOT_SPINWAIT", "RISCV_IMAGE_HEADER"]


@pytest.mark.parametrize("option", TOGGLES)
def test_smaller(option: str) -> None:
    """Without any of its options the standard kernel is smaller."""
    standard = build("base")
    assert standard.has(option)
    assert size(build("base", f"{option}=n")) < size(standard)


@pytest.mark.parametrize("option", ["PRINTK", "BANNER", "TRAPS", "LINE_PRINTF", "COMMAND_LINE",
                                    "SERIAL_8250_INIT", "STACKPROTECTOR", "IKCONFIG"])
def test_larger(option: str) -> None:
    """With any option more a kernel is larger."""
    base = build("fdt")
    assert not base.has(option)
    assert size(build("fdt", f"{option}=y")) > size(base)


def size(kernel: Kernel) -> int:
    """Return the bytes of a kernel's parts, without what aligns them."""
    symbols = kernel.symbols
    return sum(symbols[end] - symbols[start] for start, end in
               [("_start", "_etext"), ("_rodata_start", "_rodata_end"),
                ("_data_start", "__bss_stop")])


# ---- The configuration in the image -----------------------------------------------------

def told(kernel: Kernel) -> List[str]:
    """Return the lines of a kernel's configuration that its image tells."""
    text = (kernel.tree / ".config").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.startswith("CONFIG_")
            and line.split("=")[0][len("CONFIG_"):] not in UNTOLD]


def extract(path: object) -> "subprocess.CompletedProcess[str]":
    """Run scripts/extract-ikconfig."""
    return subprocess.run([str(EXTRACT), str(path)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=30, check=False,
                          env=environment())


@pytest.mark.parametrize("options", [
    (), ("LTO=y",), ('LOCALVERSION="-a\\"b\\\\c"', "CC_OPTIMIZE_FOR_SIZE=y")])
def test_extract(options: tuple) -> None:
    """The configuration that was built is in the ELF file and in the flat image."""
    kernel = build("base", *options)
    for path in (kernel.elf, kernel.image):
        done = extract(path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == told(kernel)


def test_extract_rebuilds() -> None:
    """What was read from an image makes the same image."""
    kernel = build("base")
    done = extract(kernel.image)
    again = kernel.tree.parent / "extracted"
    again.mkdir(exist_ok=True)
    (again / ".config").write_text(done.stdout, encoding="utf-8")
    subprocess.run(["make", "-s", "-j2", "-C", str(ROOT), f"O={again}", "olddefconfig", "all"],
                   check=True, timeout=300, env=environment(), stdout=subprocess.DEVNULL)
    assert Kernel(again).image.read_bytes() == kernel.image.read_bytes()


def test_extract_nothing() -> None:
    """An image without a configuration is said to have none."""
    done = extract(build("tiny").image)
    assert done.returncode != 0 and not done.stdout and done.stderr


@pytest.mark.parametrize("machine", ["virt", "spike"])
def test_print(machine: str) -> None:
    """A running kernel prints its configuration when asked to, and not else."""
    kernel = build("base", "IKCONFIG_PRINT=y")
    assert boot(kernel, "--machine", machine).lines == [LINE]
    asked = boot(kernel, "--machine", machine, "--append", "ikconfig")
    assert asked.status == 0 and asked.lines == told(kernel) + [LINE], asked


# ---- How the line is printed ----------------------------------------------------------

@pytest.mark.parametrize("base", ["base", "tiny", "uart", "sv39", "legacy"])
@pytest.mark.parametrize("option", ["LINE_PRINTF=y", "BANNER=y", "LTO=y", "CC_OPTIMIZE_FOR_SIZE=y",
                                    "RISCV_IMAGE_HEADER=y", "STACKPROTECTOR=y"])
def test_variant(base: str, option: str) -> None:
    """Options that go with every rung of the ladder."""
    kernel = build(base, option)
    result = boot(kernel)
    assert result.status == 0 and result.notes == "" and result.lines[-1] == LINE, result
    banner: Optional[str] = result.lines[0] if kernel.has("BANNER") else None
    assert result.lines == ([banner] if banner else []) + [LINE], result
    if banner:
        assert re.fullmatch(r"Ahoy \d+\.\d+\.\d+\S* \(.+\), (Bare|Sv39|Sv48|Sv57)", banner), banner
