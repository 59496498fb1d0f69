# SPDX-License-Identifier: MIT
"""Tests of scripts/trace and scripts/profile: trees by hand, and of real kernels."""

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "measure"))

import calltree  # noqa: E402
import flame  # noqa: E402
import linetrace  # noqa: E402
import profiling  # noqa: E402
import tracing  # noqa: E402
from calltree import Frame, Tree  # noqa: E402

LINE = "Hello world."
KERNELS = ["tiny", "uart", "sv48", "base", "debug"]


# ---- Logs made by hand ------------------------------------------------------------

class Named(NamedTuple):
    """A function, as Symbols would find it."""

    name: str
    object: str


class Letters:
    """Functions of 0x100 bytes each, named a, b, c and so on."""

    def find(self, address: int) -> Optional[Named]:
        index = (address >> 8) - 1
        return Named("abcdefgh"[index], "x.o") if 0 <= index < 8 else None


def tree_of(log: str, watch: int = 0) -> Tree:
    """Return the tree of a log: lines MODE FUNCTION COUNT KIND for hart 0, or as they are."""
    lines = []
    for line in log.strip().splitlines():
        words = line.split()
        if len(words) == 4 and words[0] in "kfu":
            mode, name, count, kind = words
            address = ("abcdefgh".index(name[0]) + 1 << 8) + len(name) * 2
            lines.append(f"r 0 {mode} {address:x} {count} {kind}")
        else:
            lines.append(line.strip())
    return Tree(Letters(), watch).read(lines)  # type: ignore[arg-type]


def shape(frame: Frame) -> str:
    """Return a tree as text: name, own instructions, what is below."""
    below = " ".join(map(shape, frame.children))
    return f"{frame.name}:{frame.before or ''}{'|' if frame.before else ''}{frame.own}" + (
        f"({below})" if below else "")


def shapes(tree: Tree, hart: int = 0) -> str:
    """Return what hangs on a hart's root."""
    return " ".join(map(shape, tree.harts[hart].root.children))


@pytest.mark.parametrize("log,expected", [
    # calls and returns
    ("k a 3 call\nk b 2 ret\nk a 1 call\nk c 5 ret\nk a 1 ret", "a:5(b:2 c:5)"),
    # branches inside of a function, and falling into the next one
    ("k a 3 branch\nk aa 2 jump\nk aa 1 seq\nk b 4 ret", "a:6(b:4)"),
    # a tail call returns to the caller's caller
    ("k a 1 call\nk b 1 jump\nk c 1 ret\nk a 1 call\nk d 1 ret\nk a 1 ret", "a:3(b:1(c:1) d:1)"),
    # a cold part jumps back
    ("k a 1 call\nk b 1 jump\nk c 1 jump\nk bb 2 ret\nk a 1 ret", "a:2(b:3(c:1))"),
    # recursion
    ("k a 1 call\nk a 1 call\nk a 1 ret\nk a 1 ret\nk a 1 ret", "a:2(a:2(a:1))"),
    # firmware is one frame a call, whatever it does inside
    ("k a 1 ecall\nf h 9 call\nf g 9 ret\nf h 2 xret\nk a 1 ecall\nf h 5 xret\nk a 1 ret",
     "a:3((firmware):20 (firmware):5)"),
    # an interrupt, whose handler calls something
    ("k a 4 trap\nk b 2 call\nk c 1 ret\nk b 1 xret\nk a 1 ret", "a:5(b:3(c:1))"),
    # paging is switched on by a trap to the next instruction
    ("k a 4 trap\nk aa 2 call\nk b 1 ret\nk aa 1 ret", "a:7(b:1)"),
    # the first user program, a system call of it, and its end
    ("k a 2 xret\nu h 7 ecall\nk b 2 call\nk c 1 ret\nk b 1 xret\nu h 3 ecall\nk b 1 ret",
     "a:2((user):10(b:3(c:1) b:1))"),
    # another thread, and back
    ("k a 1 call\nk b 1 call\nk c 1 ret\nk d 2 call\nk c 1 ret\nk b 1 ret\nk a 1 ret",
     "a:2(b:2(c:1)) d:2(c:1)"),
    # a trap right behind a store at which the log was split
    ("k a 3 seq\nc 0 41\nr 0 k 102 0 trap\nk b 2 xret\nk a 1 ret", "a:4(b:2)"),
    # addresses that nobody knows
    ("k a 1 call\nr 0 k fffff000 3 ret\nk a 1 ret", "a:2((kernel):3)"),
])
def test_shapes(log: str, expected: str) -> None:
    """What calls what, and who executed how much."""
    tree = tree_of(log)
    assert shapes(tree) == expected
    assert tree.total() == sum(int(number) for number in re.findall(r":(\d+)", expected))


