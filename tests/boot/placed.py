# SPDX-License-Identifier: MIT
"""Kernels that are started with what a test wants: another device tree, place, or crowd.

Firmware reads the device tree too and may refuse it or hang, and QEMU loads a
kernel to one place only. So firmware gets QEMU's own tree and a program of a
few instructions, which passes the test's arguments on to the kernel.
"""

import functools
import shutil
import subprocess
from pathlib import Path
from typing import Collection, Dict, List, Optional

import pytest

from bootlib import BOOT_TIMEOUT, Kernel, Result, boot, build_dir, locked

KERNEL_AT = 0x80200000
PROGRAM_AT = 0x83000000
ARGUMENTS_AT = 0x83001000
TREE_AT = 0x86000000
PREFIXES = ("riscv64-linux-gnu-", "riscv64-unknown-elf-", "riscv64-elf-")

# The program's arguments, words of 64 bits.
ENTRY, REPLACE, TREE, HARTS, COUNT, READY, PASSED = range(0, 56, 8)

# Each line is an instruction or a label. The harts of the mask HARTS are
# started, and go to the kernel when all COUNT of them are ready; another one
# that came first stops.
PROGRAM = f"""
.option norvc
.option norelax
.globl _start
_start:
    li s0, {ARGUMENTS_AT}
    mv s1, a0
    ld t0, {REPLACE}(s0)
    beqz t0, 1f
    ld a1, {TREE}(s0)
1:  sd a1, {PASSED}(s0)
    ld s2, {HARTS}(s0)
    beqz s2, 5f             # whichever came first
    li s3, -1
2:  addi s3, s3, 1
    srl t0, s2, s3
    beqz t0, 4f
    andi t0, t0, 1
    beqz t0, 2b
    beq s3, s1, 2b
    mv a0, s3
    lla a1, together
    mv a2, s0
    li a6, 0
    li a7, 0x48534d         # HSM: start hart a0 at a1, with a2 as its a1
    ecall
    j 2b
4:  srl t0, s2, s1
    andi t0, t0, 1
    bnez t0, 5f
    li a6, 1
    ecall                   # HSM: stop
5:  mv a0, s1
    mv a1, s0
together:
    addi t0, a1, {READY}
    li t1, 1
    amoadd.d.aqrl zero, t1, (t0)
    ld t2, {COUNT}(a1)
6:  ld t1, 0(t0)
    bltu t1, t2, 6b
    ld t3, {ENTRY}(a1)
    ld a1, {PASSED}(a1)
    jr t3
"""


@functools.lru_cache(maxsize=None)
def program() -> Path:
    """Return the program as an ELF file."""
    prefix = next((p for p in PREFIXES if shutil.which(p + "gcc")), None)
    if not prefix:
        pytest.skip("no RISC-V compiler")
    folder = build_dir() / "placed"
    source, elf = folder / "program.S", folder / "program.elf"
    with locked(build_dir() / ".locks" / "placed"):
        if not (elf.exists() and source.read_text(encoding="ascii") == PROGRAM):
            folder.mkdir(parents=True, exist_ok=True)
            source.write_text(PROGRAM, encoding="ascii")
            # Linkers warn of -N, which is wanted here: one segment that begins with the program.
            done = subprocess.run([f"{prefix}gcc", "-nostdlib", "-static", "-no-pie",
                                   "-march=rv64ima", "-mabi=lp64", "-o", str(elf), str(source),
                                   f"-Wl,-Ttext={PROGRAM_AT:#x},--build-id=none,-N"],
                                  stderr=subprocess.PIPE, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
    return elf


def place(kernel: Kernel, blobs: Optional[Dict[int, Path]] = None, tree_at: Optional[int] = None,
          kernel_at: int = KERNEL_AT, harts: Collection[int] = ()) -> List[str]:
    """Return the arguments of scripts/run that start a kernel so.

    Blobs: what lies in memory, by address. Tree_at: where the kernel is told
    that its device tree is, None for QEMU's own. Harts: those that arrive there
    together, none for the one that firmware chooses.
    """
    devices = [f"loader,file={path},addr={at:#x},force-raw=on"
               for at, path in {kernel_at: kernel.image, **(blobs or {})}.items()]
    words = {ENTRY: kernel_at, REPLACE: int(tree_at is not None), TREE: tree_at or 0,
             HARTS: sum(1 << hart for hart in harts), COUNT: len(harts)}
    devices += [f"loader,addr={ARGUMENTS_AT + offset:#x},data={word:#x},data-len=8"
                for offset, word in words.items()]
    return ["--kernel", str(program()),
            "--qemu-args", " ".join(f"-device {device}" for device in devices)]


def boot_with_tree(kernel: Kernel, blob: bytes, folder: Path, *args: object, at: int = TREE_AT,
                   timeout: int = BOOT_TIMEOUT) -> Result:
    """Boot a kernel that is given these bytes as its device tree."""
    path = folder / "tree.dtb"
    # QEMU does not load an empty file.
    path.write_bytes(blob or bytes(8))
    return boot(kernel, *place(kernel, {at: path}, tree_at=at), *args, timeout=timeout)


# ---- Device trees ---------------------------------------------------------------

UART = """
        serial@10000000 {
            compatible = "ns16550a";
            reg = <0x0 0x10000000 0x0 0x100>;
            clock-frequency = <3686400>;
        };
"""


def cells(*numbers: int) -> str:
    """Return numbers of two cells each, as a property's value."""
    return "<" + " ".join(f"{n >> 32:#x} {n & 0xffffffff:#x}" for n in numbers) + ">"


def source(chosen: str = 'stdout-path = "/soc/serial@10000000";', uart: str = UART,
           memory: str = cells(0x80000000, 0x8000000), extra: str = "", reserve: str = "") -> str:
    """Return the source of a tree of QEMU's virt machine that a test changes in parts.

    Memory: the value of reg, "" for no memory node. Extra: nodes below the root.
    """
    memory_node = f"""
    memory@80000000 {{
        device_type = "memory";
        reg = {memory};
    }};""" if memory else ""
    return f"""/dts-v1/;
{reserve}
/ {{
    #address-cells = <2>;
    #size-cells = <2>;
    compatible = "riscv-virtio";
    chosen {{ {chosen} }};{memory_node}
    cpus {{
        #address-cells = <1>;
        #size-cells = <0>;
        timebase-frequency = <10000000>;
        cpu@0 {{ device_type = "cpu"; reg = <0>; compatible = "riscv"; }};
    }};
    soc {{
        #address-cells = <2>;
        #size-cells = <2>;
        compatible = "simple-bus";
        ranges;
        test@100000 {{
            compatible = "sifive,test1", "sifive,test0", "syscon";
            reg = <0x0 0x100000 0x0 0x1000>;
        }};
{uart}
    }};
{extra}
}};
"""


def compile_tree(text: str) -> bytes:
    """Return a tree's source as a blob."""
    if not shutil.which("dtc"):
        pytest.skip("no dtc")
    done = subprocess.run(["dtc", "-q", "-f", "-I", "dts", "-O", "dtb", "-"],
                          input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=30, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def reserved(*regions: str) -> str:
    """Return a /reserved-memory node; each region is the properties of one node."""
    nodes = "".join(f"region{i} {{ {text} }};\n" for i, text in enumerate(regions))
    return ("reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;\n"
            f"{nodes}}};")
