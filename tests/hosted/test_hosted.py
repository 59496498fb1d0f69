# SPDX-License-Identifier: MIT
"""The personality on the hosted core: unit tests under three sanitizers, and random calls."""

import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Dict, List, Optional

import pytest

HERE = Path(__file__).resolve().parent
GROUPS = re.search(r"^programs := (.*)$", (HERE / "Makefile").read_text(encoding="utf-8"),
                   re.MULTILINE).group(1).split()
# More by hand: FUZZ_SECONDS=600 make check CHECK_ARGS=tests/hosted
SECONDS = os.environ.get("FUZZ_SECONDS") or "5"


def unit_tests(group: str) -> List[str]:
    """The names of the tests in a group's source."""
    text = (HERE / f"{group}.c").read_text(encoding="utf-8")
    return re.findall(r"cmocka_unit_test\w*\(\s*(\w+)", text)


def make(*args: str) -> "subprocess.CompletedProcess[str]":
    """Run make here."""
    return subprocess.run(["make", "-C", str(HERE), *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=400, check=False)


@pytest.fixture(scope="module", name="results")
def results_fixture(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Optional[str]]:
    """Build and run all groups: of each test, what failed; "output" is what was printed."""
    folder = tmp_path_factory.mktemp("hosted")
    done = make("-k", f"O={folder}", f"JUNIT={folder}/junit", "check")
    found: Dict[str, Optional[str]] = {}
    for path in (folder / "junit").glob("hosted-*.xml"):
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            bad = [child.text or child.tag for child in case
                   if child.tag in ("failure", "error", "skipped")]
            found[case.get("name", "")] = "\n".join(bad) or None
    found["output"] = f"{done.stdout}\nstatus {done.returncode}"
    return found


@pytest.mark.xdist_group("hosted")
@pytest.mark.parametrize("group,name", [(group, name) for group in GROUPS
                                        for name in unit_tests(group)])
def test_unit(results: Dict[str, Optional[str]], group: str, name: str) -> None:
    """A test ran and passed under the address sanitizer."""
    assert name in results, f"{group} did not get so far:\n{str(results['output'])[-4000:]}"
    assert results[name] is None, f"{results[name]}\n{str(results['output'])[-4000:]}"


@pytest.mark.xdist_group("hosted")
def test_all(results: Dict[str, Optional[str]]) -> None:
    """All ended well, under the thread sanitizer too."""
    output = str(results["output"])
    assert output.endswith("status 0"), output[-6000:]
    assert output.count("[  PASSED  ]") == len(GROUPS), output[-6000:]


def test_random_calls(tmp_path: Path) -> None:
    """Random system calls in one process find nothing in so many seconds, and are many."""
    done = make(f"O={tmp_path}", f"FUZZ_SECONDS={SECONDS}", "fuzz")
    assert done.returncode == 0, done.stdout[-6000:]
    inputs = re.search(r"inputs: (\d+)", done.stdout)
    assert inputs and int(inputs.group(1)) > 500, done.stdout
