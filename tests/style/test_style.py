# SPDX-License-Identifier: MIT
"""The sources keep the rules: layout, layering, and what the checkers say."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERING = ROOT / "scripts" / "check" / "layering.py"
CONFIGS = sorted(path.name for path in (ROOT / "configs").glob("*defconfig"))
LICENSE = "SPDX-License-Identifier: MIT"
# Text that cannot hold a licence line, or is read whole.
NO_LICENSE = re.compile(r"LICENSE|.*\.(md|txt|png|svg|dtb)|tests/fuzz/seeds/.*|configs/.*"
                        r"|(.*/)?\.gitignore")


def tree() -> List[str]:
    """The source tree's own files: what git has or would take, else all that are not hidden."""
    done = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if done.returncode == 0:
        names = [name for name in done.stdout.split("\0") if name]
    else:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
        names = [name for name in names if not re.search(r"(^|/)(\.|__pycache__)|^build/", name)]
    return sorted(name for name in names if (ROOT / name).is_file())


def run(*command: Any, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run a tool, its messages in stdout."""
    return subprocess.run([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=300, check=False)


def clean(*command: Any) -> None:
    """The tool ends well and has nothing to say."""
    done = run(*command)
    assert done.returncode == 0 and not done.stdout, f"{command[0]}:\n{done.stdout[-8000:]}"


def text_of(name: str) -> str:
    """A file of the tree."""
    return (ROOT / name).read_text(encoding="utf-8")


def scripts(language: str, suffix: str) -> List[str]:
    """Scripts by suffix or by what runs them."""
    found = []
    for name in TREE:
        if name.endswith(suffix):
            found.append(name)
        elif "." not in Path(name).name or name.startswith(".ci/"):
            first = (ROOT / name).read_bytes().split(b"\n", 1)[0]
            if re.match(rb"#!.*\b" + language.encode(), first):
                found.append(name)
    return found


TREE = tree()


def test_license() -> None:
    """Each file names the licence in its first lines."""
    lacking = [name for name in TREE if not NO_LICENSE.fullmatch(name)
               and LICENSE not in "\n".join(text_of(name).split("\n")[:3])]
    assert not lacking


def test_text() -> None:
    """No trailing white space, and a newline at the end."""
    bad = []
    for name in TREE:
        data = (ROOT / name).read_bytes()
        if b"\0" in data or name.startswith("tests/fuzz/seeds/") or not data:
            continue
        bad += [f"{name}:{number}: white space at the end of the line"
                for number, line in enumerate(data.split(b"\n"), 1) if line != line.rstrip()]
        if not data.endswith(b"\n"):
            bad.append(f"{name}: no newline at the end")
    assert not bad, "\n".join(bad)


def test_clang_format() -> None:
    """C is laid out as .clang-format says; "make format" does it."""
    clean("clang-format", "--dry-run", "-Werror",
          *(name for name in TREE if re.search(r"\.[ch]$", name)))


def test_shellcheck() -> None:
    """Shell scripts."""
    names = scripts("(ba|da|)sh", ".sh")
    assert "scripts/setup.sh" in names
    clean("shellcheck", *names)


def test_flake8() -> None:
    """Python scripts and tests; their strings may hold tabs."""
    names = scripts("python3?", ".py")
    assert "scripts/run" in names and "tests/style/test_style.py" in names
    clean("flake8", "--max-line-length=100", "--extend-ignore=E101,W191", *names)


def test_kconfig() -> None:
    """Kconfig files."""
    clean("scripts/kconfig/lint.py")


def test_layering() -> None:
    """No room includes what it must not."""
    clean(LAYERING)


# Together these compile all that the others do.
BUILT = ("allyesconfig", "base_defconfig", "bench_defconfig", "ktest_defconfig", "musl_defconfig",
         "posix_defconfig", "tiny_defconfig")


@pytest.mark.parametrize("config", [
    config if config in BUILT else pytest.param(config, marks=pytest.mark.slow)
    for config in [*CONFIGS, "allyesconfig"]])
def test_build(config: str, tmp_path: Path) -> None:
    """Not a word from the compiler with W=1, from sparse, or about what the objects need."""
    make = ("make", f"O={tmp_path}", "-s", "W=1e", "C=2", "CHECK=sparse -Wsparse-error")
    clean(*make, config)
    clean(*make, "built-in.a")
    # LTO's objects have no symbols that could be looked at.
    if "CONFIG_LTO=y" not in (tmp_path / ".config").read_text(encoding="utf-8"):
        clean(LAYERING, "--objects", tmp_path)


# ---- The checks see what they look for ------------------------------------------

PLANTED: Dict[str, Sequence[str]] = {
    # name: file, what is added to it, what is said
    "up": ("mm/linear.c", "#include <ahoy/console.h>", "mm/ includes <ahoy/console.h>"),
    "lib-asm": ("lib/fdt.c", "#include <asm/page.h>", "lib/ includes <asm/page.h>"),
    "lib-print": ("lib/fdt.c", "#include <ahoy/printk.h>", "lib/ includes <ahoy/printk.h>"),
    "lib-config": ("lib/fdt.c", "#include <generated/autoconf.h>", "it knows no configuration"),
    "header": ("include/ahoy/memblock.h", "#include <ahoy/of.h>", "mm/ includes <ahoy/of.h>"),
    "private": ("kernel/main.c", "#include <asm/csr.h>", "for arch/ alone"),
    "sideways": ("kernel/main.c", '#include "../drivers/serial/8250.h"', "leads out of the folder"),
    "host": ("kernel/main.c", "#include <stdio.h>", "no interface of the kernel"),
    "unknown": ("kernel/main.c", "#include <ahoy/new.h>", "has no room yet"),
    "musl": ("lib/musl/src/internal/ahoy/libc.c", "#include <ahoy/printk.h>",
             "musl includes <ahoy/printk.h>, and knows <ahoy/libc.h> alone"),
    "assembly": ("kernel/main.c", '\tasm volatile("nop");', "assembly outside arch/"),
}


def copy_sources(folder: Path) -> None:
    """Copy what the layering check reads."""
    for name in TREE:
        if re.search(r"\.[chS]$", name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())


@pytest.mark.parametrize("what", PLANTED)
def test_layering_sees(what: str, tmp_path: Path) -> None:
    """A line that breaks the layering is named."""
    name, line, said = PLANTED[what]
    copy_sources(tmp_path)
    with open(tmp_path / name, "a", encoding="utf-8") as file:
        file.write(line + "\n")
    number = len((tmp_path / name).read_text(encoding="utf-8").split("\n")) - 1
    done = run(LAYERING, "--srctree", tmp_path)
    assert done.returncode == 1
    assert f"{name}:{number}: " in done.stdout and said in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_layering_sees_symbols(tmp_path: Path) -> None:
    """An object that needs what its room must not use is named."""
    compiler = "riscv64-linux-gnu-gcc"
    for name, text in (("lib/a", "void printk(void); void f(void) { printk(); }"),
                       ("mm/b", "void uart(void); void g(void) { uart(); }"),
                       ("kernel/c", "void printk(void) {} void g(void); void h(void) { g(); }"),
                       ("drivers/d", "void uart(void) {} void h(void); void i(void) { h(); }")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        source = tmp_path / f"{name}.c"
        source.write_text(text, encoding="ascii")
        done = run(compiler, "-c", "-o", source.with_suffix(".o"), source)
        assert done.returncode == 0, done.stdout
    done = run(LAYERING, "--objects", tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["lib/a.o: lib/ needs printk, which is kernel/'s",
                                        "mm/b.o: mm/ needs uart, which is drivers/'s"]


@pytest.mark.parametrize("text,wanted", [
    ("long time_now(void); long f(void) { return time_now(); }", ""),
    ("void *memcpy(void *a, const void *b, unsigned long n); extern char syscall_start[];"
     "void f(void *p) { memcpy(p, syscall_start, 999); }", ""),
    ("int printk(const char *s, ...); int f(void) { return printk(\"\"); }", "printk"),
    ("extern char thread_current[]; char *f(void) { return thread_current; }", "thread_current"),
])
def test_layering_sees_personality(text: str, wanted: str, tmp_path: Path) -> None:
    """All of posix/ as one object needs the core, lib/ and what is listed, nothing else."""
    sources = {"posix/a": text,
               "lib/string": "void *memcpy(void *a, const void *b, unsigned long n)"
               "{ (void)b; (void)n; return a; }",
               "kernel/c": "int printk(const char *s, ...) { return *s; }"}
    for name, lines in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        source = tmp_path / f"{name}.c"
        source.write_text(lines, encoding="ascii")
        done = run("riscv64-linux-gnu-gcc", "-ffreestanding", "-c", "-o",
                   source.with_suffix(".o"), source)
        assert done.returncode == 0, done.stdout
    done = run(LAYERING, "--objects", tmp_path)
    assert done.returncode == (1 if wanted else 0), done.stdout
    if wanted:
        assert f"as one object it needs {wanted}," in done.stdout


def test_sparse_sees(tmp_path: Path) -> None:
    """The flags of C=2 do find an address space that is mixed up."""
    source = tmp_path / "bad.c"
    source.write_text("static int f(int __attribute__((noderef, address_space(1))) *p)\n"
                      "{\n\treturn *p;\n}\nint g(int *p);\nint g(int *p)\n{\n\treturn f(p);\n}\n",
                      encoding="ascii")
    done = run("sparse", "-Wsparse-error", source)
    assert done.returncode != 0 and "address space" in done.stdout


def test_python() -> None:
    """What runs the tests is the Python that the scripts name."""
    assert os.path.realpath(sys.executable) == os.path.realpath("/usr/bin/python3")
