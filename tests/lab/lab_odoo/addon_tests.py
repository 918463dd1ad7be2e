"""Odoo's own tests of our addons, with a verdict that can be trusted.

Odoo's exit code alone is not enough: 14 ends with 0 when a module could not be found, and tags
that match nothing end with 0 on both.
"""

import re
from pathlib import Path
from typing import NamedTuple

from . import cache, host
from .run import Run
from .template import Installation

# 14: «odoo.tests.runner: 1 failed, 0 error(s) of 4 tests when loading …»; 19: «odoo.tests.result: …».
_SUMMARY = re.compile(r"odoo\.tests\.\w+: (\d+) failed, (\d+) error\(s\) of (\d+) tests")
_BAD_TEST = re.compile(r"(?m)^\S+ \S+ \d+ ERROR \S+ \S+: ((?:FAIL|ERROR): .+?)\s*$")
_NOT_LOADED = re.compile(
    r"(?m)^\S+ \S+ \d+ (?:CRITICAL .*|ERROR \S+ odoo\.(?:modules|registry)\S*: .*|WARNING .*invalid module names.*)$"
)
# These only repeat what the tests have said.
_REPEATS = re.compile(r"failures, \d+ errors of|At least one test failed")


class Verdict(NamedTuple):
    """What came out: `failed` counts failures, errors and whatever kept modules from loading."""

    passed: int
    failed: int
    log: Path


def run_addon_tests(series, addons, modules: str, tags: str, update: bool = False) -> Verdict:
    """Run the tests with `tags` on a fresh clone with `modules` installed; print a summary line.

    With `update` the modules are installed without tests first and then updated with them, as on
    a database in use. No test at all counts as a failure.
    """
    installation = series if isinstance(series, Installation) else Installation(series)
    template = installation.template(addons, modules) if update else installation.base()
    database = installation.clone(template)
    run = Run(installation.chroot, installation.postgres, database, addons)
    try:
        words = ["-u" if update else "-i", modules, "--test-enable", f"--test-tags={tags}", "--stop-after-init"]
        code = run.execute(*words, f"--http-port={cache.free_port()}", "--max-cron-threads=0")
        passed, problems = judge(run.log.read_text(errors="replace"), code)
    finally:
        run.remove()
        installation.drop(database)
    for problem in problems:
        cache.say(problem)
    if code and not passed:
        cache.say(f"the end of the log:\n{host.tail(run.log, 40)}")
    print(f"Odoo {installation.series.number}: {passed} tests passed, {len(problems)} failed · {run.log}", flush=True)
    return Verdict(passed, len(problems), run.log)


def judge(text: str, code: int) -> tuple:
    """Return how many tests passed and what was wrong, from Odoo's log and exit code."""
    totals = _SUMMARY.findall(text)
    failed, errors, executed = map(int, totals[-1]) if totals else (0, 0, 0)
    problems = _BAD_TEST.findall(text)
    problems += [line for line in _NOT_LOADED.findall(text) if not _REPEATS.search(line)]
    # The counts come from Odoo itself; they win when a line was not recognised above.
    problems += ["a failed test that the log does not name"] * (failed + errors - len(problems))
    if not executed:
        problems.append("no test was executed: wrong tags, or nothing imported in tests/__init__.py?")
    if code and not problems:
        problems.append(f"Odoo ended with exit code {code}")
    return executed - failed - errors, problems
