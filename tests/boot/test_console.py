# SPDX-License-Identifier: MIT
"""Which console prints: what the tree and the command line ask for, and what takes over.

These kernels send no CR of their own, so that the end of the line tells who
sent it: LF alone comes from the kernel's driver, CR and LF from firmware.
"""

import re
from pathlib import Path
from typing import List

import pytest

from bootlib import LINE, Kernel, Result, boot, build, check_clean, needs_debug_console
from placed import KERNEL_AT, UART, boot_with_tree, cells, compile_tree, source

BY_UART = b"\n"
BY_FIRMWARE = b"\r\n"
STAMP = re.compile(r"^\[ *\d+\.\d{6}\] ")


def messages(result: Result) -> List[str]:
    """Return what the kernel said before the line, without time stamps."""
    assert result.status == 0 and result.notes == "", result
    assert result.lines[-1] == LINE and result.output.count(LINE.encode()) == 1, result
    return [STAMP.sub("", text) for text in result.lines[:-1]]


def check_end(result: Result, end: bytes) -> None:
    """Check by whom the line was sent."""
    assert (b"\n" + result.kernel).endswith(b"\n" + LINE.encode() + end), result


def standard() -> Kernel:
    """Return the standard kernel, but for CR."""
    return build("base", "SERIAL_CRLF=n")


# ---- The tree ---------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/soc/serial@10000000", "/soc/serial@10000000:115200n8",
                                  "/soc/serial@10000000:", "/soc/serial@10000000:nonsense",
                                  "serial0", "serial0:9600"])
def test_stdout(path: str, tmp_path: Path) -> None:
    """The console that stdout-path names, by path or alias."""
    aliases = 'aliases { other = "/soc"; serial0 = "/soc/serial@10000000"; serial01 = "/"; };'
    blob = compile_tree(source(f'stdout-path = "{path}";', extra=aliases))
    check_clean(standard(), boot_with_tree(standard(), blob, tmp_path), end=BY_UART)


@pytest.mark.parametrize("chosen", [
    "",
    'stdout-path = "";',
    'stdout-path = "/soc/serial@20000000";',
    'stdout-path = "/soc/serial@1000000";',
    'stdout-path = "/soc/serial";',
    'stdout-path = "/soc";',
    'stdout-path = "/";',
    'stdout-path = "serial7";',
    'stdout-path = ":";',
    'stdout-path = ":115200";',
    "stdout-path = <0x2f736f63 0x2f736572>;",
    "stdout-path;",
])
@pytest.mark.parametrize("name", ["base", "debug"])
def test_no_stdout(name: str, chosen: str, tmp_path: Path) -> None:
    """Without a console to be found there, firmware's is used, and nothing need be said."""
    kernel = build(name, "SERIAL_CRLF=n")
    result = boot_with_tree(kernel, compile_tree(source(chosen)), tmp_path)
    check_clean(kernel, result, end=BY_FIRMWARE)


def test_no_console_node(tmp_path: Path) -> None:
    """A tree without any console."""
    blob = compile_tree(source(uart=""))
    check_clean(standard(), boot_with_tree(standard(), blob, tmp_path), end=BY_FIRMWARE)


def uart(text: str, compatible: str = '"ns16550a"') -> str:
    """Return a console's node with these properties."""
    return f"serial@10000000 {{ compatible = {compatible}; {text} }};"


GOOD_REG = f"reg = {cells(0x10000000, 0x100)};"


@pytest.mark.parametrize("text, compatible", [
    (GOOD_REG, '"ns16550a"'),
    (GOOD_REG, '"ns16550"'),
    (GOOD_REG, '"snps,dw-apb-uart"'),
    (GOOD_REG, '"acme,uart", "snps,dw-apb-uart"'),
    (GOOD_REG + " reg-shift = <0>; reg-io-width = <1>;", '"ns16550a"'),
    (GOOD_REG + ' status = "okay";', '"ns16550a"'),
    (GOOD_REG + ' status = "ok";', '"ns16550a"'),
    (f"reg = {cells(0x10000000, 8)};", '"ns16550a"'),
    (f"reg = {cells(0x10000000, 0)};", '"ns16550a"'),
    (f"reg = {cells(0x10000000, 0x100, 0x50000000, 0x100)};", '"ns16550a"'),
    (GOOD_REG + " clock-frequency = <0>; current-speed = <0>;", '"ns16550a"'),
    (GOOD_REG + " clock-frequency = <3686400>; current-speed = <115200>;", '"ns16550a"'),
    (GOOD_REG + " clock-frequency = <1>; current-speed = <0xffffffff>;", '"ns16550a"'),
    (GOOD_REG + " clock-frequency = <1>; current-speed = <0x10000000>;", '"ns16550a"'),
])
@pytest.mark.parametrize("init", [False, True])
def test_uart(text: str, compatible: str, init: bool, tmp_path: Path) -> None:
    """A 16550 as it may be described, taken over or programmed."""
    options = ["SERIAL_8250_INIT=y", "TRAPS=y", "UBSAN=y"] if init else []
    kernel = build("base", "SERIAL_CRLF=n", *options)
    blob = compile_tree(source(uart=uart(text, compatible)))
    result = boot_with_tree(kernel, blob, tmp_path)
    said = messages(result)
    check_end(result, BY_UART)
    if init and "current-speed = <0x" in text:
        assert re.fullmatch(r"ttyS: no divisor of 1 Hz makes \d+ baud; taken as it is", said[-1])
    else:
        assert not said, result


