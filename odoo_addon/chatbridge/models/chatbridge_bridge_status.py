import uuid
from datetime import timedelta

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import compat
from ..exceptions import LeaseLost
from ..rpc.nudge import Target

#: How long a lease lasts after the last handshake or heartbeat.
LEASE_SECONDS = 30

#: Why a store has to wait for *Confirm*. English goes into the bridge's log, the form shows them translated.
REASONS = [
    ("later", "The bridge's store belongs to another database or to a later state of this one."),
    ("other_store", "The bridge comes with another store than the one registered here."),
    ("copy", "The bridge's store belongs to another database, perhaps the one that this was copied from."),
    (
        "restored",
        "This database or the bridge's store was restored from a backup: they don't remember the same last meeting.",
    ),
    ("store_restored", "The bridge's store was restored from a backup while the bridge was running."),
]


class ChatbridgeBridgeStatus(models.Model):
    """The bridge that this database is registered with, and what it last said of itself (SET-6). One row.

    Handshakes lock the row, so that two bridges can never both be ready.
    """

    _name = "chatbridge.bridge.status"
    _description = "Bridge"

    name = fields.Char(compute="_compute_name")
    store_id = fields.Char("Store", readonly=True, help="The bridge's store that this database belongs together with.")
    state = fields.Selection(
        [("new", "Never connected"), ("ready", "Ready"), ("confirm", "Waiting for a confirmation")],
        default="new",
        required=True,
        readonly=True,
    )
    connection = fields.Selection(
        [
            ("never", "Never connected"),
            ("connected", "Connected"),
            ("lost", "Not connected"),
            ("confirm", "Waiting for a confirmation"),
        ],
        compute="_compute_connection",
    )
    connection_since = fields.Datetime("Since", compute="_compute_connection")
    generation = fields.Integer(
        readonly=True, groups="base.group_system", help="How many leases this database has given."
    )
    nonce = fields.Char(readonly=True, groups="base.group_system")
    accepted_nonce = fields.Char(
        "Accepted nonce",
        readonly=True,
        groups="base.group_system",
        help="What the last accepted handshake brought; good until the new one is seen.",
    )
    accepted_database = fields.Char("Accepted database", readonly=True, groups="base.group_system")
    epoch = fields.Char(readonly=True, groups="base.group_system", help="Drawn at each confirmation: chats of an earlier one are checked anew.")
    acknowledged = fields.Boolean(readonly=True, groups="base.group_system", help="The bridge has shown the new nonce.")
    confirmed = fields.Boolean(
        readonly=True,
        groups="base.group_system",
        help="An administrator has confirmed the store, which has yet to come back.",
    )
    connected_since = fields.Datetime("Connected since", readonly=True)
    last_heartbeat = fields.Datetime("Last heard of", readonly=True)
    bridge_version = fields.Char("Version", readonly=True)
    instance = fields.Char(readonly=True, groups="base.group_system")
    operations_waiting = fields.Integer(
        "Writes waiting", readonly=True, help="What the bridge has yet to write to Odoo."
    )
    operations_refused = fields.Integer(
        "Writes refused", readonly=True, help="What Odoo refused and the bridge has put aside."
    )
    sends_waiting = fields.Integer(
        "Messages waiting", readonly=True, help="What the bridge has yet to send to messengers."
    )
    nudges = fields.Boolean(
        "Hears of changes at once",
        readonly=True,
        help="Whether the bridge hears at once of changes in Odoo. If not, it asks every second.",
    )
    nudge_url = fields.Char("Address for nudges", readonly=True, groups="base.group_system")
    nudge_secret = fields.Char("Secret for nudges", readonly=True, groups="base.group_system")
    waiting_store_id = fields.Char(
        "Waiting store", readonly=True, help="A bridge that asks for this database and does not belong to it yet."
    )
    waiting_reason = fields.Selection(REASONS, "Why it waits", readonly=True)
    waiting_since = fields.Datetime("Waiting since", readonly=True)
    channel_ids = fields.Many2many("chatbridge.channel", compute="_compute_channel_ids", string="Chats")
    start_settings = fields.Text("Settings to start the bridge with", compute="_compute_start_settings")

    def _compute_name(self):
        for status in self:
            status.name = _("Bridge")

    @api.depends("state", "last_heartbeat", "connected_since", "waiting_store_id", "waiting_since")
    def _compute_connection(self):
        for status in self:
            if status.waiting_store_id:
                status.connection, status.connection_since = "confirm", status.waiting_since
            elif not status.last_heartbeat:
                status.connection, status.connection_since = "never", False
            elif status._lease_runs():
                status.connection, status.connection_since = "connected", status.connected_since
            else:
                status.connection, status.connection_since = "lost", status.last_heartbeat

    def _compute_channel_ids(self):
        channels = self.env["chatbridge.channel"].search([("telegram_bot_id", "!=", False)])
        for status in self:
            status.channel_ids = channels

    def _compute_start_settings(self):
        address = self.env["ir.config_parameter"].sudo().get_param("web.base.url")
        login = self._bridge_user().login
        for status in self:
            status.start_settings = "\n".join(
                "CHATBRIDGE_ODOO_%s=%s" % setting
                for setting in (
                    ("URL", address or "…"),
                    ("DATABASE", self.env.cr.dbname),
                    ("LOGIN", login or "…"),
                    ("PASSWORD", "…"),
                )
            )

    @api.model
    def _bridge_user(self):
        """Return the user that this module ships for the bridge, where it is still there."""
        user = self.env.ref("chatbridge.user_bridge", raise_if_not_found=False)
        return user.sudo() if user else self.env["res.users"]

    def action_user(self):
        """Open the bridge's user: Odoo's own list of users hides portal users."""
        user = self._bridge_user()
        if not user:
            raise UserError(_("The bridge's user was deleted. Update the module “Chatbot” to get it back."))
        return {
            "type": "ir.actions.act_window",
            "name": _("Bridge's user"),
            "res_model": "res.users",
            "res_id": user.id,
            "views": [(self.env.ref("base.view_users_form").id, "form")],
        }

    def _lease_runs(self):
        """Tell whether the registered bridge was heard of lately."""
        limit = fields.Datetime.now() - timedelta(seconds=LEASE_SECONDS)
        return self.state == "ready" and bool(self.last_heartbeat) and self.last_heartbeat >= limit

    @api.model
    def _get(self, lock=False):
        """Return the one row, made where it is missing; with ``lock`` nobody else may change it meanwhile."""
        status = self._row() or self.sudo().create({})
        if lock:
            compat.flush_all(self.env)
            self.env.cr.execute("SELECT id FROM chatbridge_bridge_status WHERE id = %s FOR UPDATE", (status.id,))
            compat.invalidate_all(self.env)
        return status

    @api.model
    def _row(self):
        """Return the one row, as far as it is there."""
        return self.sudo().search([], order="id", limit=1)

    @api.model
    def _database_uuid(self):
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    @api.model
    def _nudge_target(self):
        """Return whom to nudge after this transaction, or None."""
        self.env.cr.execute(
            "SELECT nudge_url, nudge_secret FROM chatbridge_bridge_status WHERE state = 'ready' ORDER BY id LIMIT 1"
        )
        url, secret = self.env.cr.fetchone() or (None, None)
        return Target(url, secret, self._database_uuid()) if url and secret else None

    # Handshake

    @api.model
    def _shake(self, hello):
        """Decide on a handshake; return ``(status, sentence)``, having registered what was decided."""
        status = self._get(lock=True)
        outcome, reason = status._verdict(hello)
        if outcome == "confirm":
            status._hold(hello["store_id"], reason)
        elif outcome == "ready":
            status._make_ready(hello)
        return outcome, self._words(outcome, reason)

    @api.model
    def _probe(self, hello):
        """Return what a handshake would be answered; nothing is written."""
        outcome, reason = self._row()._verdict(hello)
        return outcome, self._words(outcome, reason)

    @api.model
    def _words(self, outcome, reason):
        """Return an outcome as a sentence for the bridge's log."""
        return {
            "ready": "The bridge serves this database.",
            "standby": "Another bridge serves this database. This one waits until that one is silent for %d seconds."
            % LEASE_SECONDS,
            "confirm": dict(REASONS).get(reason),
        }[outcome]

    def _verdict(self, hello):
        """Return "ready", "standby" or "confirm", the latter with its reason."""
        if self.store_id not in (False, hello["store_id"]) and self._lease_runs():
            return "standby", None
        reason = self._difference(hello)
        return ("confirm", reason) if reason else ("ready", None)

    def _difference(self, hello):
        """Return why this database and this store don't belong together, or None where they do."""
        database = self._database_uuid()
        if not self.store_id:
            return "later" if hello["database_uuid"] else None
        if self.store_id != hello["store_id"]:
            return "other_store"
        if self.confirmed:
            return None
        if not self.acknowledged and (hello["nonce"], hello["database_uuid"]) == (
            self.accepted_nonce or None,
            self.accepted_database or None,
        ):
            return None
        if hello["database_uuid"] not in (None, database):
            return "copy"
        if hello["nonce"] != self.nonce:
            return "restored"
        return None

    def _hold(self, store_id, reason):
        """Let a store wait for *Confirm*; the registered one may not go on where it is itself in doubt."""
        vals = {"waiting_store_id": store_id, "waiting_reason": reason}
        if self.waiting_store_id != store_id:
            vals["waiting_since"] = fields.Datetime.now()
        if self.store_id in (False, store_id):
            vals["state"] = "confirm"
        if any(self[name] != value for name, value in vals.items()):
            self.write(vals)

    def _make_ready(self, hello):
        """Give the lease."""
        now = fields.Datetime.now()
        self.write(
            {
                "state": "ready",
                "store_id": hello["store_id"],
                "generation": self.generation + 1,
                "accepted_nonce": hello["nonce"],
                "accepted_database": hello["database_uuid"],
                "nonce": uuid.uuid4().hex,
                "acknowledged": False,
                "confirmed": False,
                "connected_since": self.connected_since if self._lease_runs() else now,
                "last_heartbeat": now,
                "bridge_version": hello["bridge_version"],
                "instance": hello["instance"],
                "nudge_url": hello["nudge_url"],
                "nudge_secret": hello["nudge_secret"],
                "waiting_store_id": False,
                "waiting_reason": False,
                "waiting_since": False,
            }
        )

    def action_confirm(self):
        """Register the waiting store: from now on this database belongs together with it."""
        self.ensure_one()
        if not self.env.user.has_group("chatbridge.group_administrator"):
            raise AccessError(_("Only chatbot administrators may confirm a bridge."))
        status = self._get(lock=True)
        if status.waiting_store_id:
            status.write(
                {
                    "store_id": status.waiting_store_id,
                    "state": "confirm",
                    "epoch": uuid.uuid4().hex,
                    "confirmed": True,
                    "waiting_store_id": False,
                    "waiting_reason": False,
                    "waiting_since": False,
                }
            )

    # Claims and heartbeats

    @api.model
    def _check_claim(self, claim):
        """Raise LeaseLost where the caller does not hold the lease."""
        compat.flush_all(self.env)
        self.env.cr.execute("SELECT state, store_id, generation FROM chatbridge_bridge_status ORDER BY id LIMIT 1")
        if self.env.cr.fetchone() != ("ready", claim["store_id"], claim["generation"]):
            raise LeaseLost(_("This bridge does not hold the lease of this database. It has to shake hands again."))

    @api.model
    def _beat(self, heartbeat):
        """Write what a heartbeat says; return "ready" or "confirm"."""
        status = self._get()
        good = (status.nonce,) if status.acknowledged else (status.nonce, status.accepted_nonce)
        if heartbeat["nonce"] not in good:
            status._hold(status.store_id, "store_restored")
            return "confirm"
        names = ("operations_waiting", "operations_refused", "sends_waiting", "nudges")
        vals = {name: heartbeat[name] for name in names if status[name] != heartbeat[name]}
        if status.bridge_version != heartbeat["version"]:
            vals["bridge_version"] = heartbeat["version"]
        if heartbeat["nonce"] == status.nonce and not status.acknowledged:
            vals["acknowledged"] = True
        if not status._lease_runs():
            vals["connected_since"] = fields.Datetime.now()
        status.write(dict(vals, last_heartbeat=fields.Datetime.now()))
        return "ready"
