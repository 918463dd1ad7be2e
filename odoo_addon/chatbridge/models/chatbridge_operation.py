import json
from datetime import timedelta

from odoo import api, fields, models

from .. import compat

#: How long the answers of operations are kept, in days.
KEPT_DAYS = 30


class ChatbridgeOperation(models.Model):
    """The answer that an operation of the bridge got, by its key: the same key again gets the same answer."""

    _name = "chatbridge.operation"
    _description = "Operation of the bridge"
    _order = "id desc"
    _log_access = False
    _rec_name = "key"

    key = fields.Char(required=True, readonly=True)
    type = fields.Char(readonly=True)
    result = fields.Text(readonly=True, help="JSON: what was answered.")
    created = fields.Datetime(readonly=True, index=True)

    _key_unique = compat.constraint("UNIQUE(key)", "An operation's key is used once.")

    @api.model
    def _claim(self, types):
        """Take the keys that are new for this transaction and return them.

        Two transactions with one key wait for each other here: the second gets a serialization failure, so that Odoo
        carries its call out again, and then it finds the answer of the first. Keys are taken in one order everywhere.
        """
        keys = sorted(types)
        self.env.cr.execute(
            "INSERT INTO chatbridge_operation (key, type, created)"
            " SELECT v.key, v.type, now() AT TIME ZONE 'UTC' FROM unnest(%s::text[], %s::text[]) AS v(key, type) ORDER"
            " BY v.key"
            " ON CONFLICT (key) DO NOTHING RETURNING key",
            (keys, [types[key] for key in keys]),
        )
        return {key for (key,) in self.env.cr.fetchall()}

    @api.model
    def _answers(self, keys):
        """Return the kept answers of these keys."""
        self.env.cr.execute("SELECT key, result FROM chatbridge_operation WHERE key = ANY(%s)", (list(keys),))
        return {key: json.loads(result) for key, result in self.env.cr.fetchall()}

    @api.model
    def _keep(self, answers):
        """Keep the answers, by key."""
        self.env.cr.execute(
            "UPDATE chatbridge_operation o SET result = v.result FROM unnest(%s::text[], %s::text[]) AS v(key, result)"
            " WHERE o.key = v.key",
            (list(answers), [json.dumps(answer, ensure_ascii=False) for answer in answers.values()]),
        )

    @api.model
    def _forget_old(self):
        """Remove answers that no bridge can ask for any more; called by a cron."""
        limit = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        self.env.cr.execute("DELETE FROM chatbridge_operation WHERE created < %s", (limit,))
