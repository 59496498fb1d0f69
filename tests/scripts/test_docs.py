# SPDX-License-Identifier: MIT
"""The README and the guide: what they name exists, and what they tell to type is known."""

import functools
import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ROOMS = ("arch/riscv", "kernel", "mm", "lib", "drivers", "posix", "include/ahoy", "configs",
         "scripts", "tests")
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")),
         *(ROOT / room / "README.md" for room in ROOMS)]

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?")
SOURCE_NAME = re.compile(r".*\.(c|h|S|py|sh|md|dts|config|ini)|.*_defconfig|defconfig")
# Files that a build makes, or that a page uses as an example.
NO_FILES = {".config", "arch/riscv/boot/Image", "System.map", "build/check/check.xml", "build/",
            "build/cache", "build/prices", "build/sweep", "u-boot.bin", "compile_commands.json",
            # musl's
            "arch/riscv64", "arch/riscv64/syscall_arch.h", "arch/riscv64/pthread_arch.h",
            "src/internal/libc.c", "fenv.h"}
EXAMPLE_OPTIONS = {"X"}


class Tree:
    """What there is to be named."""

    def __init__(self) -> None:
        kconfig = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("Kconfig*")
                            if path.is_file() and "build" not in path.parts)
        self.options: Set[str] = set(re.findall(r"^\s*config (\w+)$", kconfig, re.MULTILINE))
        self.code = "\n".join(
            path.read_text(encoding="utf-8") for folder in ("arch", "kernel", "mm", "lib",
                                                            "drivers", "posix", "include/ahoy")
            for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".c", ".h", ".S"))
        self.gdb = "\n".join(path.read_text(encoding="utf-8")
                             for path in (ROOT / "scripts" / "gdb").rglob("*.py"))
        help_text = subprocess.run(["make", "-s", "-C", ROOT, "help"], stdout=subprocess.PIPE,
                                   check=True, text=True, timeout=60).stdout
        self.targets: Set[str] = set()
        for names in re.findall(r"^[ *] ([\w.,/ -]+?) +- ", help_text, re.MULTILINE):
            self.targets.update(re.split(r"[ ,]+", names))
        self.targets.add("help")
        self.targets.update(path.name for path in (ROOT / "configs").glob("*defconfig"))
        self.variables: Set[str] = set(re.findall(r"\b([A-Z_]+)=", help_text)) | {"SYMBOL"}

    def has_function(self, name: str) -> bool:
        """Tell whether a function or macro of this name is there."""
        return bool(re.search(rf"\b{name}\(", self.code))


@functools.lru_cache(maxsize=None)
def tree() -> Tree:
    """Return the tree, read once."""
    return Tree()


def blocks(text: str, kind: str) -> Iterator[str]:
    """The texts of a page's blocks of one kind."""
    for match in FENCE.finditer(text):
        if match.group(1) == kind:
            yield match.group(2)


def spans(text: str) -> List[str]:
    """What stands between backticks, outside of blocks."""
    return SPAN.findall(FENCE.sub("", text))


def typed(text: str) -> Iterator[str]:
    """The commands of a page's sessions, and those between backticks."""
    for block in blocks(text, "console"):
        yield from re.findall(r"^\$ (.*)$", block, re.MULTILINE)
    for block in blocks(text, "sh"):
        yield from block.splitlines()
    for span in spans(text):
        if " " in span:
            yield span


# ---- The checks: each says what is wrong in a text -------------------------------

def bad_options(text: str) -> Iterator[str]:
    """Options that Kconfig does not know."""
    names = [name for span in spans(text) for name in re.findall(r"\bCONFIG_(\w+)", span)]
    for command in typed(text):
        names += re.findall(r"--(?:enable|disable|set-val|set-str) (\w+)", command)
        names += re.findall(r"\bSYMBOL=(\w+)", command)
    own = set(re.findall(r"^> config (\w+)$", text, re.MULTILINE)) | {"NAME"}
    for name in names:
        if name not in tree().options | EXAMPLE_OPTIONS | own:
            yield f"CONFIG_{name} is no option"


def bad_paths(text: str, folder: Path) -> Iterator[str]:
    """Files and folders that are not there."""
    for span in spans(text):
        if not PATH.fullmatch(span) or span in NO_FILES:
            continue
        rooted = span.split("/")[0] in {path.name for path in ROOT.iterdir()} and "/" in span
        if not rooted and not SOURCE_NAME.fullmatch(span) and not span.endswith("/"):
            continue
        if span in tree().targets or re.fullmatch(r"(x|foo)\.\w+", span):
            continue
        places = [ROOT / span, folder / span, ROOT / "include/ahoy" / span,
                  ROOT / "arch/riscv/include" / span, ROOT / "configs" / span]
        if not any(place.exists() for place in places):
            yield f"{span} does not exist"
    for match in re.finditer(r"(?<!\S)((?:scripts|docs|tests|configs)/[\w./-]+)",
                             "\n".join(typed(text))):
        if not (ROOT / match.group(1)).exists():
            yield f"{match.group(1)} does not exist"


