"""Tests of the lab itself, with real Odoo 14 and 19: `python3 -m unittest tests/lab/test_lab.py` or pytest.

The first run prepares everything, which takes minutes; later ones about a minute.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from lab_odoo import Installation, LabError, OdooError, OdooServer, Postgres, cache, host, run_addon_tests  # noqa: E402
from lab_odoo.addon_tests import judge  # noqa: E402

GOOD = "def test_it(self):\n        self.assertTrue(self.env['probe.thing'].create({'name': 'x'}))"
BAD = "def test_it(self):\n        self.assertEqual(1, 2)"


def write_addon(folder: str, number: str, test: str = GOOD, model: str = "probe.thing") -> str:
    """Write a small addon `lab_probe` for a series below `folder`; return `folder`."""
    addon = Path(folder) / "lab_probe"
    (addon / "tests").mkdir(parents=True, exist_ok=True)
    manifest = {"name": "Probe", "version": f"{number}.0.1.0.0", "depends": ["crm"], "license": "LGPL-3"}
    manifest["data"] = ["security/ir.model.access.csv"]
    (addon / "security").mkdir(exist_ok=True)
    head = "id,name,model_id:id,group_id:id,perm_read,perm_write,perm_create,perm_unlink\n"
    rights = f"thing,thing,model_{model.replace('.', '_')},base.group_user,1,1,1,1\n"
    (addon / "security/ir.model.access.csv").write_text(head + rights)
    (addon / "__manifest__.py").write_text(repr(manifest))
    head = "from odoo import fields, models\n\n\nclass Thing(models.Model):\n"
    body = f"    _name = '{model}'\n    _description = 'Thing'\n    name = fields.Char()\n"
    (addon / "__init__.py").write_text(head + body)
    (addon / "tests/__init__.py").write_text("from . import test_probe\n")
    head = "from odoo.tests import TransactionCase\n\n\nclass TestProbe(TransactionCase):\n    "
    (addon / "tests/test_probe.py").write_text(f"{head}{test}\n")
    return folder


class TestVerdict(unittest.TestCase):
    """What is made of Odoo's log."""

    def test_all_good(self):
        line = "2026-01-01 10:00:00,1 7 INFO db odoo.tests.runner: 0 failed, 0 error(s) of 4 tests when loading database"
        self.assertEqual(judge(line, 0), (4, []))

    def test_no_test_is_a_failure(self):
        line = "2026-01-01 10:00:00,1 7 INFO db odoo.tests.result: 0 failed, 0 error(s) of 0 tests when loading database"
        self.assertEqual(len(judge(line, 0)[1]), 1)
        self.assertEqual(len(judge("", 0)[1]), 1)

    def test_a_module_that_is_not_found_is_a_failure(self):
        line = "2026-01-01 10:00:00,1 7 INFO db odoo.tests.runner: 0 failed, 0 error(s) of 4 tests when loading database\n"
        line += "2026-01-01 10:00:00,1 7 WARNING db odoo.modules.loading: invalid module names, ignored: nope \n"
        self.assertIn("nope", judge(line, 0)[1][0])

    def test_a_bad_exit_code_is_a_failure(self):
        line = "2026-01-01 10:00:00,1 7 INFO db odoo.tests.runner: 0 failed, 0 error(s) of 4 tests when loading database"
        self.assertEqual(len(judge(line, 1)[1]), 1)


class TestSources(unittest.TestCase):
    """The mirror is read from both formats of apt's sources."""

    def test_list(self):
        text = "deb [arch=amd64 signed-by=/x] http://one.example/debian bookworm main\n"
        self.assertEqual(list(host._sources(text, ".list")), [("http://one.example/debian", ["bookworm", "main"])])

    def test_deb822(self):
        text = "Types: deb\nURIs: http://one.example/debian\nSuites: bookworm\nComponents: main contrib\n\nTypes: deb\n"
        self.assertEqual(list(host._sources(text, ".sources")), [("http://one.example/debian", ["main", "contrib"])])


class TestPostgres(unittest.TestCase):
    """Who may stop the cluster."""

    def test_the_last_user_stops_it_not_the_first(self):
        made = Postgres().join().copy()
        pid = made.pid()
        second = Postgres(made.folder).join()
        second.leave()
        self.assertEqual(made.pid(), pid)
        made.leave()
        self.assertEqual(made.pid(), 0)
        self.assertFalse(made.folder.exists())


