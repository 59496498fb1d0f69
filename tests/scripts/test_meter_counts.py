# SPDX-License-Identifier: MIT
"""The meter's other figures against hand counts: pages, crossings, phases, intervals, its log."""

import re
import subprocess
from pathlib import Path
from typing import Any, Dict, List

import pytest
from asmkernel import LINE, POWER_OFF, build, cost, put_string, qemu
from metering import fixture_build_dir, measure, refused, run_meter  # noqa: F401

TEXT = LINE + "\\n"  # as written in assembly
PRINT = cost(LINE + "\n", "store")
NONE = {"firmware_calls": 0, "firmware_traps": 0, "system_calls": 0, "traps": 0}
PAGE = 4096


def label(name: str) -> str:
    """Return the assembly of a phase label."""
    return ("771: .pushsection .ahoy.phases, \"\", @progbits\n .8byte 771b\n"
            f" .asciz \"{name}\"\n .popsection\n")


# ---- Pages --------------------------------------------------------------------

@pytest.mark.parametrize("mem", ["128M", "5G"])
def test_pages(tmp_path: Path, build_dir: Path, mem: str) -> None:
    """Each page counts once, whatever is done to it and how often."""
    work = ("li t0, 0x80300000\n sd zero, (t0)\n ld t1, 8(t0)\n sd zero, 16(t0)\n"
            "li t0, 0x80302ffc\n sd zero, (t0)\n"  # 0x80302000 and 0x80303000
            "li t0, 0x80310fff\n lbu t1, (t0)\n"
            "lbu t1, (a1)\n"  # the device tree
            "call far\n")
    # A jump of which two bytes are on the next page, with nothing else.
    far = ".option rvc\n .org 0x1ffe\n .option norvc\n far: j 6b\n"
    text = put_string(TEXT, "store") + POWER_OFF
    image = build(tmp_path, work + "6:\n" + text + "9: j 9b\n" + far)
    result = measure(build_dir, "--kernel", image, "--mem", mem)
    tree = result["tree"]
    # 0x80200000, far's two (the text is on the second), those of the work, the tree's.
    assert result["pages"] == {"total": 3 + 4 + 1, "kernel": 3 + 4 + 1, "firmware": 0, "user": 0,
                               "code": 3, "written": 3, "top": 0x80311000}
    assert tree["address"] > 0x80311000
    assert 4000 < tree["size"] < 20000
    # Harts' and memory's descriptions need room, and the tree is near the top of memory.
    assert tree["address"] + tree["size"] <= 0x80000000 + (128 << 20 if mem == "128M" else 5 << 30)


def test_pages_by_mode(tmp_path: Path, build_dir: Path) -> None:
    """What firmware touches counts apart, and is not below the top."""
    image = build(tmp_path, put_string(TEXT, "sbi") + POWER_OFF)
    pages = measure(build_dir, "--kernel", image)["pages"]
    assert pages["kernel"] == 1
    assert pages["top"] == 0x80201000
    assert pages["firmware"] > 3
    assert pages["total"] == 1 + pages["firmware"]
    assert 1 < pages["code"] < pages["total"]
    assert 0 < pages["written"] < pages["firmware"]


# ---- Crossings ------------------------------------------------------------------

def test_no_crossings(tmp_path: Path, build_dir: Path) -> None:
    """A kernel alone crosses nothing; its jumps of all kinds are no traps."""
    jumps = (".option push\n .option rvc\n"
             "c.j 2f\n 1: c.jr ra\n c.nop\n 2: la a0, 1b\n c.jalr a0\n li a0, 2\n"
             "3: c.addi a0, -1\n c.bnez a0, 3b\n c.beqz a0, 4f\n c.nop\n"
             "4: la a1, 5f\n c.jr a1\n c.nop\n 5: jal t0, 6f\n j 7f\n 6: jr t0\n 7:\n"
             ".balign 4\n .option pop\n")
    image = build(tmp_path, jumps + put_string(TEXT, "store") + POWER_OFF)
    log = tmp_path / "log"
    result = measure(build_dir, "--kernel", image, "--trace", log)
    assert result["crossings"] == NONE
    kinds = [line.split()[-1] for line in log.read_text().splitlines() if line[0] == "r"]
    assert kinds[:12] == ["jump", "call", "ret", "branch", "branch", "branch", "jump", "call",
                          "ret", "jump", "branch", "seq"]


