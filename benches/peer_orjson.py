"""The Python peer of `parse`: the same mapping of Claude Code and Codex logs to canonical HAIL, with orjson.

    python benches/peer_orjson.py claude-code session.jsonl > session.hail.jsonl

Written the way one would write it in Python: orjson reads a line into a dict, the mapping (`peer`) takes out of it
what the events hold, what is left becomes `source.rest`, orjson writes the events with sorted keys, hashlib hashes
them, blake3 makes the digests of the ledger. One pass; the events wait in memory for the header, which knows the
whole. A test holds its output equal to the core's.

It knows the records that the generated logs hold and the two kinds of damage in them (glued records, half surrogate
pairs), not all of what docs/agents.md says; a number that is no integer is printed as orjson prints it.
"""

from __future__ import annotations

import hashlib
import sys

import orjson
from blake3 import blake3

from peer.claude import Claude
from peer.codex import Codex
from peer.session import SORTED, Session
from peer.text import plain, read_line

AGENTS = {"claude-code": Claude, "codex": Codex}


def main() -> None:
    mapper = AGENTS[sys.argv[1]]()
    session = Session()
    ledger, size = blake3(), 0
    with open(sys.argv[2], "rb", buffering=1 << 20) as source:
        for line in source:
            size += len(line)
            ledger.update(line)
            for value, raw in read_line(line, session.repairs):
                record = plain(value) if b".0" in line else value
                session.seen(mapper.head.see(record))
                draft, rest = mapper.record(record)
                session.add(draft, rest, raw)
    header = {"type": "header", "version": "hail-1.0.0", **mapper.head.header()}
    header["context"] |= {"created_at": session.earliest, "updated_at": session.latest, "tags": []}
    stats = session.stats(session.ledger(mapper.agent, mapper.form, ledger.hexdigest(), size))
    digest = hashlib.sha256()
    out = sys.stdout.buffer
    for line in (orjson.dumps(header, option=SORTED), *session.lines, stats):
        digest.update(line)
        out.write(line)
    print(digest.hexdigest(), file=sys.stderr)


if __name__ == "__main__":
    main()
