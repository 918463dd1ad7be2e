"""Keys that sort by time: ULIDs, as the bridge draws them (Crockford's base 32, 26 characters)."""

import os
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def draw():
    """Return a new ULID: 48 bits of the time in milliseconds, 80 bits of chance."""
    number = int.from_bytes(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10), "big")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
