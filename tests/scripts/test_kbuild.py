# SPDX-License-Identifier: MIT
"""The build system, on copies of the real tree.

Each test has a source tree of its own, that it may change, and an output
folder. Nothing is built in, or taken from, the tree that the tests are in.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

import pytest

ROOT = Path(__file__).resolve().parents[2]
CROSS = "riscv64-linux-gnu-"
LINE = "Hello world."
# What a copy of the tree holds: all that the build reads, and .gitignore.
PARTS = ("Kbuild", "Kconfig", "Makefile", ".gitignore", "arch", "configs", "drivers", "include",
         "kernel", "lib", "mm", "posix", "scripts", "usr")
KEPT = ("PATH", "HOME", "TMPDIR")


def environment(**variables: str) -> Dict[str, str]:
    """Of the caller's environment only what every program needs."""
    return {**{name: os.environ[name] for name in KEPT if name in os.environ},
            "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **variables}


class Tree:
    """A source tree and an output folder."""

    def __init__(self, src: Path, obj: Optional[Path] = None, **variables: str) -> None:
        self.src = src
        self.obj = obj or src
        self.env = environment(**variables)
        self.options: List[str] = [] if obj is None else [f"O={obj}"]

    def run(self, *words: Any, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run make, whatever its end."""
        goals = [str(word) for word in words if word]
        return subprocess.run(["make", "-j2", *self.options, *goals], cwd=self.src,
                              env={**self.env, **env}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=300, check=False)

    def make(self, *words: Any, **env: str) -> str:
        """Run make, which succeeds: what it printed, warnings excluded: there are none."""
        done = self.run(*words, **env)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not done.stderr
        return done.stdout

    def fails(self, *words: Any, **env: str) -> str:
        """Run make, which fails: what it said."""
        done = self.run(*words, **env)
        assert done.returncode != 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def config(self, *words: str) -> None:
        """Change the configuration with scripts/config."""
        subprocess.run([self.src / "scripts" / "config", "--file", self.obj / ".config", *words],
                       env=self.env, check=True, stdin=subprocess.DEVNULL)

    def objects(self) -> Dict[str, int]:
        """The objects, and when each was made."""
        return {str(path.relative_to(self.obj)): path.stat().st_mtime_ns
                for top in ("arch", "drivers", "kernel", "lib", "mm", "posix")
                for path in (self.obj / top).rglob("*.o")}

    def remade(self, *words: Any) -> Set[str]:
        """The objects that are not what they were before make ran."""
        before = self.objects()
        self.make(*words)
        return {name for name, when in self.objects().items() if before.get(name) != when}

    def read(self, name: str) -> str:
        """A file of the output folder."""
        return (self.obj / name).read_text(encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a source: the first place where the old text stands."""
        path = self.src / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        """Add to the end of a source."""
        with open(self.src / name, "a", encoding="utf-8") as file:
            file.write(text)

    def symbols(self, *flags: str, file: str = "ahoy") -> Dict[str, int]:
        """Symbols of the kernel by name."""
        listed = subprocess.run([f"{CROSS}nm", *flags, self.obj / file], env=self.env, check=True,
                                stdout=subprocess.PIPE, text=True).stdout
        return {words[-1]: int(words[0], 16) for words in map(str.split, listed.splitlines())
                if len(words) == 3}


def copy_tree(folder: Path) -> Path:
    """Copy the tree's sources, nothing that was made in it."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard", "--", *PARTS],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            check=False)
    if listed.returncode == 0 and listed.stdout:
        names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    else:
        subprocess.run(["cp", "-a", *(ROOT / part for part in PARTS), folder], check=True)
        subprocess.run(["make", "-C", folder, "mrproper"], env=environment(), check=True)
    return folder


@pytest.fixture(name="pristine", scope="session")
def pristine_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree that is copied again and never built in."""
    return copy_tree(tmp_path_factory.mktemp("pristine"))


def clone(pristine: Path, folder: Path) -> Path:
    """Copy the copy."""
    shutil.copytree(pristine, folder)
    return folder


@pytest.fixture(name="tree")
def tree_fixture(pristine: Path, tmp_path: Path) -> Tree:
    """A source tree and an output folder of the test's own."""
    return Tree(clone(pristine, tmp_path / "src"), tmp_path / "obj")


@pytest.fixture(name="here")
def here_fixture(pristine: Path, tmp_path: Path) -> Tree:
    """A source tree that is built in."""
    return Tree(clone(pristine, tmp_path / "src"))


def script(path: Path, text: str) -> Path:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def tools_without(folder: Path, *missing: str) -> str:
    """A PATH with all programs of this one's but those that match."""
    folder.mkdir()
    for place in os.environ["PATH"].split(":"):
        if not os.path.isdir(place):
            continue
        for name in os.listdir(place):
            if not any(re.fullmatch(pattern, name) for pattern in missing) \
                    and not (folder / name).exists():
                (folder / name).symlink_to(os.path.join(place, name))
    return str(folder)


# ---- What is built again, and what is not -------------------------------------------

@pytest.mark.parametrize("config", ["tiny_defconfig", "debug_defconfig"])
def test_nothing_to_do(tree: Tree, config: str) -> None:
    """A second make prints nothing and touches nothing."""
    tree.make(config)
    tree.make()

    def state() -> Dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in tree.obj.rglob("*")
                if path.is_file()}

    before = state()
    assert tree.make() == ""
    assert state() == before


def test_header(tree: Tree) -> None:
    """A newer header: what includes it is compiled again, and nothing else."""
    tree.make("base_defconfig")
    tree.make()
    (tree.src / "include/ahoy/uart8250.h").touch()
    remade = tree.remade()
    assert "drivers/serial/8250.o" in remade
    users = {str(path.parent.relative_to(tree.obj) / path.name[1:-len(".cmd")])
             for path in tree.obj.rglob(".*.o.cmd") if "/uart8250.h" in path.read_text("utf-8")}
    assert remade == users
    assert "lib/string.o" not in remade and "arch/riscv/head.o" not in remade


def test_header_gone(tree: Tree) -> None:
    """A header that nobody includes any more may go."""
    (tree.src / "include/ahoy/extra.h").write_text("/* nothing */\n", encoding="utf-8")
    tree.edit("lib/string.c", "#include <ahoy/string.h>",
              "#include <ahoy/extra.h>\n#include <ahoy/string.h>")
    tree.make("base_defconfig")
    tree.make()
    tree.edit("lib/string.c", "#include <ahoy/extra.h>\n", "")
    (tree.src / "include/ahoy/extra.h").unlink()
    assert tree.remade() == {"lib/string.o"}


def test_option(tree: Tree) -> None:
    """Another value of an option: only the objects whose files name it are compiled again."""
    option = "CONFIG_LOG_BUF_SHIFT"
    tree.make("base_defconfig")
    tree.make()
    size = tree.symbols("-S")
    image = tree.read("System.map")
    headers = [path for path in (tree.src / "include").rglob("*.h")
               if option in path.read_text("utf-8")]
    assert not headers, "choose an option that no header names"
    users = {f"{path.relative_to(tree.src).with_suffix('')}.o"
             for path in tree.src.rglob("*.[cS]") if option in path.read_text("utf-8")}
    tree.config("--set-val", "LOG_BUF_SHIFT", "15")
    remade = tree.remade()
    # The configuration's text is in the image too.
    assert remade == users | {"kernel/ikconfig.o"}
    assert tree.read("System.map") != image and tree.symbols("-S") != size


def test_option_off(tree: Tree) -> None:
    """An option that is turned off takes its file out of the kernel, and on again into it."""
    tree.make("base_defconfig")
    tree.make()
    sizes = [(tree.obj / "arch/riscv/boot/Image").stat().st_size]
    listed = [subprocess.run([f"{CROSS}ar", "t", "drivers/serial/built-in.a"], cwd=tree.obj,
                             check=True, stdout=subprocess.PIPE, text=True).stdout]
    for switch in ("--disable", "--enable"):
        tree.config(switch, "SERIAL_SIFIVE")
        assert "lib/string.o" not in tree.remade()
        sizes.append((tree.obj / "arch/riscv/boot/Image").stat().st_size)
        listed.append(subprocess.run([f"{CROSS}ar", "t", "drivers/serial/built-in.a"],
                                     cwd=tree.obj, check=True, stdout=subprocess.PIPE,
                                     text=True).stdout)
    assert sizes[1] < sizes[0] == sizes[2]
    assert "sifive.o" in listed[0] and "sifive.o" not in listed[1] and listed[2] == listed[0]


def test_same_value(tree: Tree) -> None:
    """A configuration that is written again with the same values compiles nothing."""
    tree.make("base_defconfig")
    tree.make()
    (tree.obj / ".config").touch()
    tree.make("olddefconfig")
    assert tree.remade() == set()


def test_command_line(tree: Tree) -> None:
    """Other flags compile all C again; the same flags nothing."""
    tree.make("sv39_defconfig")
    tree.make()
    everything = set(tree.objects())
    compiled = {name for name in everything if (tree.src / name).with_suffix(".c").exists()}
    assert compiled and compiled != everything
    assert tree.remade("KCFLAGS=-DX='\"a b\"' -DY=$$HOME\\#") == compiled
    assert tree.remade("KCFLAGS=-DX='\"a b\"' -DY=$$HOME\\#") == set()
    assert tree.remade() == compiled
    assert tree.remade("KAFLAGS=-DX") == everything - compiled


def test_compiler(tree: Tree) -> None:
    """Another version of the compiler is another configuration: everything is built again."""
    compiler = script(tree.src.parent / "cc", f'[ "$1" = --version ] && echo "{CROSS}gcc $SAYS" '
                      f'&& exit\nexec {CROSS}gcc "$@"')
    tree.make("tiny_defconfig", f"CC={compiler}", SAYS="1")
    tree.make(f"CC={compiler}", SAYS="1")
    assert tree.make(f"CC={compiler}", SAYS="1") == ""
    assert "SYNC" in tree.make(f"CC={compiler}", SAYS="2")


def test_kconfig_file(tree: Tree) -> None:
    """A new option in a Kconfig file is reported, gets its default, and is used."""
    tree.make("tiny_defconfig")
    tree.make()
    tree.append("lib/Kconfig", "\nconfig NEW_THING\n\tbool \"New\"\n\tdefault y\n\thelp\n"
                "\t  A new thing.\n")
    tree.edit("lib/Makefile", "\n", "\nobj-$(CONFIG_NEW_THING) += new.o\n")
    (tree.src / "lib/new.c").write_text("extern int new_thing;\nint new_thing;\n", encoding="utf-8")
    done = tree.run()
    assert done.returncode == 0, done.stderr
    assert "NEW_THING" in done.stdout + done.stderr
    assert "CONFIG_NEW_THING=y" in tree.read(".config")
    assert "lib/new.o" in tree.objects()
    assert tree.make() == ""


def test_source_gone(tree: Tree) -> None:
    """A makefile that names a source that is not there: the error names it."""
    tree.make("tiny_defconfig")
    tree.append("lib/Makefile", "obj-y += nowhere.o\n")
    assert "lib/nowhere.o" in tree.fails()


# ---- Makefiles of folders ---------------------------------------------------------

def test_makefile_words(tree: Tree) -> None:
    """Composites, folders, flags of a folder, of what is below it, and of one file."""
    tree.append("lib/Makefile", "obj-y += both.o sub/\nboth-y := one.o\n"
                "both-$(CONFIG_PAGING_BARE) += two.o\nboth-$(CONFIG_NO_SUCH) += three.o\n"
                "ccflags-y += -DFOLDER\nsubdir-ccflags-y += -DBELOW\nCFLAGS_one.o := -DONE\n"
                "CFLAGS_REMOVE_two.o := -DFOLDER\nextra-y += more.o\n")
    for name in ("one", "two", "three", "more", "sub/four"):
        path = tree.src / f"lib/{name}.c"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"extern int {path.stem}_v;\nint {path.stem}_v;\n", encoding="utf-8")
    (tree.src / "lib/sub/Makefile").write_text("obj-y := four.o\n", encoding="utf-8")
    tree.make("tiny_defconfig")
    commands = tree.make("V=1")
    assert "three" not in commands

    def flags(source: str) -> Set[str]:
        line = next(line for line in commands.splitlines() if line.endswith(source))
        return set(re.findall(r"-D(FOLDER|BELOW|ONE)\b", line))

    assert flags("lib/one.c") == {"FOLDER", "BELOW", "ONE"}
    assert flags("lib/two.c") == {"BELOW"}
    assert flags("lib/sub/four.c") == {"BELOW"}
    assert flags("kernel/main.c") == set()
    archive = subprocess.run([f"{CROSS}ar", "t", "lib/built-in.a"], cwd=tree.obj, check=True,
                             stdout=subprocess.PIPE, text=True).stdout.split()
    assert [Path(name).name for name in archive[-3:]] == ["one.o", "two.o", "four.o"]
    assert (tree.obj / "lib/more.o").exists() and "lib/more.o" not in archive
    # A thin archive has names, no copies.
    assert (tree.obj / "lib/built-in.a").read_bytes().startswith(b"!<thin>\n")


