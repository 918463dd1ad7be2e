"""Building one addon: files chosen, rewritten, checked and copied."""

import ast
import re
import shutil

from .errors import BuildError
from .records import rewrite_data
from .subset import PYTHON

#: Folders that are no part of an installed addon.
LEFT_OUT = {"__pycache__", "overrides"}
SUFFIX = re.compile(r"^(?P<stem>.+)\.(?P<series>1[4-9])\.(?P<kind>\w+)$")

#: The oldest Python that runs a series.
OLDEST_PYTHON = {14: (3, 6), 15: (3, 7), 16: (3, 7), 17: (3, 10), 18: (3, 10), 19: (3, 10)}


def build_addon(source, out, series):
    """Write the addon `source` for a series such as "14.0" to the folder `out`."""
    number = int(series.split(".")[0])
    if out.exists():
        shutil.rmtree(out)
    for relative, path in sorted(_chosen(source, number).items()):
        target = out / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.name == "__manifest__.py":
            target.write_text(_manifest(path, series), encoding="utf-8")
        elif path.suffix == ".xml" and relative.parts[0] in ("data", "security", "views", "wizards", "report", "demo"):
            target.write_text(rewrite_data(path, number), encoding="utf-8")
        else:
            if path.suffix == ".py":
                _check_python(path, number)
            shutil.copyfile(path, target)


def _chosen(source, number):
    """Return ``{relative path: file}``: `file.14.xml` and `overrides/14.0/file.xml` win over `file.xml`."""
    files, winners = {}, {}
    for path in source.rglob("*"):
        relative = path.relative_to(source)
        if not path.is_file() or LEFT_OUT & set(relative.parts[:-1]):
            continue
        match = SUFFIX.match(path.name)
        if not match:
            files[relative] = path
        elif int(match.group("series")) == number:
            winners[relative.with_name("%s.%s" % (match.group("stem"), match.group("kind")))] = path
    overrides = source / "overrides" / ("%d.0" % number)
    winners.update({path.relative_to(overrides): path for path in overrides.rglob("*") if path.is_file()})
    for relative, path in winners.items():
        if relative not in files:
            raise BuildError(path, 1, "overrides %s, which does not exist" % relative)
    return {**files, **winners}


def _manifest(path, series):
    """Return the manifest with the version of the series."""
    text = path.read_text(encoding="utf-8")
    manifest = ast.literal_eval(text)
    version = manifest.get("version", "")
    if not re.fullmatch(r"19\.0\.\d+\.\d+\.\d+", version):
        raise BuildError(path, 1, "the version must be 19.0.x.y.z, not %r" % version)
    for name in manifest.get("data", []):
        if not (path.parent / name).is_file():
            raise BuildError(path, _line_of(text, name), "%s does not exist" % name)
    return text.replace('"%s"' % version, '"%s%s"' % (series, version[len("19.0") :]))


def _check_python(path, number):
    """Refuse Python that an interpreter or Odoo of the series does not know."""
    text = path.read_text(encoding="utf-8")
    try:
        ast.parse(text, filename=str(path), feature_version=OLDEST_PYTHON[number])
    except SyntaxError as error:
        raise BuildError(path, error.lineno, error.msg) from error
    if path.name == "compat.py":
        return
    for word, advice in PYTHON.items():
        if word in text:
            raise BuildError(path, _line_of(text, word), "«%s» is not in the subset: %s" % (word, advice))


def _line_of(text, word):
    return text[: text.index(word)].count("\n") + 1