def test_harts() -> None:
    """Each hart has its own calls."""
    tree = tree_of("r 0 k 102 1 call\nr 1 k 202 2 call\nr 0 k 302 1 ret\nr 1 k 402 5 ret\n"
                   "r 0 k 102 1 ret\nr 1 k 202 1 ret")
    assert shapes(tree) == "a:2(c:1)" and shapes(tree, 1) == "b:3(d:5)"


def test_watch() -> None:
    """Counts are apart for the part before the watched one."""
    log = "k a 3 call\nk b 2 ret\nk a 4 call\nk c 1 ret\nk a 5 ret"
    assert shapes(tree_of(log, 3)) == "a:7|5(b:2|0 c:1)"


@pytest.mark.parametrize("log", ["x 1", "r 0", "r 0 k zz 1 ret", "r 0 q 100 1 ret", "c 0 xyz"])
def test_bad_log(log: str) -> None:
    """A log that is none is said to be none, with the line."""
    with pytest.raises(calltree.BadLog, match="line 1 of the trace"):
        tree_of(log)


def sends(text: str) -> str:
    """Return the log of a function d that sends a text, a character a call."""
    return "\n".join(f"k c 2 call\nk d 1 seq\nc 0 {ord(char):02x}\nk dd 1 ret" for char in text)


def test_start_by_frame() -> None:
    """Without labels the trace begins with the function that sends all of the line."""
    log = f"k a 1 call\nk b 1 call\n{sends('x' + LINE)}\nk c 1 ret\nk b 1 ret"
    start, hart = calltree.line_start(tree_of(log), LINE)
    assert hart == 0 and shapes(tree_of(log, start)).startswith("a:1|0(b:1|1(c:27(d:2 d:2")


def test_start_by_phase() -> None:
    """With labels it begins with the last one before the line."""
    log = f"p early\nk a 1 seq\np line\nk a 2 call\n{sends(LINE)}\np late\nk c 1 ret"
    assert calltree.line_start(tree_of(log), LINE) == (2, 0)


def test_start_by_program() -> None:
    """A program's first instruction comes before both."""
    log = ("p line\nk a 1 xret\nu h 5 ecall\nk a 1 call\n" + sends(LINE))
    assert calltree.line_start(tree_of(log), LINE) == (2, 0)


def test_no_line() -> None:
    """A trace without the line has no way of it."""
    with pytest.raises(calltree.BadLog, match="no line"):
        calltree.line_start(tree_of("k a 1 call\n" + sends("Hello")), LINE)


def test_folding() -> None:
    """Equal calls that follow each other are one line with their count."""
    tree = tree_of("k a 1 call\n" + sends("abc") + "\nk c 1 call\nk e 1 ret\nk c 1 ret")
    node = linetrace.node_of(tree.harts[0].root)
    assert node
    labels = [linetrace.label(line) for _, line in linetrace.rows(node.children)]
    assert labels == ["a", "c", "3 x d", "e"]
    folded = node.children[0].children[0].children[0].sides[0]
    assert folded and (folded.total, folded.own, folded.text) == (6, 6, "abc")


def test_side_by_side() -> None:
    """Two trees stand on the same lines where the same function is called."""
    nodes = [linetrace.node_of(tree_of(log).harts[0].root) for log in (
        "k a 1 call\nk b 2 ret\nk a 1 call\nk c 3 ret\nk a 1 ret",
        "k a 1 call\nk c 4 ret\nk a 1 call\nk d 5 ret\nk a 1 ret")]
    merged = linetrace.side_by_side(nodes[0].children, nodes[1].children)  # type: ignore
    found = [(node.name, [side and side.total for side in node.sides])
             for _, node in linetrace.rows(merged)]
    assert found == [("a", [8, 12]), ("b", [2, None]), ("c", [3, 4]), ("d", [None, 5])]


