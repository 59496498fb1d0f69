# SPDX-License-Identifier: MIT
"""Kernels of this tree, built once a session, and runs of them in QEMU.

Builds lie in folders of AHOY_TEST_DIR (build/test of the object tree), one for
each configuration. They outlive the session: what did not change is not built
again. Workers of pytest-xdist share them.
"""

import fcntl
import functools
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "scripts" / "run"
LINE = "Hello world."
PANIC = "Kernel panic - not syncing: "
PANIC_END = "---[ end Kernel panic ]---"
UBOOT = Path("/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin")

# What a build depends on, beside its configuration.
SOURCES = ("Kbuild", "Kconfig", "Makefile", "arch", "configs", "drivers", "include", "kernel",
           "lib", "mm", "posix", "scripts", "usr")
PRODUCTS = (".o", ".a", ".pyc", ".cmd")
# All that make and QEMU get of the caller's environment: an outer make exports much.
KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "LANG", "LLVM", "CROSS_COMPILE", "CCACHE", "CCACHE_DIR",
                  "QEMU", "BIOS", "AHOY_USER_CACHE", "XDG_CACHE_HOME", "MUSL_TARBALL",
                  "MUSL_VERSION", "MIRROR")
BUILD_VARIABLES = ("LLVM", "CROSS_COMPILE", "CCACHE")

# In seconds. A boot takes less than one; a loaded machine may take its time.
BUILD_TIMEOUT = 300
BOOT_TIMEOUT = 30


def environment(**variables: str) -> Dict[str, str]:
    """Return an environment without what an outer make has set."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if os.environ.get(name)}
    return {**kept, "LC_ALL": "C", **variables}


# ---- Building -----------------------------------------------------------------

def build_dir() -> Path:
    """Return the folder that the builds are in."""
    named = os.environ.get("AHOY_TEST_DIR")
    if named:
        return Path(named).resolve()
    return Path(os.environ.get("abs_objtree") or ROOT) / "build" / "test"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock among all workers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.lru_cache(maxsize=None)
def source_digest() -> str:
    """Return a digest of the sources and of what names the compiler."""
    digest = hashlib.sha256()
    for top in SOURCES:
        path = ROOT / top
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not file.name.startswith(".") and file.suffix not in PRODUCTS:
                digest.update(f"{file}\n".encode() + file.read_bytes())
    for name in BUILD_VARIABLES:
        digest.update(f"{name}={os.environ.get(name)}\n".encode())
    return digest.hexdigest()


def run(command: Sequence[object], **variables: str) -> str:
    """Run a command of the build; return what it says on stderr, fail if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, env=environment(**variables), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=BUILD_TIMEOUT, check=False)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stderr


def make(tree: Path, *goals: str, **variables: str) -> str:
    """Run make in an object tree; return what it says on stderr, fail if it fails."""
    return run(["make", "-s", "-j2", "-C", ROOT, f"O={tree}", *goals], **variables)


class Kernel(NamedTuple):
    """A kernel that was built."""

    tree: Path

    @property
    def image(self) -> Path:
        """The flat image."""
        return self.tree / "arch" / "riscv" / "boot" / "Image"

    @property
    def elf(self) -> Path:
        """The image with symbols."""
        return self.tree / "ahoy"

    @property
    def config(self) -> Dict[str, str]:
        """Its configuration, without CONFIG_ and quotes."""
        text = (self.tree / ".config").read_text(encoding="utf-8")
        return dict(re.findall(r'^CONFIG_(\w+)="?(.*?)"?$', text, re.MULTILINE))

    def has(self, *names: str) -> bool:
        """Tell whether one of these options is on."""
        config = self.config
        return any(config.get(name) == "y" for name in names)

    @property
    def symbols(self) -> Dict[str, int]:
        """The addresses of its symbols."""
        text = (self.tree / "System.map").read_text(encoding="ascii")
        return {name: int(address, 16) for address, _, name in map(str.split, text.splitlines())}


def build_once(name: str, recipe: Mapping[str, Any]) -> Kernel:
    """Build in the folder called name, unless it holds that build already.

    The recipe says how: "base" is a file of configs/ to which the lines of
    "fragment" are added; or "goal" is make's for the configuration, with
    "variables", of which those that "forget" matches get their defaults back.
    """
    tree = build_dir() / name
    stamp = tree / ".test-build.json"
    wanted = {"source": source_digest(), **recipe}
    with locked(build_dir() / ".locks" / name):
        if stamp.exists() and json.loads(stamp.read_text(encoding="utf-8")) == wanted:
            return Kernel(tree)
        stamp.unlink(missing_ok=True)
        tree.mkdir(parents=True, exist_ok=True)
        said = configure(tree, recipe) + make(tree, "all")
        if said:
            # Make would not say it a second time.
            shutil.rmtree(tree)
            pytest.fail(f"the build of {name} is not silent:\n{said}")
        stamp.write_text(json.dumps(wanted), encoding="utf-8")
        return Kernel(tree)


