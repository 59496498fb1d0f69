# SPDX-License-Identifier: MIT
"""The standard kernel, unchanged, on every machine: its harts, memory and loaders."""

import re
from pathlib import Path

import pytest

from bootlib import LINE, UBOOT, boot, build, check_clean, check_line, check_panic, emulator
from placed import KERNEL_AT, cells, compile_tree, place, source

MOVED_TO = 0x82200000


# ---- Machines, harts, memory --------------------------------------------------

@pytest.mark.parametrize("name", ["", "base"])
@pytest.mark.parametrize("machine", ["virt", "spike", "sifive_u"])
def test_machine(machine: str, name: str) -> None:
    """One image runs everywhere."""
    kernel = build(name)
    check_clean(kernel, boot(kernel, "--machine", machine), machine)


@pytest.mark.parametrize("name", ["", "base"])
@pytest.mark.parametrize("machine, harts", [("virt", 2), ("virt", 8), ("virt", 64), ("spike", 8),
                                            ("sifive_u", 5)])
def test_harts(machine: str, harts: int, name: str) -> None:
    """Only one hart prints, however many there are."""
    kernel = build(name)
    done = boot(kernel, "--machine", machine, "--smp", harts, timeout=60)
    check_clean(kernel, done, machine)


@pytest.mark.parametrize("name", ["", "base", "tiny", "sv39"])
def test_lottery(name: str) -> None:
    """Firmware chooses the boot hart by chance."""
    kernel = build(name)
    for _ in range(4):
        check_clean(kernel, boot(kernel, "--smp", 8))


@pytest.mark.parametrize("hart", range(8))
def test_any_boot_hart(hart: int) -> None:
    """Each hart can be the one, also where another one came first."""
    kernel = build("base", "PRINTK_LEVEL_MAX=7", "CONSOLE_LOGLEVEL_DEFAULT=8")
    check_clean(kernel, boot(kernel, *place(kernel, harts=[hart]), "--smp", 8))


@pytest.mark.parametrize("machine", ["virt", "spike", "sifive_u"])
@pytest.mark.parametrize("memory", ["5M", "8M", "64G"])
@pytest.mark.parametrize("name", ["", "base"])
def test_memory(machine: str, memory: str, name: str) -> None:
    """From the least memory that QEMU starts with up to more than the host has."""
    kernel = build(name)
    done = boot(kernel, "--machine", machine, "--mem", memory)
    check_clean(kernel, done, machine)


@pytest.mark.parametrize("memory", ["127M", "1025M", "2049M", "4611M"])
def test_odd_memory(memory: str) -> None:
    """Memory that ends within a block; QEMU 10 puts the device tree there."""
    kernel = build("base")
    check_clean(kernel, boot(kernel, "--mem", memory))


# ---- Harts that lack or want something ---------------------------------------------

@pytest.mark.parametrize("name, cpu, used", [
    ("", "rv64", "Sv48"),
    ("", "rv64,sv48=off", "Sv39"),
    ("", "rva22s64", "Sv39"),
    ("", "rv64,svadu=off,svade=on", "Sv48"),
    ("base", "rv64", "Sv48"),
    ("base", "rv64,sv57=off", "Sv48"),
    ("base", "rv64,sv48=off", "Sv39"),
    ("base", "rva22s64", "Sv39"),
    ("base", "rv64,svadu=off,svade=on", "Sv48"),
    ("base", "rv64,sstc=off", "Sv48"),
    ("sv39", "rv64", "Sv39"),
    ("sv39", "rva22s64", "Sv39"),
    ("sv48", "rv64", "Sv48"),
    ("sv48", "rv64,svadu=off,svade=on", "Sv48"),
    ("sv57", "rv64", "Sv57"),
    ("sv57", "rv64,svadu=off,svade=on", "Sv57"),
])
def test_format(name: str, cpu: str, used: str) -> None:
    """The page-table format that the banner names is the largest that hart and kernel have.

    The kernel must not leave A and D to harts that trap where they are clear.
    """
    kernel = build(name, "BANNER=y")
    done = boot(kernel, "--cpu", cpu)
    check_clean(kernel, done)
    assert re.fullmatch(rf"Ahoy .*, {used}", done.lines[-2]), done


