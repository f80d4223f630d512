"""The Python peer of canonicalize + hash: orjson with sorted keys, hashed line by line.

    python benches/peer_canonical.py session.hail.jsonl > /dev/null

It does less than the core: it checks nothing, recomputes no stats, normalises no time, and prints numbers
as orjson does, so its bytes need not be the canonical ones. It is the loop somebody would write in five
minutes.
"""

from __future__ import annotations

import hashlib
import sys

import orjson


def main() -> None:
    digest = hashlib.sha256()
    out = sys.stdout.buffer
    with open(sys.argv[1], "rb", buffering=1 << 20) as source:
        for line in source:
            text = orjson.dumps(orjson.loads(line), option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
            digest.update(text)
            out.write(text)
    print(digest.hexdigest(), file=sys.stderr)


if __name__ == "__main__":
    main()
