"""A private PostgreSQL cluster: own folder, own port, shared by all labs of one cache folder.

The first lab starts it, others join, the last one to leave stops it. Who uses it is kept as one
file per user in `users/`; a file whose process is gone counts for nothing, so a killed run
never keeps the cluster alive. Durability is PostgreSQL's default: tests kill it to see what holds.
They do so on a `copy`, which is theirs alone, lest they break another run's work.
"""

import atexit
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from . import cache, host

_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 256MB
max_wal_size = 4GB
timezone = 'UTC'
"""


class Postgres:
    """The cluster in `folder` (the cache's own one when not given)."""

    #: The role that Odoo connects with: may create databases, is no superuser.
    role = "odoo"

    def __init__(self, folder: Path = None):
        self.folder = Path(folder) if folder else cache.root() / "postgres"
        self.data = self.folder / "data"
        self.log = self.folder / "data/server.log"
        self._joined = 0
        # One process may hold several of these; each counts as a user of its own.
        self._user = secrets.token_hex(4)

    @property
    def port(self) -> int:
        """The port on 127.0.0.1; stays the same over `restart`, `kill` and `start`."""
        return int((self.folder / "port").read_text())

    @property
    def password(self) -> str:
        """The password of the role `odoo`."""
        return (self.folder / "password").read_text()

    def pid(self) -> int:
        """Return the pid of the running server, or 0."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            # After a crash the file stays and the pid may be somebody else's by now.
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, IndexError):
            return 0
        return pid if str(self.data).encode() in words else 0

    def join(self) -> "Postgres":
        """Use the cluster until this process ends: make it and start it when it is not there."""
        host.ensure_packages()
        with cache.lock(self._lock()):
            if not (self.folder / "ready").exists():
                self._make()
            self._sweep()
            if not self.pid() and (self.folder / "port").exists():
                self._ensure_port()
            self._start()
            self._register()
        return self

    def copy(self) -> "Postgres":
        """Return a running copy of the whole cluster for this process alone, removed at its end."""
        made = Postgres(self.folder / "copies" / f"{os.getpid()}-{secrets.token_hex(4)}")
        made._prepare_folders()
        made._register()
        shutil.copy(self.folder / "password", made.folder / "password")
        (made.folder / "port").write_text(str(cache.free_port()))
        # Not synced to the disk: a copy lives no longer than the machine is up.
        backup = [self._bin("pg_basebackup"), "--no-sync", "--no-manifest", "-D", str(made.data), "-c", "fast", "-U", "postgres"]
        backup += ["-h", self._sockets(), "-p", str(self.port)]
        host.run(self._as_owner(backup), cache.logs() / "postgres.log", cwd="/")
        with open(made.data / "postgresql.conf", "a") as settings:
            settings.write(_SETTINGS.format(sockets=made._sockets()))
            # SIGKILL loses nothing that was written, synced or not: the same promises hold, and a
            # start after it doesn't first sync every file of the copy (half a minute).
            settings.write("fsync = off\n")
        (made.folder / "ready").touch()
        made.start()
        return made

    def leave(self) -> None:
        """Use it no longer; the last one stops the server."""
        # A forked child inherits the atexit call, but it is not the child that joined.
        if self._joined != os.getpid():
            return
        self._joined = 0
        with cache.lock(self._lock()):
            self._user_file().unlink(missing_ok=True)
            if not self.users():
                self._stop()
            if self.folder.parent.name == "copies" and not self.users():
                shutil.rmtree(self.folder, ignore_errors=True)

    def users(self) -> list:
        """Return the pids of the living processes that use the cluster."""
        identities = [file.read_text() for file in (self.folder / "users").glob("*")]
        return sorted({int(each.split()[0]) for each in identities if cache.alive(each)})

    def start(self) -> None:
        """Start the server unless it runs, and wait until it answers."""
        with cache.lock(self._lock()):
            self._start()

    def stop(self, mode: str = "fast") -> None:
        """Stop the server (modes of pg_ctl: smart, fast, immediate) and wait until it is gone."""
        with cache.lock(self._lock()):
            self._stop(mode)

    def restart(self) -> None:
        """Stop and start on the same port: open connections break."""
        # Under one lock, so that no other lab joins between the two.
        with cache.lock(self._lock()):
            self._stop()
            self._start()

    def kill(self) -> None:
        """End the server and all its processes with SIGKILL, as a power cut would."""
        victims = self._processes()
        for pid in victims:
            _kill(pid)
        if not cache.wait_until(lambda: not any(map(cache.born, victims)), 10):
            raise host.LabError(f"PostgreSQL's processes survive SIGKILL: {victims}")

    def _processes(self) -> list:
        """Return the pids of the server and its backends: all work in the data folder."""
        found = []
        for link in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if os.readlink(link) == str(self.data) and cache.born(int(link.parent.name)):
                    found.append(int(link.parent.name))
            except OSError:  # ended meanwhile, or not ours to see
                continue
        return found

    def sql(self, query: str, database: str = "postgres") -> list:
        """Run one statement as the superuser; return the rows as lists of strings."""
        command = [self._bin("psql"), "-XAtq", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-U", "postgres"]
        command += ["-h", self._sockets(), "-p", str(self.port), "-d", database, "-c", query]
        done = subprocess.run(self._as_owner(command), capture_output=True, text=True, cwd="/")
        if done.returncode:
            raise host.LabError(f"PostgreSQL refused «{query[:200]}»: {done.stderr.strip()}")
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def _lock(self) -> str:
        return "postgres" if self.folder.name == "postgres" else f"postgres-{self.folder.name}"

    def _register(self) -> None:
        users = self.folder / "users"
        users.mkdir(exist_ok=True)
        for file in users.glob("*"):
            if not cache.alive(file.read_text()):
                file.unlink()
        self._user_file().write_text(cache.me())
        if self._joined != os.getpid():
            self._joined = os.getpid()
            atexit.register(self.leave)

    def _user_file(self) -> Path:
        return self.folder / "users" / f"{os.getpid()}-{self._user}"

    def _sweep(self) -> None:
        """End and remove the copies whose makers are gone."""
        for folder in (self.folder / "copies").glob("*"):
            left = Postgres(folder)
            if not left.users():
                left.kill()
                shutil.rmtree(folder, ignore_errors=True)

    def _make(self) -> None:
        cache.say("making a PostgreSQL cluster, a few seconds")
        cache.folder("lab")
        host.run(["rm", "-rf", self.data], cache.logs() / "postgres.log")
        self._prepare_folders()
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(16))
        self._initdb()
        (self.folder / "port").write_text(str(cache.free_port()))
        self._start()
        self.sql(f"CREATE ROLE {self.role} LOGIN CREATEDB PASSWORD '{self.password}'")
        (self.folder / "ready").touch()

    def _prepare_folders(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.data, Path(self._sockets())):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if host.is_root():
                os.chown(folder, *self._ids())

    def _initdb(self) -> None:
        # Local connections need no password, but the socket's folder is open to the owner only.
        ways = ["--auth-local=trust", "--auth-host=scram-sha-256", "--locale=C.UTF-8", "--encoding=UTF8"]
        command = [self._bin("initdb"), "-D", str(self.data), "-U", "postgres", *ways]
        host.run(self._as_owner(command), cache.logs() / "postgres.log", cwd="/")
        with open(self.data / "postgresql.conf", "a") as settings:
            settings.write(_SETTINGS.format(sockets=self._sockets()))

    def _stop(self, mode: str = "fast") -> None:
        if self.pid():
            # The last checkpoint takes long on a busy disk; pg_ctl would give up after a minute.
            self._control("stop", "-w", "-t", "600", "-m", mode)

    def _is_stopping(self) -> bool:
        try:
            return "stopping" in (self.data / "postmaster.pid").read_text()
        except OSError:
            return False

    def _start(self) -> None:
        if self.pid() and self._is_stopping():
            # Somebody's stop was interrupted: the server still lives but takes nobody in.
            cache.say("PostgreSQL is just stopping, waiting for its end")
            cache.wait_until(lambda: not self.pid(), 600)
        if self.pid():
            return
        if not self._processes():
            # Where nobody collects dead processes (a container whose first process doesn't), the
            # killed server stays a zombie, and PostgreSQL takes the pids in these files for alive.
            for file in (self.data / "postmaster.pid", *Path(self._sockets()).glob(".s.PGSQL.*")):
                file.unlink(missing_ok=True)
        self._control("start", "-w", "-t", "120", "-l", str(self.log), "-o", f"-p {self.port}")

    def _ensure_port(self) -> None:
        """Take another port when somebody has taken ours since the last run."""
        if not cache.is_free(self.port):
            (self.folder / "port").write_text(str(cache.free_port()))

    def _control(self, *words: str) -> None:
        command = [self._bin("pg_ctl"), "-D", str(self.data), *words]
        host.run(self._as_owner(command), cache.logs() / "postgres.log", cwd="/")

    def _bin(self, program: str) -> str:
        version = self.data / "PG_VERSION"
        # A cluster can only be served by the version that made it.
        if version.exists():
            return f"/usr/lib/postgresql/{version.read_text().strip()}/bin/{program}"
        return str(host.postgres_folder() / program)

    def _sockets(self) -> str:
        place = self.folder / "sockets"
        # The kernel allows 107 bytes for a socket's path.
        if len(bytes(place)) > 85:
            return f"/tmp/chatbridge-{hashlib.sha256(bytes(place)).hexdigest()[:12]}"
        return str(place)

    def _ids(self) -> tuple:
        person = pwd.getpwnam("postgres")
        return person.pw_uid, person.pw_gid

    def _as_owner(self, command: list) -> list:
        """Return the command as the ordinary user postgres, when we are root."""
        if not host.is_root():
            return command
        uid, gid = self._ids()
        become = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
        if any(not folder.stat().st_mode & 0o001 for folder in (self.folder, *self.folder.parents)):
            # The cache of root lies in /root, which is closed to others. Instead of opening it,
            # give PostgreSQL the right to pass through folders.
            become += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        return [*become, *command]


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
