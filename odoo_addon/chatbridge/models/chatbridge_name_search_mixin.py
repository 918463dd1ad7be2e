from odoo import api, models

from ..compat import SERIES


class ChatbridgeNameSearchMixin(models.AbstractModel):
    """Searching by several fields before 16.0; later series do it by themselves with ``_rec_names_search``."""

    _name = "chatbridge.name.search.mixin"
    _description = "Search by several names"

    if SERIES < 16:

        @api.model
        def _name_search(self, name, args=None, operator="ilike", limit=100, name_get_uid=None):
            """Search every field of ``_rec_names_search``."""
            fields_ = self._rec_names_search
            domain = ["|"] * (len(fields_) - 1) + [(field, operator, name) for field in fields_] + list(args or [])
            return self._search(domain, limit=limit, access_rights_uid=name_get_uid)