@pytest.mark.parametrize("text, message", [
    # Addresses: nothing there, memory, the kernel itself, odd, out of reach, none
    (f"reg = {cells(0x50000, 0x100)};", r"console ttyS at 0x50000 does not work: -ENODEV"),
    (f"reg = {cells(0x84000000, 0x100)};", r"console ttyS: 0x84000000 is memory, not a device"),
    (f"reg = {cells(KERNEL_AT, 0x100)};", r"console ttyS: 0x80200000 is memory, not a device"),
    (f"reg = {cells(0x7fffffff, 0x100)};", r"console ttyS: 0x7fffffff is memory, not a device"),
    (f"reg = {cells(0x10000ffe, 0x100)};", r"console ttyS at 0x10000ffe does not work: -EINVAL"),
    (f"reg = {cells(0x10000002, 0x100)}; reg-io-width = <4>; reg-shift = <2>;",
     r"console ttyS at 0x10000002 does not work: -EINVAL"),
    (f"reg = {cells(0x100000000000000, 0x100)};",
     r"console ttyS at 0x100000000000000 does not work: -E\w+"),
    (f"reg = {cells(0xfffffffffffff000, 0x100)};",
     r"console ttyS at 0xfffffffffffff000 does not work: -E\w+"),
    (f"reg = {cells(0xffffffffffffffff, 0x100)};",
     r"console ttyS at 0xffffffffffffffff does not work: -E\w+"),
    (f"reg = {cells(0x10000000, 4)};", r"console ttyS at 0x10000000 does not work: -EINVAL"),
    (f"reg = {cells(0, 0x100)};", r"ttyS: 0x0: .* makes no sense"),
    ("", r"ttyS: 0x0: .* makes no sense"),
    ("reg = <0x0>;", r"ttyS: 0x0: .* makes no sense"),
    # A device that is something else: flash reads as zeros, and is never ready to send
    (f"reg = {cells(0x20000000, 0x100)};", r"console ttyS at 0x20000000 does not work: -EIO"),
    # Registers
    (GOOD_REG + " reg-shift = <5>;", r"ttyS: 0x10000000: .* makes no sense"),
    (GOOD_REG + " reg-shift = <0xffffffff>;", r"ttyS: 0x10000000: .* makes no sense"),
    (GOOD_REG + " reg-io-width = <3>;", r"ttyS: 0x10000000: .* makes no sense"),
    (GOOD_REG + " reg-io-width = <8>;", r"ttyS: 0x10000000: .* makes no sense"),
    (GOOD_REG + " reg-io-width = <0xffffffff>;", r"ttyS: 0x10000000: .* makes no sense"),
])
@pytest.mark.parametrize("name", ["base", "fdt", "debug"])
def test_nonsense(name: str, text: str, message: str, tmp_path: Path) -> None:
    """A console that cannot be is said to be so, and firmware's prints."""
    kernel = build(name, "SERIAL_CRLF=n")
    result = boot_with_tree(kernel, compile_tree(source(uart=uart(text))), tmp_path)
    check_end(result, BY_FIRMWARE)
    said = messages(result)
    if kernel.has("PRINTK"):
        assert any(re.fullmatch(message, one) for one in said), result
    if name == "base":
        assert len(said) == 1, result


