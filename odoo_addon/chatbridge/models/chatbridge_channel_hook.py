import ipaddress
import json
from urllib.parse import urlsplit

import psycopg2

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .. import compat
from ..rpc import call

#: The ports to which Telegram delivers.
PORTS = (443, 80, 88, 8443)

#: Names that mean something inside of a network only.
LOCAL_SUFFIXES = (".local", ".localhost", ".localdomain", ".internal", ".lan")

#: How often an answer is written anew that a heartbeat of the bridge was faster than.
TRIES = 5


class ChatbridgeChannel(models.Model):
    """How a chat is joined to Telegram: its webhook, and the buttons that ask the bridge (SET-3, SET-4, SET-8)."""

    _inherit = "chatbridge.channel"

    webhook_warning = fields.Char("Fault of the webhook's address", compute="_compute_webhook_warning")
    bridge_connected = fields.Boolean("The bridge is connected", compute="_compute_bridge_connected")

    # The address

    @api.model
    def _trimmed(self, vals):
        """Return the values with the address as Telegram gives it back: without outer spaces."""
        return dict(vals, webhook_url=vals["webhook_url"].strip()) if vals.get("webhook_url") else vals

    @api.model_create_multi
    def create(self, vals_list):
        """Create, with the address trimmed."""
        return super().create([self._trimmed(vals) for vals in vals_list])

    def write(self, vals):
        """Write, with the address trimmed."""
        return super().write(self._trimmed(vals))

    @api.depends("webhook_url")
    def _compute_webhook_warning(self):
        for channel in self:
            channel.webhook_warning = channel._webhook_fault()

    @api.constrains("webhook_url")
    def _check_webhook_url(self):
        for channel in self:
            fault = channel._webhook_fault()
            if fault:
                raise ValidationError(fault)

    def _webhook_fault(self):
        """Return what is wrong with the webhook's address, as a sentence, or False: said before Telegram is asked."""
        address = (self.webhook_url or "").strip()
        if not address:
            return False
        try:
            parts = urlsplit(address)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            parts, host, port = None, "", None
        if not host or parts.scheme not in ("http", "https"):
            return _("This is not an address. A webhook looks like https://bot.example.com.")
        if parts.username is not None or parts.query or parts.fragment:
            return _("The address of a webhook holds no user, no “?” and no “#”.")
        if self.env["ir.config_parameter"].sudo().get_param("chatbridge.allow_local_webhook"):
            return False
        if parts.scheme != "https":
            return _("Telegram delivers to https addresses only: begin with https://.")
        if self._is_local(host):
            return (
                _(
                    "“%s” is an address inside your own network: Telegram can't reach it. Enter the address under which"
                    " the whole internet reaches the bridge, or leave the field empty for long polling."
                )
                % host
            )
        if port not in (None, *PORTS):
            return _("Telegram delivers to the ports 443, 80, 88 and 8443 only, not to %s.") % port
        return False

    @api.model
    def _is_local(self, host):
        """Tell whether a host is reached inside of its own network at most."""
        try:
            return not ipaddress.ip_address(host).is_global
        except ValueError:
            return "." not in host or host.endswith(LOCAL_SUFFIXES)

    # The bridge

    def _compute_bridge_connected(self):
        connected = self.env["chatbridge.bridge.status"].sudo().search([], limit=1).connection == "connected"
        for channel in self:
            channel.bridge_connected = connected

    def action_refresh_hook(self):
        """Have the token checked, and the webhook set or removed at Telegram; show what Telegram says."""
        self._check_live()
        answer = self._call_bridge("refresh")
        self._in_own_transaction(lambda channel: channel._keep_answer(answer))
        return True

    def action_run_now(self):
        """Have the bridge fetch and send at once (B-9)."""
        self._check_live()
        answer = self._call_bridge("run")
        if answer and answer.ok:
            return self._notify("success", _("The bridge fetches and sends now."))
        if answer:
            return self._notify("warning", answer.text)
        self._tell_bridge("channel.run")
        return self._notify("info", _("The bridge can't be called from here. It will do so when it next asks Odoo."))

    def _check_live(self):
        """Refuse a button's work where the bridge could do nothing, and say what is missing."""
        self.ensure_one()
        if not self.env.user.has_group("chatbridge.group_administrator"):
            raise AccessError(_("Only chatbot administrators may do this."))
        if self.messenger_code != "telegram":
            raise UserError(_("Only chats in Telegram have a token and a webhook."))
        if not self.telegram_bot_id:
            raise UserError(_("Enter the token first: it comes from @BotFather in Telegram."))
        if self.messenger_state != "on":
            raise UserError(_("Telegram is switched off: activate it under Settings, Messengers."))
        if not self.active or not self.bot_id.active:
            raise UserError(_("This chat or its bot is archived: unarchive it first."))

    def _call_bridge(self, name):
        """Ask the bridge, and wait for its answer; None where it can't be reached. No lock is held meanwhile."""
        target = self.env["chatbridge.bridge.status"]._nudge_target()
        return call.call(target, name, self.id) if target else None

    def _tell_bridge(self, kind):
        """Leave the bridge word in an event."""
        self.env["chatbridge.event"].sudo()._insert(kind, json.dumps({"channel": self.id}), self.id)

    def _keep_answer(self, answer):
        """Write what the bridge answered; where it could not be reached, leave it word and show that it is awaited."""
        if not answer:
            self.write({"hook_answer": False, "hook_state": "checking"})
            return self._tell_bridge("channel.refresh")
        vals = {"hook_answer": answer.text, "hook_state": "ok" if answer.ok else "wrong"}
        return self.write(dict(vals, username=answer.username) if answer.username else vals)

    def _in_own_transaction(self, work):
        """Do something with the record in a transaction that begins now.

        The bridge's heartbeat may have written the row since this request's own transaction began. Odoo would then
        carry out the whole request again, and call the bridge again.
        """
        for left in reversed(range(TRIES)):
            try:
                with self.pool.cursor() as cr:
                    lock = "SELECT id FROM chatbridge_channel WHERE id = %s FOR UPDATE"
                    cr.execute(lock, (self.id,), log_exceptions=False)
                    channel = self.with_env(self.env(cr=cr, su=True))
                    work(channel)
                    # In 14.0 what waits to be written is common to all cursors: the outer one would write it.
                    compat.flush_all(channel.env)
                return
            except psycopg2.extensions.TransactionRollbackError:
                if not left:
                    raise

    @api.model
    def _notify(self, kind, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": kind, "message": message, "sticky": False},
        }