def test_link_order(tree: Tree) -> None:
    """Objects are linked in the order of obj-y."""
    for first, second in (("one", "two"), ("two", "one")):
        for name in (first, second):
            (tree.src / f"lib/{name}.c").write_text(
                f'extern int {name}_v;\nint {name}_v __attribute__((section(".data.keep"), used)) '
                "= 1;\n", encoding="utf-8")
        makefile = (tree.src / "lib/Makefile").read_text("utf-8").split("obj-y += one.o")[0]
        makefile = makefile.split("obj-y += two.o")[0]
        (tree.src / "lib/Makefile").write_text(
            makefile + f"obj-y += {first}.o\nobj-y += {second}.o\n", encoding="utf-8")
        tree.make("tiny_defconfig")
        tree.make("built-in.a")
        listed = subprocess.run([f"{CROSS}ar", "t", "built-in.a"], cwd=tree.obj, check=True,
                                stdout=subprocess.PIPE, text=True).stdout.split()
        assert listed.index(f"lib/{first}.o") < listed.index(f"lib/{second}.o")


def test_gc_sections(tree: Tree) -> None:
    """A function that nobody calls is not linked; rows of tables, which nobody names, are."""
    tree.append("lib/string.c", "\nvoid unused_function(void);\nvoid unused_function(void)\n{\n}\n")
    tree.make("base_defconfig")
    tree.make()
    assert "unused_function" in tree.symbols(file="lib/string.o")
    symbols = tree.symbols()
    assert "unused_function" not in symbols
    assert any(name.startswith("__table_console_") for name in symbols)


