"""Shapes of what the bridge sends, checked before anything is done with it.

A shape is a function that takes a value and returns it, perhaps converted, or raises ValueError with a sentence.
"""

import json
import re

from . import nudge
from .instant import parse_instant

#: NUL and halves of surrogate pairs.
UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")


def anything_written(value):
    """Accept any text that PostgreSQL can store, the empty one too."""
    if not isinstance(value, str):
        raise ValueError("a text is expected, not %r" % (value,))
    if UNSTORABLE.search(value):
        raise ValueError("the text holds a character that can't be stored")
    return value


def text(value):
    """Accept a text that is not empty."""
    if not value:
        raise ValueError("a text is expected, not %r" % (value,))
    return anything_written(value)


def integer(value):
    """Accept a whole number that fits a record id."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError("a whole number is expected, not %r" % (value,))
    return value


def boolean(value):
    """Accept true and false."""
    if not isinstance(value, bool):
        raise ValueError("true or false is expected, not %r" % (value,))
    return value


def moment(value):
    """Accept an instant and return it as Odoo stores it."""
    try:
        return parse_instant(text(value))
    except ValueError as error:
        raise ValueError("an instant in UTC is expected, not %r" % (value,)) from error


def hexadecimal(value):
    """Accept bytes written in hexadecimal digits."""
    bytes.fromhex(text(value))
    return value


def nudge_address(value):
    """Accept an address at which a bridge may be nudged."""
    nudge.address(text(value))
    return value


def mapping(value):
    """Accept any object and keep it as it is."""
    if not isinstance(value, dict):
        raise ValueError("an object is expected, not %r" % (value,))
    return value


def state(value):
    """Accept any object that can be stored as JSON."""
    anything_written(json.dumps(mapping(value), ensure_ascii=False))
    return value


def one_of(*choices):
    """Return the shape of a word out of a list."""

    def shape(value):
        if value not in choices:
            raise ValueError("one of %s is expected, not %r" % (", ".join(choices), value))
        return value

    return shape


def nullable(shape):
    """Return the shape of a value that may be null or absent."""

    def either(value):
        return None if value is None else shape(value)

    either.nullable = True
    return either


def list_of(shape):
    """Return the shape of a list."""

    def each(value):
        if not isinstance(value, list):
            raise ValueError("a list is expected, not %r" % (value,))
        return [shape(item) for item in value]

    return each


def dictionary(**fields):
    """Return the shape of an object with exactly these fields; nullable ones may be absent."""

    def shape(value):
        mapping(value)
        unknown = sorted(set(value) - set(fields))
        if unknown:
            raise ValueError("unknown field: %s" % ", ".join(unknown))
        result = {}
        for name, check in fields.items():
            if name not in value and not hasattr(check, "nullable"):
                raise ValueError("missing field: %s" % name)
            try:
                result[name] = check(value.get(name))
            except ValueError as error:
                raise ValueError("%s: %s" % (name, error)) from error
        return result

    return shape


CLAIM = dictionary(store_id=text, generation=integer)

HELLO = dictionary(
    protocol=integer,
    bridge_version=text,
    instance=text,
    store_id=text,
    database_uuid=nullable(text),
    nonce=nullable(text),
    nudge_url=nullable(nudge_address),
    nudge_secret=hexadecimal,
    clock=moment,
    probe=nullable(boolean),
)

CHANNEL_STATUS = dictionary(
    channel=integer,
    state=one_of("polling", "webhook", "refused", "unreachable", "stopped"),
    since=moment,
    last_update=nullable(moment),
    last_error=nullable(anything_written),
    username=nullable(text),
)

STATUS = dictionary(
    nonce=text,
    version=text,
    operations_waiting=integer,
    operations_refused=integer,
    sends_waiting=integer,
    nudges=boolean,
    channels=list_of(CHANNEL_STATUS),
)


def _operation(**fields):
    return dictionary(key=text, type=text, at=moment, **fields)


OPERATIONS = {
    "sender": _operation(
        channel=integer,
        user=text,
        chat=text,
        first_name=nullable(anything_written),
        last_name=nullable(anything_written),
        username=nullable(anything_written),
        language_code=nullable(anything_written),
    ),
    "conversation.open": _operation(conversation=text, channel=integer, user=text, chat=text),
    "message": _operation(
        conversation=text,
        sequence=integer,
        author=one_of("customer", "bot", "operator"),
        kind=one_of("text", "command", "button", "media", "other"),
        body=anything_written,
        step=nullable(integer),
        telegram_message=nullable(text),
        consultation=nullable(text),
        discuss_message=nullable(integer),
    ),
    "message.sent": _operation(conversation=text, sequence=integer, telegram_message=text),
    "message.failed": _operation(conversation=text, sequence=integer, reason=anything_written),
    "discuss.failed": _operation(discuss_message=integer, reason=anything_written),
    "consultation.request": _operation(
        conversation=text, consultation=text, operator_bot=integer, step=nullable(integer), wait=boolean
    ),
    "consultation.joined": _operation(conversation=text, consultation=text),
    "consultation.end": _operation(
        conversation=text, consultation=text, reason=one_of("customer", "restart", "blocked")
    ),
    "channel.refreshed": _operation(channel=integer, ok=boolean, answer=anything_written, username=nullable(text)),
    "conversation.state": _operation(conversation=text, step=nullable(integer), state=state),
    "conversation.close": _operation(conversation=text, reason=one_of("restart", "blocked", "silence")),
    "membership": _operation(channel=integer, user=text, blocked=boolean),
}

QUESTIONS = {
    "conversation": dictionary(id=text, type=text, channel=integer, user=text),
}