class SeriesTests:
    """What holds on every series; the classes at the end name them."""

    number = ""

    @classmethod
    def setUpClass(cls):
        cls.there = Installation(cls.number)
        cls.base = cls.there.base()

    def setUp(self):
        self.database = self.there.clone(self.base)
        self.addCleanup(self.there.drop, self.database)

    def serve(self, *args, **kw) -> OdooServer:
        """Start a server on this test's database; closed at the end."""
        server = OdooServer(self.there, self.database, *args, **kw)
        self.addCleanup(server.close)
        return server.start()

    def test_it_answers_and_leaves_no_process(self):
        server = self.serve()
        client = server.rpc()
        self.assertEqual(client.call("res.users", "read", [client.uid], ["login"])[0]["login"], "admin")
        self.assertEqual(client.call("res.lang", "search_count", [["code", "in", ["en_US", "uk_UA"]]]), 2)
        # The only database is found without naming it, and only this machine is listened to.
        pid, run = server.pid, server.run
        self.assertTrue(cache.born(pid))
        server.close()
        self.assertFalse(cache.born(pid))
        self.assertFalse(run.folder.exists())
        left = subprocess.run(["pgrep", "-f", run.name], capture_output=True, text=True).stdout
        self.assertEqual(left, "")
        self.assertNotIn(str(self.there.chroot.path), Path("/proc/self/mounts").read_text())

    def test_errors_carry_odoos_name(self):
        server = self.serve()
        with self.assertRaises(OdooError) as caught:
            server.rpc("admin", "wrong")
        self.assertEqual(caught.exception.name, "odoo.exceptions.AccessDenied")
        with self.assertRaises(OdooError) as caught:
            server.rpc().call("res.partner", "create", {"name": False})
        self.assertEqual(caught.exception.name, "odoo.exceptions.ValidationError")
        self.assertIn("name", caught.exception.message)

    def test_restart_and_kill_keep_port_and_data(self):
        server = self.serve()
        address, pid = server.url, server.pid
        made = server.rpc().call("res.partner", "create", {"name": "Kept"})
        server.restart()
        self.assertEqual(server.url, address)
        self.assertNotEqual(server.pid, pid)
        server.kill()
        self.assertFalse(server.is_running())
        server.start()
        self.assertEqual(server.rpc().call("res.partner", "read", [made], ["name"])[0]["name"], "Kept")

    def test_a_start_that_fails_says_why(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with self.assertRaisesRegex(LabError, "(?s)did not start.*in use"):
                self.serve(port=taken.getsockname()[1])

    def test_modules_make_templates_by_content(self):
        with tempfile.TemporaryDirectory() as folder:
            first = self.there.template(write_addon(folder, self.number), "lab_probe")
            start = time.monotonic()
            self.assertEqual(self.there.template(folder, "lab_probe"), first)
            self.assertLess(time.monotonic() - start, 3)
            self.there.drop(self.database)
            self.database = self.there.clone(first)
            self.addCleanup(self.there.drop, self.database)
            self.assertTrue(self.serve(folder).rpc().call("probe.thing", "create", {"name": "x"}))
            other = self.there.template(write_addon(folder, self.number, model="probe.other"), "lab_probe")
            self.assertNotEqual(other, first)
        for name in (first, other):
            self.there.drop(name)

    def test_verdicts_of_addon_tests(self):
        with tempfile.TemporaryDirectory() as folder:
            write_addon(folder, self.number)
            self.assertEqual(run_addon_tests(self.there, folder, "lab_probe", "/lab_probe")[:2], (1, 0))
            self.assertEqual(run_addon_tests(self.there, folder, "lab_probe", "/nothing")[:2], (0, 1))
            self.assertEqual(run_addon_tests(self.there, folder, "absent", "/lab_probe")[0], 0)
            write_addon(folder, self.number, BAD)
            self.assertEqual(run_addon_tests(self.there, folder, "lab_probe", "/lab_probe")[:2], (0, 1))
            write_addon(folder, self.number, "this is no Python")
            self.assertGreater(run_addon_tests(self.there, folder, "lab_probe", "/lab_probe").failed, 0)

    def test_postgres_may_be_killed_on_a_private_copy(self):
        shared = self.there.postgres.pid()
        there = self.there.private()
        self.addCleanup(there.postgres.leave)
        database = there.clone(self.base)
        self.addCleanup(there.drop, database)
        with OdooServer(there, database) as server:
            client = server.rpc()
            made = client.call("res.partner", "create", {"name": "Durable"})
            there.postgres.kill()
            self.assertEqual(there.postgres.pid(), 0)
            with self.assertRaises((OdooError, OSError)):
                client.call("res.partner", "read", [made], ["name"])
            there.postgres.start()
            there.postgres.restart()
            self.assertEqual(server.rpc().call("res.partner", "read", [made], ["name"])[0]["name"], "Durable")
        self.assertEqual(self.there.postgres.pid(), shared)

    def test_clean_drops_a_kept_database_only_by_name_and_unused(self):
        name = f"kept_{self.number}_{os.getpid()}"
        self.there.clone(self.base, name, keep=True)
        self.addCleanup(self.there.drop, name)
        self.assertNotIn(name, self.there.clean())
        with OdooServer(self.there, name):
            self.assertNotIn(name, self.there.clean(kept=[name]))
        self.assertEqual(self.there.clean(kept=[name]), [name])

    def test_a_killed_lab_leaves_nothing(self):
        program = (
            "import sys, time; sys.path.insert(0, sys.argv[1]); from lab_odoo import *\n"
            "there = Installation(sys.argv[2]); name = there.clone(there.base())\n"
            "server = OdooServer(there, name).start(); print(server.pid, name, flush=True); time.sleep(600)"
        )
        words = [sys.executable, "-c", program, str(Path(__file__).parent), self.number]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as victim:
            pid, database = victim.stdout.readline().split()
            os.kill(victim.pid, signal.SIGKILL)
        self.assertTrue(cache.born(int(pid)), "Odoo should have survived its maker")
        self.assertIn(database, Installation(self.number).clean())
        self.assertTrue(cache.wait_until(lambda: not cache.born(int(pid)), 5))
        self.assertFalse(self.there.filestore(database).exists())


class TestOdoo14(SeriesTests, unittest.TestCase):
    """The oldest series supported."""

    number = "14"


class TestOdoo19(SeriesTests, unittest.TestCase):
    """The newest series supported."""

    number = "19"


if __name__ == "__main__":
    unittest.main()
