# SPDX-License-Identifier: MIT
"""Options that are broken on purpose: a sweep finds them and says which they are."""
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sweeptree import AGAIN, Swept, broken_tree, environment, names_of, option, sweep


# tiny_defconfig and some more; with one of the two options that break together.
BASE = """
CONFIG_CC_OPTIMIZE_FOR_SIZE=y
# CONFIG_OF is not set
CONFIG_PAGING_BARE=y
CONFIG_CONSOLE_SBI_LEGACY=y
CONFIG_POWER_SBI_SRST=y
CONFIG_POWER_SBI_LEGACY=y
CONFIG_RISCV_IMAGE_HEADER=y
CONFIG_RISCV_BOOT_SPINWAIT=y
CONFIG_SERIAL_8250=y
CONFIG_SERIAL_CRLF=y
CONFIG_ODD_ONE=y
"""


def pair_tree(folder: Path) -> Path:
    """Return sources in which two options break the boot together, and neither alone."""
    return broken_tree(
        folder, option("ODD_ONE", "select INIT_TABLE") + option("ODD_OTHER", "select INIT_TABLE"),
        {"again.c": AGAIN}, "obj-$(and $(CONFIG_ODD_ONE),$(CONFIG_ODD_OTHER)) += again.o\n")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """A sweep of options that finds the pair."""
    root = pair_tree(tmp_path_factory.mktemp("pair"))
    base = root / "base.config"
    base.write_text(BASE)
    return sweep(root / "sweep", "each", "--base", str(base), "--option", "ODD_OTHER SERIAL_CRLF",
                 "--harts", "1", root=root)


def test_pair_is_found(pair: Swept) -> None:
    """The configuration that has both fails, and no other one."""
    assert pair.status == 1, pair.err
    assert list(pair.failed) == ["each-base.config-ODD_OTHER-y"]
    result = pair.failed["each-base.config-ODD_OTHER-y"]
    assert result["step"] == "boot" and "the line came 2 times" in result["why"]
    text = (pair.folder / "failed" / result["name"] / "config").read_text()
    assert "CONFIG_ODD_ONE=y\n" in text and "CONFIG_ODD_OTHER=y\n" in text
    assert [r["status"] for r in pair.report["results"]].count("ok") == 2


def test_pair_is_shrunk_to_itself(pair: Swept) -> None:
    """Of the options that differ from a configuration that works, the two that matter are left."""
    [result] = pair.failed.values()
    assert result["confirmed"]
    assert sorted(names_of(result["fragment"])) == ["CONFIG_ODD_ONE=y", "CONFIG_ODD_OTHER=y"]
    assert result["fragment"] in pair.err


@pytest.mark.slow
def test_pair_is_found_at_random(tmp_path: Path) -> None:
    """Exactly the random configurations that have both fail, and are shrunk to both."""
    root = pair_tree(tmp_path / "tree")
    done = sweep(tmp_path / "sweep", "random", "-n", "12", "--shrink", "2", root=root,
                 timeout=900)
    assert done.status == 1, done.err
    for result in done.report["results"]:
        config = done.folder / "failed" / result["name"] / "config"
        assert config.exists() == (result["status"] == "fail")
        if config.exists():
            text = config.read_text()
            assert "CONFIG_ODD_ONE=y\n" in text and "CONFIG_ODD_OTHER=y\n" in text
    for result in list(done.failed.values())[:2]:
        assert sorted(names_of(result["fragment"])) == ["CONFIG_ODD_ONE=y", "CONFIG_ODD_OTHER=y"]


def test_fragment_reproduces(pair: Swept, tmp_path: Path) -> None:
    """make takes the fragment as its first line says, and the kernel prints the line twice."""
    name = next(name for name, result in pair.failed.items() if "fragment" in result)
    fragment = pair.folder / "failed" / name / "fragment.config"
    goal = fragment.read_text().split()[2]
    root = pair.folder.parent
    done = subprocess.run(["make", "-s", "-C", root, f"O={tmp_path}", goal, str(fragment), "run"],
                          env=environment(), stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=200, check=False)
    assert done.stdout.count(b"Hello world.") == 2, done.stderr


def test_junit_names_failures(pair: Swept) -> None:
    """CI sees a test a configuration, and the fragment with the failure."""
    suite = ElementTree.parse(pair.folder / "junit.xml").getroot()[0]
    assert suite.get("tests") == "3" and suite.get("failures") == str(len(pair.failed))
    failures = {case.get("name"): case[0].text for case in suite if len(case)}
    assert set(failures) == set(pair.failed)
    assert any("CONFIG_ODD_ONE=y" in (text or "") for text in failures.values())


@pytest.mark.slow
def test_option_that_does_nothing(tmp_path: Path) -> None:
    """One that no file reads is a failure; one that a file reads is none."""
    root = broken_tree(tmp_path / "tree", option("IDLER") + option("WORKER", "select INIT_TABLE"),
                       {"quiet.c": AGAIN.replace('"Hello world.\\n", 13', '"", 0')},
                       "obj-$(CONFIG_WORKER) += quiet.o\n")
    done = sweep(tmp_path / "sweep", "each", "--base", "tiny", "--option", "IDLER WORKER",
                 root=root)
    assert done.status == 1, done.err
    assert {result["option"] for result in done.failed.values()} >= {"IDLER=y"}
    assert all("IDLER" in result["option"] for result in done.failed.values())
    assert "does nothing" in done.err + str(done.failed)


@pytest.mark.slow
def test_warning_is_found_and_shrunk(tmp_path: Path) -> None:
    """A configuration that compiles with a warning fails, and the option is named."""
    root = broken_tree(tmp_path / "tree", option("CARELESS"),
                       {"careless.c": "#warning careless\nint careless_number;\n"},
                       "obj-$(CONFIG_CARELESS) += careless.o\nCFLAGS_careless.o += -Wno-error\n")
    done = sweep(tmp_path / "sweep", "pairwise", "--shrink", "2", "--no-boot", root=root)
    assert done.status == 1, done.err
    fragments = [result["fragment"] for result in done.failed.values() if "fragment" in result]
    assert len(fragments) == 2
    assert all(names_of(text) == ["CONFIG_CARELESS=y"] for text in fragments)