# ---- What is printed ---------------------------------------------------------------

def test_verbosity(tree: Tree) -> None:
    """Short forms; commands with V=1; reasons with V=2; nothing with -s."""
    tree.make("tiny_defconfig")
    short = tree.make()
    assert re.search(r"^  CC      kernel/main\.o$", short, re.MULTILINE)
    assert "  LINK    ahoy\n" in short and f"{CROSS}gcc" not in short

    (tree.src / "kernel/main.c").touch()
    reasons = tree.make("V=2")
    assert "  CC      kernel/main.o\n" in reasons
    assert f"due to: {tree.src}/kernel/main.c\n" in reasons
    (tree.obj / "kernel/main.o").unlink()
    assert "due to: kernel/main.o missing\n" in tree.make("V=2")
    assert "due to: command line change\n" in tree.make("V=2", "KCFLAGS=-DX")

    long = tree.make("V=1")
    assert re.search(rf"^ +{CROSS}gcc .* -c -o kernel/main\.o {tree.src}/kernel/main\.c$", long,
                     re.MULTILINE)
    (tree.src / "kernel/main.c").touch()
    assert tree.make("-s") == ""
    assert tree.make("clean", "-s") == ""
    assert tree.make("-s") == ""


def test_warnings(tree: Tree) -> None:
    """W=1 warns of more without failing, W=1e fails; without it the file is fine."""
    tree.append("kernel/main.c", "\nint twice(int a);\nint twice(int a);\n")
    tree.make("tiny_defconfig")
    tree.make()
    done = tree.run("W=1")
    assert done.returncode == 0
    assert "-Wredundant-decls" in done.stderr
    assert "redundant-decls" in tree.fails("W=1e")
    tree.make()