def test_profile_of_recursion() -> None:
    """What calls itself has its instructions once."""
    rows = {row.name: row for row in profiling.functions(tree_of(
        "k a 1 call\nk b 2 call\nk b 3 call\nk c 4 ret\nk b 1 ret\nk b 1 ret\nk a 1 ret"))}
    assert [(rows[name].own, rows[name].total, rows[name].calls) for name in "abc"] == [
        (2, 13, 1), (7, 11, 2), (4, 4, 1)]


# ---- Pictures ---------------------------------------------------------------------------

def widths(svg: str) -> Dict[float, List[Tuple[float, float]]]:
    """Return the boxes of a flame graph by their height: left edge and width."""
    rows: Dict[float, List[Tuple[float, float]]] = {}
    for rect in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect"):
        if rect.get("class") == "box":
            rows.setdefault(float(rect.attrib["y"]), []).append(
                (float(rect.attrib["x"]), float(rect.attrib["width"])))
    return rows


def check_flame(svg: str) -> None:
    """Check that no box overlaps its neighbour or hangs over what it stands on."""
    rows = widths(svg)
    heights = sorted(rows, reverse=True)
    assert len(rows[heights[0]]) == 1
    for below, above in zip(heights, heights[1:]):
        last = 0.0
        for left, width in sorted(rows[above]):
            assert left >= last - 0.011
            last = left + width
            assert any(x - 0.011 <= left and last <= x + w + 0.03 for x, w in rows[below])


def test_flame() -> None:
    """Widths are in proportion, titles tell the numbers, names are escaped."""
    svg = flame.svg({("a",): 25, ("a", "b<c>"): 50, ("d",): 25}, "A & B", "now")
    check_flame(svg)
    rows = widths(svg)
    all_of_it, first, second = (rows[height] for height in sorted(rows, reverse=True))
    assert [w for _, w in sorted(first)] == pytest.approx([0.75 * all_of_it[0][1],
                                                           0.25 * all_of_it[0][1]], abs=0.02)
    assert [w for _, w in second] == pytest.approx([0.5 * all_of_it[0][1]], abs=0.02)
    assert "b&lt;c&gt;: 50 instructions, 50.00 %" in svg
    assert "a: 75 instructions, 75.00 %; 25 of its own" in svg


# ---- Real kernels -------------------------------------------------------------------------

@pytest.fixture(scope="module", name="traced")
def fixture_traced(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, tracing.Trace]:
    """Return the traces of some kernels."""
    return {name: tracing.run(name, tmp_path_factory.mktemp(name), LINE) for name in KERNELS}


@pytest.mark.xdist_group("traced")
@pytest.mark.parametrize("name", KERNELS)
def test_sums(traced: Dict[str, tracing.Trace], name: str) -> None:
    """The calls sum up to the meter's figures: in all, and of each function."""
    trace = traced[name]
    tree = trace.tree()
    assert tree.total() == trace.figures["total"]
    own: Dict[str, int] = {}
    for row in profiling.functions(tree):
        own[row.name] = own.get(row.name, 0) + row.own
    metered: Dict[str, int] = {}
    for found in trace.figures["functions"]:
        metered[found["name"]] = metered.get(found["name"], 0) + found["instructions"]
    assert own == metered
    assert sum(profiling.folded(tree).values()) == tree.total()
    for phase in trace.figures["phases"]:
        assert sum(frame.phase.get(phase["name"], 0) for frame in tree.frames()) == sum(
            phase[mode] for mode in ("kernel", "firmware", "user")), phase["name"]


@pytest.mark.xdist_group("traced")
@pytest.mark.parametrize("name", KERNELS)
def test_way(traced: Dict[str, tracing.Trace], name: str) -> None:
    """The way of the line has the whole line, and what came before is apart."""
    view = linetrace.view_of(traced[name], LINE)
    assert view.before + view.total == traced[name].figures["total"]
    sent = "".join(node.sides[0].text for _, node in linetrace.rows(view.nodes) if node.sides[0])
    assert sent.rstrip("\r\n") == LINE
    text = linetrace.as_text([view], view.nodes)
    assert f"{view.before:,} instructions before it, {view.total:,} on it" in text
    assert "start_kernel" in text and "Measured with QEMU " in text


