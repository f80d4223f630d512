#!/bin/sh
# The main job on a bundled log, step by step. Usage: demo.sh FOLDER_OF_THE_PROGRAM
# Works in a folder and a store of its own that are removed at the end; nothing else is touched.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
PATH="$1:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
OPENSESSION_HOME="$work/store"
export PATH OPENSESSION_HOME
cp "$here/claude-code.jsonl" "$work/raw.jsonl"
cd "$work"

step() {
    printf '\n# %s\n' "$1"
}

run() {
    printf '$ %s\n' "$1"
    sh -c "$1"
}

step "An invented log of Claude Code: 29 records, one a line."
run "head -c 300 raw.jsonl; echo ..."
step "Turn it into one canonical session. The ledger accounts for every record."
run "opensession parse --profile auto raw.jsonl --out session.hail.jsonl --preview"
step "Store it. Its address is the SHA-256 of its bytes, printed when they are on the disk."
run "opensession register session.hail.jsonl"
run "sha256sum session.hail.jsonl 2>/dev/null || shasum -a 256 session.hail.jsonl"
uri=$(opensession register session.hail.jsonl --quiet)
hash=${uri##*/}
short=$(printf %.8s "$hash")
step "Read it back; the first digits are enough to name it."
run "opensession cat $short | head -n 2 | cut -c1-160"
run "opensession cat $short | cmp - session.hail.jsonl && echo 'the same bytes'"
step "What is it?"
run "opensession inspect $short"
step "Is it still what it was?"
run "opensession verify $uri --strict"
step "A flipped byte is noticed, set aside, and healed by registering again."
object="store/objects/sha256/$(printf %.2s "$hash")/$(printf %s "$hash" | cut -c3-4)/$hash.jsonl"
run "chmod u+w $object && printf X | dd of=$object bs=1 seek=100 conv=notrunc 2>/dev/null"
run "opensession verify $uri || echo \"exit code \$?\""
run "opensession fsck --repair"
run "opensession register session.hail.jsonl --quiet && opensession verify $uri"
step "The same from Python."
run "python -c \"
import opensession
session = opensession.open('$uri')
print(session.header.title, '|', session.stats.event_count, 'events')
for event in session[:4]:
    print(event.ordinal, event.type, '|', ' '.join(event.text.split())[:70])
\""
printf '\nDone. Next: opensession docs quickstart\n'