def test_warnings_are_errors(tree: Tree) -> None:
    """What -Wall and -Wextra warn of fails the build, and leaves no object."""
    tree.append("kernel/main.c", "\nstatic int unused_variable;\n")
    tree.make("tiny_defconfig")
    assert "unused_variable" in tree.fails()
    assert "kernel/main.o" not in tree.objects()


def test_checker(tree: Tree) -> None:
    """C=1 checks what is compiled, C=2 every C file; neither compiles anything again."""
    log = tree.src.parent / "checked"
    checker = script(tree.src.parent / "checker", f'for last; do :; done; echo "$last" >> {log}')

    def checked(*words: str) -> List[str]:
        log.write_text("", encoding="utf-8")
        tree.make(f"CHECK={checker}", *words)
        return sorted(os.path.relpath(name, tree.src)
                      for name in log.read_text("utf-8").splitlines())

    tree.make("tiny_defconfig")
    tree.make()
    files = sorted(str(Path(name).with_suffix(".c")) for name in tree.objects()
                   if (tree.src / name).with_suffix(".c").exists())
    before = tree.objects()
    assert checked("C=1") == []
    assert checked("C=2") == files
    assert checked() == []
    assert tree.objects() == before
    (tree.src / "kernel/main.c").touch()
    assert checked("C=1") == ["kernel/main.c"]


@pytest.mark.parametrize("compiler", ["", "LLVM=1"])
def test_sparse(tree: Tree, compiler: str) -> None:
    """C=2 runs sparse, with the flags that it needs to see what it is for."""
    tree.append("kernel/main.c", "\n#ifdef __CHECKER__\nint mixed_up(int *p);\nint mixed_up(int *p)"
                "\n{\n\treturn *(int __attribute__((noderef, address_space(1))) *)p;\n}\n#endif\n")
    tree.make("tiny_defconfig", compiler)
    done = tree.run("C=2", compiler)
    assert done.returncode == 0
    said = done.stderr.splitlines()
    assert said and all("kernel/main.c" in line for line in said)
    assert "noderef" in done.stderr


# ---- Where it is built ---------------------------------------------------------------

def test_dirty_source_tree(here: Tree, tmp_path: Path, pristine: Path) -> None:
    """O= finds nothing that a build left in the source tree, even if all of it is poison."""
    here.make("debug_defconfig", "all")
    poisoned = 0
    for path in [*(here.src / "include/generated").rglob("*.h"),
                 *(here.src / "include/config").rglob("*"), here.src / "arch/riscv/ahoy.lds",
                 here.src / ".config", *here.src.rglob(".*.cmd"), *here.src.rglob("*.o"),
                 *here.src.rglob("*.a"), here.src / "scripts/fixdep", here.src / "System.map"]:
        if path.is_file():
            path.write_text("#error poison\n$(error poison)\n", encoding="utf-8")
            poisoned += 1
    assert poisoned > 100
    outside = Tree(here.src, tmp_path / "outside")
    outside.make("base_defconfig", "all")
    clean = Tree(pristine, tmp_path / "clean")
    clean.make("base_defconfig", "all")
    image = "arch/riscv/boot/Image"
    assert (outside.obj / image).read_bytes() == (clean.obj / image).read_bytes()
    outside.make("kernel/main.i", "kernel/main.s")
    outside.make("mrproper")
    assert (here.src / ".config").exists()


def test_output_folder(tree: Tree) -> None:
    """KBUILD_OUTPUT is O=; make works in the output folder; the source tree stays as it was."""
    before = sorted(tree.src.rglob("*"))
    in_environment = Tree(tree.src, KBUILD_OUTPUT=str(tree.obj))
    in_environment.make("tiny_defconfig")
    assert (tree.obj / ".config").exists()
    subprocess.run(["make", "-s"], cwd=tree.obj, env=tree.env, check=True)
    assert (tree.obj / "arch/riscv/boot/Image").exists()
    assert tree.make() == ""
    assert sorted(tree.src.rglob("*")) == before


def test_relative_output(tree: Tree) -> None:
    """O= may be relative, and inside the source tree."""
    tree.options = ["O=build/tiny"]
    tree.obj = tree.src / "build/tiny"
    tree.make("tiny_defconfig", "all")
    assert (tree.obj / "arch/riscv/boot/Image").exists()
    assert not (tree.src / "ahoy").exists() and not (tree.src / ".config").exists()


