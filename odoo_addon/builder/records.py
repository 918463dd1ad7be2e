"""Rewriting data files: records, their fields, menus."""

import re
import xml.etree.ElementTree as ET

from .subset import DATA
from .views import ViewRewriter
from .xmlfile import XmlFile

#: Fields that 19.0 renamed: model, new name, older name.
RENAMED_IN_19 = {("res.users", "group_ids"): "groups_id", ("res.groups", "user_ids"): "users"}


def rewrite_data(path, series):
    """Return a data file's text for a series (a number such as 14)."""
    file = XmlFile(path)
    if file.root.tag != "odoo":
        return file.text()
    _check_data(file, file.root)
    _choose(file, file.root, series)
    for record in file.root.iter("record"):
        _rewrite_record(file, record, series)
    if series < 19:
        _older_groups(file)
    return file.text()


def _check_data(file, parent):
    if parent.tag not in DATA:
        file.fail(parent, "<%s> is not in the subset of data files" % parent.tag)
    for name in parent.attrib:
        if name not in DATA[parent.tag]:
            file.fail(parent, "the attribute %s of <%s> is not in the subset" % (name, parent.tag))
    if parent.tag == "field" and parent.get("type") in ("xml", "html"):
        return
    for child in parent:
        _check_data(file, child)


def _choose(file, parent, series):
    """Keep what is meant for this series: ``series="18-"`` is 18.0 and later, ``series="-17"`` 17.0 and earlier."""
    for child in list(parent):
        wanted = child.attrib.pop("series", None)
        if wanted is not None and not _fits(file, child, wanted, series):
            parent.remove(child)
        else:
            _choose(file, child, series)


def _fits(file, element, wanted, series):
    match = re.fullmatch(r"(\d+)?-(\d+)?", wanted)
    if not match:
        file.fail(element, 'series="%s" is not understood: write "18-", "-17" or "15-17"' % wanted)
    return int(match.group(1) or 0) <= series <= int(match.group(2) or 99)


def _rewrite_record(file, record, series):
    model = record.get("model")
    for field in list(record):
        name = field.get("name")
        if name == "arch" and field.get("type") == "xml":
            ViewRewriter(file, series).rewrite(field)
        elif name in ("groups_id", "users") or (model, name) == ("res.groups", "category_id"):
            file.fail(field, "%s is the name of an older series" % name)
        elif name == "view_mode":
            _rewrite_view_mode(file, field, series)
        elif series < 19 and (model, name) in RENAMED_IN_19:
            field.set("name", RENAMED_IN_19[model, name])
    if model == "ir.cron" and series < 18:
        for name, value in (("numbercall", "-1"), ("doall", "False")):
            ET.SubElement(record, "field", {"name": name, "eval": value})


def _rewrite_view_mode(file, field, series):
    modes = (field.text or "").split(",")
    if "tree" in modes:
        file.fail(field, "tree is the name of an older series: write list")
    if series < 18:
        field.text = ",".join("tree" if mode == "list" else mode for mode in modes)


def _older_groups(file):
    """Put groups straight into the category of their privilege: before 19.0 there are no privileges."""
    categories = {}
    for parent in list(file.root.iter()):
        for record in list(parent):
            if record.tag == "record" and record.get("model") == "res.groups.privilege":
                category = record.find("field[@name='category_id']")
                if category is None:
                    file.fail(record, "a privilege needs a category, for the series that have no privileges")
                categories[record.get("id")] = category.get("ref")
                parent.remove(record)
    for field in file.root.iter("field"):
        if field.get("name") == "privilege_id":
            if field.get("ref") not in categories:
                file.fail(field, "the privilege %s is not defined in this file" % field.get("ref"))
            field.set("name", "category_id")
            field.set("ref", categories[field.get("ref")])