def test_crossings(tmp_path: Path, build_dir: Path) -> None:
    """Calls of firmware, and traps that firmware does or does not see first."""
    calls = "li a7, 0x10\n li a6, 0\n ecall\n" * 3
    # The jump's fault comes before anything shows where the vector is; firmware
    # gets it first and hands it on. The breakpoint's trap goes there directly.
    faults = "la t0, 7f\n csrw stvec, t0\n li t0, 0\n jalr t0\n ebreak\n ebreak\n"
    vector = (".balign 4\n 7: csrr t5, sepc\n bnez t5, 1f\n mv t5, ra\n j 2f\n"
              "1: addi t5, t5, 4\n 2: csrw sepc, t5\n sret\n")
    image = build(tmp_path, calls + faults + put_string(TEXT, "store") + POWER_OFF + vector)
    log = tmp_path / "log"
    result = measure(build_dir, "--kernel", image, "--trace", log)
    assert result["crossings"] == {"firmware_calls": 3, "firmware_traps": 1, "system_calls": 0,
                                   "traps": 3}
    # The jump itself counts; what it jumped to was never executed.
    assert result["kernel"] == 9 + 7 + PRINT + 6 + 2 * 5
    runs = [line.split() for line in log.read_text().splitlines() if line.startswith("r")]
    assert [run[5] for run in runs if run[2] == "k" and run[5] in ("ecall", "trap")] == (
        ["ecall"] * 3 + ["trap"] * 3)
    assert sum(int(run[4]) for run in runs) == result["total"]


def test_machine_mode(tmp_path: Path, build_dir: Path) -> None:
    """Without firmware a kernel in M-mode is a kernel, and its traps are its own."""
    source = ("la t0, 7f\n csrw mtvec, t0\n ecall\n ebreak\n" + put_string(TEXT, "store")
              + ".balign 4\n 7: csrr t5, mepc\n addi t5, t5, 4\n csrw mepc, t5\n mret\n")
    # It runs elsewhere than it is linked for.
    image = build(tmp_path, source.replace("la t0", "lla t0"))
    result = measure(build_dir, "--kernel", image, "--bios", "none", "--entry", "0x80000000")
    assert result["total"] == result["kernel"] == 5 + 2 * 4 + PRINT
    assert result["crossings"] == {**NONE, "traps": 2}
    assert result["pages"] == {"total": 1, "kernel": 1, "firmware": 0, "user": 0, "code": 1,
                               "written": 0, "top": 0x80001000}
    assert result["firmware_version"] is None


# Sv39 with leaves of 1 GiB: devices, memory for the user below its physical
# address, memory for the kernel.
PAGING = (".pushsection .data\n .balign 4096\n"
          "8: .dword 0xcf, 0x200000df, 0x200000cf\n .zero 4096 - 24\n .popsection\n"
          "la t0, 8b\n srli t0, t0, 12\n li t1, 8\n slli t1, t1, 60\n or t0, t0, t1\n"  # 6
          "csrw satp, t0\n sfence.vma\n")  # 2


def test_user(tmp_path: Path, build_dir: Path) -> None:
    """A user's instructions, pages and system calls, on every QEMU."""
    enter = ("la t0, 5f\n csrw stvec, t0\n la t0, 6f\n lui t1, 0x40000\n sub t0, t0, t1\n"  # 7
             "csrw sepc, t0\n li t0, 0x100\n csrc sstatus, t0\n li s0, 3\n sret\n")  # 5
    user = (".balign 4096\n 6: li t0, 20\n 1: addi t0, t0, -1\n bnez t0, 1b\n ecall\n"  # 42
            "lw t1, (t2)\n"  # faults once: t2 is 0 and then the user's text
            "li t0, 10\n 1: addi t0, t0, -1\n bnez t0, 1b\n ecall\n")  # 22
    vector = (".balign 4096\n 5: csrr t0, scause\n li t1, 8\n bne t0, t1, 1f\n"  # 3
              "csrr t0, sepc\n addi t0, t0, 4\n csrw sepc, t0\n j 2f\n"  # 4
              "1: csrr t2, sepc\n"
              "2: addi s0, s0, -1\n beqz s0, 3f\n sret\n 3:\n")  # 3, then the line
    image = build(tmp_path, PAGING + enter + "9: j 9b\n" + user + vector
                  + put_string(TEXT, "store") + POWER_OFF)
    log = tmp_path / "traps"
    result = measure(build_dir, "--kernel", image, "--qemu-args", f"-d int -D {log}")
    assert result["crossings"] == {**NONE, "system_calls": 2, "traps": 1}
    # QEMU's own log of traps, of the user's addresses.
    assert re.findall(r"epc:0x0*402.*desc=(\w+)", log.read_text()) == [
        "user_ecall", "load_page_fault", "user_ecall"]
    # What faults is executed again.
    assert result["user"] == 42 + 2 + 22
    assert result["kernel"] == 8 + 12 + (3 + 4 + 3) + (3 + 1 + 3) + (3 + 4 + 2) + PRINT
    # The user's own; the entry's, the vector's and the text's. What the page-table
    # walker reads is not seen.
    assert result["pages"]["user"] == 1
    assert result["pages"]["kernel"] == 3
    assert result["pages"]["total"] == 4


