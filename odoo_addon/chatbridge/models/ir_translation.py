from odoo import api, models

from ..compat import SERIES

if SERIES < 16:

    class IrTranslation(models.Model):
        """Up to 15.0 translations are rows of this model: a change of one is a change of a bot's configuration."""

        _inherit = "ir.translation"

        def _chatbridge_records(self):
            """Yield the configuration records that these translations belong to, with the field's name."""
            for translation in self.filtered(lambda row: row.type == "model" and row.name.startswith("chatbridge.")):
                model_name, field_name = translation.name.split(",")
                model = self.env.get(model_name)
                if isinstance(model, type(None)) or not hasattr(model, "_configuration_changed"):
                    continue
                yield translation, model.browse(translation.res_id).exists(), field_name

        def _chatbridge_changed(self):
            """Tell the bridge, and clean translated HTML as the field does with its source."""
            for translation, record, field_name in self._chatbridge_records():
                record._configuration_changed()
                clean = record._clean_translation(field_name, translation.value)
                if clean != translation.value:
                    super(IrTranslation, translation.sudo()).write({"value": clean})

        @api.model_create_multi
        def create(self, vals_list):
            """Create and tell the bridge."""
            records = super().create(vals_list)
            records._chatbridge_changed()
            return records

        def write(self, vals):
            """Write and tell the bridge."""
            result = super().write(vals)
            self._chatbridge_changed()
            return result

        def unlink(self):
            """Delete and tell the bridge."""
            for _translation, record, _field_name in self._chatbridge_records():
                record._configuration_changed()
            return super().unlink()