def bad_functions(text: str) -> Iterator[str]:
    """Functions and macros that no source has."""
    for span in spans(text):
        match = re.fullmatch(r"(\w+)\(\)", span)
        if match and not tree().has_function(match.group(1)):
            yield f"there is no function {span}"


def bad_commands(text: str) -> Iterator[str]:
    """Targets and variables of make that "make help" does not tell."""
    for command in typed(text):
        plain = re.sub(r"\"[^\"]*\"|\d?>\S*|\.\.\.", "", command)
        for call in re.findall(r"(?:^|&& |; )make\b([^|&;]*)", plain):
            words = call.split()
            if "-C" in words:
                continue
            for word in words:
                name, assignment, _ = word.partition("=")
                if assignment:
                    known = name in tree().variables
                elif word.startswith("-"):
                    known = True
                elif re.fullmatch(r"(lib|kernel)/\w+\.(o|s|i|lst)", word):
                    known = (ROOT / word).with_suffix(".c").exists()
                else:
                    known = word in tree().targets or re.fullmatch(r"\w+\.config|NAME_defconfig",
                                                                   word) is not None
                if not known:
                    yield f"make does not know {word}: {command}"


def bad_gdb_commands(text: str) -> Iterator[str]:
    """Commands of ours that scripts/gdb does not define."""
    for name in set(re.findall(r"\bahoy-[a-z]+\b", "\n".join(spans(text) + list(
            blocks(text, "console"))))):
        if f'"{name}"' not in tree().gdb and name != "ahoy-gdb":
            yield f"gdb has no {name}"


def headings(page: Path) -> Set[str]:
    """The anchors of a page."""
    found = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-") for name in found}


def bad_links(text: str, folder: Path) -> Iterator[str]:
    """Links that lead nowhere."""
    for link in LINK.findall(FENCE.sub("", text)):
        name, _, anchor = link.partition("#")
        target = folder / name
        if "://" in link:
            yield f"{link} leads out of the tree"
        elif name and not target.exists():
            yield f"{link} does not exist"
        elif anchor and anchor not in headings(target if name else folder):
            yield f"{link}: the page has no such heading"


def bad_words(text: str) -> Iterator[str]:
    """Places of one machine."""
    for match in re.finditer(r"/(?:tmp|work|root|home)/\S*", text):
        yield f"{match.group(0)} is a place of one machine"


def problems(text: str, folder: Path) -> List[str]:
    """Everything that is wrong with a text."""
    return [*bad_options(text), *bad_paths(text, folder), *bad_functions(text),
            *bad_commands(text), *bad_gdb_commands(text), *bad_links(text, folder),
            *bad_words(text)]


# ---- The tests ---------------------------------------------------------------------

@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path) -> None:
    """Options, files, functions, commands and links of a page are there."""
    assert not problems(page.read_text(encoding="utf-8"), page.parent)


