import re

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from .. import compat

TELEGRAM_TOKEN = re.compile(r"^(\d+):[\w-]+$", re.ASCII)


class ChatbridgeChannel(models.Model):
    """A bot's connection through one messenger; on Telegram: one token."""

    _name = "chatbridge.channel"
    _description = "Chat"
    _inherit = "chatbridge.configuration.mixin"
    _order = "bot_id, name, id"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True, help="An archived chat receives and sends nothing.")
    bot_id = fields.Many2one(
        "chatbridge.bot", "Bot", required=True, index=True, ondelete="cascade", default=lambda self: self._default_bot()
    )
    messenger_id = fields.Many2one(
        "chatbridge.messenger",
        "Messenger",
        required=True,
        index=True,
        ondelete="restrict",
        default=lambda self: self.env.ref("chatbridge.messenger_telegram", raise_if_not_found=False),
    )
    messenger_code = fields.Char("Code of the messenger", related="messenger_id.code")
    messenger_state = fields.Selection(related="messenger_id.state", string="Messenger is")
    company_id = fields.Many2one(related="bot_id.company_id")
    token = fields.Char(
        "Telegram token",
        compute="_compute_token",
        inverse="_inverse_token",
        copy=False,
        groups="chatbridge.group_administrator",
        help="What @BotFather gave you for this Telegram bot. Whoever knows it can speak as the bot: keep it to"
        " yourself.",
    )
    token_ids = fields.One2many("chatbridge.channel.token", "channel_id", "Stored token", groups="base.group_system")
    telegram_bot_id = fields.Char(
        "Telegram bot", readonly=True, copy=False, help="The number of the Telegram bot, taken from the token."
    )
    username = fields.Char(
        "Username in Telegram", readonly=True, copy=False, help="Filled in by Telegram, once it has accepted the token."
    )
    state = fields.Selection(
        [
            ("polling", "Connected"),
            ("webhook", "Connected by webhook"),
            ("refused", "Refused by Telegram"),
            ("unreachable", "Telegram is out of reach"),
            ("stopped", "Stopped"),
        ],
        "Status",
        readonly=True,
        copy=False,
        help="What the bridge last said of this chat.",
    )
    state_since = fields.Datetime("Since", readonly=True, copy=False)
    last_update_at = fields.Datetime(
        "Last update", readonly=True, copy=False, help="When something last came from the messenger."
    )
    last_error = fields.Char("Last error", readonly=True, copy=False, help="What last went wrong with this chat.")

    send_operator_name = fields.Boolean(
        "Send operator's name", help="The customer reads who joins the chat. Off: the operator has no name."
    )
    join_message = fields.Boolean(
        "Send join message automatically",
        default=True,
        help="When an operator joins, the customer reads the bot's texts «Operator connected» and «How to end».",
    )
    end_message = fields.Boolean(
        "Send end-of-consultation message",
        default=True,
        help="When a consultation ends, the customer reads the bot's text «Consultation ended».",
    )
    webhook_url = fields.Char(
        "Webhook",
        copy=False,
        help="The public https address of the bridge, such as https://bot.example.com. Empty: the bridge asks Telegram"
        " for messages (long polling), which needs no public address.",
    )
    hook_answer = fields.Char(
        "Refresh hook: Telegram's answer", readonly=True, copy=False, help="What Telegram last said to Refresh hook."
    )
    hook_state = fields.Selection(
        [("checking", "Checking…"), ("ok", "Right"), ("wrong", "Wrong")], "Refresh hook", readonly=True, copy=False
    )

    _telegram_bot_id_unique = compat.constraint(
        "UNIQUE(telegram_bot_id)",
        "Another chat uses this Telegram bot already; it may be archived. One Telegram bot can serve one chat only.",
    )

    _configuration_ignored = frozenset(
        ["state", "state_since", "last_update_at", "last_error", "username", "hook_answer", "hook_state"]
    )

    @api.model
    def _default_bot(self):
        """Return the first client chat, the usual place for a new chat."""
        return self.env["chatbridge.bot"].search([("kind", "=", "client")], order="id", limit=1)

    def unlink(self):
        """Delete; an operator chat keeps the place where its Odoo operators answer (it goes with the bot)."""
        self.env["ir.model.access"].check(self._name, "unlink")
        if self.filtered(lambda channel: channel.messenger_code == "livechat" and channel.bot_id.kind == "operator"):
            raise UserError(
                _("“Odoo live chat” is where the Odoo operators of an operator chat answer: it can't be deleted.")
            )
        return super().unlink()

    def action_open(self):
        """Open the chat's own form."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def action_delete(self):
        """Delete the chat, from the list of a bot's form."""
        self.unlink()

    @api.depends("token_ids.value")
    def _compute_token(self):
        for channel in self:
            channel.token = channel.sudo().token_ids.value

    def _inverse_token(self):
        for channel in self.sudo():
            token = (channel.token or "").strip()
            number = self._telegram_bot_of(token)
            channel._check_telegram_bot(number)
            channel.telegram_bot_id = number
            channel.token_ids.unlink()
            if token:
                self.env["chatbridge.channel.token"].sudo().create({"channel_id": channel.id, "value": token})

    @api.model
    def _telegram_bot_of(self, token):
        """Return the number of the Telegram bot that a token belongs to."""
        match = TELEGRAM_TOKEN.match(token)
        if token and not match:
            raise ValidationError(
                _("This is not a Telegram token. It looks like 123456789:AAE…: copy the whole line from @BotFather.")
            )
        return match.group(1) if token else False

    def _is_live(self):
        """Tell whether the bridge serves the chat: nothing of it is archived, off or without a token."""
        self.ensure_one()
        channel = self.sudo()
        switched_on = channel.active and channel.bot_id.active and channel.messenger_id.state == "on"
        return switched_on and bool(channel.token_ids.value)

    def _check_telegram_bot(self, number):
        """Refuse a Telegram bot that another chat uses, and name that chat; archived ones count."""
        domain = [("telegram_bot_id", "=", number), ("id", "!=", self.id)]
        other = self.with_context(active_test=False).search(domain, limit=1) if number else self.browse()
        if other:
            raise ValidationError(
                _(
                    "The chat «%(chat)s» of the bot «%(bot)s» uses this Telegram bot already. One Telegram bot can"
                    " serve one chat only."
                )
                % {"chat": other.name, "bot": other.bot_id.name}
            )

    @api.model
    def _write_statuses(self, statuses):
        """Write what a heartbeat says of channels: only rows that differ are touched, and no event is caused.

        A bridge that has just been started knows neither the username nor when the last update came: what is known stays.
        """
        if not statuses:
            return
        columns = [
            [status["channel"] for status in statuses],
            [status["state"] for status in statuses],
            [status["since"] for status in statuses],
            [status["last_update"] for status in statuses],
            [status["last_error"] for status in statuses],
            [status["username"] for status in statuses],
        ]
        compat.flush_all(self.env)
        self.env.cr.execute(
            """
            UPDATE chatbridge_channel c
               SET state = v.state, state_since = v.since, last_update_at = coalesce(v.last_update, c.last_update_at),
                   last_error = v.error, username = coalesce(v.username, c.username)
              FROM unnest(%s::int[], %s::text[], %s::timestamp[], %s::timestamp[], %s::text[], %s::text[])
                   AS v(id, state, since, last_update, error, username)
             WHERE c.id = v.id
               AND (c.state, c.state_since, c.last_update_at, c.last_error, c.username)
                   IS DISTINCT FROM (v.state, v.since, coalesce(v.last_update, c.last_update_at), v.error,
                                     coalesce(v.username, c.username))
            """,
            columns,
        )
        compat.invalidate_all(self.env)
