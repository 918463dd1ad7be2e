"""Instants on the wire: ISO 8601 in UTC with ``Z``; in Odoo: naive datetimes in UTC."""

from datetime import datetime


def instant(value):
    """Write an Odoo datetime as the protocol wants it; nothing stays None."""
    return value.isoformat() + "Z" if value else None


def parse_instant(text):
    """Read an instant; raise ValueError on anything but UTC with ``Z``."""
    form = "%Y-%m-%dT%H:%M:%S.%fZ" if "." in text else "%Y-%m-%dT%H:%M:%SZ"
    return datetime.strptime(text, form)