# ---- Phases ----------------------------------------------------------------------

def test_phases(tmp_path: Path, build_dir: Path) -> None:
    """A phase lasts from the first run of its label to the next one's."""
    source = (" nop\n nop\n" + label("work") + " li t0, 10\n"
              + "1: nop\n" + label("in a loop") + " addi t0, t0, -1\n bnez t0, 1b\n"
              + label("nothing") + label("line") + put_string(TEXT, "store") + POWER_OFF
              + label("never"))
    image = build(tmp_path, source)
    elf = image.with_suffix(".elf")
    result = measure(build_dir, "--kernel", image, "--symbols", elf)
    assert [(phase["name"], phase["kernel"]) for phase in result["phases"]] == [
        ("entry", 2), ("work", 2), ("in a loop", 29), ("nothing", 0), ("line", PRINT)]
    for phase in result["phases"]:
        assert phase["firmware"] == phase["user"] == 0
        assert sum(row["instructions"] for row in phase["functions"]) == phase["kernel"]
    assert sum(phase["kernel"] for phase in result["phases"]) == result["total"]
    text = run_meter(build_dir, "--kernel", image, "--symbols", elf).stdout
    assert re.search(r"^by phase\n +2  entry\n +2  work\n +29  in a loop\n +66  line\nby folder",
                     text, re.MULTILINE)


def test_one_phase(tmp_path: Path, build_dir: Path) -> None:
    """Without labels, or without symbols, everything is one phase."""
    image = build(tmp_path, put_string(TEXT, "store") + POWER_OFF)
    for more in ([], ["--symbols", image.with_suffix(".elf")]):
        result = measure(build_dir, "--kernel", image, *more)
        assert [(phase["name"], phase["kernel"]) for phase in result["phases"]] == [
            ("entry", PRINT)]


# ---- Intervals --------------------------------------------------------------------

LOOP = ("li s0, 3\n 1: slti x0, x0, 7\n nop\n nop\n slti x0, x0, 2040\n addi s0, s0, -1\n"
        "bnez s0, 1b\n")


def intervals(build_dir: Path, image: Path, *args: Any) -> List[Dict[str, int]]:
    """Return the meter's intervals."""
    found: List[Dict[str, int]] = measure(build_dir, "--kernel", image, *args)["intervals"]
    return found


@pytest.mark.parametrize("ends,expected", [
    (("marker:7", "marker:2040"), [2, 2, 2]),
    (("marker:7", "marker:7"), [5, 5]),
    (("marker:2040", "marker:7"), [2, 2]),
    (("0x80200004", "0x80200008"), [1, 1, 1]),
    (("_start+4", "_start+0x10"), [3, 3, 3]),
    (("marker:9", "marker:7"), []),
    (("marker:7", None), [3 * 6 - 1 + PRINT]),
    ((None, "marker:2040"), [4]),
])
def test_intervals(tmp_path: Path, build_dir: Path, ends: Any, expected: List[int]) -> None:
    """Instructions between two marks, every time."""
    image = build(tmp_path, LOOP + put_string(TEXT, "store") + POWER_OFF)
    args = ["--symbols", image.with_suffix(".elf")]
    for option, end in zip(("--from", "--to"), ends):
        args += [option, end] if end else []
    assert intervals(build_dir, image, *args) == [
        {"kernel": count, "firmware": 0, "user": 0} for count in expected]


def test_interval_modes(tmp_path: Path, build_dir: Path) -> None:
    """A call of firmware takes the same every time, and is firmware's."""
    calls = ("li s0, 5\n 1: slti x0, x0, 0\n li a7, 0x10\n li a6, 0\n ecall\n slti x0, x0, 1\n"
             "addi s0, s0, -1\n bnez s0, 1b\n")
    image = build(tmp_path, calls + put_string(TEXT, "store") + POWER_OFF)
    args = ["--from", "marker:0", "--to", "marker:1"]
    found = intervals(build_dir, image, *args)
    assert len(found) == 5
    assert all(interval["kernel"] == 3 and interval["firmware"] > 50 for interval in found)
    assert found[1:] == [found[1]] * 4
    text = run_meter(build_dir, "--kernel", image, *args).stdout
    assert re.search(r"^intervals: 5 .*\n(.*\n)? +3 +\d+ +0  x [45]$", text, re.MULTILINE)


