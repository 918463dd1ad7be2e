"""A Debian in a folder with one Odoo series in it, and the way to run commands there.

A chroot is complete when its marker `odoo/<series>.ready` exists; the marker is written last, so
what an interrupted run left is thrown away and made again. Commands run in a mount namespace of
their own: /proc is mounted in it and goes away with the command, so no mounts are left behind.
"""

import os
import shutil
from pathlib import Path

from . import cache, host
from .series import Series

#: The folder inside the chroot that belongs to the ordinary user Odoo runs as.
HOME = "srv/lab"

#: $1 is the chroot, $2 the file for the pid: `exec` keeps the pid, so it will be Odoo's own.
_ENTER = 'mount -t proc proc "$1/proc" && echo $$ > "$2" && root=$1 && shift 2 && exec chroot "$root" "$@"'


class Chroot:
    """The folder with one Odoo series."""

    def __init__(self, series: Series):
        self.series = series
        self.path = cache.root() / "odoo" / series.number
        self.home = self.path / HOME
        self._ready = self.path.with_name(f"{series.number}.ready")

    def is_ready(self) -> bool:
        """Tell whether the chroot is complete."""
        return self._ready.exists()

    def prepare(self) -> None:
        """Make the chroot unless it is there."""
        if self.is_ready():
            return
        host.ensure_packages()
        with cache.lock(f"chroot-{self.series.number}"):
            if not self.is_ready():
                self._make()

    def inside(self, path: Path) -> str:
        """Return how a path below the chroot is called inside."""
        return "/" + str(Path(path).relative_to(self.path))

    def owner(self) -> tuple:
        """Return uid and gid that Odoo runs with: the odoo user of the chroot, or us if not root.

        Running as ourselves lets an ordinary user read, stop and remove what Odoo made.
        """
        if not host.is_root():
            return os.getuid(), os.getgid()
        for line in (self.path / "etc/passwd").read_text().splitlines():
            name, _, uid, gid, *_ = line.split(":")
            if name == "odoo":
                return int(uid), int(gid)
        raise host.LabError(f"no user odoo in {self.path}; remove {self._ready} to make it again")

    def command(self, *words: str, pid_file="/dev/null") -> list:
        """Return the command that runs `words` inside as the ordinary user.

        The process writes its pid to `pid_file` first (a path outside the chroot).
        """
        uid, gid = self.owner()
        person = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
        clean = ["env", "-i", "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC", f"HOME=/{HOME}", "USER=odoo"]
        clean += ["PYTHONUNBUFFERED=1", f"TERM={os.environ.get('TERM', 'dumb')}"]
        return self._enter(*person, *clean, *words, pid_file=pid_file)

    def _enter(self, *words, pid_file="/dev/null") -> list:
        private = ("unshare", "--mount", "--propagation", "private")
        return host.as_root(*private, "sh", "-c", _ENTER, "sh", self.path, pid_file, *words)

    def _make(self) -> None:
        log = cache.logs() / f"chroot-{self.series.number}.log"
        log.unlink(missing_ok=True)
        self._throw_away()
        mirror = host.mirror()
        cache.say(f"Odoo {self.series.number}: unpacking Debian {self.series.suite}, about a minute ({log})")
        cache.folder("odoo")
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        debootstrap = shutil.which("debootstrap", path=path)
        host.run(
            # In a mount namespace, so that an interrupted debootstrap leaves no /proc behind.
            host.as_root("unshare", "--mount", debootstrap, "--variant=minbase", self.series.suite, self.path, mirror),
            log,
        )
        host.run(host.as_root("cp", "-L", "/etc/resolv.conf", self.path / "etc/resolv.conf"), log)
        self._write("usr/sbin/policy-rc.d", "#!/bin/sh\n# No service starts in here.\nexit 101\n", "0755", log)
        if self.series.newer:
            self._write("etc/apt/sources.list.d/newer.list", self._newer_source(mirror), "0644", log)
            self._write("etc/apt/preferences.d/newer", self._newer_pins(), "0644", log)
        self._install(log)
        uid, gid = self.owner()
        host.run(host.as_root("install", "-d", "-o", str(uid), "-g", str(gid), self.home), log)
        self._ready.write_text(f"{self.series}\n")

    def _install(self, log: Path) -> None:
        cache.say(f"Odoo {self.series.number}: installing it there, about two minutes ({log})")
        apt = ("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "apt-get")
        packages = (self.series.package, *self.series.extra)
        host.run(self._enter(*apt, "update"), log)
        host.run(self._enter(*apt, "install", "-y", "--no-install-recommends", *packages), log)
        host.run(self._enter("apt-get", "clean"), log)

    def _newer_source(self, mirror: str) -> str:
        # A mirror may hold an old state of it, whose Release file has run out.
        return f"deb [check-valid-until=no] {mirror} {self.series.newer} main\n"

    def _newer_pins(self) -> str:
        release = f"Pin: release n={self.series.newer}\nPin-Priority:"
        return f"Package: *\n{release} -10\n\nPackage: {self.series.package}\n{release} 900\n"

    def _write(self, name: str, text: str, mode: str, log: Path) -> None:
        draft = cache.folder("lab") / f"draft-{self.series.number}"
        draft.write_text(text)
        host.run(host.as_root("install", "-m", mode, draft, self.path / name), log)
        draft.unlink()

    def _throw_away(self) -> None:
        if not self.path.exists():
            return
        cache.say(f"Odoo {self.series.number}: removing what an interrupted run left")
        log = cache.logs() / f"chroot-{self.series.number}.log"
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            if line.split()[1].startswith(f"{self.path}/"):
                host.run(host.as_root("umount", line.split()[1]), log)
        # A mount that is still there would be emptied too: --one-file-system forbids it.
        host.run(host.as_root("rm", "-rf", "--one-file-system", self.path), log)
