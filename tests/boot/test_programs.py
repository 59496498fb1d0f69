# SPDX-License-Identifier: MIT
"""Archives and first programs: where they come from, what they are, and how they end."""
import hashlib
import os
import shutil
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bootlib import (LINE, ROOT, UBOOT, Kernel, Result, boot, build, check_clean, check_line,
                     environment)

sys.path.append(str(ROOT / "tests" / "scripts"))

from foreign import busybox  # noqa: E402


def user_kernel(*options: str) -> Kernel:
    """Return a kernel with user space."""
    kernel = build("mm", "IRQ=y", "TIMERS=y", "THREADS=y", "PREEMPT=y", "ADDRESS_SPACES=y",
                   "USERSPACE=y", *options)
    for option in options:
        name, _, value = option.partition("=")
        assert kernel.config.get(name, "n") == value.strip('"'), f"{option} has no effect"
    return kernel


def pack(folder: Path, archive: Path) -> Path:
    """Pack a folder."""
    subprocess.run([str(ROOT / "scripts/initramfs.py"), "-q", "-o", str(archive), str(folder)],
                   check=True, timeout=60)
    return archive


@pytest.mark.parametrize("options", [
    # The rung user-raw has the second.
    (), pytest.param(("INIT_HELLO_RAW=y",), marks=pytest.mark.slow), ("INIT_LIST=y",),
    pytest.param(("USER_LIBC_NONE=y",), marks=pytest.mark.slow),
    ("USER_LIBC_NONE=y", "INIT_LIST=y"), ("HELLO_STATIC_PIE=y",),
    ("ELF_INTERPRETER=y", "HELLO_DYNAMIC=y"), ("INITRAMFS_PASSED=y",),
], ids="-".join)
def test_first_program(options: Any) -> None:
    """Every first program prints the line, and the machine ends."""
    kernel = user_kernel(*options)
    check_clean(kernel, boot(kernel))


def test_in_the_image() -> None:
    """The archive lies between text and what is read-only, and programs in it are whole pages."""
    kernel = user_kernel()
    start = kernel.symbols["__initramfs_start"]
    size = kernel.symbols["__initramfs_end"] - start
    archive = (kernel.tree / "usr/initramfs.cpio").read_bytes()
    base = kernel.symbols["_start"]
    data = kernel.image.read_bytes()
    assert data[start - base:start - base + size] == archive
    assert (start + archive.index(b"\x7fELF")) % 4096 == 0
    assert kernel.symbols["_etext"] <= start < start + size <= kernel.symbols["_rodata_end"]
    # Not a page is lost in front of it, and only its header is text.
    assert start - kernel.symbols["_etext"] < 4096
    assert kernel.symbols["_rodata_start"] == start + archive.index(b"\x7fELF")
    assert archive.index(b"\x7fELF") < 128
    # Without it nothing of this is there.
    other = user_kernel("INITRAMFS_PASSED=y")
    assert "__initramfs_start" not in other.symbols
    assert kernel.image.stat().st_size - other.image.stat().st_size > size - 4096


@pytest.mark.parametrize("kind", ["folder", "list", "cpio", "crc"])
def test_source(tmp_path_factory: pytest.TempPathFactory, kind: str) -> None:
    """Archives of one's own: a folder, a list, and what cpio makes, whose data is not aligned."""
    kernel = user_kernel("INITRAMFS_PASSED=y")
    place = tmp_path_factory.mktemp(kind)
    tree = place / "tree"
    tree.mkdir()
    shutil.copy2(kernel.tree / "usr/hello", tree / "init")
    # Data that must not be where a page starts, and moves what is behind it
    (tree / "a").write_bytes(b"x" * 77)
    source = tree
    if kind == "list":
        source = place / "list"
        source.write_text("file /init tree/init 0755 0 0\n", encoding="ascii")
    elif kind != "folder":
        source = place / "made.cpio"
        source.write_bytes(subprocess.run(
            ["cpio", "-o", "--quiet", "-H", kind.replace("cpio", "newc")], cwd=tree,
            input=b"a\ninit\n", stdout=subprocess.PIPE, check=True, timeout=60).stdout)
    object_tree = place / "obj"
    shutil.copytree(kernel.tree, object_tree, symlinks=True)
    made = Kernel(object_tree)
    config = object_tree / ".config"
    config.write_text(config.read_text().replace('CONFIG_INITRAMFS_SOURCE=""',
                                                 f'CONFIG_INITRAMFS_SOURCE="{source}"'))
    words = ["make", "-s", "-C", str(ROOT), f"O={object_tree}"]
    done = subprocess.run([*words, "olddefconfig"], env=environment(), timeout=100, check=True)
    done = subprocess.run([*words, "usr/"], env=environment(), timeout=100, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    check_clean(made, boot(made))
    if kind == "folder":
        # What is not there any more is missed at the next make.
        (tree / "init").unlink()
        subprocess.run([*words, "usr/"], env=environment(), timeout=100, check=True)
        assert b"init\0" not in (object_tree / "usr/initramfs.cpio").read_bytes()
        shutil.rmtree(tree)
        done = subprocess.run([*words, "usr/"], env=environment(), timeout=100, check=False,
                              stderr=subprocess.PIPE, text=True)
        assert done.returncode and f"{tree}: No such file" in done.stderr


def commands(kernel: Kernel, folder: Path, *more: Any, text: str) -> Result:
    """Boot with init, which has these commands to run."""
    tree = folder / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "etc").mkdir()
    shutil.copy2(kernel.tree / "usr/init", tree / "init")
    for name in ("hello", "hello-raw"):
        shutil.copy2(kernel.tree / "usr" / name, tree / "bin" / name)
    shutil.copy2(kernel.tree / "usr/init", tree / "bin/again")
    (tree / "etc/commands").write_text(text, encoding="ascii")
    return boot(kernel, "--initrd", pack(tree, folder / "a.cpio"), *more)


