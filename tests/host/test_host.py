# SPDX-License-Identifier: MIT
"""The unit tests of lib/: each of cmocka's tests is a case here."""

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Dict, List, Optional

import pytest

HERE = Path(__file__).resolve().parent
GROUPS = re.search(r"^programs := (.*)$", (HERE / "Makefile").read_text(encoding="utf-8"),
                   re.MULTILINE).group(1).split()


def unit_tests(group: str) -> List[str]:
    """The names of the tests in a group's source."""
    text = (HERE / f"{group}.c").read_text(encoding="utf-8")
    return re.findall(r"cmocka_unit_test\w*\(\s*(\w+)", text)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Dict[str, Optional[str]]]:
    """Build and run all groups: of each test, what failed."""
    folder = tmp_path_factory.mktemp("host")
    done = subprocess.run(["make", "-k", "-C", HERE, f"O={folder}", f"JUNIT={folder}/junit",
                           "check"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=200, check=False)
    found: Dict[str, Dict[str, Optional[str]]] = {}
    for path in (folder / "junit").glob("host-*.xml"):
        for suite in ElementTree.parse(path).getroot().iter("testsuite"):
            for case in suite.iter("testcase"):
                bad = [child.text or child.tag for child in case
                       if child.tag in ("failure", "error", "skipped")]
                found.setdefault("all", {})[case.get("name", "")] = "\n".join(bad) or None
    found["output"] = {"text": done.stdout, "status": str(done.returncode)}
    return found


@pytest.mark.xdist_group("host")
@pytest.mark.parametrize("group,name", [(group, name) for group in GROUPS
                                        for name in unit_tests(group)])
def test_unit(results: Dict[str, Dict[str, Optional[str]]], group: str, name: str) -> None:
    """A test ran and passed."""
    assert name in results.get("all", {}), f"{group} did not get so far:\n" \
        + str(results["output"]["text"])[-4000:]
    assert results["all"][name] is None, results["all"][name]


@pytest.mark.xdist_group("host")
def test_all(results: Dict[str, Dict[str, Optional[str]]]) -> None:
    """The whole run ends well: no sanitizer's report, and no test unknown here."""
    assert results["output"]["status"] == "0", str(results["output"]["text"])[-4000:]
    assert set(results["all"]) == {name for group in GROUPS for name in unit_tests(group)}
    assert "CMOCKA_MESSAGE_OUTPUT" not in os.environ


def test_source_tree_with_a_build(tmp_path: Path) -> None:
    """A build in the source tree has another configuration; it is not looked at."""
    tree = tmp_path / "tree"
    for folder in ("include", "kernel", "mm", "lib", "tests/host", "tests/fdt"):
        shutil.copytree(HERE.parents[1] / folder, tree / folder,
                        ignore=shutil.ignore_patterns("*.o", "*.a", ".*"))
    generated = tree / "include" / "generated"
    generated.mkdir(exist_ok=True)
    (generated / "autoconf.h").write_text("#error the configuration of another build\n")
    done = subprocess.run(["make", "-C", tree / "tests/host", f"O={tmp_path}/obj",
                           f"{tmp_path}/obj/test_of.o"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
