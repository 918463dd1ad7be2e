"""The command line of the lab."""

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import cache, host
from .addon_tests import run_addon_tests
from .chroot import Chroot
from .postgres import Postgres
from .run import Run
from .series import SERIES, series
from .server import OdooServer
from .template import FOREVER, Installation


def main(words=None) -> int:
    """Run one command; return the exit code (64 wrong use, 1 failed, 0 good)."""
    # SIGTERM (timeout, CI) tidies up like Ctrl-C: atexit and finally would not run otherwise.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = _parser().parse_args(words)
    try:
        return options.run(options) or 0
    except host.LabError as problem:
        cache.say(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="Real Odoo 14 and 19 for development, tests and demo.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name, run, text):
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    up = command("up", _up, "prepare everything (first time: several minutes)")
    up.add_argument("series", nargs="*", default=list(SERIES), help="14, 19 or both (default)")

    serve = command("serve", _serve, "run Odoo until Ctrl-C, with a fresh database")
    serve.add_argument("series")
    serve.add_argument("--addons", action="append", default=[], metavar="DIR", help="may be given several times")
    serve.add_argument("--modules", default="", help="what to install, with commas")
    serve.add_argument("--port", type=int, default=0)
    serve.add_argument("--db", default="", help="keep this database; used again next time, its modules updated")
    serve.add_argument("--cron", type=int, default=1, metavar="N", help="threads for scheduled actions (1)")

    test = command("test", _test, "run Odoo's own tests of addons")
    test.add_argument("series")
    test.add_argument("--addons", action="append", required=True, metavar="DIR")
    test.add_argument("--modules", required=True)
    test.add_argument("--tags", required=True, help="as Odoo's --test-tags, e.g. /chatbridge")
    test.add_argument("--update", action="store_true", help="on an update of the modules, not at installation")

    shell = command("shell", _shell, "open Odoo's Python shell on a database")
    shell.add_argument("series")
    shell.add_argument("db")
    shell.add_argument("--addons", action="append", default=[], metavar="DIR")

    clean = command("clean", _clean, "drop databases and runs that ended labs left over")
    clean.add_argument("--db", action="append", default=[], metavar="NAME", help="this kept database too")
    command("status", _status, "show what is there and what runs")
    return parser


def _up(options) -> None:
    for number in options.series:
        start = time.monotonic()
        base = Installation(number).base()
        cache.say(f"Odoo {number} is ready ({base}, {time.monotonic() - start:.0f} s)")


def _serve(options) -> None:
    there = Installation(options.series)
    extra = []
    if options.db and there.exists(options.db):
        database = options.db
        extra = ["-u", options.modules] if options.modules else []
    else:
        template = there.template(options.addons, options.modules) if options.modules else there.base()
        database = there.clone(template, options.db, keep=bool(options.db))
    server = OdooServer(there, database, options.addons, options.port, options.cron, extra)
    try:
        with server:
            print(f"Odoo {there.series.number}: {server.url} · database {database} · login admin, password admin")
            print(f"log: {server.log} · Ctrl-C ends it", flush=True)
            while server.is_running():
                time.sleep(0.5)
            raise host.LabError(f"Odoo ended by itself:\n{host.tail(server.log)}")
    finally:
        if not options.db:
            there.drop(database)


def _test(options) -> int:
    return 1 if run_addon_tests(options.series, options.addons, options.modules, options.tags, options.update).failed else 0


def _shell(options) -> int:
    there = Installation(options.series)
    if not there.exists(options.db):
        raise host.LabError(f"no database {options.db}; «lab status» lists them")
    run = Run(there.chroot, there.postgres, options.db, options.addons)
    # Ctrl-C belongs to the Python inside.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.call(run.command("shell", "--no-http", "--log-level=warn"))
    finally:
        run.remove()


def _clean(options) -> None:
    for number in SERIES:
        if Chroot(series(number)).is_ready():
            dropped = Installation(number).clean(options.db)
            print(f"Odoo {number}: {len(dropped)} databases dropped {' '.join(dropped)}".rstrip())


def _status(options) -> None:
    print(f"cache: {cache.root()}")
    postgres = Postgres()
    pid = postgres.pid()
    print(f"PostgreSQL: {f'port {postgres.port}, pid {pid}, used by {postgres.users()}' if pid else 'not running'}")
    for number in SERIES:
        chroot = Chroot(series(number))
        print(f"Odoo {number}: {'installed' if chroot.is_ready() else 'not installed'} · {chroot.path}")
        for folder in sorted((chroot.home / "runs").glob("*")):
            print(f"  run {folder.name}: pid {_first(folder / 'pid')}, made by {_first(folder / 'owner')}")
        if pid and chroot.is_ready():
            _list(Installation(number))


def _list(there: Installation) -> None:
    for name in there.templates():
        print(f"  template {name}")
    for name, comment in there.clones():
        state = "kept" if comment == FOREVER else "in use" if cache.alive(comment) else "left over"
        print(f"  database {name}: {state}")


def _first(file: Path) -> str:
    try:
        return file.read_text().split()[0]
    except (OSError, IndexError):
        return "-"