@pytest.mark.parametrize("name", ["a b", "a:b", "a'b", 'a"b', "a#b", "a%b", "a,b", "a=b", "a;b",
                                  "a(b", "a&b", "a|b", "a\\b", "a*b", "a[b", "a`b"])
def test_odd_output_name(pristine: Path, tmp_path: Path, name: str) -> None:
    """A name that make or the shell would misread is refused in words, before anything is made."""
    said = Tree(pristine, tmp_path / name).fails("tiny_defconfig")
    assert re.search("folders must not have any of", said)
    assert "Syntax error" not in said and "not found" not in said
    assert not (tmp_path / name / ".config").exists()
    assert len(list(tmp_path.iterdir())) <= 1


@pytest.mark.parametrize("name", ["a b", "a:b", "a%b", "a,b"])
def test_odd_source_name(pristine: Path, tmp_path: Path, name: str) -> None:
    """The same for the source tree."""
    said = Tree(clone(pristine, tmp_path / name)).fails("tiny_defconfig")
    assert re.search("folders must not have any of", said)


def test_unusual_name(pristine: Path, tmp_path: Path) -> None:
    """Names of people and versions are fine."""
    tree = Tree(clone(pristine, tmp_path / "jürgen+x@~1.0-rc"), tmp_path / "ö^2")
    tree.make("tiny_defconfig", "all")
    assert tree.make() == ""


def test_reproducible(pristine: Path, tmp_path: Path) -> None:
    """Two folders, two sources, one job and many: the same bytes, debug information included."""
    trees = [Tree(clone(pristine, tmp_path / "first"), tmp_path / "one"),
             Tree(clone(pristine, tmp_path / "second/longer"), tmp_path / "deeper/two"),
             Tree(clone(pristine, tmp_path / "third"))]
    for tree, jobs in zip(trees, ("-j1", "-j8", "-j2")):
        tree.make("debug_defconfig")
        assert "CONFIG_DEBUG_INFO=y" in tree.read(".config")
        tree.make(jobs)
    for name in ("arch/riscv/boot/Image", "ahoy", "System.map"):
        first = (trees[0].obj / name).read_bytes()
        assert first == (trees[1].obj / name).read_bytes()
        # Without O= the debug information numbers the sources in another way.
        assert first == (trees[2].obj / name).read_bytes() or name == "ahoy"
    assert str(tmp_path).encode() not in (trees[0].obj / "ahoy").read_bytes()
    # And without debug information the image is the same to the byte.
    image = (trees[0].obj / "arch/riscv/boot/Image").read_bytes()
    for tree in trees[:2]:
        tree.config("--disable", "IKCONFIG", "--disable", "IKCONFIG_PRINT")
    trees[0].config("--disable", "DEBUG_INFO")
    trees[0].make()
    trees[1].make()
    assert (trees[0].obj / "arch/riscv/boot/Image").read_bytes() \
        == (trees[1].obj / "arch/riscv/boot/Image").read_bytes() != image


def hear_interrupts() -> None:
    """Undo what a shell does to its background jobs, which tests may be one of."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupted(tree: Tree) -> None:
    """After Ctrl-C no half object is left, and the next make goes on."""
    started = tree.src.parent / "started"
    compiler = script(tree.src.parent / "cc", f"""case "$*" in
*-o\\ kernel/main.o*) [ -z "$SLOW" ] || {{ echo half > kernel/main.o; : > {started}; sleep 10; }};;
esac
exec {CROSS}gcc "$@\"""")
    tree.make("tiny_defconfig", f"CC={compiler}")
    process = subprocess.Popen(["make", *tree.options, f"CC={compiler}"], cwd=tree.src,
                               env={**tree.env, "SLOW": "1"}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True, preexec_fn=hear_interrupts)
    try:
        limit = time.monotonic() + 60
        while not started.exists() and time.monotonic() < limit:
            time.sleep(0.02)
        assert (tree.obj / "kernel/main.o").read_text("utf-8") == "half\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=20) != 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert not (tree.obj / "kernel/main.o").exists()
    tree.make(f"CC={compiler}")
    assert (tree.obj / "arch/riscv/boot/Image").exists()


@pytest.mark.parametrize("config", ["tiny_defconfig", "debug_defconfig"])
def test_failed_link(tree: Tree, config: str) -> None:
    """A kernel that cannot be linked leaves no kernel, old or half made, and says why."""
    tree.make(config, "all")
    tree.append("arch/riscv/ahoy.lds.S", '\nASSERT(0, "no kernel today")\n')
    assert "no kernel today" in tree.fails()
    assert not (tree.obj / "ahoy").exists()
    assert not list(tree.obj.glob(".tmp_ahoy*"))
    assert "no kernel today" in tree.fails()


# ---- Goals ----------------------------------------------------------------------------

def test_mixed_goals(tree: Tree) -> None:
    """Configurations and builds on one line, in the order given."""
    tree.make("debug_defconfig", "tiny_defconfig", "all")
    assert "CONFIG_PAGING_BARE=y" in tree.read(".config")
    size = (tree.obj / "arch/riscv/boot/Image").stat().st_size
    tree.make("clean", "base_defconfig", "all")
    assert (tree.obj / "arch/riscv/boot/Image").stat().st_size > size