def test_in_kernel(tmp_path: Path) -> None:
    """The kernel itself is no device, also where the tree does not call it memory."""
    blob = compile_tree(source(uart=uart(f"reg = {cells(KERNEL_AT + 0x6000, 0x100)};"),
                               memory=cells(0x84000000, 0x4000000)))
    result = boot_with_tree(standard(), blob, tmp_path)
    assert messages(result) == ["console ttyS at 0x80206000 does not work: -EINVAL"]
    check_end(result, BY_FIRMWARE)


@pytest.mark.parametrize("text", [GOOD_REG + ' status = "disabled";',
                                  GOOD_REG + ' status = "fail-broken";', GOOD_REG + " status;"])
def test_disabled(text: str, tmp_path: Path) -> None:
    """A node that is switched off is not there."""
    blob = compile_tree(source(uart=uart(text)))
    check_clean(standard(), boot_with_tree(standard(), blob, tmp_path), end=BY_FIRMWARE)


@pytest.mark.parametrize("compatible", [
    '"ns16550"', '"acme,uart"', '"ns16550aa"', '""', '"ns1655"'])
def test_compatible(compatible: str, tmp_path: Path) -> None:
    """Only what a driver knows is a console."""
    blob = compile_tree(source(uart=uart(GOOD_REG, compatible)))
    end = BY_UART if compatible == '"ns16550"' else BY_FIRMWARE
    check_clean(standard(), boot_with_tree(standard(), blob, tmp_path), end=end)


def test_many_uarts(tmp_path: Path) -> None:
    """More consoles than there is room for, the named one first."""
    others = "".join(f'serial@{i:x} {{ compatible = "ns16550a"; reg = {cells(i, 0x100)}; }};\n'
                     for i in range(0x50000000, 0x50000000 + 40 * 0x100, 0x100))
    result = boot_with_tree(standard(), compile_tree(source(uart=UART + others)), tmp_path)
    assert result.status == 0, result
    check_end(result, BY_UART)


# ---- The command line -------------------------------------------------------------

@pytest.mark.parametrize("append, end, said", [
    ("console=ttyS0", BY_UART, []),
    ("console=ttyS", BY_UART, []),
    ("console=ttyS0,9600", BY_UART, []),
    ("console=ttyS0,115200n8", BY_UART, []),
    ("console=ttyS0,nonsense", BY_UART, []),
    ('console="ttyS0,115200"', BY_UART, []),
    ("console=hvc0", BY_FIRMWARE, []),
    ("console=hvc", BY_FIRMWARE, []),
    ('"console=hvc0"', BY_FIRMWARE, []),
    ("console=ttyS0 console=hvc0", BY_FIRMWARE, []),
    ("console=hvc0 console=ttyS0", BY_UART, []),
    ("   console=hvc0   ", BY_FIRMWARE, []),
    ("console=ttyS1", BY_UART, ["console=ttyS1: there is no such console"]),
    ("console=ttyS18446744073709551616", BY_UART,
     ["console=ttyS18446744073709551616: there is no such console"]),
    ("console=ttySIF0", BY_UART, ["console=ttySIF0: there is no such console"]),
    ("console=ttyAMA0", BY_UART, ["console=ttyAMA0: there is no such console"]),
    ("console=", BY_UART, ["console=: there is no such console"]),
    ("console", BY_UART, []),
    ("console=,", BY_UART, ["console=,: there is no such console"]),
    ("nonsense more=nonsense", BY_UART, []),
    ('half="open', BY_UART, []),
    ("loglevel=loud", BY_UART, ["loglevel=loud: not a number from 0 to 8"]),
    ("loglevel=9", BY_UART, ["loglevel=9: not a number from 0 to 8"]),
    ("loglevel=-1", BY_UART, ["loglevel=-1: not a number from 0 to 8"]),
    ("loglevel=", BY_UART, ["loglevel=: not a number from 0 to 8"]),
    ("loglevel", BY_UART, ["loglevel=: not a number from 0 to 8"]),
    ("loglevel=0 console=ttyS1", BY_UART, []),
    ("quiet", BY_UART, []),
    ('loglevel=6 "a b"', BY_UART, ['command line: nobody knows "a b"']),
    ("loglevel=6 a=1", BY_UART, ['command line: nobody knows "a"']),
])
def test_command_line(append: str, end: bytes, said: List[str]) -> None:
    """Parameters, and what is no parameter, from QEMU through firmware."""
    result = boot(standard(), "--append", append)
    assert messages(result) == said, result
    check_end(result, end)


def test_loglevel() -> None:
    """With "debug" everything is printed, with a level of 7 all but that."""
    kernel = build("debug")
    loud = messages(boot(kernel, "--append", "debug"))
    less = messages(boot(kernel, "--append", "loglevel=7"))
    none = messages(boot(kernel, "--append", "quiet"))
    assert "command line: debug" in loud and any(text.startswith("memory: 0x") for text in loud)
    assert "command line: loglevel=7" in less
    # What comes before the parameter is read is printed by the early console.
    assert "console: ttyS" in loud
    assert not any(text.startswith("console: ") for text in less + none)


@pytest.mark.parametrize("name", ["base", "debug"])
@pytest.mark.parametrize("size", [2047, 2048, 65536])
def test_long_command_line(name: str, size: int, tmp_path: Path) -> None:
    """What is too long is cut off, and that is said."""
    text = ("x" * 15 + " ") * (size // 16) + "y" * (size % 16)
    chosen = f'stdout-path = "/soc/serial@10000000"; bootargs = "{text}";'
    kernel = build(name, "SERIAL_CRLF=n", "CONSOLE_LOGLEVEL_DEFAULT=4")
    result = boot_with_tree(kernel, compile_tree(source(chosen)), tmp_path)
    cut = [text for text in messages(result) if "command line" in text]
    if size < 2048:
        assert not cut, result
    else:
        assert cut == [f"command line: cut off behind 2047 of {size} bytes"], result
    check_end(result, BY_UART)


def test_long_command_line_from_qemu() -> None:
    """The same by the usual way, if firmware takes it."""
    result = boot(standard(), "--append", "x" * 65536)
    assert messages(result) == ["command line: cut off behind 2047 of 65536 bytes"], result


@pytest.mark.parametrize("chosen", ["bootargs;", "bootargs = <0x41424344>;", 'bootargs = "";',
                                    'bootargs = "a", "console=nowhere";',
                                    r'bootargs = "\x80\xff\x01=\x7f\t\n\"\"=\"";'])
@pytest.mark.parametrize("name", ["base", "debug"])
def test_odd_bootargs(name: str, chosen: str, tmp_path: Path) -> None:
    """Bytes that are no command line."""
    kernel = build(name)
    blob = compile_tree(source(f'stdout-path = "/soc/serial@10000000"; {chosen}'))
    messages(boot_with_tree(kernel, blob, tmp_path))


@pytest.mark.parametrize("how, append, end", [
    ("FALLBACK", "", BY_FIRMWARE), ("FALLBACK", "console=ttyS0", BY_UART),
    ("FALLBACK", "x", BY_UART),
    ("EXTEND", "", BY_FIRMWARE), ("EXTEND", "x", BY_FIRMWARE),
    ("EXTEND", "console=ttyS0", BY_UART),
    ("FORCE", "", BY_FIRMWARE), ("FORCE", "console=ttyS0", BY_FIRMWARE),
])
def test_built_in(how: str, append: str, end: bytes) -> None:
    """The built-in command line, alone, together, or by force."""
    kernel = build("base", "SERIAL_CRLF=n", 'CMDLINE="console=hvc0"', f"CMDLINE_{how}=y")
    result = boot(kernel, *(["--append", append] if append else []))
    assert not messages(result), result
    check_end(result, end)


# ---- Firmware's consoles ----------------------------------------------------------

def test_debug_console_broken() -> None:
    """Where firmware has no debug console, its old one is used; where it has, this one."""
    kernel = build("base", "CONSOLE_SBI_LEGACY=y", "CONSOLE_SBI_DBCN=y", "SERIAL_8250=n")
    check_clean(kernel, boot(kernel), end=BY_FIRMWARE)


def test_debug_console() -> None:
    """The debug console finds the text, also where the kernel's addresses are not physical."""
    for name in ("base", "sv39", "tiny"):
        options = ["SERIAL_8250=n"] if name != "tiny" else []
        kernel = build(name, "CONSOLE_SBI_DBCN=y", *options)
        needs_debug_console()
        check_clean(kernel, boot(kernel), end=BY_FIRMWARE)


@pytest.mark.parametrize("machine", ["virt", "spike", "sifive_u"])
def test_early_console(machine: str) -> None:
    """Messages come from the first on, and not twice."""
    kernel = build("debug")
    assert kernel.has("EARLY_CONSOLE")
    result = boot(kernel, "--machine", machine)
    said = [STAMP.sub("", text) for text in result.lines]
    assert any(text.startswith("memory: 0x8") for text in said), result
    assert len(set(said)) == len(said), result
    late = boot(build("debug", "EARLY_CONSOLE=n"), "--machine", machine)
    assert [STAMP.sub("", text) for text in late.lines] == said, late
