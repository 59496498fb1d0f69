# SPDX-License-Identifier: MIT
"""Kernels of a few instructions, for tests of what runs kernels."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import List, Tuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINE = "Hello world."
UART = 0x10000000
SIFIVE_UART = 0x10010000
PREFIXES = ("riscv64-linux-gnu-", "riscv64-unknown-elf-", "riscv64-elf-")


def put_string(text: str, how: str) -> str:
    """Assembly that sends text; clobbers t0 to t3, a0 and a7.

    How: "store" writes to a 16550 blindly, "poll" waits for room, "sifive"
    writes to a SiFive UART, "sbi" calls legacy putchar. Instructions for n
    characters are FIXED[how] + n * EACH[how] - 2.
    """
    send = {
        "store": f"li t1, {UART}\n 1: lbu t2, (t0)\n beqz t2, 2f\n sb t2, (t1)\n",
        "poll": f"li t1, {UART}\n 1: lbu t2, (t0)\n beqz t2, 2f\n"
                " 3: lbu t3, 5(t1)\n andi t3, t3, 0x20\n beqz t3, 3b\n sb t2, (t1)\n",
        "sifive": f"li t1, {SIFIVE_UART}\n 1: lbu t2, (t0)\n beqz t2, 2f\n sw t2, (t1)\n",
        "sbi": "nop\n 1: lbu a0, (t0)\n beqz a0, 2f\n li a7, 1\n ecall\n",
    }[how]
    return (f" .pushsection .data\n 4: .asciz \"{text}\"\n .popsection\n"
            f" la t0, 4b\n {send} addi t0, t0, 1\n j 1b\n 2:\n")


# "la" is two instructions, "li" of each UART's address one; "j 1b" and "addi"
# do not follow the last character any more.
FIXED = 3
EACH = {"store": 5, "poll": 8, "sifive": 5, "sbi": 6}


def cost(text: str, how: str) -> int:
    """The kernel's instructions up to the last character of put_string()."""
    return FIXED + len(text) * EACH[how] - 2


POWER_OFF = """
 li a7, 0x53525354
 li a6, 0
 li a0, 0
 li a1, 0
 ecall
 li a7, 8
 ecall
"""
IDLE = "9: wfi\n j 9b\n"


def find_tool(name: str) -> str:
    """Return the cross tool of that name, or skip the test."""
    prefixes: Tuple[str, ...] = (os.environ.get("CROSS_COMPILE", ""),) + PREFIXES
    for prefix in prefixes:
        if prefix and shutil.which(prefix + name):
            return prefix + name
    pytest.skip(f"no RISC-V {name}")


def build(folder: Path, source: str, name: str = "kernel") -> Path:
    """Assemble a kernel that starts with source; return its flat image.

    Its ELF file lies beside it with the ending .elf.
    """
    elf, image = folder / f"{name}.elf", folder / f"{name}.bin"
    asm = folder / f"{name}.S"
    asm.write_text(".option norelax\n.option norvc\n.option nopic\n.globl _start\n_start:\n"
                   + source + IDLE, encoding="ascii")
    subprocess.run([find_tool("gcc"), "-nostdlib", "-static", "-no-pie", "-march=rv64ima_zicsr",
                    "-mabi=lp64", "-Wl,-Ttext=0x80200000,--no-warn-rwx-segments,--build-id=none,-N",
                    "-o", str(elf), str(asm)], check=True)
    subprocess.run([find_tool("objcopy"), "-O", "binary", str(elf), str(image)], check=True)
    return image


def qemu() -> List[str]:
    """Return the command that starts QEMU, or skip the test."""
    words = (os.environ.get("QEMU") or "qemu-system-riscv64").split()
    if not shutil.which(words[0]):
        pytest.skip(f"no {words[0]}")
    return words


def qemu_version() -> Tuple[int, int]:
    """Return QEMU's version."""
    text = subprocess.run(qemu() + ["--version"], stdout=subprocess.PIPE, check=True,
                          text=True).stdout
    match = re.search(r"version (\d+)\.(\d+)", text)
    assert match, text
    return int(match.group(1)), int(match.group(2))
