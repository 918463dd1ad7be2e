"""Databases: templates that are built once, and the clones that tests work with.

A template is a database plus its filestore. PostgreSQL's own flag «is a template» is set last, so
a template without it is what an interrupted build left, and is made again. Every clone carries
its maker's identity in its comment: `clean` drops the clones of processes that are gone.
"""

import copy
import hashlib
import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path

from . import cache, host, series as catalogue
from .chroot import Chroot
from .postgres import Postgres
from .run import Run, databases_in_use, sweep

#: Raise it when the recipe below changes in a way its other ingredients don't show.
RECIPE = 1
#: How many templates with our own modules are kept for a series.
KEPT = 3
#: Two, so that two checkouts of the project with different recipes don't rebuild in turns.
KEPT_BASES = 2
#: The comment of a database that `clean` leaves alone.
FOREVER = "kept"


class Installation:
    """One series ready for use: its chroot, the PostgreSQL beside it, and the databases."""

    def __init__(self, number):
        self.series = catalogue.series(number)
        self.chroot = Chroot(self.series)
        self.chroot.prepare()
        self.postgres = Postgres().join()
        self.is_private = False
        sweep(self.chroot)

    def private(self) -> "Installation":
        """Return the same with a PostgreSQL of its own, to be stopped and killed by a test.

        It has the templates that exist now and can clone them, but cannot build others.
        """
        made = copy.copy(self)
        made.postgres = self.postgres.copy()
        made.is_private = True
        return made

    def base(self) -> str:
        """Return the template with Odoo's own modules and languages, building it when needed."""
        recipe = f"{RECIPE} {self.series} {catalogue.MODULES} {catalogue.LANGUAGES}"
        name = f"base_{self.series.number}_{_short(recipe)}"
        with cache.lock(f"template-{self.series.number}"):
            if self._must_build(name):
                cache.say(f"Odoo {self.series.number}: building the base template, about a minute")
                self._create(name)
                self._install(name, catalogue.MODULES, (), f"--load-language={catalogue.LANGUAGES}")
                self._warm(name)
                self._seal(name)
                self._touch(name)
                self._drop_old(f"base_{self.series.number}_", keep=KEPT_BASES)
        return name

    def template(self, addons, modules: str) -> str:
        """Return the template with `modules` of the `addons` folders, building it when needed."""
        folders = [addons] if isinstance(addons, (str, Path)) else list(addons)
        base = self.base()
        name = f"with_{self.series.number}_{_short(f'{base} {modules} {cache.content_hash(*folders)}')}"
        with cache.lock(f"template-{self.series.number}"):
            if self._must_build(name):
                cache.say(f"Odoo {self.series.number}: building the template with {modules}, about 20 seconds")
                self._copy(base, name)
                self._install(name, modules, folders)
                self._seal(name)
            self._touch(name)
            self._drop_old(f"with_{self.series.number}_", keep=KEPT)
        return name

    def clone(self, template: str, name: str = "", keep: bool = False) -> str:
        """Return a new database made from `template`; `keep` saves it from `clean`."""
        # The pid tells `clean` whose a filestore is that has lost its database.
        name = name or f"lab_{self.series.number}_{os.getpid()}_{secrets.token_hex(4)}"
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,50}", name):
            raise host.LabError(f"«{name}» can't be a database: small Latin letters, digits and _ only")
        with cache.lock(f"template-{self.series.number}"):
            if self.exists(name):
                raise host.LabError(f"there is a database {name} already")
            self._copy(template, name)
            self.postgres.sql(f"COMMENT ON DATABASE {name} IS '{FOREVER if keep else cache.me()}'")
        return name

    def exists(self, name: str) -> bool:
        """Tell whether there is a database of this name."""
        return bool(self.postgres.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))

    def drop(self, name: str) -> None:
        """Drop a database and its filestore; open connections are ended."""
        if self._is_template(name):
            self.postgres.sql(f"ALTER DATABASE {name} IS_TEMPLATE false")
        self.postgres.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        shutil.rmtree(self.filestore(name), ignore_errors=True)

    def clean(self, kept=()) -> list:
        """Drop the clones whose makers are gone, and the `kept` ones named; return what was dropped.

        A kept database may be somebody else's work: there is no way to drop all of them at once,
        and none that a living run uses is dropped.
        """
        dropped = []
        with cache.lock(f"template-{self.series.number}"):
            used = databases_in_use(self.chroot)
            for name, comment in self.clones():
                unwanted = name in kept if comment == FOREVER else not cache.alive(comment)
                if unwanted and name in used:
                    cache.say(f"{name} stays: a running Odoo uses it")
                elif unwanted:
                    self.drop(name)
                    dropped.append(name)
            for folder in self.filestore("").glob(f"lab_{self.series.number}_*"):
                # Such remain of private clusters and of a lab that was killed while dropping.
                if not Path("/proc", folder.name.split("_")[2]).exists() and not self.exists(folder.name):
                    shutil.rmtree(folder)
        return dropped

    def clones(self) -> list:
        """Return [name, comment] of the databases of this series that are no templates."""
        number = self.series.number
        rows = self.postgres.sql(
            "SELECT datname, coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database"
            rf" WHERE datname !~ '^(base|with)_{number}_' AND datname NOT IN ('postgres', 'template0', 'template1')"
        )
        return [row for row in rows if row[0].startswith(f"lab_{number}_") or self.filestore(row[0]).exists()]

    def templates(self) -> list:
        """Return the names of the complete templates of this series."""
        query = rf"SELECT datname FROM pg_database WHERE datistemplate AND datname ~ '^(base|with)_{self.series.number}_'"
        return [row[0] for row in self.postgres.sql(query)]

    def filestore(self, name: str) -> Path:
        """Return where Odoo keeps the files of a database."""
        return self.chroot.home / "data/filestore" / name

    def _must_build(self, name: str) -> bool:
        if self._is_template(name):
            return False
        if self.is_private:
            # Its filestore would lie in the place of the shared cluster's template of that name.
            raise host.LabError("a private installation can't build templates: build it before private()")
        return True

    def _is_template(self, name: str) -> bool:
        return bool(self.postgres.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}' AND datistemplate"))

    def _create(self, name: str) -> None:
        self.drop(name)
        self.postgres.sql(
            f"CREATE DATABASE {name} OWNER {self.postgres.role} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'"
        )
        for extension in ("pg_trgm", "unaccent"):
            self.postgres.sql(f"CREATE EXTENSION IF NOT EXISTS {extension}", name)

    def _copy(self, source: str, name: str) -> None:
        self.drop(name)
        self.postgres.sql(f"CREATE DATABASE {name} OWNER {self.postgres.role} TEMPLATE {source}")
        # Odoo writes a file of its filestore once and never changes it: hard links are copies.
        # Made as the owner, who alone may remove them later.
        inside = [self.chroot.inside(self.filestore(each)) for each in (source, name)]
        done = subprocess.run(self.chroot.command("cp", "-al", *inside), capture_output=True, text=True)
        if done.returncode:
            raise host.LabError(f"copying the filestore of {source} failed: {done.stderr}")
        # A copy with the same identity would share what Odoo keeps by it elsewhere.
        fresh = "UPDATE ir_config_parameter SET value = gen_random_uuid()::text WHERE key = 'database.uuid'"
        self.postgres.sql(fresh, name)

    def _install(self, name: str, modules: str, addons, *words: str) -> None:
        run = Run(self.chroot, self.postgres, name, addons)
        try:
            code = run.execute("-i", modules, "--stop-after-init", "--no-http", *words)
            # Odoo ends with 0 even when a module was not found, so ask the database.
            absent = self._absent(name, modules)
            if code or absent:
                what = f"{', '.join(absent)} not installed" if absent else f"exit code {code}"
                raise host.LabError(f"Odoo {self.series.number}: {what}\n{host.tail(run.log, 60)}\nAll of it: {run.log}")
        finally:
            run.remove()

    def _warm(self, name: str) -> None:
        run = Run(self.chroot, self.postgres, name)
        try:
            if run.execute("shell", "--no-http", script=self.series.warm):
                raise host.LabError(f"building the web bundles failed:\n{host.tail(run.log)}\nAll of it: {run.log}")
        finally:
            run.remove()

    def _absent(self, name: str, modules: str) -> list:
        rows = self.postgres.sql("SELECT name FROM ir_module_module WHERE state = 'installed'", name)
        return sorted(set(modules.split(",")) - {row[0] for row in rows})

    def _seal(self, name: str) -> None:
        self.filestore(name).mkdir(parents=True, exist_ok=True)
        self.postgres.sql(f"ALTER DATABASE {name} IS_TEMPLATE true")

    def _touch(self, name: str) -> None:
        (cache.folder("lab", "templates") / name).touch()

    def _drop_old(self, prefix: str, keep: int) -> None:
        """Drop all but the `keep` templates used last."""
        if self.is_private:
            return
        used = cache.folder("lab", "templates")
        # Half-made ones are dropped too: whoever makes one holds the same lock as we do.
        rows = self.postgres.sql(f"SELECT datname FROM pg_database WHERE starts_with(datname, '{prefix}')")
        names = [row[0] for row in rows]
        stamp = {name: (used / name).stat().st_mtime if (used / name).exists() else 0 for name in names}
        for name in sorted(names, key=stamp.get, reverse=True)[keep:]:
            self.drop(name)
            (used / name).unlink(missing_ok=True)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]
