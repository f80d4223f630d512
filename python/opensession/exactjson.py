"""JSON text to Python values with every integer exact.

Owns two questions: which reader is there (orjson where it is installed, at twice the speed; the standard
library's gives the same values), and whether a line may be handed to orjson, which silently reads integers
beyond 64 bit as floats. Knows nothing of sessions.
"""

from __future__ import annotations

import json
import sys
from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# 19 digits is the shortest run that can leave 64 bit: -9223372036854775809.
_LONG_RUN = b"0" * 19
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")


def loads(text: bytes) -> Any:  # noqa: ANN401  JSON is any
    """The value of one JSON text in UTF-8; raises ValueError where it is none.

    >>> loads(b'{"n": 18446744073709551616}')
    {'n': 18446744073709551616}
    """
    if _LONG_RUN in text.translate(_DIGITS_TO_ZERO):
        return json.loads(text, parse_int=exact_int)
    return _reader()(text)


@cache
def _reader() -> Callable[[bytes], Any]:
    try:
        import orjson
    except ImportError:
        return json.loads
    return orjson.loads


def exact_int(digits: str) -> int:
    """``int(digits)`` for any length; Python may be set to refuse long ones (4,096 digits are legal in a
    session).
    """
    limit = sys.get_int_max_str_digits()
    if limit == 0 or len(digits) <= limit:
        return int(digits)
    sign, digits = (-1, digits[1:]) if digits.startswith("-") else (1, digits)
    value = 0
    for start in range(0, len(digits), 512):  # 640 is the smallest limit that can be set
        piece = digits[start : start + 512]
        value = value * 10 ** len(piece) + int(piece)
    return sign * value
