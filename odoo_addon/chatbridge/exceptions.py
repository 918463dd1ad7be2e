"""Exceptions that the bridge knows by name."""

import psycopg2.errors

from odoo.exceptions import UserError


class LeaseLost(UserError):
    """The caller's claim is not the registered one: it must stop sending and shake hands again."""


class TryAgain(psycopg2.errors.SerializationFailure):
    """A concurrent transaction won a race that this one's snapshot cannot see.

    Odoo carries a call out again when it meets this error: it looks at ``pgcode`` up to 16.0 and at the class later on,
    so both are given. psycopg2 fills ``pgcode`` only in errors that come from the server.
    """

    pgcode = "40001"
