"""Logging without what people wrote: errors by their name and place, and no queries that hold a name."""

import logging
import threading
import traceback
from contextlib import contextmanager

_here = threading.local()


class _Unless(logging.Filter):
    """Drops what Odoo logs of bad queries while this thread is being quiet."""

    def filter(self, record):
        """Tell whether a line is logged."""
        return not getattr(_here, "depth", 0)


logging.getLogger("odoo.sql_db").addFilter(_Unless("chatbridge"))


@contextmanager
def queries():
    """Keep Odoo from logging bad queries of this thread: the ORM writes names of customers into them."""
    _here.depth = getattr(_here, "depth", 0) + 1
    try:
        yield
    finally:
        _here.depth -= 1


def log(logger, what, error):
    """Log where an error happened, but not its own text: PostgreSQL's holds the row, and so what people wrote."""
    logger.warning("%s: %s\n%s", what, type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
