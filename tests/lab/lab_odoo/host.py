"""The machine below: commands run as root, and the Debian packages that the lab needs."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from . import cache

#: Debian package → a program that proves it is there (None: ask `postgres_folder`).
PACKAGES = {"debootstrap": "debootstrap", "rsync": "rsync", "util-linux": "setpriv", "postgresql": None}


class LabError(Exception):
    """The lab cannot go on; the text says what is missing and is made for people."""


def is_root() -> bool:
    """Tell whether this process is root."""
    return os.geteuid() == 0


def as_root(*command: str) -> list:
    """Return `command` in the form that runs as root: itself, or through sudo."""
    command = [str(word) for word in command]
    if is_root():
        return command
    if not shutil.which("sudo"):
        raise LabError("the lab needs root: run it as root, or install sudo and allow it for you")
    if subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode:
        raise LabError("the lab needs root: sudo asks for a password; run «sudo -v» first")
    return ["sudo", "-n", *command]


def run(command, log: Path, **options) -> None:
    """Run a command, all it prints going to `log`; raise with the last lines when it fails."""
    # Odoo and PostgreSQL are other users: what is made here must be readable whatever our umask.
    with open(log, "ab") as sink:
        code = subprocess.run(
            command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, umask=0o022, **options
        ).returncode
    if code:
        raise LabError(f"«{' '.join(map(str, command))[:200]}» failed ({code}):\n{tail(log)}\nAll of it: {log}")


def tail(log: Path, lines: int = 25) -> str:
    """Return the last lines of a log file."""
    try:
        return "\n".join(Path(log).read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


def postgres_folder():
    """Return the bin folder of the newest PostgreSQL server of the machine, or None."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    return max(found, key=lambda path: float(path.parent.name), default=None)


def ensure_packages() -> None:
    """Install what the lab needs and the machine lacks, with apt."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [
        package
        for package, program in PACKAGES.items()
        if not (shutil.which(program, path=path) if program else postgres_folder())
    ]
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise LabError(f"this machine has no apt-get; the lab needs a Debian with {', '.join(missing)}")
    with cache.lock("apt"):
        cache.say(f"installing {', '.join(missing)} with apt, about half a minute")
        log = cache.logs() / "apt.log"
        # Another apt may be at work on this machine: wait for it instead of failing.
        apt = as_root("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=600")
        run([*apt, "update"], log)
        run([*apt, "install", "-y", "--no-install-recommends", *missing], log)


def mirror() -> str:
    """Return the Debian mirror that the machine itself uses, read from its apt sources."""
    places = [*sorted(Path("/etc/apt/sources.list.d").glob("*")), Path("/etc/apt/sources.list")]
    for place in places:
        if place.suffix not in (".list", ".sources") or not place.is_file():
            continue
        text = re.sub(r"(?m)^\s*#.*\n?", "", place.read_text(errors="replace"))
        for address, words in _sources(text, place.suffix):
            # Mirrors of third parties and of security updates don't hold a whole Debian.
            if address.rstrip("/").endswith("/debian") and "main" in words:
                return address.rstrip("/")
    raise LabError("no Debian mirror («…/debian», component main) found in /etc/apt/sources.list*")


def _sources(text: str, suffix: str):
    """Yield (address, other words) of each entry of an apt sources file, of both formats."""
    if suffix == ".list":
        for line in re.findall(r"(?m)^deb\s+(?:\[[^]]*\]\s*)?(.+)$", text):
            address, *words = line.split()
            yield address, words
    else:
        for entry in re.split(r"\n\s*\n", text):
            addresses = re.search(r"(?mi)^URIs:\s*(.+)$", entry)
            words = re.search(r"(?mi)^Components:\s*(.+)$", entry)
            for address in addresses.group(1).split() if addresses else ():
                yield address, words.group(1).split() if words else ()