def configure(tree: Path, recipe: Mapping[str, Any]) -> str:
    """Write a build's configuration; return what was said on stderr."""
    config = tree / ".config"
    if "fragment" in recipe:
        fragment = tree / "variant.config"
        fragment.write_text(recipe["fragment"], encoding="utf-8")
        return run([ROOT / "scripts" / "merge_config.sh", "-Q", "-O", tree,
                    ROOT / "configs" / recipe["base"], fragment])
    said = make(tree, recipe["goal"], **recipe.get("variables", {}))
    if recipe.get("forget"):
        config.write_text(re.sub(rf"^CONFIG_(?:{recipe['forget']})=.*\n", "",
                                 config.read_text(encoding="utf-8"), flags=re.MULTILINE),
                          encoding="utf-8")
        said += make(tree, "olddefconfig")
    return said


def option_line(option: str) -> str:
    """Return NAME=VALUE as a line of a configuration file."""
    name, _, value = option.partition("=")
    return f"# CONFIG_{name} is not set" if value == "n" else f"CONFIG_{name}={value}"


def build(base: str, *options: str) -> Kernel:
    """Return the kernel of configs/BASE_defconfig, "" for defconfig, with more options."""
    name = base or "defconfig"
    for option in options:
        name += "-" + re.sub(r"\W+", "_", option)
    if len(name) > 100:
        name = name[:80] + hashlib.sha256(name.encode()).hexdigest()[:12]
    defconfig = f"{base}_defconfig" if base else "defconfig"
    if not options:
        return build_once(name, {"goal": defconfig})
    return build_once(name, {"base": defconfig,
                             "fragment": "".join(option_line(o) + "\n" for o in options)})


def build_random(seed: int) -> Kernel:
    """Return a kernel of a random configuration for a machine that exists."""
    return build_once(f"random-{seed}", {
        "goal": "randconfig",
        "forget": r"PLATFORM_(?:UART|RAM|TEST|TIMEBASE)\w*",
        "variables": {"KCONFIG_SEED": str(seed)}})


# ---- Running ------------------------------------------------------------------

class Result(NamedTuple):
    """A run that ended."""

    status: int
    output: bytes  # everything on the serial line
    notes: str     # what scripts/run has to say, and QEMU through it

    @property
    def kernel(self) -> bytes:
        """What came from the kernel: all behind the firmware's last words."""
        parts = re.split(rb"^(?:Boot HART MEDELEG +: 0x[0-9a-f]+|Starting kernel \.\.\.\r?\n)\r?\n",
                         self.output, flags=re.MULTILINE)
        assert len(parts) > 1, f"the firmware did not start the kernel\n{self}"
        return parts[-1]

    @property
    def text(self) -> str:
        """What came from the kernel, with plain line ends."""
        return self.kernel.decode(errors="replace").replace("\r", "")

    @property
    def lines(self) -> List[str]:
        """The kernel's lines."""
        return self.text.splitlines()

    def __str__(self) -> str:
        return (f"status {self.status}\n{self.notes}--- console:\n"
                f"{self.output.decode(errors='replace')}")


def run_command(kernel: Kernel, *args: object) -> List[str]:
    """Return the words that call scripts/run; paths are absolute, so that QEMU may be elsewhere."""
    return [str(RUN), "--kernel", str(kernel.image), "--config", str(kernel.tree / ".config"),
            *map(str, args)]


def boot(kernel: Kernel, *args: object, timeout: int = BOOT_TIMEOUT) -> Result:
    """Boot a kernel by scripts/run with these arguments; return how it ended."""
    emulator()
    done = subprocess.run(run_command(kernel, "--timeout", timeout, *args), cwd=kernel.tree,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout + 30, check=False,
                          env=environment())
    result = Result(done.returncode, done.stdout, done.stderr.decode())
    # An emulator that cannot be told so cannot show it either.
    refused = re.search(r"QEMU says: .*(?:Property '.*' not found|unable to find CPU model.*)",
                        result.notes)
    if refused:
        pytest.skip(refused.group(0))
    # The firmware's own write of stimecmp: such a machine has no timer.
    if re.search(rb"sbi_trap_error: .* mtval=0x0*14d[0-9a-f]{2}073", result.output):
        pytest.skip("this firmware sets a timer that its machine has not")
    return result