def test_no_configuration(tree: Tree) -> None:
    """Without .config the next command is named, once, and nothing is made."""
    for goals in ((), ("ahoy",), ("kernel/main.o",), ("run",), ("kernelrelease",)):
        said = tree.fails(*goals)
        assert said.count('Run "make defconfig"') == 1 and '".config" is missing' in said
        assert not (tree.obj / "include").exists()


def test_other_configuration(tree: Tree) -> None:
    """KCONFIG_CONFIG= names another file than .config."""
    tree.make("tiny_defconfig", "all", KCONFIG_CONFIG="other")
    assert (tree.obj / "other").exists() and not (tree.obj / ".config").exists()
    assert (tree.obj / "arch/riscv/boot/Image").exists()


def test_unknown_goal(tree: Tree) -> None:
    """A goal that is none is named."""
    tree.make("tiny_defconfig")
    assert "nonsense" in tree.fails("nonsense")
    assert "kernel/nonsense.o" in tree.fails("kernel/nonsense.o")
    assert "nonsense" in tree.fails("nonsense/")


def test_single_targets(tree: Tree) -> None:
    """One object, assembly text, preprocessed source, listing, folder."""
    tree.make("debug_defconfig")
    tree.make("kernel/main.o")
    assert set(tree.objects()) == {"kernel/main.o"}
    tree.make("kernel/main.s", "kernel/main.i", "kernel/main.lst", "arch/riscv/entry.s")
    assert ".globl\tstart_kernel" in tree.read("kernel/main.s")
    expanded = tree.read("kernel/main.i")
    assert "start_kernel" in expanded and "#define" not in expanded
    listing = tree.read("kernel/main.lst")
    assert re.search(r"^[0-9a-f]+ <start_kernel>:", listing, re.MULTILINE)
    source = (tree.src / "kernel/main.c").read_text("utf-8").splitlines()
    assert len({line for line in source if line.startswith("\t")} & set(listing.splitlines())) > 2
    assert "trap_nested" in tree.read("arch/riscv/entry.s")
    assert not list(tree.obj.rglob("*.lst.o"))
    tree.make("lib/")
    assert "lib/string.o" in tree.objects() and "mm/memblock.o" not in tree.objects()
    assert not (tree.obj / "ahoy").exists()
    before = tree.objects()
    tree.make("kernel/main.o", "lib/")
    assert tree.objects() == before


def test_clean(here: Tree) -> None:
    """clean keeps the configuration, mrproper nothing, distclean not even what editors left."""
    subprocess.run(["git", "init", "-q"], cwd=here.src, env=here.env, check=True)
    subprocess.run(["git", "add", "-A"], cwd=here.src, env=here.env, check=True)

    def left() -> List[str]:
        return subprocess.run(["git", "status", "--porcelain", "--ignored",
                               "--untracked-files=all"], cwd=here.src, env=here.env, check=True,
                              stdout=subprocess.PIPE, text=True).stdout.split("\n")[:-1]

    tracked = left()
    here.make("debug_defconfig")
    here.make("all", "kernel/main.s", "kernel/main.i", "kernel/main.lst")
    here.make("compile_commands.json", "tags", "TAGS", "cscope", "savedefconfig")
    (here.src / "build/check").mkdir(parents=True)
    (here.src / "build/check/check.xml").write_text("x", encoding="utf-8")
    (here.src / ".meter").mkdir()
    (here.src / ".meter/plugin.so").write_text("x", encoding="utf-8")
    (here.src / "scripts/kconfig/__pycache__").mkdir(exist_ok=True)
    (here.src / "scripts/kconfig/__pycache__/x.pyc").write_text("x", encoding="utf-8")
    (here.src / "kernel/main.c~").write_text("x", encoding="utf-8")

    here.make("clean")
    assert here.objects() == {} and not (here.src / "ahoy").exists()
    assert (here.src / ".config").exists() and (here.src / "include/config/auto.conf").exists()
    assert not list(here.src.rglob(".*.cmd"))
    here.make()
    here.make("mrproper")
    assert [line for line in left() if line not in tracked] == ["?? kernel/main.c~"]
    here.make("distclean")
    assert left() == tracked
    for goal in ("clean", "mrproper", "distclean"):
        here.make(goal)
    assert left() == tracked


def test_clean_output_folder(tree: Tree) -> None:
    """mrproper with O= empties the folder of what the build made, and of nothing else."""
    tree.make("debug_defconfig", "all", "tags")
    tree.make("compile_commands.json")
    foreign = tree.obj / "mine" / "notes.o"
    foreign.parent.mkdir()
    foreign.write_text("x", encoding="utf-8")
    source = sorted(tree.src.rglob("*"))
    tree.make("clean")
    assert foreign.exists() and (tree.obj / ".config").exists()
    tree.make("mrproper")
    assert sorted(tree.obj.rglob("*")) == [foreign.parent, foreign]
    assert sorted(tree.src.rglob("*")) == source


