"""Rewrites addons from the newest Odoo syntax to that of an older series."""

from .addon import build_addon
from .errors import BuildError
from .xmlfile import XmlFile

SERIES = ("14.0", "15.0", "16.0", "17.0", "18.0", "19.0")

__all__ = ["SERIES", "BuildError", "XmlFile", "build_addon"]
