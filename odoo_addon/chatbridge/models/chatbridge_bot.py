from odoo import _, api, fields, models

from .. import compat

#: How many of the latest conversations and senders a bot's form shows; the rest is behind its smart buttons.
SHOWN_ON_FORM = 80


class ChatbridgeBot(models.Model):
    """One conversation partner with its settings: an operator chat or a client chat."""

    _name = "chatbridge.bot"
    _description = "Chatbot"
    _inherit = "chatbridge.configuration.mixin"
    _order = "kind desc, name, id"

    name = fields.Char(required=True)
    kind = fields.Selection(
        [("operator", "Operator chat"), ("client", "Client chat")],
        default="client",
        required=True,
        help="An operator chat is a consultation desk that people join as operators."
        " A client chat is the automated dialog made of steps.",
    )
    active = fields.Boolean(default=True, help="An archived bot does nothing.")
    company_id = fields.Many2one(
        "res.company",
        "Company",
        default=lambda self: self.env.company,
        help="Whose people see the bot and its conversations. Empty: the people of every company.",
    )
    language = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        required=True,
        default=lambda self: self._default_language(),
        help="The language of a customer whose own language is not known or not translated to.",
    )
    create_partner = fields.Boolean(
        "Create partner",
        default=True,
        help="The first message of an unknown sender makes a contact. Off: a contact is made only when a step asks for"
        " contact data.",
    )
    wait_for_start = fields.Boolean(
        "Wait for start",
        default=True,
        help="The bot answers with the not-started message until the customer sends /start. Off: the first message"
        " starts the dialog.",
    )
    not_started_message = fields.Text(
        "Not-started message",
        translate=True,
        default=lambda self: self._default_not_started_message(),
        help="What the customer reads before /start. Empty: nothing is sent.",
    )
    operator_connected_message = fields.Text(
        "Operator connected",
        translate=True,
        default=lambda self: self._default_operator_connected_message(),
        help="What the customer reads when an operator joins; who joins stands before it. Empty: nothing is sent.",
    )
    no_operator_message = fields.Text(
        "No operator",
        translate=True,
        default=lambda self: self._default_no_operator_message(),
        help="What the customer reads when no operator is there. Empty: nothing is sent.",
    )
    how_to_end_message = fields.Text(
        "How to end",
        translate=True,
        default=lambda self: self._default_how_to_end_message(),
        help="Tells the customer how to end a consultation. Empty: nothing is sent.",
    )
    consultation_ended_message = fields.Text(
        "Consultation ended",
        translate=True,
        default=lambda self: self._default_consultation_ended_message(),
        help="What the customer reads when a consultation has ended. Empty: nothing is sent.",
    )
    moderation_message = fields.Text(
        "Moderation",
        translate=True,
        default=lambda self: self._default_moderation_message(),
        help="What somebody reads who writes to this bot and is not yet one of its operators. Empty: nothing is sent.",
    )
    approved_message = fields.Text(
        "Approved",
        translate=True,
        default=lambda self: self._default_approved_message(),
        help="What an approved operator reads. Empty: nothing is sent.",
    )
    rejected_message = fields.Text(
        "Rejected",
        translate=True,
        default=lambda self: self._default_rejected_message(),
        help="What a rejected operator reads. Empty: nothing is sent.",
    )
    odoo_operators_only = fields.Boolean(
        "Odoo operators only", help="Nobody becomes or serves as an operator from a messenger."
    )
    most_parallel_chats = fields.Integer(
        "Most parallel chats", help="How many open chats each operator may have at the same time. 0: no limit."
    )
    operator_ids = fields.One2many("chatbridge.operator", "bot_id", "Operators")
    channel_ids = fields.One2many("chatbridge.channel", "bot_id", "Channels")
    step_ids = fields.One2many("chatbridge.step", "bot_id", "Steps")
    channel_count = fields.Integer("Number of channels", compute="_compute_counts")
    conversation_count = fields.Integer("Number of conversations", compute="_compute_counts")
    step_count = fields.Integer("Number of steps", compute="_compute_counts")
    sender_count = fields.Integer("Number of senders", compute="_compute_sender_count")
    recent_conversation_ids = fields.Many2many(
        "chatbridge.conversation", compute="_compute_recent", string="Conversations", help="The latest conversations."
    )
    recent_membership_ids = fields.Many2many(
        "chatbridge.membership", compute="_compute_recent", string="Senders", help="Those who came last."
    )

    _configuration_ignored = frozenset(["step_ids", "channel_ids", "operator_ids", "most_parallel_chats"])

    @api.model
    def _default_language(self):
        """Return the company's language, else the user's, as far as it is installed."""
        installed = dict(self.env["res.lang"].get_installed())
        wanted = [self.env.company.partner_id.lang, self.env.user.lang, self.env.lang]
        return next((code for code in wanted if code in installed), next(iter(installed)))

    @api.model
    def _default_not_started_message(self):
        return _("Press /start to talk.")

    @api.model
    def _default_operator_connected_message(self):
        return _("connected to chat. Please start messaging!")

    @api.model
    def _default_no_operator_message(self):
        return _("Sorry, no operator available")

    @api.model
    def _default_how_to_end_message(self):
        return _("If you would like to end your consultation Press: /end")

    @api.model
    def _default_consultation_ended_message(self):
        return _("Consultation completed")

    @api.model
    def _default_moderation_message(self):
        return _("Please wait for approval you as consultant")

    @api.model
    def _default_approved_message(self):
        return _("You Approved")

    @api.model
    def _default_rejected_message(self):
        return _("You Reject")

    def _default_texts(self):
        """Return what makes the default of each text setting, in the language of the environment."""
        names = (
            "not_started",
            "operator_connected",
            "no_operator",
            "how_to_end",
            "consultation_ended",
            "moderation",
            "approved",
            "rejected",
        )
        return {name + "_message": "_default_%s_message" % name for name in names}

    @api.model_create_multi
    def create(self, vals_list):
        """Create; texts that were left alone get their default in every installed language."""
        bots = super().create(vals_list)
        for bot, vals in zip(bots, vals_list):
            bot._translate_defaults(set(bot._default_texts()) - set(vals))
        bots._add_livechat()
        return bots

    def _add_livechat(self):
        """Give operator chats the channel where their Odoo operators answer (B-2)."""
        livechat = self.env.ref("chatbridge.messenger_livechat")
        without = self.filtered(
            lambda bot: bot.kind == "operator" and livechat not in bot.channel_ids.mapped("messenger_id")
        )
        self.env["chatbridge.channel"].create(
            [{"name": livechat.name, "bot_id": bot.id, "messenger_id": livechat.id} for bot in without]
        )

    def _translate_defaults(self, field_names):
        """Store the defaults of these fields in each language that has a translation of its own."""
        makers = self._default_texts()
        source = self.with_context(lang="en_US")
        for code, _name in self.env["res.lang"].get_installed():
            bot = self.with_context(lang=code)
            for name in field_names:
                text = getattr(bot, makers[name])()
                if code == "en_US" or text != getattr(source, makers[name])():
                    bot.write({name: text})

    def _configuration_bot_ids(self):
        return self.ids

    def _compute_counts(self):
        for field, model in (
            ("channel_count", "chatbridge.channel"),
            ("conversation_count", "chatbridge.conversation"),
            ("step_count", "chatbridge.step"),
        ):
            counts = compat.count_by(self.env[model], "bot_id", [("bot_id", "in", self.ids)])
            for bot in self:
                bot[field] = counts.get(bot.id, 0)
        for bot in self.filtered(lambda bot: bot.kind == "operator"):
            bot.conversation_count = self.env["chatbridge.conversation"].search_count(bot._conversation_domain())

    def _conversation_domain(self):
        """Return what finds the bot's conversations: an operator chat's are also those handed over to it."""
        self.ensure_one()
        own = [("bot_id", "=", self.id)]
        return ["|", ("consultation_ids.bot_id", "=", self.id)] + own if self.kind == "operator" else own

    def _compute_sender_count(self):
        counts = {}
        if self.ids:
            self.env.cr.execute(
                "SELECT bot_id, count(DISTINCT sender_id) FROM chatbridge_membership WHERE bot_id = ANY(%s) GROUP BY"
                " bot_id",
                (self.ids,),
            )
            counts = dict(self.env.cr.fetchall())
        for bot in self:
            bot.sender_count = counts.get(bot.id, 0)

    def _compute_recent(self):
        for bot in self:
            conversations = self.env["chatbridge.conversation"]
            bot.recent_conversation_ids = (
                conversations.search(bot._conversation_domain(), limit=SHOWN_ON_FORM) if bot.id else conversations
            )
            bot.recent_membership_ids = self.env["chatbridge.membership"].search(
                [("bot_id", "=", bot.id)], order="id desc", limit=SHOWN_ON_FORM
            )

    def _action_of_bot(self, xml_id, **extra):
        """Return one of our window actions, narrowed to this bot."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(xml_id)
        action["domain"] = [("bot_id", "=", self.id)]
        action["context"] = {"default_bot_id": self.id}
        action.update(extra)
        return action

    def action_add_step(self):
        """Open an empty step of this bot."""
        return self._action_of_bot("chatbridge.chatbridge_step_action", view_mode="form", views=[(False, "form")])

    def action_add_channel(self):
        """Open an empty chat of this bot."""
        return self._action_of_bot("chatbridge.chatbridge_channel_action", view_mode="form", views=[(False, "form")])

    def action_steps(self):
        """Open the bot's steps."""
        return self._action_of_bot("chatbridge.chatbridge_step_action")

    def action_conversations(self):
        """Open the bot's conversations."""
        return self._action_of_bot("chatbridge.chatbridge_conversation_action", domain=self._conversation_domain())

    def action_senders(self):
        """Open those who talked with the bot."""
        domain = [("membership_ids.bot_id", "=", self.id)]
        return self._action_of_bot("chatbridge.chatbridge_sender_action", domain=domain, context={})
