//! Odoo as the port `Backend`.
