"""Chatbridge: the Odoo half of the bridge between Odoo and messengers."""

from . import models
from . import wizards
