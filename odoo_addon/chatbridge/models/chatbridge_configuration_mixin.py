from odoo import api, models


class ChatbridgeConfigurationMixin(models.AbstractModel):
    """What the bridge's ``configuration`` is made of.

    Every change of such a record tells the bridge which bots it concerns, in one event per transaction (SET-5).
    """

    _name = "chatbridge.configuration.mixin"
    _description = "Part of a bot's configuration"

    #: Fields whose change means nothing to the bridge.
    _configuration_ignored = frozenset()

    def _configuration_bot_ids(self):
        """Return the ids of the bots whose configuration holds these records."""
        return self.mapped("bot_id").ids

    def _configuration_changed(self):
        """Note the bots of these records for the event that is written before the commit."""
        self.env["chatbridge.event"]._configuration_changed(self.sudo()._configuration_bot_ids())

    @api.model_create_multi
    def create(self, vals_list):
        """Create and tell the bridge."""
        records = super().create(vals_list)
        records._configuration_changed()
        return records

    def write(self, vals):
        """Write and tell the bridge, for the bot before and after: a record may move."""
        if not set(vals) - self._configuration_ignored:
            return super().write(vals)
        self._configuration_changed()
        result = super().write(vals)
        self._configuration_changed()
        return result

    def unlink(self):
        """Delete and tell the bridge."""
        self._configuration_changed()
        return super().unlink()

    def _clean_translation(self, _field_name, text):
        """Return a translated text as it may be stored."""
        return text

    def _update_field_translations(self, field_name, translations, *args, **kwargs):
        """Take translations from the translation dialog (16.0 and later) and tell the bridge."""
        clean = {
            language: self._clean_translation(field_name, text) if isinstance(text, str) else text
            for language, text in translations.items()
        }
        result = super()._update_field_translations(field_name, clean, *args, **kwargs)
        self._configuration_changed()
        return result