WRONG: Dict[str, str] = {
    "option": "`CONFIG_WARP_DRIVE`",
    "command's option": "```console\n$ scripts/config --enable WARP_DRIVE\n```\n",
    "file": "`kernel/warp.c`",
    "file of the folder": "`warp.c`",
    "script": "```console\n$ scripts/warp --fast\n```\n",
    "function": "`warp_engage()`",
    "target": "`make warp`",
    "session's target": "```console\n$ make -s defconfig warp\n```\n",
    "command's target": "```sh\ntrue && make warp\n```\n",
    "variable": "`make run WARP=9`",
    "object": "```console\n$ make lib/warp.o\n```\n",
    "gdb command": "`ahoy-warp`",
    "link": "[warp](warp.md)",
    "anchor": "[warp](README.md#warp)",
    "outside": "[warp](https://example.org)",
    "machine": "see /tmp/warp",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_wrong(text: str) -> None:
    """What is not there is found."""
    assert len(problems(text, DOCS)) == 1


def test_right() -> None:
    """Each kind of thing, as it should be."""
    assert not problems("`CONFIG_OF` in `kernel/of.c`: `of_init()`, `make run MEM=64M`, `ahoy-bt`, "
                        "[index](README.md), `make tiny_defconfig`, `make`\n"
                        "```console\n$ make -s defconfig all && scripts/config --enable LTO\n"
                        "warp.c\n```\n", DOCS)


def config_names() -> List[str]:
    """Names of the configurations' pages."""
    return sorted(re.sub(r"_defconfig$", "", path.name)
                  for path in (ROOT / "configs").glob("*defconfig"))


@pytest.mark.parametrize("name", config_names())
def test_configuration(name: str) -> None:
    """A configuration has a page, which starts with it; index and README name it."""
    page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    target = name if name == "defconfig" else f"{name}_defconfig"
    first = next(blocks(page, "console"))
    assert first.startswith(f"$ make {target}\n") and "$ make run\n" in first
    assert f"]({name}.md)" in (DOCS / "README.md").read_text(encoding="utf-8")
    ladder = (ROOT / "README.md").read_text(encoding="utf-8").partition("<!-- ladder -->")[2]
    assert f"| [{name}](docs/{name}.md) |" in ladder


def test_parts_of_pages() -> None:
    """The pages of the ladder have the same parts, in the same order."""
    parts = ["Run it", "What is", "Files to read", "The way of the line", "What it costs",
             "What to look at in gdb", "What to try next", "Specifications"]
    for name in config_names():
        page = FENCE.sub("", (DOCS / f"{name}.md").read_text(encoding="utf-8"))
        found = [heading for heading in re.findall(r"^## (.*)$", page, re.MULTILINE)
                 if heading.startswith(tuple(parts))]
        assert [next(part for part in parts if heading.startswith(part))
                for heading in found] == parts, name


def test_index() -> None:
    """The index names every page."""
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    for page in DOCS.glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index, page.name


def test_two_commands() -> None:
    """The README's two commands are what CI and check-fresh run."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [block.strip() for block in blocks(text, "sh")]
    assert commands == ["./scripts/setup.sh && make defconfig && make run", "make check"]
    fresh = (ROOT / "scripts" / "check-fresh").read_text(encoding="utf-8")
    assert re.findall(r"^(?:first|second)='(.*)'$", fresh, re.MULTILINE) == commands
    ci_lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert commands[0].split(" && ")[0] in ci_lines and commands[1] in ci_lines


def test_sessions_have_answers() -> None:
    """Sessions show what came of them: no page was left without its outputs."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in blocks(text, "console"):
            if re.search(r"^\$ make (-s )?run|^\$ scripts/meter", block, re.MULTILINE):
                assert re.search(r"^(?!\$ |> ).", block, re.MULTILINE), f"{page.name}\n{block}"


def test_picture() -> None:
    """The screenshot is a small PNG that the README shows."""
    data = (DOCS / "menuconfig.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n") and len(data) < 100_000
    assert "](docs/menuconfig.png)" in (ROOT / "README.md").read_text(encoding="utf-8")


# ---- docs/refresh.py -----------------------------------------------------------------

@pytest.fixture(scope="module")
def refresh() -> Any:
    """The script that renews the sessions, as a module."""
    spec = importlib.util.spec_from_file_location("refresh", DOCS / "refresh.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_refresh(refresh: Any, tmp_path: Path) -> None:
    """Commands are run in order, in the tree; what they print replaces what was there."""
    page = ("before\n```console\n$ echo one > file\n$ cat file && pwd\nold\nolder\n```\nbetween\n"
            "```console\n$ cat << 'END'\n> a\n>\n>  b\n> END\n"
            "$ false || echo \"$PWD/x\"\n```\nafter\n"
            "```text\n$ false\nas it was\n```\n")
    new = refresh.refresh_sessions(page, refresh.Session(tmp_path))
    assert new == (f"before\n```console\n$ echo one > file\n$ cat file && pwd\none\n{tmp_path}\n"
                   "```\nbetween\n```console\n$ cat << 'END'\n> a\n>\n>  b\n> END\na\n\n b\n"
                   "$ false || echo \"$PWD/x\"\nx\n```\nafter\n"
                   "```text\n$ false\nas it was\n```\n")


@pytest.mark.parametrize("page", ["```console\n$ true\n$ false\n```\n", "```console\nls\n```\n",
                                  "```console\n$ cat\n(gdb) break main\n```\n"])
def test_refresh_fails(refresh: Any, tmp_path: Path, page: str) -> None:
    """A command that fails, none at all, and gdb without a machine."""
    with pytest.raises(SystemExit):
        refresh.refresh_sessions(page, refresh.Session(tmp_path))


def test_refresh_leaves_out(refresh: Any, tmp_path: Path) -> None:
    """Of the build and of the firmware not more than that they were there."""
    build = "".join(f"  CC      kernel/{name}.o\n" for name in "abcdefgh")
    firmware = "\nOpenSBI v1.1\n   ____\n\nBoot HART MEDELEG         : 0xb109\r\n"
    plain = refresh.Session(tmp_path).plain
    assert plain(f"{build}{firmware}Hello.\r\n") == "  ...\nOpenSBI v1.1\n...\nHello.\n"
    assert plain("  CC      a.o\n  LINK    ahoy\n") == "  CC      a.o\n  LINK    ahoy\n"
