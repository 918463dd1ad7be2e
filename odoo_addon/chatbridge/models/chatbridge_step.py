import html
import re

from odoo import _, api, fields, models, tools
from odoo.exceptions import ValidationError

#: How much of its text names a step in lists.
NAME_LENGTH = 60

BLOCK = re.compile(r"</?(?:p|br|div|li|ul|ol|h\d|t[rdh]|table|blockquote|pre)\b[^>]*>", re.IGNORECASE)
EDITOR_MARK = re.compile(r' data-oe-version="[^"]*"')
TAG = re.compile(r"<[^>]*>")


def plain_words(text):
    """Return the words of an HTML text. Odoo's html2plaintext writes Markdown (``*bold*``): no name should."""
    return " ".join(html.unescape(TAG.sub("", BLOCK.sub(" ", text or ""))).split())


class ChatbridgeStep(models.Model):
    """One node of a client chat's dialog."""

    _name = "chatbridge.step"
    _description = "Step"
    _inherit = ["chatbridge.configuration.mixin", "chatbridge.name.search.mixin"]
    _order = "bot_id, sequence, id"
    _rec_names_search = ["text", "alias_ids.code"]

    name = fields.Char(compute="_compute_name", search="_search_name", help="The first words of the text.")
    bot_id = fields.Many2one(
        "chatbridge.bot",
        "Bot",
        required=True,
        index=True,
        ondelete="cascade",
        domain=[("kind", "=", "client")],
        default=lambda self: self._default_bot(),
    )
    company_id = fields.Many2one(related="bot_id.company_id")
    sequence = fields.Integer(help="The order of the steps in the bot's list.")
    kind = fields.Selection(
        [("text", "Text"), ("buttons", "Step with buttons"), ("operator", "To operator")],
        "Step type",
        default="text",
        required=True,
        help="Text: it is sent, and the dialog goes on at once. Step with buttons: the customer chooses an answer."
        " To operator: a person of the operator chat takes over; afterwards the dialog goes on.",
    )
    # Not sanitised by the field: a sanitised field is translated term by term, and an admin who rewrites one language
    # would change the others. Here each language has a text of its own, cleaned by `_clean_translation`.
    text = fields.Html(
        translate=True,
        sanitize=False,
        help="What the customer reads, in each language. Without a text the step sends nothing.",
    )
    next_step_id = fields.Many2one(
        "chatbridge.step",
        "Go to step",
        ondelete="set null",
        index=True,
        domain="[('bot_id', '=', bot_id)]",
        help="The step that comes after this one. Empty: the dialog rests here.",
    )
    operator_bot_id = fields.Many2one(
        "chatbridge.bot",
        "Operators' chat",
        ondelete="restrict",
        index=True,
        domain=[("kind", "=", "operator")],
        default=lambda self: self._default_operator_bot(),
        help="Whose operators answer.",
    )
    no_operator_step_id = fields.Many2one(
        "chatbridge.step",
        "If no operator, go to step",
        ondelete="set null",
        index=True,
        domain="[('bot_id', '=', bot_id)]",
        help="Where the dialog goes on when no operator is there. Empty: the customer waits until one comes.",
    )
    leads_to_bot_id = fields.Many2one(
        "chatbridge.bot", "Operator chat it leads to", compute="_compute_leads_to_bot_id", store=True, index=True
    )
    operator_chat = fields.Char("Operators", compute="_compute_operator_chat", compute_sudo=True, help="Whose operators answer.")
    nobody_joined = fields.Boolean(
        "Nobody has joined the operators' chat", compute="_compute_nobody_joined", compute_sudo=True
    )
    first = fields.Boolean(
        "First step", compute="_compute_first", help="The dialog begins here: the step has the alias /start."
    )
    alias_ids = fields.One2many("chatbridge.step.alias", "step_id", "Aliases")
    answer_ids = fields.One2many("chatbridge.step.answer", "step_id", "Answers")
    keyboard_button_ids = fields.One2many("chatbridge.step.keyboard.button", "step_id", "Telegram keyboard")
    inline_button_ids = fields.One2many("chatbridge.step.inline.button", "step_id", "Telegram buttons")
    keyboard_preview = fields.Html(compute="_compute_keyboard_preview", sanitize=False, string="Preview")
    answer_summary = fields.Char("Answer names", compute="_compute_answer_summary")
    telegram_active = fields.Boolean("Telegram is switched on", compute="_compute_telegram_active")

    _configuration_ignored = frozenset(["alias_ids", "answer_ids", "keyboard_button_ids", "inline_button_ids"])

    @api.model
    def _default_bot(self):
        """Return the only client chat there is; with several, the person has to choose."""
        bots = self.env["chatbridge.bot"].search([("kind", "=", "client")], limit=2)
        return bots if len(bots) == 1 else False

    @api.model
    def _default_operator_bot(self):
        """Return the only operator chat there is; with several, the person has to choose."""
        bots = self.env["chatbridge.bot"].search([("kind", "=", "operator")], limit=2)
        return bots if len(bots) == 1 else False

    @api.depends("text", "kind", "operator_bot_id.name")
    @api.depends_context("lang")
    def _compute_name(self):
        for step in self:
            words = plain_words(step.text)
            short = words if len(words) <= NAME_LENGTH else words[:NAME_LENGTH].rsplit(" ", 1)[0] + "…"
            step.name = short or step._name_without_text()

    def _name_without_text(self):
        """Return what names a step that says nothing."""
        return _("To operator: %s") % self.operator_chat if self.operator_chat else _("Step without text")

    @api.depends("kind", "operator_bot_id")
    def _compute_leads_to_bot_id(self):
        """Record rules go by it: steps of other kinds have an operator chat too, by default."""
        for step in self:
            step.leads_to_bot_id = step.operator_bot_id if step.kind == "operator" else False

    @api.depends("kind", "operator_bot_id.name")
    def _compute_operator_chat(self):
        for step in self:
            step.operator_chat = step.operator_bot_id.name if step.kind == "operator" else False

    @api.depends("kind", "operator_bot_id.operator_ids")
    def _compute_nobody_joined(self):
        for step in self:
            chat = step.operator_bot_id if step.kind == "operator" else step.operator_bot_id.browse()
            step.nobody_joined = bool(chat) and not chat.operator_ids

    @api.model
    def _search_name(self, operator, value):
        return [("text", operator, value)]

    @api.depends("alias_ids.code_key")
    def _compute_first(self):
        for step in self:
            step.first = "/start" in step.alias_ids.mapped("code_key")

    @api.depends("answer_ids.name", "kind")
    @api.depends_context("lang")
    def _compute_answer_summary(self):
        for step in self:
            answers = step.answer_ids if step._uses_answers() else step.answer_ids.browse()
            step.answer_summary = ", ".join(name for name in answers.mapped("name") if name)

    @api.depends("keyboard_button_ids.row", "keyboard_button_ids.sequence", "keyboard_button_ids.label", "kind")
    @api.depends_context("lang")
    def _compute_keyboard_preview(self):
        for step in self:
            rows = step._button_rows(step._shown_keyboard_buttons())
            step.keyboard_preview = self._render_rows([[button.label for button in row] for row in rows]) or False

    @api.model
    def _render_rows(self, rows):
        """Return rows of labels as HTML that looks like a keyboard."""
        style = "flex:1;margin:2px;padding:6px;border:1px solid #ced4da;border-radius:6px;text-align:center"
        lines = []
        for row in rows:
            cells = "".join('<div style="%s">%s</div>' % (style, tools.html_escape(label or "…")) for label in row)
            lines.append('<div style="display:flex;max-width:420px">%s</div>' % cells)
        return "".join(lines)

    # Depends on a field of the form so that 14.0 computes it for a step that is not saved yet.
    @api.depends("kind")
    def _compute_telegram_active(self):
        telegram = self.env.ref("chatbridge.messenger_telegram", raise_if_not_found=False)
        for step in self:
            step.telegram_active = bool(telegram) and telegram.sudo().state == "on"

    def _uses_answers(self):
        """Tell whether this kind of step offers its answers."""
        self.ensure_one()
        return self.kind == "buttons"

    def _shown_keyboard_buttons(self):
        """Return the keyboard buttons that the customer sees: a kind without answers keeps theirs in reserve."""
        self.ensure_one()
        return self.keyboard_button_ids.filtered(lambda button: not button.answer_id or self._uses_answers())

    @api.model
    def _button_rows(self, buttons):
        """Return buttons as rows, in order."""
        rows = {}
        for button in buttons.sorted(lambda button: (button.row, button.sequence, button._origin.id or 0)):
            rows.setdefault(button.row, []).append(button)
        return list(rows.values())

    @api.constrains("next_step_id", "no_operator_step_id", "bot_id")
    def _check_next_step_id(self):
        for step in self:
            if (step.next_step_id | step.no_operator_step_id).mapped("bot_id") - step.bot_id:
                raise ValidationError(_("A step can go on to a step of the same bot only."))

    @api.constrains("bot_id")
    def _check_bot_id(self):
        for step in self:
            if step.bot_id.kind != "client":
                raise ValidationError(_("Only client chats have steps."))
            step.alias_ids._check_code()

    @api.constrains("kind", "operator_bot_id")
    def _check_operator_bot_id(self):
        for step in self.filtered(lambda step: step.kind == "operator"):
            if step.operator_bot_id.kind != "operator":
                raise ValidationError(_("A step «To operator» needs the operator chat whose operators answer."))

    def _configuration_bot_ids(self):
        return self.mapped("bot_id").ids

    @api.model
    def _clean_translation(self, field_name, text):
        if field_name != "text" or not text:
            return text
        # The editor of 18.0 and later marks what it wrote; nobody reads that here.
        return EDITOR_MARK.sub("", str(tools.html_sanitize(text)))

    @api.model_create_multi
    def create(self, vals_list):
        """Create at the end of the bot's list, each with a code of its own."""
        steps = super().create([self._cleaned(self._placed(vals)) for vals in vals_list])
        self.env["chatbridge.step.alias"]._make_automatic(steps)
        return steps

    def write(self, vals):
        """Write, with the text cleaned."""
        return super().write(self._cleaned(vals))

    @api.model
    def _cleaned(self, vals):
        return dict(vals, text=self._clean_translation("text", vals["text"])) if vals.get("text") else vals

    @api.model
    def _placed(self, vals):
        """Return the values with a place in the bot's list: the last, where none is given."""
        if "sequence" in vals:
            return vals
        last = self.search([("bot_id", "=", vals.get("bot_id"))], order="sequence desc", limit=1)
        return dict(vals, sequence=last.sequence + 1)

    def copy(self, default=None):
        """Copy with the answers and buttons; hand-written aliases stay with the original, for they are unique."""
        copies = super().copy(default)
        for step, duplicate in zip(self, copies):
            step._copy_buttons_to(duplicate)
        return copies

    def _copy_buttons_to(self, duplicate):
        answers = {answer.id: answer.copy({"step_id": duplicate.id}).id for answer in self.answer_ids}
        duplicate.keyboard_button_ids.unlink()
        for button in self.keyboard_button_ids:
            button.copy({"step_id": duplicate.id, "answer_id": answers.get(button.answer_id.id)})
        for button in self.inline_button_ids:
            button.copy({"step_id": duplicate.id})

    def action_open(self):
        """Open the step's own form."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }
