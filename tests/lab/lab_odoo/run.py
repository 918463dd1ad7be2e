"""The folder of one run of Odoo inside its chroot: configuration, a copy of the addons, the pid.

Each run has a folder of its own with the identity of the process that made it. When that process
is gone without having tidied up (SIGKILL), `sweep` of a later lab ends its Odoo and removes it.
"""

import atexit
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from . import cache, host
from .chroot import Chroot
from .postgres import Postgres

_CONFIGURATION = """[options]
db_host = 127.0.0.1
db_port = {port}
db_user = {role}
db_password = {password}
db_name = {database}
dbfilter = ^{database}$
list_db = False
admin_passwd = {master}
data_dir = /srv/lab/data
addons_path = {addons}
http_interface = 127.0.0.1
workers = 0
{no_demo}
"""


class Run:
    """One folder for one database; `command` makes Odoo's command lines for it."""

    def __init__(self, chroot: Chroot, postgres: Postgres, database: str, addons=()):
        self.name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self.chroot = chroot
        self.folder = chroot.home / "runs" / self.name
        self.pid_file = self.folder / "pid"
        self.log = cache.logs() / f"odoo-{chroot.series.number}-{database}-{self.name}.log"
        self.folder.mkdir(parents=True)
        for folder in (self.folder.parent, self.folder):
            folder.chmod(0o755)
        (self.folder / "owner").write_text(cache.me())
        (self.folder / "database").write_text(database)
        self._configure(postgres, database, self._copy(addons))
        atexit.register(self.remove)

    def command(self, *words: str) -> list:
        """Return the command that starts Odoo in here with `words` and writes its pid."""
        # The configuration goes after a possible subcommand, which must come first.
        subcommand = [words[0]] if words and not words[0].startswith("-") else []
        rest = words[len(subcommand):]
        conf = self.chroot.inside(self.folder / "odoo.conf")
        return self.chroot.command("odoo", *subcommand, "-c", conf, *rest, pid_file=self.pid_file)

    def execute(self, *words: str, script: str = "") -> int:
        """Run Odoo to its end with `script` as its input, output to the log; return its exit code."""
        with open(self.log, "ab") as sink:
            process = subprocess.Popen(self.command(*words), stdout=sink, stderr=sink, stdin=subprocess.PIPE)
            try:
                process.communicate(script.encode())
                return process.returncode
            finally:
                end(self.pid(), signal.SIGKILL)
                process.wait()

    def pid(self) -> int:
        """Return the pid of the Odoo of this run, or 0 before it has one."""
        try:
            return int(self.pid_file.read_text())
        except (OSError, ValueError):
            return 0

    def remove(self) -> None:
        """Remove the folder; the log stays."""
        atexit.unregister(self.remove)
        # A forked child that ends must not take its parent's folder away.
        if self.name.startswith(f"{os.getpid()}-"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _copy(self, addons) -> list:
        """Copy the addons folders into the chroot, readable for Odoo; return their names inside."""
        addons = [addons] if isinstance(addons, (str, Path)) else list(addons)
        names = []
        for number, source in enumerate(map(Path, addons)):
            if not any(source.glob("*/__manifest__.py")):
                raise host.LabError(f"{source} holds no addon (no */__manifest__.py)")
            target = self.folder / f"addons{number}"
            copy = ["rsync", "-a", "--chmod=D755,F644", "--exclude=__pycache__", "--copy-links"]
            host.run([*copy, f"{source}/", f"{target}/"], self.log)
            names.append(self.chroot.inside(target))
        return names

    def _configure(self, postgres: Postgres, database: str, addons: list) -> None:
        file = self.folder / "odoo.conf"
        file.touch(mode=0o600)
        core = "/usr/lib/python3/dist-packages/odoo/addons"
        file.write_text(
            _CONFIGURATION.format(
                port=postgres.port,
                role=postgres.role,
                password=postgres.password,
                database=database,
                master=secrets.token_hex(16),
                addons=",".join([core, *addons]),
                no_demo=self.chroot.series.no_demo,
            )
        )
        if host.is_root():
            os.chown(file, *self.chroot.owner())


def end(pid: int, how: int = signal.SIGTERM) -> None:
    """Send a signal to one Odoo and to the processes it has started, by their pids."""
    if not pid:
        return
    children = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += map(int, tasks.read_text().split())
        except OSError:  # that thread has ended
            continue
    for each in (pid, *children):
        try:
            os.kill(each, how)
        except ProcessLookupError:
            continue


def databases_in_use(chroot: Chroot) -> set:
    """Return the databases that the runs of living processes work with."""
    used = set()
    for folder in (chroot.home / "runs").glob("*"):
        try:
            if cache.alive((folder / "owner").read_text()):
                used.add((folder / "database").read_text())
        except OSError:  # the run ends just now
            continue
    return used


def sweep(chroot: Chroot) -> int:
    """End and remove the runs whose makers are gone; return how many."""
    count = 0
    for folder in (chroot.home / "runs").glob("*"):
        try:
            if cache.alive((folder / "owner").read_text()):
                continue
            pid = int((folder / "pid").read_text())
            # The pid may be somebody else's by now: only an Odoo with this very configuration.
            if folder.name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                end(pid, signal.SIGKILL)
        except (OSError, ValueError):
            pass
        shutil.rmtree(folder, ignore_errors=True)
        count += 1
    return count
