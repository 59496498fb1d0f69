# SPDX-License-Identifier: MIT
"""Programs of usr/ on the host, under qemu-riscv64, and musl, which they are linked with."""

import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple

import pytest
from asmkernel import ROOT, qemu
from foreign import debian_linux

MUSL_SH = ROOT / "scripts" / "musl.sh"
MUSL_CC = ROOT / "scripts" / "musl-cc"
LINE = b"Hello world.\n"
PAGE = 4096
# Of program headers
LOAD, INTERP = 1, 3


def call(*words: object, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command; of what an outer make has set nothing gets there."""
    kept = ("PATH", "HOME", "TMPDIR", "AHOY_USER_CACHE", "XDG_CACHE_HOME", "MUSL_TARBALL",
            "MUSL_VERSION", "MIRROR")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    return subprocess.run([*map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=400, check=False,
                          env={**env, **variables})


def emulated(program: Path, *words: object, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of the machine's."""
    if not shutil.which("qemu-riscv64"):
        pytest.fail("qemu-riscv64 is not installed: run scripts/setup.sh")
    return call("qemu-riscv64", program, *words, **variables)


class Segment(NamedTuple):
    """A program header."""

    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int
    memory: int
    align: int


def segments(program: Path) -> List[Segment]:
    """Return the program headers of an ELF file."""
    data = program.read_bytes()
    assert data[:4] == b"\x7fELF"
    at, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    return [Segment(*struct.unpack_from("<IIQQQQQQ", data, at + 56 * i)) for i in range(count)]


@pytest.fixture(scope="module", name="musl")
def musl_fixture() -> Path:
    """The folder of musl, built if it is not there yet."""
    done = call(MUSL_SH)
    if done.returncode and "did not give" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="module", name="tree")