def test_help(tree: Tree) -> None:
    """help needs no configuration and names every target, variable and configuration."""
    text = tree.make("help")
    assert not (tree.obj / ".config").exists()
    names = set(re.findall(r"[\w./*%-]+", text))
    makefiles = "".join((tree.src / name).read_text("utf-8") for name in
                        ("scripts/Makefile.targets", "scripts/Makefile.run"))
    for line in re.findall(r"^PHONY \+= (.*)$", makefiles, re.MULTILINE):
        assert set(line.split()) <= names
    conf = (tree.src / "scripts/kconfig/conf.py").read_text("utf-8")
    targets = set(re.findall(r'^    "(\w*config)": \(', conf, re.MULTILINE))
    assert len(targets) > 15
    assert targets - {"mergeconfig", "syncconfig"} <= names
    run = (tree.src / "scripts/run").read_text("utf-8")
    variables = set(re.findall(r'env\("([A-Z_]+)"\)', run))
    assert "MACHINE" in variables
    for name in (*variables, "O", "V", "W", "C", "LLVM", "CROSS_COMPILE", "CCACHE", "KCFLAGS",
                 "KCONFIG_CONFIG", "KCONFIG_SEED", "KCONFIG_PROBABILITY", "KCONFIG_ALLCONFIG"):
        assert re.search(rf"\b{name}=", text), name
    for path in (tree.src / "configs").glob("*config"):
        first = path.read_text("utf-8").split("\n")[0]
        assert f"  {path.name} " in text and first[2:30] in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_versions(tree: Tree) -> None:
    """kernelversion needs no configuration; kernelrelease adds LOCALVERSION."""
    version = tree.make("kernelversion").strip()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    tree.make("tiny_defconfig")
    tree.config("--set-str", "LOCALVERSION", "-it's")
    assert tree.make("-s", "kernelrelease") == f"{version}-it's\n"


def test_compile_commands(tree: Tree) -> None:
    """The compilation database has every object, and its commands work."""
    tree.make("base_defconfig")
    tree.make("compile_commands.json")
    entries = json.loads(tree.read("compile_commands.json"))
    assert {entry["output"] for entry in entries} == set(tree.objects())
    entry = next(entry for entry in entries if entry["file"].endswith("/lib/string.c"))
    assert entry["directory"] == str(tree.obj)
    (tree.obj / "lib/string.o").unlink()
    subprocess.run(entry["command"], shell=True, cwd=entry["directory"], env=tree.env, check=True)
    assert (tree.obj / "lib/string.o").exists()


def test_tags(tree: Tree) -> None:
    """tags, TAGS and cscope find a function; no configuration is needed."""
    tree.make("tags", "TAGS", "cscope")
    assert re.search(r"^start_kernel\t\S+/kernel/main\.c\t", tree.read("tags"), re.MULTILINE)
    assert "\x7fstart_kernel\x01" in tree.read("TAGS")
    found = subprocess.run(["cscope", "-d", "-L", "-1", "start_kernel"], cwd=tree.obj, check=True,
                           env=tree.env, stdout=subprocess.PIPE, text=True).stdout
    assert "kernel/main.c start_kernel" in found


# ---- Tools ---------------------------------------------------------------------------

def test_missing_tools(tree: Tree) -> None:
    """Without a tool, its name and the command that brings it; what needs none goes on working."""
    bare = tools_without(tree.src.parent / "bare", r"riscv64-.*", "cscope", "ctags", "clang-format")
    said = tree.fails("tiny_defconfig", PATH=bare)
    assert f"{CROSS}gcc is not installed: run ./scripts/setup.sh" in said
    assert len(said.splitlines()) <= 3
    for goal, tool in (("tags", "ctags"), ("cscope", "cscope"), ("format", "clang-format")):
        said = tree.fails(goal, PATH=bare)
        assert f"missing: {tool}" in said and "./scripts/setup.sh" in said
    for goal in ("help", "clean", "mrproper", "kernelversion"):
        tree.make(goal, PATH=bare)
    tree.make("tiny_defconfig")
    assert "gcc is not installed" in tree.fails(PATH=bare)


def test_missing_host_compiler(tree: Tree) -> None:
    """The same for the host's compiler and for clang."""
    bare = tools_without(tree.src.parent / "bare", "cc", "clang.*")
    assert "cc is not installed: run ./scripts/setup.sh" in tree.fails("tiny_defconfig", PATH=bare)
    assert "clang is not installed" in tree.fails("tiny_defconfig", "LLVM=1", PATH=bare)


def test_wrong_prefix(tree: Tree) -> None:
    """A CROSS_COMPILE= that leads nowhere is named."""
    assert "no-such-gcc is not installed" in tree.fails("defconfig", "CROSS_COMPILE=no-such-")
    assert "clang-99 is not installed" in tree.fails("defconfig", "LLVM=-99")


def test_prefix_found(tree: Tree) -> None:
    """The compiler may be riscv64-unknown-elf-gcc: it is found by itself."""
    bare = Path(tools_without(tree.src.parent / "bare", r"riscv64-.*"))
    for tool in ("gcc", "ld", "gcc-ar", "gcc-nm", "objcopy", "objdump"):
        (bare / f"riscv64-unknown-elf-{tool}").symlink_to(str(shutil.which(CROSS + tool)))
    tree.make("tiny_defconfig", PATH=str(bare))
    assert "riscv64-unknown-elf-gcc " in tree.make("V=1", PATH=str(bare))


