"""Where the lab keeps things, and the locks that keep two runs apart.

Everything lives below one folder, ``$CHATBRIDGE_CACHE`` or ``~/.cache/chatbridge``:
``odoo/14`` and ``odoo/19`` (chroots), ``postgres/`` (a private cluster), ``lab/`` (logs, locks).
"""

import contextlib
import fcntl
import hashlib
import os
import socket
import sys
import time
from pathlib import Path


def root() -> Path:
    """Return the cache folder (not created yet)."""
    given = os.environ.get("CHATBRIDGE_CACHE")
    return Path(given).expanduser().absolute() if given else Path.home() / ".cache/chatbridge"


def folder(*names: str) -> Path:
    """Return a folder of the cache, made when it is missing."""
    path = root().joinpath(*names)
    path.mkdir(parents=True, exist_ok=True)
    return path


def logs() -> Path:
    """Return the folder of all log files."""
    return folder("lab", "logs")


def say(text: str) -> None:
    """Print one line for the person who waits; on stderr, so that stdout stays for results."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def lock(name: str):
    """Hold the lock `name` against every other lab on this machine; says so when it has to wait."""
    with open(folder("lab", "locks") / name, "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another lab that is busy with «{name}»")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def free_port() -> int:
    """Ask the kernel for a port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    """Tell whether a server could take this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As servers do: connections that are just closing don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def content_hash(*folders: Path) -> str:
    """Return a hash of the names and contents of all files below the folders."""
    digest = hashlib.sha256()
    for top in folders:
        for path in sorted(p for p in Path(top).rglob("*") if p.is_file()):
            if "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(top)}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def born(pid: int) -> str:
    """Return when process `pid` started, or "" when there is none.

    A pid alone is no identity: the kernel gives it away again. Pid and birth together are.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def me() -> str:
    """Return the identity of this process, «pid birth», as `alive` reads it."""
    return f"{os.getpid()} {born(os.getpid())}"


def alive(identity: str) -> bool:
    """Tell whether the process of an identity made by `me` still runs."""
    pid, _, birth = identity.partition(" ")
    return pid.isdigit() and bool(birth) and born(int(pid)) == birth.strip()


def wait_until(done, seconds: float, step: float = 0.05) -> bool:
    """Ask `done()` until it is true or the time is over; return whether it became true."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True
