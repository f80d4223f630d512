"""Every Claude Code and Codex log of the corpus becomes a valid, canonical, complete session."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

HASH_SEEDED = """
import sys
sys.path.insert(0, sys.argv[1])
import hashlib, logs
from pathlib import Path
for name in sys.argv[3:]:
    log = logs.Log(name, Path(sys.argv[2]) / name)
    print(hashlib.sha256(logs.parse(log.path, log.profile)[0]).hexdigest())
"""


def test_every_log_becomes_a_canonical_session_with_true_stats_and_a_balanced_ledger(examined):
    assert len(examined) > 200
    problems = {result["name"]: result["problems"] for result in examined if result["problems"]}
    assert not problems


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_at_most_one_record_in_two_hundred_is_opaque(examined, agent):
    records = sum((Counter(r["records"]) for r in examined if r["agent"] == agent), Counter())
    files = {r["name"]: n for r in examined if r["agent"] == agent and (n := r["records"].get("opaque", 0))}
    assert records["opaque"] <= 0.005 * records["read"], files


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_999_of_1000_bytes_of_text_of_an_agents_logs_stand_in_the_sessions(examined, agent):
    total = lost = 0
    missing: Counter[str] = Counter()
    for recall in (r["recall"] for r in examined if r["agent"] == agent):
        total, lost = total + recall["total"], lost + recall["lost"]
        missing.update(recall["missing"])
    assert total > 10_000_000
    assert lost <= 0.001 * total, missing.most_common(20)


def test_99_of_100_bytes_of_text_of_each_log_over_100_kb_stand_in_its_session(examined):
    poor = {
        r["name"]: Counter(r["recall"]["missing"]).most_common(5)
        for r in examined
        if r["bytes"] > 100_000 and r["recall"]["lost"] > 0.01 * r["recall"]["total"]
    }
    assert not poor


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_session_is_the_same_bytes_under_every_hash_seed(examined, corpus, seed):
    some = [r for r in examined if r["bytes"] < 2_000_000][::20]
    names = [r["name"] for r in some]
    done = subprocess.run(
        [sys.executable, "-c", HASH_SEEDED, str(Path(__file__).parent), str(corpus), *names],
        env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Asia/Tokyo"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [r["sha256"] for r in some]


def test_the_profile_of_every_log_with_a_conversation_is_detected(corpus):
    import logs

    from opensession import core

    wrong = {}
    for log in logs.logs(corpus):
        if "snippets" not in log.name:  # single records cut out of logs
            found = core.detect(str(log.path), source_name=log.path.name)
            if not found or found[0]["profile"] != log.profile:
                wrong[log.name] = [(c["profile"], c["confidence"]) for c in found]
    assert not wrong


@pytest.mark.parametrize("profile", ["claude-code", "codex"])
def test_side_files_are_refused_and_never_become_an_empty_session(corpus, profile):
    import logs

    from opensession.errors import OpensessionError

    side = [*corpus.glob("codex/aux/*/codex/history.jsonl"), *corpus.glob("claude/**/*.meta.json")]
    assert len(side) == 6
    for path in side:
        with pytest.raises(OpensessionError) as refused:
            logs.parse(path, profile)
        assert refused.value.code == "no_events"


def test_a_compressed_log_has_the_address_of_the_plain_one(corpus, tmp_path):
    import logs

    for log in logs.logs(corpus)[::30]:
        packed = tmp_path / f"{log.path.name}.gz"
        packed.write_bytes(gzip.compress(log.path.read_bytes(), compresslevel=1, mtime=0))
        plain, _ = logs.parse(log.path, log.profile)
        assert logs.parse(packed, log.profile, name=log.path.name)[0] == plain


def test_the_address_is_the_sha256_of_the_session(corpus):
    import logs

    log = logs.logs(corpus)[0]
    session, info = logs.parse(log.path, log.profile)
    assert hashlib.sha256(session).hexdigest() == info["sha256"]
