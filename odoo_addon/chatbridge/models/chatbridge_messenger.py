from odoo import _, api, fields, models
from odoo.exceptions import UserError


class ChatbridgeMessenger(models.Model):
    """A kind of connection: Telegram, Odoo's live chat; shown as cards (SET-2)."""

    _name = "chatbridge.messenger"
    _description = "Messenger"
    _inherit = "chatbridge.configuration.mixin"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, readonly=True, help="The messenger's name on the wire.")
    sequence = fields.Integer(default=10)
    image = fields.Binary("Icon", attachment=True)
    module_name = fields.Char("Technical module", required=True, help="The Odoo module that this messenger needs.")
    state = fields.Selection(
        [("off", "Off"), ("on", "Enabled")],
        string="State",
        default="off",
        required=True,
        help="Nothing is received from or sent to a messenger that is off.",
    )
    status = fields.Selection(
        [("missing", "Not installed"), ("off", "Off"), ("on", "Enabled")], compute="_compute_status"
    )
    channel_ids = fields.One2many("chatbridge.channel", "messenger_id", "Chats")
    channel_count = fields.Integer("Number of chats", compute="_compute_channel_count")

    @api.depends("state", "module_name")
    def _compute_status(self):
        modules = self.env["ir.module.module"].sudo().search([("name", "in", self.mapped("module_name"))])
        installed = set(modules.filtered(lambda module: module.state == "installed").mapped("name"))
        for messenger in self:
            messenger.status = messenger.state if messenger.module_name in installed else "missing"

    @api.depends("channel_ids")
    def _compute_channel_count(self):
        for messenger in self:
            messenger.channel_count = len(messenger.channel_ids)

    def _configuration_bot_ids(self):
        return self.with_context(active_test=False).mapped("channel_ids.bot_id").ids

    def action_install(self):
        """Install the messenger's module, with the rights of the person who asks."""
        self.ensure_one()
        module = self.env["ir.module.module"].search([("name", "=", self.module_name)])
        if not module:
            raise UserError(_("The module of %s is not on this server. Ask your administrator to add it.") % self.name)
        return module.button_immediate_install()

    def action_activate(self):
        """Switch the messenger on."""
        self.filtered(lambda messenger: messenger.status == "off").write({"state": "on"})

    def action_switch_off(self):
        """Switch the messenger off: its chats fall silent."""
        self.write({"state": "off"})

    def action_settings(self):
        """Open the messenger's chats."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("chatbridge.chatbridge_channel_action")
        action["domain"] = [("messenger_id", "=", self.id)]
        action["context"] = {"default_messenger_id": self.id, "active_test": False}
        return action
