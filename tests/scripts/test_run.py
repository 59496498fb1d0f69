# SPDX-License-Identifier: MIT
"""Tests of scripts/run, with kernels of a few instructions."""

import os
import pty
import select
import shlex
import signal
import socket
import subprocess
import termios
import time
from pathlib import Path
from typing import Any, Dict, Optional

import pytest
from asmkernel import IDLE, LINE, POWER_OFF, ROOT, build, find_tool, put_string, qemu

RUN = ROOT / "scripts" / "run"
TEXT = LINE + "\\n"
PANIC = "Kernel panic - not syncing: test\\n---[ end Kernel panic ]---\\n"
UBOOT = Path("/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin")
VARIABLES = ("MACHINE", "MEM", "SMP", "CPU", "QEMU_ARGS", "BIOS", "APPEND", "TIMEOUT", "UBOOT",
             "GDB_PORT", "KCONFIG_CONFIG")


def environment(**variables: str) -> Dict[str, str]:
    """Return the environment for a run: of the caller's variables only QEMU."""
    clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return {**clean, **variables}


def run(*args: Any, cwd: Optional[Path] = None,
        **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run scripts/run without a terminal."""
    return subprocess.run([str(RUN), *map(str, args)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=100,
                          check=False, cwd=cwd, env=environment(**variables))


def wait_ticks(seconds: float) -> str:
    """Assembly that waits on the 10 MHz clock of virt (1 MHz on sifive_u)."""
    return (f" rdtime t0\n li t1, {int(seconds * 10000000)}\n add t0, t0, t1\n"
            " 1: rdtime t1\n bltu t1, t0, 1b\n")


def config(folder: Path, *symbols: str) -> Path:
    """Write a configuration."""
    path = folder / "config"
    path.write_text("".join(f"CONFIG_{symbol}=y\n" for symbol in symbols), encoding="ascii")
    return path


def ended(done: "subprocess.CompletedProcess[str]", status: int, *said: str) -> None:
    """Check a run's status, and that it says so in as many lines."""
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == len(said), done.stderr
    for line, text in zip(done.stderr.splitlines(), said):
        assert line.startswith("run: ") and text in line


# ---- How a run ends ---------------------------------------------------------

@pytest.mark.parametrize("machine", ["virt", "spike", "sifive_u"])
def test_clean(tmp_path: Path, machine: str) -> None:
    """The line and a power-off end with 0, also where there is no power-off."""
    qemu()
    image = build(tmp_path, put_string(TEXT, "sbi") + POWER_OFF)
    start = time.monotonic()
    done = run("--kernel", image, "--machine", machine)
    assert done.returncode == 0, done.stderr
    assert f"\n{LINE}\n" in done.stdout.replace("\r", "")
    assert time.monotonic() - start < 30
    if machine == "virt":
        assert done.stderr == ""
    if machine == "sifive_u":
        ended(done, 0, "does not power this machine off: QEMU stopped")


def test_no_line(tmp_path: Path) -> None:
    """A power-off without the line is no clean end."""
    qemu()
    image = build(tmp_path, put_string("Hello world\\n", "sbi") + POWER_OFF)
    ended(run("--kernel", image), 1, f'without printing the line "{LINE}"')
    ended(run("--kernel", image, "--expect", "Hello world"), 0)


@pytest.mark.parametrize("machine", ["virt", "spike", "sifive_u"])
@pytest.mark.parametrize("end", [POWER_OFF, IDLE], ids=["off", "idle"])
def test_panic(tmp_path: Path, machine: str, end: str) -> None:
    """A panic fails, even after the line and with a power-off that says success."""
    qemu()
    image = build(tmp_path, put_string(TEXT + PANIC, "sbi") + end)
    start = time.monotonic()
    done = run("--kernel", image, MACHINE=machine)
    ended(done, 1, "the kernel panicked")
    assert time.monotonic() - start < 30
    assert "---[ end Kernel panic ]---" in done.stdout
    if machine == "sifive_u" or end == IDLE:
        assert "QEMU stopped" in done.stderr


def test_failing_end(tmp_path: Path) -> None:
    """The test device's failure is the run's."""
    qemu()
    image = build(tmp_path, put_string(TEXT, "sbi")
                  + " li t0, 0x100000\n li t1, 0x33333\n sw t1, (t0)\n")
    ended(run("--kernel", image), 3, "QEMU ended with status 3")


def test_timeout(tmp_path: Path) -> None:
    """Where a power-off is due the line is not the end."""
    qemu()
    image = build(tmp_path, put_string(TEXT, "sbi"))
    start = time.monotonic()
    done = run("--kernel", image, TIMEOUT="2")
    ended(done, 124, f'no end after 2 seconds (TIMEOUT=): QEMU stopped; the line "{LINE}" was seen')
    assert 2 <= time.monotonic() - start < 8
    image = build(tmp_path, "")
    ended(run("--kernel", image, "--timeout", "1"), 124, "was not seen")


def test_not_cut_early(tmp_path: Path) -> None:
    """Virt's power-off is waited for, and elsewhere silence after the line."""
    qemu()
    after = put_string("after\\n", "sbi")
    image = build(tmp_path, put_string(TEXT, "sbi") + wait_ticks(1.5) + after + POWER_OFF)
    done = run("--kernel", image)
    ended(done, 0)
    assert "after" in done.stdout
    # 0.2 seconds of sifive_u's slower clock
    image = build(tmp_path, put_string(TEXT, "sbi") + wait_ticks(0.02) + after)
    done = run("--kernel", image, "--machine", "sifive_u")
    assert done.returncode == 0 and "after" in done.stdout


def test_idle(tmp_path: Path) -> None:
    """A kernel that is to idle is stopped after the line."""
    qemu()
    image = build(tmp_path, put_string(TEXT, "sbi"))
    ended(run("--kernel", image, "--config", config(tmp_path, "FINISH_IDLE", "POWER_SBI_SRST")),
          0, "QEMU stopped")
    # Nor can one power off that has no way to.
    ended(run("--kernel", image, "--config", config(tmp_path, "FINISH_POWEROFF")),
          0, "QEMU stopped")


@pytest.mark.parametrize("machine", ["virt", "sifive_u"])
def test_reboot(tmp_path: Path, machine: str) -> None:
    """A reboot is the end of the run."""
    qemu()
    reboot = POWER_OFF.replace("li a0, 0", "li a0, 1")
    assert reboot != POWER_OFF
    image = build(tmp_path, put_string(TEXT, "sbi") + reboot)
    done = run("--kernel", image, "--machine", machine, "--config",
               config(tmp_path, "FINISH_REBOOT", "POWER_SBI_SRST"))
    ended(done, 0)
    assert done.stdout.count(LINE) == 1


# ---- Stopping QEMU ----------------------------------------------------------

def is_running(pid: int) -> bool:
    """Tell whether a process is alive."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wrapper(folder: Path) -> Path:
    """Return a program that keeps QEMU as a child, whose number it leaves in a file."""
    script = folder / "wrapper"
    script.write_text(f"#!/bin/sh\n{shlex.join(qemu())} \"$@\" &\n"
                      f"echo $! > {folder}/pid\nwait $!\n", encoding="ascii")
    script.chmod(0o755)
    return script


def test_wrapped(tmp_path: Path) -> None:
    """QEMU is stopped behind a wrapper too."""
    image = build(tmp_path, put_string(TEXT, "sbi"))
    script = wrapper(tmp_path)
    done = run("--kernel", image, "--machine", "sifive_u", QEMU=str(script))
    ended(done, 0, "QEMU stopped")
    assert not is_running(int((tmp_path / "pid").read_text(encoding="ascii")))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal(tmp_path: Path, signum: signal.Signals) -> None:
    """A signal ends the run and QEMU with it."""
    image = build(tmp_path, put_string(TEXT, "sbi"))
    script = wrapper(tmp_path)
    with subprocess.Popen([str(RUN), "--kernel", str(image)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment(QEMU=str(script))) as process:
        assert process.stdout and process.stderr
        while LINE.encode() not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signum)
        assert process.wait(20) == 128 + signum
        assert signum.name.encode() in process.stderr.read()
    assert not is_running(int((tmp_path / "pid").read_text(encoding="ascii")))


def test_reader_gone(tmp_path: Path) -> None:
    """Without a reader of its output the run ends."""
    image = build(tmp_path, " 1: " + put_string(TEXT, "sbi") + " j _start\n")
    with subprocess.Popen([str(RUN), "--kernel", str(image)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment(QEMU=str(wrapper(tmp_path)))) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 1
        assert b"nobody reads" in process.stderr.read()
    assert not is_running(int((tmp_path / "pid").read_text(encoding="ascii")))


def test_closed_descriptors(tmp_path: Path) -> None:
    """Closed standard descriptors do no harm."""
    qemu()
    image = build(tmp_path, put_string(TEXT, "sbi") + POWER_OFF)
    done = subprocess.run(["sh", "-c", f"exec {RUN} --kernel {image} <&- 2>&-"], check=False,
                          stdout=subprocess.PIPE, timeout=60, env=environment())
    assert done.returncode == 0 and LINE.encode() in done.stdout


# ---- On a terminal ----------------------------------------------------------

def test_terminal(tmp_path: Path) -> None:
    """On a terminal an idle kernel runs until the user ends it; the terminal is put back."""
    qemu()
    image = build(tmp_path, put_string(TEXT, "sbi"))
    settings = config(tmp_path, "FINISH_IDLE")
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    with subprocess.Popen([str(RUN), "--kernel", str(image), "--config", str(settings)],
                          stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                          env=environment()) as process:
        output = b""
        while LINE.encode() not in output:
            assert select.select([master], [], [], 30)[0], output
            output += os.read(master, 4096)
        time.sleep(1.5)
        assert process.poll() is None
        assert termios.tcgetattr(slave) != before
        os.write(master, b"\x01x")
        assert process.wait(20) == 0
    assert termios.tcgetattr(slave) == before
    assert os.get_blocking(slave)
    os.close(master)
    os.close(slave)


def test_debug(tmp_path: Path) -> None:
    """With --debug QEMU waits for gdb on the port asked for."""
    qemu()
    image = build(tmp_path, put_string(TEXT, "sbi") + POWER_OFF)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([str(RUN), "--debug", "--kernel", str(image)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=environment(GDB_PORT=str(port))) as process:
        assert process.stdout and process.stderr
        assert "make gdb" in process.stderr.readline()
        for _ in range(100):
            try:
                stub = socket.create_connection(("127.0.0.1", port), 10)
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        with stub:
            stub.sendall(b"+$?#3f")
            answer = b""
            while b"#" not in answer:
                answer += stub.recv(100)
            assert b"$T" in answer
            stub.sendall(b"+$k#6b")
            process.wait(20)
        assert LINE not in process.stdout.read()


# ---- Requests ---------------------------------------------------------------

@pytest.mark.parametrize("variables,said", [
    ({"SMP": "0"}, "virt machine has 1 to 512 harts"),
    ({"SMP": "513"}, "virt machine has 1 to 512 harts"),
    ({"SMP": "9", "MACHINE": "spike"}, "spike machine has 1 to 8 harts"),
    ({"SMP": "1", "MACHINE": "sifive_u"}, "sifive_u machine has 2 to 5 harts"),
    ({"SMP": "6", "MACHINE": "sifive_u"}, "sifive_u machine has 2 to 5 harts"),
    ({"SMP": "two"}, "SMP=two: not a number"),
    ({"SMP": "-1"}, "SMP=-1: not a number"),
    ({"MEM": "4M"}, "at least 5M"),
    ({"MEM": "5119K"}, "at least 5M"),
    ({"MEM": "0"}, "at least 5M"),
    ({"MEM": "lots"}, "MEM=lots: not a memory size"),
    ({"MEM": "1.5G"}, "MEM=1.5G: not a memory size"),
    ({"MACHINE": "pc"}, "MACHINE=pc: unknown; the kernel runs on virt, spike, sifive_u"),
    ({"QEMU": "no-such-qemu"}, "qemu-system-misc"),
    ({"QEMU": "'"}, "QEMU='"),
    ({"QEMU_ARGS": "'"}, "QEMU_ARGS='"),
    ({"BIOS": "no/such.bin"}, 'firmware "no/such.bin" does not exist'),
    ({"BIOS": "none-such.bin"}, 'firmware "none-such.bin" does not exist'),
    ({"UBOOT": "no/u-boot.bin"}, '"no/u-boot.bin" does not exist'),
    ({"TIMEOUT": "soon"}, "TIMEOUT=soon: not a number"),
], ids=str)
def test_refused(tmp_path: Path, variables: Dict[str, str], said: str) -> None:
    """What QEMU would refuse, or what makes no sense, is said in one line."""
    image = tmp_path / "image"
    image.write_bytes(b"x")
    done = run("--kernel", image, **variables)
    ended(done, 2, said)
    assert done.stdout == ""


def test_refused_files(tmp_path: Path) -> None:
    """Missing files are named."""
    ended(run(cwd=tmp_path), 2, 'run "make" first')
    ended(run("--kernel", tmp_path), 2, "does not exist")
    (tmp_path / "image").touch()
    ended(run("--kernel", "image", "--config", "none", cwd=tmp_path), 2, "does not exist")
    ended(run("--no-such-option"), 2, "--help")
    ended(run("--debug", "--kernel", "image", "--gdb-port", "x", cwd=tmp_path), 2, "GDB_PORT=x")


def test_qemus_refusal(tmp_path: Path) -> None:
    """What only QEMU knows is passed on."""
    qemu()
    image = build(tmp_path, "")
    done = run("--kernel", image, "--cpu", "no-such-cpu")
    ended(done, 1, "QEMU says: ", "QEMU ended with status 1")
    assert "no-such-cpu" in done.stderr


def command(*args: Any, **more: Any) -> str:
    """Return the command line that would start QEMU."""
    done = run("--print", *args, **more)
    ended(done, 0)
    return done.stdout.strip()


def test_command(tmp_path: Path) -> None:
    """Variables and options reach QEMU; options win; the configuration names the machine."""
    qemu()
    boot = tmp_path / "arch" / "riscv" / "boot"
    boot.mkdir(parents=True)
    image = boot / "Image"
    image.touch()
    (tmp_path / ".config").write_text('CONFIG_QEMU_MACHINE="spike"\n', encoding="ascii")

    for line in (command(cwd=tmp_path), command("--kernel", image)):
        assert " -M spike -m 131072K -smp 1 " in line and "-bios default" in line
        assert line.endswith("arch/riscv/boot/Image")
    assert " -M virt " in command(cwd=tmp_path, MACHINE="virt")
    assert " -M sifive_u " in command("--machine", "sifive_u", cwd=tmp_path, MACHINE="virt")
    assert " -smp 2 " in command(cwd=tmp_path, MACHINE="sifive_u")
    line = command(cwd=tmp_path, MACHINE="virt,aclint=on", MEM="5M", SMP="64", CPU="rv64,sv48=off",
                   QEMU_ARGS="-d 'guest errors'", APPEND="a b", BIOS=str(image))
    assert " -M virt,aclint=on -m 5120K -smp 64 " in line
    assert " -cpu rv64,sv48=off " in line and " -append 'a b' " in line
    assert f" -bios {image} " in line and line.endswith("-d 'guest errors'")
    line = command(cwd=tmp_path, MEM="64G")
    assert f"size={64 << 20}K,reserve=off" in line and "-M spike,memory-backend=ram " in line
    assert "-m 128 " not in line and " -m 131072K" in command(cwd=tmp_path, MEM="128")


def test_large(tmp_path: Path) -> None:
    """More memory than the host has, and all harts."""
    qemu()
    image = build(tmp_path, put_string(TEXT, "sbi") + POWER_OFF)
    ended(run("--kernel", image, "--mem", "64G", "--smp", "64"), 0)


@pytest.mark.skipif(not UBOOT.exists(), reason="no U-Boot (Debian: u-boot-qemu)")
def test_uboot(tmp_path: Path) -> None:
    """U-Boot boots an image with Linux's header, given a command line with anything in it."""
    qemu()
    find_tool("gcc")
    header = (" j 8f\n .balign 8\n .dword 0x200000, 0x10000, 0\n .word 2, 0\n .dword 0\n"
              " .ascii \"RISCV\\0\\0\\0RSC\\x05\"\n .word 0\n 8:\n")
    image = build(tmp_path, header + put_string(TEXT, "sbi") + POWER_OFF)
    done = run("--kernel", image, "--uboot", UBOOT, APPEND="a 'b' \"c\" $d; e\\f", TIMEOUT="40")
    ended(done, 0)
    assert "Starting kernel" in done.stdout