def test_list_of_commands(tmp_path: Path) -> None:
    """init runs what its list says, in order, and tells what failed."""
    kernel = user_kernel("INITRAMFS_PASSED=y", "INIT_LIST=y")
    result = commands(kernel, tmp_path, text="# first\n\n /bin/hello-raw\t x # again\n"
                      "/bin/missing\n/bin/again /bin/hello-raw ; /bin/none\n/bin/hello-raw")
    assert result.lines == [
        LINE, "init: /bin/missing: cannot be run: error 2", "init: /bin/missing: exit status 127",
        LINE, "init: /bin/none: cannot be run: error 2", "init: /bin/none: exit status 127",
        "init: /bin/again: exit status 127", LINE]
    assert result.status == 127


def test_commands_by_name(tmp_path: Path) -> None:
    """init runs what stands behind "--" on the command line instead."""
    kernel = user_kernel("INITRAMFS_PASSED=y", "INIT_LIST=y")
    result = commands(kernel, tmp_path, "--append", "-- /bin/hello", text="/bin/missing\n")
    check_line(kernel, result)
    assert result.status == 0


def test_damaged(tmp_path: Path) -> None:
    """What is wrong with an archive is said with the entry's name, and that is the end."""
    kernel = user_kernel("INITRAMFS_PASSED=y")
    archive = (kernel.tree / "usr/initramfs.cpio").read_bytes()
    bad = tmp_path / "bad.cpio"
    bad.write_bytes(archive[:len(archive) // 2])
    result = boot(kernel, "--initrd", bad)
    assert "init" in result.text and "the archive ends inside the data" in result.text
    assert LINE not in result.text


def program(*code: int) -> bytes:
    """Return an ELF file that starts with these instructions."""
    at, size = 0x10000, 64 + 56 + 4 * len(code)
    header = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 2, 243, 1, at + 120,
                         64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, at, at, size, size, 4096)
    return header + segment + struct.pack(f"<{len(code)}I", *code)


# li a0, 7; fcvt.d.w fa0, a0; li a0, 42; li a7, 94; ecall: exit_group(42)
FLOATING = program(0x00700513, 0xd2050553, 0x02a00513, 0x05e00893, 0x00000073)


@pytest.mark.parametrize("cpu,options,status", [
    ("rv64", (), 42), ("rv64,f=false,d=false", (), 128 + signal.SIGILL),
    ("rv64", ("FPU=n",), 128 + signal.SIGILL),
], ids=["registers", "none", "off"])
def test_floating_point(tmp_path: Path, cpu: str, options: Any, status: int) -> None:
    """Where there are no registers for them, such instructions are illegal; that is all."""
    kernel = user_kernel("INITRAMFS_PASSED=y", *options)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "init").write_bytes(FLOATING)
    (tree / "init").chmod(0o755)
    result = boot(kernel, "--initrd", pack(tree, tmp_path / "a.cpio"), "--cpu", cpu)
    assert result.status == status, result
    assert "panic" not in result.text


def test_uboot() -> None:
    """U-Boot passes an archive as well."""
    if not UBOOT.exists():
        pytest.skip("no U-Boot")
    kernel = user_kernel("INITRAMFS_PASSED=y")
    check_line(kernel, boot(kernel, "--uboot", UBOOT))


def test_without_musl(tmp_path: Path) -> None:
    """A configuration without a C library needs none, nor a place to keep it."""
    kernel = user_kernel("USER_LIBC_NONE=y")
    tree = tmp_path / "obj"
    tree.mkdir()
    shutil.copy2(kernel.tree / ".config", tree)
    nowhere = {"HOME": "/nonexistent", "AHOY_USER_CACHE": "/nonexistent/x", "MUSL_TARBALL": "/x"}
    for goal in ("olddefconfig", "usr/"):
        subprocess.run(["make", "-s", "-C", str(ROOT), f"O={tree}", goal],
                       env=environment(**nowhere), timeout=100, check=True)
    assert (tree / "usr/initramfs.cpio").read_bytes() == \
        (kernel.tree / "usr/initramfs.cpio").read_bytes()
    assert os.path.getsize(tree / "usr/hello-raw") < 256


def test_busybox(tmp_path: Path) -> None:
    """Debian's own busybox, which nobody here has built, does what it does elsewhere."""
    program = busybox()
    kernel = user_kernel("INITRAMFS_PASSED=y", "INIT_LIST=y")
    tree = tmp_path / "tree"
    for name in ("bin", "etc"):
        (tree / name).mkdir(parents=True)
    shutil.copy2(kernel.tree / "usr/init", tree / "init")
    shutil.copy2(program, tree / "bin/busybox")
    (tree / "bin/busybox").chmod(0o755)
    (tree / "etc/text").write_text("some text\n", encoding="ascii")
    (tree / "etc/script").write_text("echo $((6*7))\n", encoding="ascii")
    (tree / "etc/commands").write_text("".join(f"/bin/busybox {words}\n" for words in (
        "echo one two", "cat /etc/text", "true", "md5sum /bin/busybox", "sh /etc/script",
        "false")), encoding="ascii")
    result = boot(kernel, "--initrd", pack(tree, tmp_path / "a.cpio"))
    digest = hashlib.md5(program.read_bytes()).hexdigest()
    assert result.lines == ["one two", "some text", f"{digest}  /bin/busybox", "42",
                            "init: /bin/busybox: exit status 1"]