def qemu_command(kernel: Kernel, *args: object) -> List[str]:
    """Return the command by which scripts/run would start QEMU."""
    emulator()
    done = subprocess.run(run_command(kernel, "--print", *args), cwd=kernel.tree, check=True,
                          stdout=subprocess.PIPE, text=True, timeout=30, env=environment())
    return shlex.split(done.stdout)


@functools.lru_cache(maxsize=None)
def emulator() -> Tuple[int, int]:
    """Return QEMU's version, or skip the test."""
    words = (os.environ.get("QEMU") or "qemu-system-riscv64").split()
    if not shutil.which(words[0]):
        pytest.skip(f"no {words[0]}")
    text = subprocess.run(words + ["--version"], stdout=subprocess.PIPE, check=True, text=True,
                          timeout=30).stdout
    match = re.search(r"version (\d+)\.(\d+)", text)
    assert match, text
    return int(match.group(1)), int(match.group(2))


@functools.lru_cache(maxsize=None)
def sbi_version() -> Tuple[int, int]:
    """Return the version of the firmware's SBI."""
    done = boot(build("tiny"))
    match = re.search(rb"^Runtime SBI Version +: (\d+)\.(\d+)", done.output, re.MULTILINE)
    assert match, done
    return int(match.group(1)), int(match.group(2))


def needs_debug_console() -> None:
    """Skip the test where firmware has no debug console."""
    version = sbi_version()
    if version < (2, 0):
        pytest.skip(f"this firmware's SBI {version[0]}.{version[1]} has no debug console")


# ---- What is expected -----------------------------------------------------------

UARTS = {"virt": "SERIAL_8250", "sifive_u": "SERIAL_SIFIVE"}


def line_end(kernel: Kernel, machine: str) -> bytes:
    """Return what ends a line on the serial line: firmware always sends CR."""
    by_firmware = machine not in UARTS or not kernel.has(UARTS[machine])
    return b"\r\n" if by_firmware or kernel.has("SERIAL_CRLF") else b"\n"


def is_quiet(kernel: Kernel) -> bool:
    """Tell whether the line stands alone."""
    return not kernel.has("BANNER", "BENCH", "KTEST") and int(
        kernel.config.get("CONSOLE_LOGLEVEL_DEFAULT", 4)) <= 4


def check_line(kernel: Kernel, result: Result, machine: str = "",
               end: Optional[bytes] = None) -> None:
    """Check that the kernel printed the line once, as its last word, and nothing else if quiet.

    The machine is the configuration's, unless another is named; so is what ends
    the line.
    """
    line = LINE.encode() + (end or line_end(kernel, machine or kernel.config["QEMU_MACHINE"]))
    assert (b"\n" + result.kernel).endswith(b"\n" + line), result
    assert result.output.count(LINE.encode()) == 1, result
    if is_quiet(kernel):
        assert result.kernel == line, result


def check_clean(kernel: Kernel, result: Result, machine: str = "",
                end: Optional[bytes] = None) -> None:
    """Check the line and the configured end; arguments as for check_line()."""
    check_line(kernel, result, machine, end)
    assert result.status == 0, result
    stopped = "run: the kernel does not power this machine off: QEMU stopped\n"
    if kernel.has("FINISH_IDLE"):
        assert result.notes == stopped, result
    elif (machine or kernel.config["QEMU_MACHINE"]) == "virt":
        assert result.notes == "", result
    else:
        assert result.notes in ("", stopped), result


def check_panic(result: Result, *words: str) -> str:
    """Check a report: it begins, has these words, ends, and nothing follows. Return it."""
    assert result.status not in (0, 2, 124), result
    assert "run: the kernel panicked" in result.notes, result
    text = result.text
    assert text.count(PANIC) == 1 and text.count(PANIC_END) == 1, result
    report = text[text.index(PANIC):]
    assert report.endswith(f"\n{PANIC_END}\n"), result
    for word in words:
        assert word in report, f'"{word}" is not in the report\n{result}'
    assert LINE not in text, result
    return report


def config_names() -> List[str]:
    """Return the names of all configurations, as build() takes them."""
    return sorted(path.name[:-len("defconfig")].rstrip("_")
                  for path in (ROOT / "configs").glob("*defconfig"))