@pytest.mark.xdist_group("traced")
def test_crossings(traced: Dict[str, tracing.Trace]) -> None:
    """Characters that go through the firmware show each call of it."""
    view = linetrace.view_of(traced["tiny"], LINE)
    nodes = [node for _, node in linetrace.rows(view.nodes) if node.how == calltree.ECALL]
    calls = sum(node.sides[0].count for node in nodes if node.sides[0])
    assert calls == traced["tiny"].figures["crossings"]["firmware_calls"] > 0


@pytest.mark.xdist_group("traced")
def test_flames(traced: Dict[str, tracing.Trace]) -> None:
    """The flame graph of a whole boot is well formed."""
    check_flame(profiling.report(traced["debug"], "svg"))


@pytest.mark.xdist_group("traced")
def test_page(traced: Dict[str, tracing.Trace], tmp_path: Path) -> None:
    """The page needs nothing else, and a browser shows every line of it."""
    browser = shutil.which("chromium")
    if not browser:
        pytest.skip("no chromium")
    views = [linetrace.view_of(traced[name], LINE) for name in ("tiny", "debug")]
    nodes = linetrace.side_by_side(views[0].nodes, views[1].nodes)
    page = linetrace.as_html(views, nodes)
    assert not re.search(r"(?:src|href)=|url\(|@import", page)
    path = tmp_path / "trace.html"
    path.write_text(page, encoding="utf-8")
    script = ("<script>document.title = [...document.querySelectorAll('.tree code')].filter("
              "code => code.getClientRects().length).length + ' ' + "
              "(document.documentElement.scrollWidth <= innerWidth)</script>")
    path.write_text(page.replace("</body>", script + "</body>"), encoding="utf-8")
    for size in ("400,800", "1300,800"):
        done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu",
                               f"--user-data-dir={tmp_path}/profile", f"--window-size={size}",
                               "--dump-dom", path.as_uri()], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, timeout=60, check=True)
        lines = len(list(linetrace.rows(nodes)))
        assert f"<title>{lines} true</title>" in done.stdout, done.stdout[-500:]


# ---- The commands -----------------------------------------------------------------------

def command(name: str, *args: str) -> "subprocess.CompletedProcess[str]":
    """Run one of the two."""
    return subprocess.run([str(ROOT / "scripts" / name), *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120, check=False)


@pytest.mark.parametrize("name", ["trace", "profile"])
def test_refusals(name: str, tmp_path: Path) -> None:
    """What makes no sense is said in one line."""
    for args, text in [(["nosuch"], "nosuch"), (["--format", "gif"], "gif"),
                       ([str(tmp_path)], ".config"), (["a", "b", "c"], ""),
                       (["tiny", "--output", f"{tmp_path}/no/x"], "--output")]:
        done = command(name, *args)
        assert done.returncode == 2 and not done.stdout, done
        assert text in done.stderr and done.stderr.startswith(f"{name}: "), done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
    done = command(name, "tiny", "--want", "no such line")
    assert done.returncode == 1 and "no such line" in done.stderr


def test_make(tmp_path: Path) -> None:
    """make trace and make profile: the configured kernel, or named ones."""
    def make(*words: str) -> str:
        return subprocess.run(["make", "-s", "-C", str(ROOT), f"O={tmp_path}", *words], text=True,
                              stdout=subprocess.PIPE, timeout=200, check=True).stdout

    assert "The way of the line: uart, tiny" in make("trace", "CONFIGS=uart tiny")
    make("uart_defconfig")
    total = re.search(r"^ +(\d+) +\d+  └─ start_kernel", make("trace"), re.MULTILINE)
    assert total
    assert re.search(rf"^ +{total[1]} 100\.00 +{total[1]} +1  start_kernel", make("profile"),
                     re.MULTILINE)
    assert make("profile", "FORMAT=svg").startswith("<svg ")