def test_marks_refused(tmp_path: Path, build_dir: Path) -> None:
    """Marks that are none."""
    image = build(tmp_path, POWER_OFF)
    symbols = ["--symbols", image.with_suffix(".elf")]
    refused(run_meter(build_dir, "--kernel", image, "--from", "spin"), 2, "needs --symbols")
    refused(run_meter(build_dir, "--kernel", image, *symbols, "--from", "spin"), 2,
            "--from spin", "no such function")
    refused(run_meter(build_dir, "--kernel", image, "--to", "marker:2048"), 2, "0 to 2047")
    refused(run_meter(build_dir, "--kernel", image, "--to", "12z"), 2, "not an address")


# ---- The log -----------------------------------------------------------------------

def test_log(tmp_path: Path, build_dir: Path) -> None:
    """The log has every run, character and phase."""
    source = ("call work\n" + label("line") + put_string("ab\\n", "store") + POWER_OFF
              + "work: li t0, 2\n 1: addi t0, t0, -1\n bnez t0, 1b\n ret\n")
    image = build(tmp_path, source)
    log = tmp_path / "log"
    measure(build_dir, "--kernel", image, "--symbols", image.with_suffix(".elf"), "--want", "ab",
            "--trace", log)
    work = 0x80200000 + 4 * (2 + 3 + 5) + 4 * 5 + 4 * 3  # the call, the line, the power-off
    text = log.read_text()
    at = int(re.findall(r"^r 0 k ([0-9a-f]+) 3 branch$", text, re.MULTILINE)[0], 16)
    assert at >= work
    assert text.splitlines() == [
        "r 0 k 80200000 2 call", f"r 0 k {at:x} 3 branch", f"r 0 k {at + 4:x} 2 branch",
        f"r 0 k {at + 12:x} 1 ret", "p line",
        "r 0 k 80200008 5 branch", "r 0 k 8020001c 1 seq", "c 0 61",
        "r 0 k 80200020 2 jump", "r 0 k 80200014 2 branch", "r 0 k 8020001c 1 seq", "c 0 62",
        "r 0 k 80200020 2 jump", "r 0 k 80200014 2 branch", "r 0 k 8020001c 1 seq", "c 0 0a"]


def test_log_adds_up(tmp_path: Path, build_dir: Path) -> None:
    """With many harts and firmware too, the log's runs are the figures."""
    image = build(tmp_path, put_string(TEXT, "sbi") + POWER_OFF)
    log = tmp_path / "log"
    result = measure(build_dir, "--kernel", image, "--smp", 3, "--trace", log)
    counts: Dict[str, int] = {}
    sent = ""
    for line in log.read_text().splitlines():
        words = line.split()
        if words[0] == "r":
            counts[words[2]] = counts.get(words[2], 0) + int(words[4])
        else:
            sent += chr(int(words[2], 16))
    assert counts == {"k": result["kernel"], "f": result["firmware"]}
    assert sent.replace("\r", "") == LINE + "\n"
    assert measure(build_dir, "--kernel", image, "--smp", 3) == result


# ---- What is booted ------------------------------------------------------------------

def test_elf(tmp_path: Path, build_dir: Path) -> None:
    """An ELF file is booted as well as an image."""
    image = build(tmp_path, put_string(TEXT, "store") + POWER_OFF)
    elf = image.with_suffix(".elf")
    assert measure(build_dir, "--kernel", elf) == measure(build_dir, "--kernel", image)


def test_own_tree(tmp_path: Path, build_dir: Path) -> None:
    """A device tree of one's own is passed on, and its pages are known."""
    tree = tmp_path / "virt.dtb"
    subprocess.run(qemu() + ["-M", f"virt,dumpdtb={tree}", "-m", "128M", "-seed", "1"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    image = build(tmp_path, "lbu t1, (a1)\n" + put_string(TEXT, "store") + POWER_OFF)
    result = measure(build_dir, "--kernel", image, "--dtb", tree)
    assert result["total"] == 1 + PRINT
    assert result["pages"]["total"] == 2
    assert result["pages"]["top"] == 0x80201000
    assert result["tree"]["address"] > 0x80201000
    refused(run_meter(build_dir, "--kernel", image, "--dtb", tmp_path / "none"), 2,
            "no device tree")


def test_versions(tmp_path: Path, build_dir: Path) -> None:
    """The figures say what they were measured with, and how modes are told."""
    image = build(tmp_path, put_string(TEXT, "store") + POWER_OFF)
    result = measure(build_dir, "--kernel", image)
    assert result["schema"] == "ahoy-meter-1"
    assert re.match(r"\d+\.\d+", result["qemu"])
    assert re.match(r"OpenSBI \d+\.\d+", result["firmware_version"])
    text = run_meter(build_dir, "--kernel", image).stdout
    assert ("modes are told by address" in text) == (result["modes_by"] == "address")
