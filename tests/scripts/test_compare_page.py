# SPDX-License-Identifier: MIT
"""Tests of the page of scripts/compare, in a browser."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Optional

import pytest
from comparing import compared, figure, report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Page(HTMLParser):
    """The elements of a page, and the tables' cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Optional[str]]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.section = ""
        self.cell: Optional[list[str]] = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        if tag == "section":
            self.section = found["id"] or ""
            self.tables[self.section] = []
        elif tag == "tr":
            self.tables[self.section].append([])
        elif tag in ("td", "th"):
            self.cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self.cell is not None:
            self.tables[self.section][-1].append(" ".join("".join(self.cell).split()))
            self.cell = None

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.cell.append(data)

    def of(self, name: str) -> list[dict[str, Optional[str]]]:
        """Return the attributes of the elements of a class."""
        return [attrs for _, attrs in self.elements if name in (attrs.get("class") or "").split()]


@pytest.fixture(scope="module", name="text")
def fixture_text() -> str:
    """Return the page."""
    return report("--format", "html", "tiny", "defconfig")


def browse(folder: Path, text: str, script: str = "", width: int = 1200) -> str:
    """Load a page in the browser, run a script in it, return what has become of it."""
    if not CHROMIUM:
        pytest.skip("no chromium")
    file = folder / "page.html"
    file.write_text(text.replace("</body>", f"<script>{script}</script></body>"),
                    encoding="utf-8")
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-extensions",
         "--no-first-run", f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900",
         "--virtual-time-budget=2000", "--dump-dom", file.as_uri()],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=90, check=True,
        env={**os.environ, "HOME": str(folder)})
    return done.stdout


def test_self_contained(text: str) -> None:
    """Nothing is fetched, from nowhere."""
    page = Page(text)
    assert not any(name in attrs for _, attrs in page.elements for name in ("src", "href"))
    assert not re.search(r"url\(|@import|https?://", text)
    assert {tag for tag, _ in page.elements}.isdisjoint({"link", "img", "iframe", "object"})


def test_without_scripts(text: str) -> None:
    """All numbers stand in the page itself."""
    page = Page(text)
    found = compared("tiny", "defconfig")
    cells = [row for row in page.tables["figures"] if len(row) > 3][1:]
    assert [row[2] for row in cells[:4]] == [
        f"{figure(found, name)[1]:,}" for name in ("image", "text", "rodata", "data")]
    for section, whole in (("size-symbols", found["sizes"]["symbols"]),
                           ("instructions-functions", found["instructions"]["functions"])):
        rows = page.tables[section]
        assert rows[-1][0] == "sum" and rows[-1][2] == f"{whole['totals'][1]:,}"
        assert len(whole["rows"]) <= len(rows) - 2 <= len(whole["rows"]) + 1


def test_treemaps(text: str) -> None:
    """The maps' rectangles add up to the image and to the boot."""
    found = compared("tiny", "defconfig")
    titles = [attrs["title"] or "" for attrs in Page(text).of("leaf")]
    for unit, name in (("bytes", "image"), ("instructions", "instructions")):
        numbers = [int(title.rsplit(" ", 2)[1].replace(",", "")) for title in titles
                   if title.endswith(" " + unit)]
        assert sum(numbers) == sum(figure(found, name))


def test_names_are_text(tmp_path: Path) -> None:
    """What is called like markup is shown, not obeyed."""
    file = tmp_path / "<b>&x.config"
    file.write_text("# CONFIG_OF is not set\n", encoding="ascii")
    text = report("--format", "html", "--no-least-ram", file)
    assert "<b>&x" not in text and "&lt;b&gt;&amp;x" in text


def rows_of(dom: str, section: str) -> list[Any]:
    """Return a table's rows between head and foot."""
    return [row for row in Page(dom).tables[section][1:] if row[0] != "sum" and
            "rows not shown" not in row[0]]


def test_browser(text: str, tmp_path: Path) -> None:
    """Headers sort, nothing is wider than the window, boxes are where they belong."""
    dom = browse(tmp_path, text, """
      const head = (id, n) => document.querySelectorAll(`#${id} thead button`)[n];
      head("size-symbols", 0).click();
      head("size-folders", 2).click();
      head("instructions-functions", 4).click(); head("instructions-functions", 4).click();
      const doc = document.documentElement;
      const tiles = [...document.querySelectorAll(".map .leaf")];
      const inside = tiles.every(tile => {
        const map = tile.closest(".map").getBoundingClientRect(), t = tile.getBoundingClientRect();
        return t.left >= map.left - 1 && t.right <= map.right + 1 && t.top >= map.top - 1 &&
          t.bottom <= map.bottom + 1;
      });
      const sides = [...document.querySelectorAll("#image-maps .sides > div")]
        .map(side => side.getBoundingClientRect().top);
      doc.dataset.fits = doc.scrollWidth <= innerWidth;
      doc.dataset.inside = inside && tiles.length > 20;
      doc.dataset.beside = sides[0] === sides[1];
    """)
    root = Page(dom).elements[0][1]
    assert (root["data-fits"], root["data-inside"], root["data-beside"]) == ("true",) * 3
    names = [row[0] for row in rows_of(dom, "size-symbols")]
    assert names == sorted(names, key=lambda name: (name.lstrip("._").lower(), name)) or (
        [name[0] for name in names if name[0].isalpha()] == sorted(
            (name[0] for name in names if name[0].isalpha()), key=str.lower))
    sizes = [int(row[2].replace(",", "")) for row in rows_of(dom, "size-folders")]
    assert sizes == sorted(sizes, reverse=True)
    counts = [int(row[4].replace(",", "")) for row in rows_of(dom, "instructions-functions")]
    assert counts == sorted(counts)
    before = {tuple(row) for row in Page(text).tables["size-symbols"]}
    assert {tuple(row) for row in Page(dom).tables["size-symbols"]} == before


def test_narrow_and_dark(text: str, tmp_path: Path) -> None:
    """On a telephone only the tables scroll, the sides stand below each other; the dark
    colours are others, and both have contrast."""
    dom = browse(tmp_path, text, """
      const doc = document.documentElement, sides =
        [...document.querySelectorAll("#image-maps .sides > div")]
        .map(side => side.getBoundingClientRect().top);
      doc.dataset.fits = doc.scrollWidth <= innerWidth;
      doc.dataset.below = sides[0] < sides[1];
      doc.dataset.width = innerWidth;
    """, 400)
    root = Page(dom).elements[0][1]
    assert int(root["data-width"] or 0) <= 520
    assert (root["data-fits"], root["data-below"]) == ("true", "true")
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part))
                   for part in text.split("prefers-color-scheme: dark")[:2])
    assert set(dark) == set(light)
    for colours in (light, dark):
        for ink, ground in (("ink", "ground"), ("dim", "panel"), ("more", "panel"),
                            ("less", "panel"), *(("tile-ink", name) for name in (
                                "text", "rodata", "data", "other", "kernel", "firmware", "user"))):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def contrast(one: str, other: str) -> float:
    """Return WCAG's contrast of two colours."""
    def luminance(colour: str) -> float:
        parts = [int(colour[n:n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                  for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