def test_missing_kconfiglib(tree: Tree) -> None:
    """Without kconfiglib in any Python, the package that has it is named."""
    module = tree.src.parent / "broken" / "kconfiglib.py"
    module.parent.mkdir()
    module.write_text("raise ImportError('not here')\n", encoding="utf-8")
    for goal in ("defconfig", "menuconfig"):
        said = tree.fails(goal, PYTHONPATH=str(module.parent))
        assert "python3-kconfiglib" in said and "./scripts/setup.sh" in said


def test_not_universal_ctags(tree: Tree) -> None:
    """Another ctags than Universal Ctags is refused by name."""
    script(tree.src.parent / "bin/ctags", "echo Exuberant Ctags 5.9")
    path = f"{tree.src.parent / 'bin'}:{os.environ['PATH']}"
    said = tree.fails("tags", PATH=path)
    assert "not Universal Ctags" in said and not (tree.obj / "tags").exists()


def test_ccache(tree: Tree) -> None:
    """CCACHE=1 compiles through ccache."""
    log = tree.src.parent / "cached"
    script(tree.src.parent / "bin/ccache", f'echo "$@" >> {log}; exec "$@"')
    path = f"{tree.src.parent / 'bin'}:{os.environ['PATH']}"
    tree.make("tiny_defconfig", "all", "CCACHE=1", PATH=path)
    assert re.search(rf"^{CROSS}gcc .* -c -o kernel/main\.o ", log.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("config", ["defconfig", "tiny_defconfig", "debug_defconfig"])
def test_llvm(tree: Tree, config: str) -> None:
    """clang and lld build a kernel that boots."""
    tree.make("LLVM=1", config)
    assert "CONFIG_CC_IS_CLANG=y" in tree.read(".config")
    assert "clang " in tree.make("LLVM=1", "V=1")
    assert tree.make("LLVM=1") == ""
    done = tree.run("LLVM=1", "run", TIMEOUT="60")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(LINE) == 1


def test_llvm_and_back(tree: Tree) -> None:
    """Another compiler builds everything anew."""
    tree.make("LLVM=1", "tiny_defconfig")
    tree.make("LLVM=1")
    objects = set(tree.objects())
    tree.make("olddefconfig")
    assert tree.remade() == objects


# ---- What is built ------------------------------------------------------------------

def test_system_map(tree: Tree) -> None:
    """System.map has the kernel's symbols by address."""
    tree.make("base_defconfig", "all")
    lines = [line.split() for line in tree.read("System.map").splitlines()]
    addresses = [int(line[0], 16) for line in lines]
    assert addresses == sorted(addresses)
    symbols = tree.symbols()
    assert {line[2]: int(line[0], 16) for line in lines if line[2] == "start_kernel"} \
        == {"start_kernel": symbols["start_kernel"]}
    assert {line[2] for line in lines} >= {"_start", "_end", "memcpy"}
    assert set(line[2] for line in lines) <= set(symbols)


def test_ikconfig(tree: Tree) -> None:
    """The configuration can be read from both images."""
    tree.make("base_defconfig")
    tree.config("--enable", "IKCONFIG")
    tree.make("olddefconfig", "all")
    wanted = [line for line in tree.read(".config").splitlines() if line.startswith("CONFIG_")
              and not re.match("CONFIG_CC_(INCLUDE_DIR|UBSAN_FLAGS)=", line)]
    for image in ("ahoy", "arch/riscv/boot/Image"):
        text = subprocess.run([tree.src / "scripts/extract-ikconfig", tree.obj / image],
                              env=tree.env, check=True, stdout=subprocess.PIPE, text=True).stdout
        assert [line for line in text.splitlines() if line.startswith("CONFIG_")] == wanted


@pytest.mark.parametrize("compiler", ["", "LLVM=1"])
def test_kallsyms(tree: Tree, compiler: str) -> None:
    """The table in the kernel is the one that is made from the kernel: the links stood still."""
    tree.make(compiler, "debug_defconfig")
    tree.make(compiler)
    made = subprocess.run([tree.src / "scripts/kallsyms.py", tree.obj / "ahoy"], check=True,
                          env={**tree.env, "NM": f"{CROSS}nm"}, stdout=subprocess.PIPE).stdout
    table = tree.src.parent / "table.S"
    table.write_bytes(made)
    check = table.with_suffix(".o")
    subprocess.run([f"{CROSS}gcc", "-c", "-o", check, table], check=True)
    for suffix, source in (("new", check), ("old", tree.obj / "ahoy")):
        subprocess.run([f"{CROSS}objcopy", "-O", "binary", "-j", ".rodata.kallsyms",
                        "-j", ".rodata", source, table.with_suffix(f".{suffix}")], check=True)
    wanted = table.with_suffix(".new").read_bytes()
    assert len(wanted) > 1000 and b"start_kernel\0" in wanted
    assert wanted in table.with_suffix(".old").read_bytes()
    assert not list(tree.obj.glob(".tmp_ahoy*"))


def test_image(tree: Tree) -> None:
    """The flat image begins with Linux's header, and is the ELF file's bytes."""
    tree.make("base_defconfig", "all")
    image = (tree.obj / "arch/riscv/boot/Image").read_bytes()
    assert image[0x30:0x38] == b"RISCV\0\0\0" and image[0x38:0x3c] == b"RSC\x05"
    symbols = tree.symbols()
    size = int.from_bytes(image[0x10:0x18], "little")
    assert symbols["_end"] - symbols["_start"] <= size
    assert len(image) <= size
