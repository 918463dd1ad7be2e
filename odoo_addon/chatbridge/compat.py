"""What Python must know about the series it runs on: everything that 14.0 to 19.0 do differently is named here.

The XML differences are the business of ``odoo_addon/build.py``.
"""

import ast
from pathlib import Path

from odoo import exceptions, models, release

SERIES = int(release.series.replace("saas~", "").split(".")[0])

#: The series that build.py wrote this very folder for.
BUILT_FOR = ".".join(
    ast.literal_eval((Path(__file__).parent / "__manifest__.py").read_text(encoding="utf-8"))["version"].split(".")[:2]
)

#: The user's groups field (renamed in 19.0).
GROUPS_FIELD = "group_ids" if SERIES >= 19 else "groups_id"

#: Odoo's model of canned responses (renamed in 18.0).
CANNED_RESPONSE_MODEL = "mail.canned.response" if SERIES >= 18 else "mail.shortcode"

#: Odoo's model of Discuss channels (renamed in 17.0).
DISCUSS_CHANNEL_MODEL = "discuss.channel" if SERIES >= 17 else "mail.channel"

#: Odoo's own exceptions for what another try may mend (19.0 has two, earlier series none). One is a ``UserError``.
PASSING_EXCEPTIONS = tuple(
    getattr(exceptions, name) for name in ("ConcurrencyError", "LockError") if hasattr(exceptions, name)
)


class _SqlConstraint:
    """Stands for ``models.Constraint`` before 19.0: adds itself to the model's ``_sql_constraints``."""

    def __init__(self, definition, message):
        self.definition = definition
        self.message = message

    def __set_name__(self, owner, name):
        known = owner.__dict__.get("_sql_constraints", [])
        owner._sql_constraints = known + [(name.lstrip("_"), self.definition, self.message)]


def constraint(definition, message):
    """Return an SQL constraint for a model's body; its attribute's name must begin with an underscore."""
    if SERIES >= 19:
        return models.Constraint(definition, message)
    return _SqlConstraint(definition, message)


def create_unique_index(model, name, definition):
    """Create a (partial) unique index; to be called in a model's ``init``."""
    # Table and index names come from our own code, never from people.
    model.env.cr.execute(
        "CREATE UNIQUE INDEX IF NOT EXISTS %s_%s ON %s %s" % (model._table, name, model._table, definition)
    )


def presence(user):
    """Return whether a user is active in Odoo now: "online", "away" or "offline"."""
    # Series and modules beside ours know more, such as "busy" (19.0) and "leave_online" (hr_holidays): not available.
    status = user.sudo().im_status or "offline"
    if status == "online":
        return status
    return "offline" if "offline" in status else "away"


def flush(env):
    """Write everything that waits in the cache, and run what waits for the commit."""
    flush_all(env)
    env.cr.precommit.run()


def flush_all(env):
    """Write everything that waits in the cache."""
    if SERIES >= 16:
        env.flush_all()
    else:
        env["base"].flush()


def invalidate_all(env):
    """Forget all cached values, after rows were changed by SQL."""
    if SERIES >= 16:
        env.invalidate_all()
    else:
        env["base"].invalidate_cache()


def searched_values(value):
    """Return what a search method is asked for as a list: from 19.0 on, «=» comes as «in» with a collection."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return [value]
    return list(value)


def count_by(model, field_name, domain):
    """Return ``{id of field_name: number of records}``, with the rights of the caller."""
    if SERIES >= 17:
        return {record.id: count for record, count in model._read_group(domain, [field_name], ["__count"])}
    groups = model.read_group(domain, [field_name], [field_name])
    return {group[field_name][0]: group[field_name + "_count"] for group in groups if group[field_name]}


def translations(records, field_name):
    """Return ``{record id: {language: text}}`` with exactly what is stored, no fallback to another language.

    The source text stands under ``en_US``, as all series keep it there.
    """
    flush_all(records.env)
    if not records:
        return {}
    if SERIES >= 16:
        records.env.cr.execute(
            'SELECT id, "%s" FROM "%s" WHERE id = ANY(%%s)' % (field_name, records._table), (records.ids,)
        )
        return {id_: value or {} for id_, value in records.env.cr.fetchall()}
    return _translations_by_row(records, field_name)


def _translations_by_row(records, field_name):
    """Read translations of 14.0 and 15.0, which keep them in a table of their own."""
    cr = records.env.cr
    cr.execute('SELECT id, "%s" FROM "%s" WHERE id = ANY(%%s)' % (field_name, records._table), (records.ids,))
    result = {id_: {"en_US": value} if value else {} for id_, value in cr.fetchall()}
    cr.execute(
        "SELECT res_id, lang, value FROM ir_translation"
        " WHERE type = 'model' AND name = %s AND res_id = ANY(%s) AND value != '' AND lang != 'en_US'",
        ("%s,%s" % (records._name, field_name), records.ids),
    )
    for res_id, lang, value in cr.fetchall():
        # A text that was emptied keeps its translations in these series; to people it is empty.
        if result[res_id]:
            result[res_id][lang] = value
    return result
