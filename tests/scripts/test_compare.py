# SPDX-License-Identifier: MIT
"""Tests of scripts/compare: its figures against other tools, its forms, its errors."""
from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from asmkernel import IDLE, LINE, POWER_OFF, build, find_tool, put_string, qemu
from comparing import COMPARE, SCHEMA, cache, compared, environment, figure, report, run
from sourcecopy import ROOT, builds, copy_sources

METER = ROOT / "scripts" / "meter"


def kernel(name: str) -> builds.Build:
    """Return the kernel that was compared."""
    return builds.Cache(cache(), 2).build(builds.resolve(name))


def tables(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return everything that has rows and a sum."""
    yield from found["sizes"].values()
    yield found["instructions"]["folders"]
    yield found["instructions"]["functions"]
    for phase in found["instructions"]["phases"]:
        yield phase["functions"]


# ---- Figures ------------------------------------------------------------------

@pytest.mark.parametrize("name", ["tiny", "sv39", "defconfig"])
def test_sizes(name: str) -> None:
    """Sizes are what `size` prints, and the file's length."""
    found = compared(name)
    made = kernel(name)
    assert made.image
    words = subprocess.run([find_tool("size"), str(made.elf)], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()[1].split()
    text, data, bss = map(int, words[:3])
    assert figure(found, "image") == [made.image.stat().st_size]
    assert figure(found, "text")[0] + figure(found, "rodata")[0] == text
    assert (figure(found, "data"), figure(found, "bss")) == ([data], [bss])
    for whole in found["sizes"].values():
        assert whole["totals"] == [text + data + bss]


def test_instructions() -> None:
    """Instructions, pages and crossings are the meter's."""
    found = compared("tiny", "sv39")
    for index, name in enumerate(("tiny", "sv39")):
        made = kernel(name)
        done = subprocess.run([str(METER), "--json", "--kernel", str(made.image), "--symbols",
                               str(made.elf), "--mem", "128M", "--build-dir",
                               str(cache() / "meter")], stdout=subprocess.PIPE, text=True,
                              check=True, env=environment())
        meter = json.loads(done.stdout)
        for figure_id, value in (
                ("instructions", meter["total"]), ("kernel", meter["kernel"]),
                ("firmware", meter["firmware"]), ("user", meter["user"]),
                ("pages", meter["pages"]["total"]),
                ("firmware_calls", meter["crossings"]["firmware_calls"])):
            assert figure(found, figure_id)[index] == value
        assert sum(phase["values"][index] for phase in found["instructions"]["phases"]) == (
            meter["total"])
        assert found["instructions"]["functions"]["totals"][index] == meter["total"]


@pytest.mark.parametrize("options", [(), ("--all",), ("--threshold", "100"), ("--sort", "name")])
def test_sums(options: tuple[str, ...]) -> None:
    """Rows and what is left out add up to the sum, whatever is asked for."""
    found = compared("tiny", "sv39", "defconfig", *options)
    for whole in tables(found):
        for index, total in enumerate(whole["totals"]):
            rows = sum(row["values"][index] for row in whole["rows"])
            assert rows + (whole["omitted"]["values"][index] or 0) == total
            for row in whole["rows"]:
                assert row["deltas"][index] == row["values"][index] - row["values"][0]
        if "--all" in options:
            assert whole["omitted"]["rows"] == 0
        elif "--threshold" in options:
            assert all(max(map(abs, row["deltas"])) >= 100 for row in whole["rows"])
        if "--sort" in options:
            keys = [[str(part) for part in row["key"].values()] for row in whole["rows"]]
            assert keys == sorted(keys)
    for row in found["figures"]:
        assert row["deltas"] == [round(value - row["values"][0], 3) for value in row["values"]]


def test_least_ram() -> None:
    """With the least RAM the line comes and nothing beyond is touched; not with a page less."""
    if not shutil.which("fdtput"):
        pytest.skip("no fdtput")
    least = figure(compared("sv39"), "least_ram")[0]
    assert figure(compared("sv39"), "least_ram_beyond")[0] == least - (2 << 20)
    made = kernel("sv39")
    folder = cache() / f"least-{os.getpid()}"
    folder.mkdir()
    try:
        for size, enough in ((least, True), (least - 4096, False)):
            tree = folder / "tree.dtb"
            subprocess.run([*qemu(), "-M", f"virt,dumpdtb={tree}", "-m", "128M",
                            "-display", "none"], stderr=subprocess.DEVNULL, check=True)
            subprocess.run(["fdtput", "-t", "x", str(tree), "/memory@80000000", "reg", "0",
                            "80000000", "0", f"{size:x}"], check=True)
            done = subprocess.run(
                [str(METER), "--json", "--kernel", str(made.image), "--dtb", str(tree), "--mem",
                 "128M", "--timeout", "20", "--build-dir", str(cache() / "meter")],
                stdout=subprocess.PIPE, text=True, check=False, env=environment())
            fits = done.returncode == 0 and (
                json.loads(done.stdout)["pages"]["top"] <= 0x80000000 + size)
            assert fits == enough
    finally:
        shutil.rmtree(folder)


def test_deterministic(tmp_path: Path) -> None:
    """An empty cache gives the same figures, but for the one that is not exact."""
    old = compared("tiny", "sv39")
    new = json.loads(report("--format", "json", "tiny", "sv39", AHOY_CACHE=str(tmp_path / "c")))
    for found in (old, new):
        rows = [row for row in found["figures"] if not row["exact"]]
        assert [row["id"] for row in rows] == ["build_seconds"]
    for part in ("options", "sizes", "instructions"):
        assert old[part] == new[part]
    assert [row for row in old["figures"] if row["exact"]] == (
        [row for row in new["figures"] if row["exact"]])


def test_speed() -> None:
    """What is known already is compared within two seconds."""
    report("tiny", "defconfig")
    best = 1e9
    for _ in range(3):
        start = time.monotonic()
        report("tiny", "defconfig")
        best = min(best, time.monotonic() - start)
    assert best < 2


@pytest.mark.slow
def test_speed_fresh(tmp_path: Path) -> None:
    """Eight small configurations are built and measured within 30 seconds."""
    names = ["tiny", "legacy", "uart", "fdt", "sv39", "sv48", "sv57", "defconfig"]
    start = time.monotonic()
    report("--jobs", "2", *names, AHOY_CACHE=str(tmp_path))
    assert time.monotonic() - start < 30


# ---- Options --------------------------------------------------------------------

def test_one_choice() -> None:
    """Two configurations that differ in a choice: it, and nothing else, is told."""
    rows = [row for row in compared("sv39", "sv48")["options"] if not row["choice"]]
    assert [row["values"] for row in rows if row["depth"] == 0][0] == ["PAGING_SV39",
                                                                       "PAGING_SV48"]
    assert rows[0]["type"] == "choice" and "set by the user" in rows[0]["why"][0]


def test_order() -> None:
    """What was chosen comes first, fewest followers first; what follows is below its cause."""
    rows = compared("tiny", "defconfig")["options"]
    roots = [row for row in rows if row["parent"] is None]
    chosen = [row for row in roots if "set" in row["because"]]
    assert roots[:len(chosen)] == chosen
    assert [row["followers"] for row in chosen] == sorted(row["followers"] for row in chosen)
    seen: dict[str, int] = {}
    for row in rows:
        if row["parent"] is not None:
            assert row["depth"] == seen[row["parent"]] + 1
        seen[row["name"]] = row["depth"]
        assert row["values"][0] != row["values"][1]


def test_reasons(tmp_path: Path) -> None:
    """Why an option has its value: set, default, selected, hidden."""
    file = tmp_path / "my.config"
    text = (ROOT / "configs" / "tiny_defconfig").read_text("utf-8")
    file.write_text(text.replace("# CONFIG_OF is not set", "CONFIG_OF=y"), encoding="utf-8")
    rows = {row["name"]: row for row in compared("tiny", str(file))["options"]}
    assert rows["OF"]["because"] == ["set", "set"] or rows["OF"]["because"][1] == "set"
    assert rows["FDT"]["because"] == ["default", "selected"]
    assert rows["FDT"]["why"][1] == "selected by OF (=y)"
    assert rows["FDT"]["parent"] == "OF"
    assert rows["PLATFORM_RAM_BASE"]["because"] == ["default", "depends"]
    assert "OF (=y)" in rows["PLATFORM_RAM_BASE"]["why"][1]


def test_all_options() -> None:
    """With --all, options that do not differ are there too."""
    few, many = (compared("sv39", "sv48", *more)["options"] for more in ((), ("--all",)))
    names = {row["name"] for row in many}
    assert {row["name"] for row in few} < names
    assert set(kernel("sv39").values) <= names


# ---- What can be compared --------------------------------------------------------

def test_same_twice() -> None:
    """The same kernel twice has two columns and no difference."""
    found = compared("tiny", "tiny")
    assert [column["name"] for column in found["columns"]] == ["tiny", "tiny (2)"]
    assert not any(any(row["deltas"]) for row in found["figures"])
    assert not found["options"] and not any(whole["rows"] for whole in tables(found))


def test_base() -> None:
    """--base names another column than the first, or one more."""
    for args, names, index in ((("tiny", "uart", "--base", "uart"), ["tiny", "uart"], 1),
                               (("uart", "--base", "tiny"), ["tiny", "uart"], 0)):
        found = compared(*args)
        assert [column["name"] for column in found["columns"]] == names
        assert found["base"] == index
        assert all(row["deltas"][index] == 0 for row in found["figures"])


def test_image_with_configuration() -> None:
    """An image alone tells its configuration, and by that its symbols."""
    made = kernel("base")
    assert made.image and made.elf
    found = compared("base", str(made.image), str(made.elf))
    assert not found["options"]
    for name in ("image", "bss", "instructions", "pages", "least_ram"):
        assert len(set(figure(found, name))) == 1 and figure(found, name)[0] is not None
    assert not found["sizes"]["symbols"]["rows"]
    assert figure(found, "build_seconds")[1:] == [None, None]


def test_stripped(tmp_path: Path) -> None:
    """Of an ELF file without symbols or map, what is not known is not said to be nothing."""
    made = kernel("tiny")
    for strip, symbols in ((False, True), (True, False)):
        elf = tmp_path / f"{strip}.elf"
        shutil.copy2(made.elf, elf)
        if strip:
            subprocess.run([find_tool("strip"), str(elf)], check=True)
        found = compared("tiny", str(elf))
        assert found["columns"][1]["name"] == elf.name
        assert found["sizes"]["sections"]["rows"] == []
        assert found["sizes"]["objects"]["totals"][1] is None
        if symbols:  # the same symbols, although only one side tells their objects
            assert found["sizes"]["symbols"]["rows"] == []
            assert found["instructions"]["functions"]["rows"] == []
        else:
            assert found["sizes"]["symbols"]["totals"][1] is None
            assert found["instructions"]["functions"]["totals"][1] is None
        assert figure(found, "instructions")[1] == figure(found, "instructions")[0]


def test_no_kernel(tmp_path: Path) -> None:
    """A file that no machine of ours can run is refused, whoever made it."""
    cut = tmp_path / "cut.elf"
    elf = kernel("tiny").elf
    assert elf
    cut.write_bytes(elf.read_bytes()[:3000])
    for file, text in ((cut, "not a whole 64-bit ELF file"), ("/bin/true", "another machine")):
        done = run("tiny", file)
        assert done.returncode == 1 and text in done.stderr and "Traceback" not in done.stderr
        assert "there is no kernel" in done.stdout


def test_image_alone() -> None:
    """Of an image without configuration and symbols there is what can be known."""
    made = kernel("tiny")
    assert made.image
    found = compared("tiny", str(made.image))
    assert figure(found, "image") == [made.image.stat().st_size] * 2
    assert len(set(figure(found, "instructions"))) == 1
    assert figure(found, "text")[1] is None
    assert found["sizes"]["symbols"]["totals"][1] is None
    notes = " ".join(found["columns"][1]["notes"])
    assert "no configuration" in notes.replace("carries no", "no") and "symbol" in notes
    assert "?" in report("tiny", str(made.image))


def test_other_kernel(tmp_path: Path) -> None:
    """An ELF file of something else is measured, too."""
    image = build(tmp_path, put_string(LINE + "\\n", "store") + POWER_OFF)
    found = json.loads(report("--format", "json", "tiny", image.with_suffix(".elf")))
    assert figure(found, "kernel")[1] == 66
    assert figure(found, "least_ram")[1] == (2 << 20) + 4096


def test_no_line(tmp_path: Path) -> None:
    """A kernel that does not print the line is compared in the rest."""
    image = build(tmp_path, POWER_OFF + IDLE)
    done = run("--format", "json", "tiny", image.with_suffix(".elf"))
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert figure(found, "text")[1] > 0 and figure(found, "instructions")[1] is None
    assert "did not print the line" in " ".join(found["columns"][1]["notes"])
    assert run("tiny", image.with_suffix(".elf"), "--fail-over", "1%").returncode == 1


def test_machine() -> None:
    """The machine is the configuration's, or the environment's; the report says which."""
    found = json.loads(report("--format", "json", "--no-least-ram", "tiny", MEM="64M", SMP="2"))
    machine = found["columns"][0]["machine"]
    assert machine["memory"] == f"{64 << 10}K" and machine["harts"] == "2"
    assert {"MEM": "64M", "SMP": "2"}.items() <= found["columns"][0]["variables"].items()
    assert "least_ram" not in [row["id"] for row in found["figures"]]
    done = run("tiny", QEMU="/nonexistent/qemu")
    assert done.returncode == 1 and "QEMU not found" in done.stderr
    for name, value in (("MACHINE", "board"), ("MEM", "1x"), ("FORMAT", "xml")):
        done = run("tiny", **{name: value})
        assert done.returncode == 2 and value in done.stderr, done
        assert done.stderr.count("\n") == 1 and done.stdout == ""


@pytest.mark.skipif(not shutil.which("clang"), reason="no clang")
def test_llvm(monkeypatch: pytest.MonkeyPatch) -> None:
    """clang and lld build another kernel; bytes are found by object all the same."""
    found = json.loads(report("--format", "json", "--no-least-ram", "--all", "sv39", LLVM="1"))
    assert "clang" in found["columns"][0]["compiler"]
    objects = {row["key"]["object"]: row["values"][0] for row in
               found["sizes"]["objects"]["rows"]}
    assert objects["arch/riscv/paging.o"] > 1000
    assert objects.get("other", 0) < 200
    assert sum(objects.values()) == found["sizes"]["sections"]["totals"][0]


# ---- Forms -----------------------------------------------------------------------

def test_schema() -> None:
    """The JSON form is what its schema says."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    image = kernel("tiny").image
    for args in (("tiny", "sv39"), ("tiny", "sv39", "defconfig", "--all"), ("tiny", str(image))):
        jsonschema.validate(compared(*args), schema)


def test_csv() -> None:
    """The comma-separated form has the same numbers."""
    found = compared("tiny", "sv39")
    rows = list(csv.DictReader(io.StringIO(report("--format", "csv", "tiny", "sv39"))))
    figures = {row["name"]: row for row in rows if row["table"] == "figure"}
    assert set(figures) == {row["id"] for row in found["figures"]}
    for row in found["figures"]:
        line = figures[row["id"]]
        assert [float(line["tiny"]), float(line["sv39"])] == row["values"]
        assert float(line["delta sv39"]) == row["deltas"][1]
    symbols = [row for row in rows if row["table"] == "size by symbol"]
    assert sum(int(row["sv39"]) for row in symbols) == found["sizes"]["symbols"]["totals"][1]


@pytest.mark.parametrize("names", [("tiny", "defconfig"),
                                   ("tiny", "uart", "sv39", "sv48", "defconfig")])
def test_text(names: tuple[str, ...]) -> None:
    """The text has each figure and each sum, and no line without end."""
    text = report(*names)
    found = compared(*names)
    for row in found["figures"]:
        if row["exact"]:
            pattern = r"\s.*\s".join(re.escape(f"{value:,}") for value in row["values"])
            assert re.search(rf"^  {re.escape(row['title'])}.*\s{pattern}", text, re.MULTILINE)
    sums = re.findall(r"^  sum +(.*)$", text, re.MULTILINE)
    total = f"{found['sizes']['symbols']['totals'][-1]:,}"
    assert sum(total in line.split() for line in sums) == 4  # section, folder, object, symbol
    assert "not exact" in text and "add/remove: " in text
    assert max(map(len, text.splitlines())) < 130
    assert not re.search(r" $", text, re.MULTILINE)


def test_text_sums() -> None:
    """What the short table leaves out is in one line, so that it adds up."""
    text = report("tiny", "defconfig")
    block = text.split("Size by object, in bytes\n")[1].split("\n\n")[0].splitlines()[1:]
    assert re.match(r"  \(\d+ more\)", block[-2])
    numbers = [int(re.sub(r",", "", re.findall(r" ([\d,]+) +[+=-]", line)[0])) for line in block]
    assert sum(numbers[:-1]) == numbers[-1]


def test_markdown() -> None:
    """Every row of a Markdown table has as many cells as its header."""
    text = report("--format", "md", "tiny", "sv39")
    blocks = [block for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) >= 8
    for block in blocks:
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(cells) == 1


def test_output(tmp_path: Path) -> None:
    """--output takes what would go to stdout."""
    file = tmp_path / "out.md"
    assert report("--format", "md", "tiny", "--output", file) == ""
    assert file.read_text("utf-8") == report("--format", "md", "tiny")
    done = run("tiny", "--output", tmp_path / "no" / "file")
    assert done.returncode == 2 and "--output" in done.stderr


# ---- Limits and errors -------------------------------------------------------------

@pytest.mark.parametrize("limit,status", [
    ("1%", 1), ("100000%", 1), ("image=0%", 1), ("image=1000000%", 0), ("image=3", 1),
    ("image=1000000", 0), ("firmware=0", 0), ("build_seconds=1000", 0),
])
def test_fail_over(limit: str, status: int) -> None:
    """More growth than is allowed is an exit status, and is named."""
    done = run("tiny", "sv39", "--fail-over", limit)
    assert done.returncode == status, done.stderr
    assert ("sv39: " in done.stderr) == bool(status)
    assert "build" not in done.stderr


def test_fail_over_better() -> None:
    """What shrinks does not fail."""
    assert run("tiny", "tiny", "--fail-over", "0%").returncode == 0
    assert run("sv48", "sv39", "--fail-over", "0%").returncode == 0


@pytest.mark.parametrize("args,text", [
    ((), "name what to compare"),
    (("nosuch",), "nosuch"),
    (("tiny", "--base", "nosuch"), "nosuch"),
    (("tiny", "--fail-over", "much"), "write for example"),
    (("tiny", "--fail-over", "weight=1%"), "no such figure"),
    (("tiny", "--sort", "colour"), "invalid choice"),
    (("tiny", "--format", "pdf"), "none of table"),
    (("tiny", "--jobs", "0"), "--jobs"),
    (("tiny", "--threshold", "-1"), "--threshold"),
    (("tiny", "--nosuch"), "--nosuch"),
])
def test_usage(args: tuple[str, ...], text: str) -> None:
    """A request that makes no sense is refused in one line."""
    done = run(*args)
    assert done.returncode == 2
    assert text in done.stderr and done.stderr.count("\n") == 1 and done.stdout == ""


def test_failing_build(tmp_path: Path) -> None:
    """Of a kernel that does not build, make's words come out; the others are compared."""
    tree = copy_sources(tmp_path / "tree")
    driver = tree / "drivers" / "serial" / "8250.c"
    driver.write_text(driver.read_text("utf-8") + "\n#error not like this\n", encoding="utf-8")
    (tree / "configs" / "broken_defconfig").write_text(
        (tree / "configs" / "fdt_defconfig").read_text("utf-8"), encoding="utf-8")
    done = subprocess.run(
        [str(tree / "scripts" / "compare"), "--no-least-ram", "tiny", "broken"],
        env=environment(AHOY_CACHE=str(tmp_path / "cache")), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "not like this" in done.stderr and "broken" in done.stderr
    assert "there is no kernel" in done.stdout and re.search(r"image, bytes +\d+ +\?", done.stdout)


def test_pipe() -> None:
    """A reader that has seen enough is no error."""
    done = subprocess.run(f"{COMPARE} --format json tiny | head -c 10", shell=True, cwd="/",
                          env=environment(), stderr=subprocess.PIPE, text=True, check=True)
    assert done.stderr == ""


# ---- make compare -------------------------------------------------------------------

def make(tree: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run make compare for an object tree."""
    return subprocess.run(["make", "-s", "-C", str(ROOT), f"O={tree}", "compare", *words],
                          env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=120, check=False)


def test_make(tmp_path: Path) -> None:
    """make compare says what scripts/compare does; its variables reach it."""
    done = make(tmp_path, "CONFIGS=tiny uart")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == report("tiny", "uart")
    done = make(tmp_path, "CONFIGS=tiny uart", "FORMAT=csv", "BASE=uart",
                "COMPARE_ARGS=--no-least-ram")
    assert done.stdout.splitlines()[0] == "table,name,detail,unit,tiny,uart,delta tiny"
    assert make(tmp_path).returncode == 2
