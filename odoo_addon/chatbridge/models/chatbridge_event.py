import json
from functools import partial

from odoo import api, fields, models

from ..rpc import nudge, ulid
from ..rpc.instant import instant

PENDING = "chatbridge.configuration"


class ChatbridgeEvent(models.Model):
    """Something that happened in Odoo and that the bridge has not acknowledged yet.

    Rows are written in the transaction that caused them and deleted by ``done``.
    """

    _name = "chatbridge.event"
    _description = "Event for the bridge"
    _order = "id"
    _log_access = False

    key = fields.Char(required=True, help="A ULID: the bridge carries out each key once.")
    kind = fields.Char(required=True)
    channel_id = fields.Many2one(
        "chatbridge.channel", "Chat", index=True, ondelete="cascade", help="The event waits while this chat is not live."
    )
    at = fields.Datetime(required=True)
    payload = fields.Text(required=True, help="JSON, as docs/protocol.md describes it.")
    transaction_ref = fields.Char(
        "Transaction", help="Number of the transaction that wrote the row, so that it writes one row only."
    )

    @api.model
    def _configuration_changed(self, bot_ids):
        """Note that the configuration of these bots has changed in this transaction."""
        if not bot_ids:
            return
        precommit = self.env.cr.precommit
        pending = precommit.data.setdefault(PENDING, set())
        if not pending:
            precommit.add(partial(self.sudo()._write_configuration_event))
        pending.update(bot_ids)

    def _write_configuration_event(self):
        """Write the transaction's configuration event, or add to it.

        Odoo runs what waits for the commit at each savepoint too, so this may be called many times in one transaction:
        the transaction's own number finds the row again, and a rolled back savepoint takes it away as it should.
        """
        bot_ids = self.env.cr.precommit.data.pop(PENDING, set())
        cr = self.env.cr
        cr.execute(
            "SELECT id, payload FROM chatbridge_event WHERE kind = 'configuration' AND transaction_ref ="
            " txid_current()::text"
        )
        row = cr.fetchone()
        if row:
            bot_ids = bot_ids.union(json.loads(row[1])["bots"])
            cr.execute("UPDATE chatbridge_event SET payload = %s WHERE id = %s", (self._bots_payload(bot_ids), row[0]))
            return
        self._insert("configuration", self._bots_payload(bot_ids))

    @api.model
    def _bots_payload(self, bot_ids):
        """Return the payload of a configuration event."""
        return json.dumps({"bots": sorted(bot_ids)})

    @api.model
    def _insert(self, kind, payload, channel_id=None):
        """Write one event and have the bridge nudged once the transaction is committed."""
        self.env.cr.execute(
            "INSERT INTO chatbridge_event (key, kind, channel_id, at, payload, transaction_ref)"
            " VALUES (%s, %s, %s, now() AT TIME ZONE 'UTC', %s, txid_current()::text)",
            (ulid.draw(), kind, channel_id, payload),
        )
        target = self.env["chatbridge.bridge.status"]._nudge_target()
        if target:
            nudge.after_commit(self.env.cr, target)

    @api.model
    def _about_chat(self, kind, channel, sender, chat, conversation, **more):
        """Write an event about a chat; it waits while the chat's channel is not live."""
        profile = ("first_name", "last_name", "username", "language_code")
        payload = {
            "channel": channel.id,
            "chat": chat,
            "conversation": conversation.key or None,
            "sender": dict({name: sender[name] or None for name in profile}, user=sender.user_ref),
        }
        self._insert(kind, json.dumps(dict(payload, **more), ensure_ascii=False), channel.id)

    @api.model
    def _waiting(self, limit, kinds):
        """Return every event that is not acknowledged, oldest first.

        Never «after the last id»: a transaction that began earlier may commit later.
        """
        self.env.cr.execute(
            "SELECT e.id, e.key, e.kind, e.at, e.payload FROM chatbridge_event e"
            " WHERE (%s OR e.kind = ANY(%s)) AND (e.channel_id IS NULL OR EXISTS ("
            "  SELECT FROM chatbridge_channel c"
            "    JOIN chatbridge_bot b ON b.id = c.bot_id AND b.active"
            "    JOIN chatbridge_messenger m ON m.id = c.messenger_id AND m.state = 'on'"
            "   WHERE c.id = e.channel_id AND c.active AND c.telegram_bot_id IS NOT NULL))"
            " ORDER BY e.id LIMIT %s",
            (kinds is None, kinds or [], limit),
        )
        return [
            {"id": id_, "key": key, "kind": kind, "at": instant(at), "payload": json.loads(payload)}
            for id_, key, kind, at, payload in self.env.cr.fetchall()
        ]

    @api.model
    def _done(self, ids):
        """Forget acknowledged events."""
        self.env.cr.execute("DELETE FROM chatbridge_event WHERE id = ANY(%s)", (ids,))