def tree_fixture(musl: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An object tree with all programs."""
    del musl
    tree = tmp_path_factory.mktemp("usr")
    done = call("make", "-s", "-C", ROOT, f"O={tree}", "user_defconfig")
    with open(tree / ".config", "a", encoding="ascii") as config:
        config.write("# CONFIG_INIT_HELLO is not set\nCONFIG_INIT_LIST=y\n")
    for goal in ("olddefconfig", "usr/"):
        done = call("make", "-s", "-C", ROOT, f"O={tree}", goal)
        assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    yield tree


# ---- Programs -----------------------------------------------------------------------

@pytest.mark.parametrize("name", ["hello", "hello-raw"])
def test_line(tree: Path, name: str) -> None:
    """Both print the line and end well; with nowhere to print it hello-raw does not."""
    done = emulated(tree / "usr" / name)
    assert (done.returncode, done.stdout, done.stderr) == (0, LINE.decode(), "")
    if name == "hello-raw":
        assert call("sh", "-c", f"qemu-riscv64 {tree}/usr/{name} >&-").returncode == 1


def test_segments(tree: Path) -> None:
    """Code and data share no page, and file and memory places agree: pages can be mapped."""
    for name in ("hello", "hello-raw", "init"):
        program = tree / "usr" / name
        loads = [segment for segment in segments(program) if segment.kind == LOAD]
        assert not [segment for segment in segments(program) if segment.kind == INTERP]
        pages = set()
        for load in loads:
            assert load.align == PAGE and load.flags in (5, 6)
            assert load.offset % PAGE == load.address % PAGE
            mine = set(range(load.address // PAGE, (load.address + load.memory - 1) // PAGE + 1))
            assert not pages & mine
            pages |= mine
        # Behind what is loaded are section headers, if anything.
        end = max(load.offset + load.size for load in loads)
        assert 0 <= program.stat().st_size - end < 1024
    assert (tree / "usr/hello-raw").stat().st_size < 200


def test_real_printf(tree: Path, tmp_path: Path) -> None:
    """hello calls printf(), though puts() would do."""
    flags = ("-O2", "-fno-builtin", "-c")
    assert call(MUSL_CC, *flags, ROOT / "usr/hello.c", "-o", tmp_path / "x.o").returncode == 0
    assert b"printf\0" in (tmp_path / "x.o").read_bytes()
    # What only printf() brings with it.
    assert b"-+   0X0x" in (tree / "usr/hello").read_bytes()


@pytest.mark.parametrize("mode,type_,interpreter", [
    ("-static", 2, False), ("-static-pie", 3, False), ("-dynamic", 3, True)])
def test_ways_to_link(musl: Path, tmp_path: Path, mode: str, type_: int,
                      interpreter: bool) -> None:
    """Each way makes the kind of program that it says, and it runs."""
    program = tmp_path / "program"
    done = call(MUSL_CC, mode, "-O2", ROOT / "usr/hello.c", "-o", program)
    assert (done.returncode, done.stderr) == (0, "")
    assert struct.unpack_from("<H", program.read_bytes(), 16) == (type_,)
    assert any(segment.kind == INTERP for segment in segments(program)) == interpreter
    done = call("qemu-riscv64", "-L", musl, program)
    assert (done.returncode, done.stdout) == (0, LINE.decode()), done.stderr


def init(tree: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    """Run init, which is not the first process here; the programs are the host's."""
    return emulated(tree / "usr/init", *words)


def test_init(tree: Path) -> None:
    """In order, with all words, and the status of the first one that failed."""
    done = init(tree, "/bin/echo", "a", "b c", ";", "/bin/true", ";", ";", "/bin/echo", "d")
    assert (done.returncode, done.stdout) == (0, "a b c\nd\n")
    done = init(tree, "/bin/sh", "-c", "exit 7", ";", "/bin/sh", "-c", "kill -9 $$", ";",
                "/bin/none", ";", "/bin/echo", "on")
    assert done.stdout.splitlines() == [
        "init: /bin/sh: exit status 7", "init: /bin/sh: ended by signal 9",
        "init: /bin/none: cannot be run: error 2", "init: /bin/none: exit status 127", "on"]
    assert done.returncode == 7
    assert init(tree, "/bin/sh", "-c", "kill -9 $$").returncode == 128 + 9
    done = init(tree, "/bin/sh", "-c", "test \"$HERE\" = there")
    assert done.returncode == 1
    done = emulated(tree / "usr/init", "/bin/sh", "-c", "test \"$HERE\" = there", HERE="there")
    assert done.returncode == 0


def test_nothing_again(tree: Path) -> None:
    """A second make does nothing; "make clean" leaves nothing."""
    done = call("make", "-C", ROOT, f"O={tree}", "usr/")
    said = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    assert done.returncode == 0 and said == []
    copy = tree.with_name("copy")
    shutil.copytree(tree, copy)
    assert call("make", "-s", "-C", ROOT, f"O={copy}", "clean").returncode == 0
    assert not (copy / "usr").exists()


@pytest.mark.slow
def test_linux(tree: Path, tmp_path: Path) -> None:
    """Debian's Linux takes the archive, filler, padding and all, and runs what is in it."""
    folder = tmp_path / "tree"
    (folder / "bin").mkdir(parents=True)
    (folder / "dev").mkdir()
    (folder / "etc").mkdir()
    shutil.copy2(tree / "usr/init", folder / "init")
    # So many that the folder itself has to be named again, to fill up a page.
    for number in range(60):
        program = folder / "bin" / f"{number:02}-{'n' * (number * 3)}"
        program.write_bytes((tree / "usr/hello").read_bytes() + bytes(number * 71))
        program.chmod(0o755)
    names = sorted(path.name for path in (folder / "bin").iterdir())
    (folder / "etc/commands").write_text("".join(f"/bin/{name}\n" for name in names))
    archive = tmp_path / "a.cpio"
    assert call(ROOT / "scripts/initramfs.py", "-q", "-o", archive, folder).returncode == 0
    # Linux gives the first process no console without a node for it.
    listed = tmp_path / "list"
    listed.write_text("dir /dev 0755 0 0\nnod /dev/console 0600 0 0 c 5 1\n")
    first = tmp_path / "console.cpio"
    assert call(ROOT / "scripts/initramfs.py", "-q", "-o", first, listed).returncode == 0
    both = tmp_path / "both.cpio"
    both.write_bytes(first.read_bytes() + archive.read_bytes())
    done = call(*qemu(), "-M", "virt", "-m", "256M", "-nographic", "-no-reboot", "-kernel",
                debian_linux(), "-initrd", both, "-append", "console=ttyS0 quiet panic=-1")
    assert done.stdout.replace("\r", "").count(LINE.decode()) == 60, done.stdout[-3000:]
    assert "init: " not in done.stdout and "panic" not in done.stdout.lower()


# ---- musl ---------------------------------------------------------------------------

def refused(*words: object, **variables: str) -> List[str]:
    """Have musl.sh fail; return what it says."""
    done = call(MUSL_SH, *words, **variables)
    assert done.returncode == 1 and done.stdout == "", done
    lines = done.stderr.splitlines()
    assert all(line.startswith(("musl.sh: ", "debian-fetch: ", "    ", "  FETCH", "  BUILD"))
               or "mkdir: " in line for line in lines), lines
    return lines


def test_no_network(tmp_path: Path) -> None:
    """Without a mirror it says what to do instead."""
    said = "\n".join(refused(AHOY_USER_CACHE=str(tmp_path), MIRROR="http://127.0.0.1:1/debian",
                             MUSL_TARBALL=""))
    assert "http://127.0.0.1:1/debian did not give musl" in said
    assert "MUSL_TARBALL=musl-1.2." in said and "SHA-256" in said
    assert not list(tmp_path.glob("musl*"))


def test_mirror_without_lists(tmp_path: Path) -> None:
    """Where a mirror's lists do not fit together, the tarball comes by its place and hash."""
    kept = next((Path(os.environ.get("AHOY_USER_CACHE") or Path.home() / ".cache" / "ahoy")
                 .glob("musl-1.2.3.tar.gz")), None)
    if not kept:
        pytest.skip("no tarball of musl 1.2.3 here")
    place = tmp_path / "mirror" / "pool" / "main" / "m" / "musl" / "musl_1.2.3.orig.tar.gz"
    place.parent.mkdir(parents=True)
    shutil.copy2(kept, place)
    wanted = {"MIRROR": f"copy:{tmp_path}/mirror", "MUSL_VERSION": "1.2.3", "MUSL_TARBALL": ""}
    cache = tmp_path / "cache"
    done = call(MUSL_SH, "--fetch", AHOY_USER_CACHE=str(cache), **wanted)
    assert done.returncode == 0, done.stderr
    assert (cache / kept.name).read_bytes() == kept.read_bytes()
    # Another file in its place is not taken.
    place.write_bytes(b"something")
    said = "\n".join(refused("--fetch", AHOY_USER_CACHE=str(tmp_path / "other"), **wanted))
    assert "Hash Sum mismatch" in said


def test_wrong_tarball(tmp_path: Path) -> None:
    """A tarball of unknown contents is not unpacked."""
    tarball = tmp_path / "musl.tar.gz"
    tarball.write_bytes(b"something")
    said = refused(MUSL_TARBALL=str(tarball), AHOY_USER_CACHE=str(tmp_path / "cache"))
    assert "is not the tarball of a release known here" in said[0]
    assert "cannot be read" in refused(MUSL_TARBALL="/no/such/file")[0]
    assert "MUSL_VERSION=9 is not known here: 1.2.3 1.2.5" in refused(MUSL_VERSION="9")[0]


def test_no_compiler(tmp_path: Path) -> None:
    """A compiler that is not there is named; so is a place that cannot be written."""
    said = refused(CC="no-such-gcc", AHOY_USER_CACHE=str(tmp_path))
    assert said == ["musl.sh: no-such-gcc is not installed: run scripts/setup.sh"]
    (tmp_path / "file").write_text("x")
    assert "AHOY_USER_CACHE=" in refused(AHOY_USER_CACHE=str(tmp_path / "file"))[-1]
    # Something that is no cross compiler
    said = refused(CC="false", AHOY_USER_CACHE=str(tmp_path), MIRROR="http://127.0.0.1:1/",
                   MUSL_TARBALL="")
    assert said


def test_kept(musl: Path) -> None:
    """Once it is there neither a network nor a tarball is needed, and nothing is said."""
    done = call(MUSL_SH, MIRROR="http://127.0.0.1:1/debian", MUSL_TARBALL="")
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()) == musl
    assert (musl / "lib/ld-musl-riscv64.so.1").resolve() == musl / "lib/libc.so"
    # The folder's own path is nowhere in it.
    for name in ("libc.a", "libc.so", "crt1.o"):
        assert str(musl).encode() not in (musl / "lib" / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.2.3", "1.2.5"])
@pytest.mark.parametrize("tools", [
    {}, {"CC": "clang", "AR": "llvm-ar", "CLANG_FLAGS": "--target=riscv64-unknown-linux-gnu"}],
    ids=["gcc", "clang"])
def test_build(tmp_path: Path, version: str, tools: Dict[str, str]) -> None:
    """Both releases, with both compilers, fetched and from a tarball: the same bytes."""
    variables = {"MUSL_VERSION": version, "MUSL_TARBALL": "", **tools}
    done = call(MUSL_SH, AHOY_USER_CACHE=str(tmp_path / "a"), **variables)
    if "did not give" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    first = Path(done.stdout.strip())
    done = call(MUSL_SH, AHOY_USER_CACHE=str(tmp_path / "b"), **{
        **variables, "MUSL_VERSION": "", "MIRROR": "http://127.0.0.1:1/",
        "MUSL_TARBALL": str(tmp_path / f"a/musl-{version}.tar.gz")})
    assert done.returncode == 0, done.stderr
    second = Path(done.stdout.strip())
    assert first.name == second.name
    for name in ("libc.a", "libc.so", "crt1.o", "rcrt1.o"):
        assert (first / "lib" / name).read_bytes() == (second / "lib" / name).read_bytes()
    program = tmp_path / "program"
    assert call(MUSL_CC, "-O2", ROOT / "usr/hello.c", "-o", program,
                AHOY_USER_CACHE=str(tmp_path / "a"), **variables).returncode == 0
    assert emulated(program).stdout == LINE.decode()
