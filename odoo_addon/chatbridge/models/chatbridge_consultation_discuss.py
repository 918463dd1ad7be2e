from odoo import api, models


class ChatbridgeConsultation(models.Model):
    """A consultation's representation in Discuss."""

    _inherit = "chatbridge.consultation"

    def _discuss_open(self):
        raise NotImplementedError

    def _discuss_relay(self):
        raise NotImplementedError

    def _discuss_close(self, reason):
        raise NotImplementedError

    def _discuss_hand_over(self, old_user):
        raise NotImplementedError

    @api.model
    def _discuss_delivery(self, discuss_message_ids, state, reason=None):
        raise NotImplementedError

    def _discuss_action(self):
        raise NotImplementedError