@pytest.mark.parametrize("cpu, used", [("rv64,sv57=off", "Sv48"), ("rv64,sv48=off", "Sv39"),
                                       ("rva22s64", "Sv39")])
def test_fallback_from_sv57(cpu: str, used: str) -> None:
    """Each smaller format is tried in turn."""
    kernel = build("sv57", "PAGING_FALLBACK=y", "BANNER=y")
    done = boot(kernel, "--cpu", cpu)
    check_clean(kernel, done)
    assert done.lines[-2].endswith(f", {used}"), done


def needs_missing_formats() -> None:
    """Skip the test on a QEMU that has every page-table format on every machine."""
    if emulator() < (8, 0):
        pytest.skip("before version 8 QEMU's harts have all page-table formats")


def test_fallback_on_sifive_u() -> None:
    """A machine whose harts have Sv39 alone."""
    needs_missing_formats()
    kernel = build("base", "BANNER=y")
    done = boot(kernel, "--machine", "sifive_u")
    check_clean(kernel, done, "sifive_u")
    assert done.lines[-2].endswith(", Sv39"), done


@pytest.mark.parametrize("name, mode, cpu", [("sv48", "Sv48", "rv64,sv48=off"),
                                             ("sv57", "Sv57", "rv64,sv57=off")])
def test_no_fallback(name: str, mode: str, cpu: str) -> None:
    """Without the fallback the kernel says what the hart lacks."""
    check_panic(boot(build(name), "--cpu", cpu),
                f"this hart has no {mode} paging, and CONFIG_PAGING_FALLBACK is off")


@pytest.mark.parametrize("option", ["KERNEL_UPPER_HALF=y", "KERNEL_IDENTITY=y"])
def test_no_fallback_on_sifive_u(option: str) -> None:
    """The same where the image must stay at the address it is loaded to, and where not."""
    needs_missing_formats()
    kernel = build("base", "PAGING_FALLBACK=n", option)
    check_panic(boot(kernel, "--machine", "sifive_u"), "this hart has no Sv48 paging")


@pytest.mark.parametrize("option", ["KERNEL_UPPER_HALF=y", "KERNEL_IDENTITY=y"])
def test_no_mmu(option: str) -> None:
    """A hart that cannot translate at all."""
    check_panic(boot(build("base", option), "--cpu", "rv64,mmu=off"),
                "this hart has no page-table format that the kernel knows")


def test_no_mmu_needed() -> None:
    """A kernel without paging does not mind."""
    kernel = build("fdt")
    check_clean(kernel, boot(kernel, "--cpu", "rv64,mmu=off"))


# ---- Loaders ------------------------------------------------------------------------

def test_uboot_typed() -> None:
    """U-Boot's booti, typed."""
    if not UBOOT.exists():
        pytest.skip("no u-boot-qemu")
    kernel = build("base")
    check_clean(kernel, boot(kernel, "--uboot", UBOOT, "--mem", "256M", timeout=90))


def test_uboot_disk(tmp_path: Path) -> None:
    """U-Boot finds the kernel and its command line on a disk by itself."""
    if not UBOOT.exists():
        pytest.skip("no u-boot-qemu")
    kernel = build("base")
    (tmp_path / "extlinux").mkdir()
    (tmp_path / "extlinux" / "extlinux.conf").write_text(
        "default ahoy\nlabel ahoy\n kernel /Image\n append console=nowhere\n", encoding="ascii")
    (tmp_path / "Image").write_bytes(kernel.image.read_bytes())
    disk = f"-drive file=fat:{tmp_path},format=raw,if=none,id=d,readonly=on " \
        "-device virtio-blk-device,drive=d"
    done = boot(kernel, "--kernel", UBOOT, "--mem", "256M", "--qemu-args", disk, timeout=90)
    assert done.status == 0 and done.notes == "", done
    assert re.fullmatch(r"\[ +\d+\.\d{6}\] console=nowhere: there is no such console\n" + LINE
                        + "\n", done.text), done


@pytest.mark.parametrize("name", ["", "sv39", "sv48", "sv57", "debug"])
def test_moved(name: str) -> None:
    """A kernel in the upper half runs wherever it is loaded, if at a multiple of 2 MiB."""
    kernel = build(name)
    check_line(kernel, boot(kernel, *place(kernel, kernel_at=MOVED_TO)))


@pytest.mark.parametrize("kernel_at", [KERNEL_AT, MOVED_TO])
@pytest.mark.parametrize("linear", ["LINEAR_MAP=y", "LINEAR_MAP=n"])
@pytest.mark.parametrize("memory, tree_at", [
    ("4G", 0x140000000), ("4G", 0xbffff000), ("2051M", 0x100000000), ("2051M", 0xffffff00)])
def test_far_tree(tmp_path: Path, kernel_at: int, linear: str, memory: str, tree_at: int) -> None:
    """The device tree is readable wherever it lies, also across gibibytes, until the end."""
    kernel = build("base", linear)
    size = int(memory[:-1]) << (30 if memory.endswith("G") else 20)
    blob = tmp_path / "tree.dtb"
    chosen = 'bootargs = "console=nowhere"; stdout-path = "/soc/serial@10000000";'
    blob.write_bytes(compile_tree(source(chosen, memory=cells(0x80000000, size))))
    done = boot(kernel, *place(kernel, {tree_at: blob}, tree_at=tree_at, kernel_at=kernel_at),
                "--mem", memory)
    assert done.status == 0 and done.notes == "", done
    assert len(done.lines) == 2 and done.lines[-1] == LINE, done
    assert done.lines[0].endswith("console=nowhere: there is no such console"), done


@pytest.mark.parametrize("name, options", [("fdt", ()), ("base", ("KERNEL_IDENTITY=y",))])
def test_moved_refused(name: str, options: tuple) -> None:
    """One that is where it was linked for runs nowhere else, and says so."""
    kernel = build(name, *options)
    check_panic(boot(kernel, *place(kernel, kernel_at=MOVED_TO)),
                "the image must be loaded where it was linked for")


@pytest.mark.parametrize("offset", [0x1000, 0x100000, 0x1ff000])
def test_misaligned(offset: int) -> None:
    """Leaves of 2 MiB cannot begin in between."""
    kernel = build("base")
    check_panic(boot(kernel, *place(kernel, kernel_at=MOVED_TO + offset)),
                "the image must be loaded at a multiple of 2 MiB")


@pytest.mark.parametrize("harts", [2, 8])
@pytest.mark.parametrize("kernel_at", [KERNEL_AT, MOVED_TO])
def test_harts_together(harts: int, kernel_at: int) -> None:
    """Firmware without HSM starts all harts at once: one of them goes on."""
    kernel = build("base")
    assert kernel.has("RISCV_BOOT_SPINWAIT")
    for _ in range(4):
        done = boot(kernel, *place(kernel, kernel_at=kernel_at, harts=range(harts)), "--smp", harts)
        check_clean(kernel, done)


def test_header() -> None:
    """The image begins with Linux's header, whose size includes what is not in the file."""
    kernel = build("base")
    image = kernel.image.read_bytes()
    assert image[48:56] == b"RISCV\0\0\0" and image[56:60] == b"RSC\x05"
    offset, size = (int.from_bytes(image[at:at + 8], "little") for at in (8, 16))
    assert offset == KERNEL_AT - 0x80000000
    symbols = kernel.symbols
    assert size >= symbols["_end"] - symbols["_start"] > len(image)
