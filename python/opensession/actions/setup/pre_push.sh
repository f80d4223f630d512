#!/bin/sh
# opensession-managed
# opensession-hook: @VERSION@
#
# Runs the hook that was here before; then records this clone's sessions in the ledgers of the pushed branches, looks
# for secrets in what is pushed, and sends the ledgers to remotes that this clone has agreed to. Our part ends after 20
# seconds at the latest, and only warns unless OPENSESSION_STRICT=1.
# `opensession doctor` checks this file, `opensession doctor --unfix` puts back what was here.

# The push that sends the ledgers must not start this again.
[ "${OPENSESSION_INTERNAL_PUSH-}" != 1 ] || exit 0

case $0 in
*/*) here=${0%/*} ;;
*) here=. ;;
esac
here=$(CDPATH='' cd -- "$here" && pwd -P) || exit 0
# The older hook may itself run this one (`pre-push.legacy`); once is enough.
[ "${OPENSESSION_HOOK_IN-}" != "$here" ] || exit 0

strict=
case ${OPENSESSION_STRICT-} in
1 | [Tt][Rr][Uu][Ee] | [Yy][Ee][Ss] | [Oo][Nn]) strict=1 ;;
esac

say() { printf 'opensession: %s\n' "$1" >&2; }

give_up() {
    if [ -n "$strict" ]; then
        say "$1; the push is refused, because OPENSESSION_STRICT is set"
        exit 1
    fi
    say "$1"
    exit 0
}

# ---- What git says on standard input can be read once, and two want to read it.

older=$here/pre-push.original.pre-opensession
dir=$(umask 077 && mktemp -d -- "${TMPDIR:-/tmp}/opensession-push.XXXXXXXXXX" 2>/dev/null) || dir=
if [ -z "$dir" ]; then
    why="no temporary folder can be made in ${TMPDIR:-/tmp}: sessions were not recorded"
    if [ -z "$strict" ] && [ -f "$older" ] && [ -x "$older" ]; then
        say "$why"
        OPENSESSION_HOOK_IN=$here
        export OPENSESSION_HOOK_IN
        exec "$older" "$@"
    fi
    give_up "$why"
fi

child=
dog=
late=
stop() {
    # A signal may come after the program was started and before its number was noted.
    [ "$child" != starting ] || child=$!
    [ -z "$child" ] || kill "$child" 2>/dev/null
}
end() {
    trap '' HUP INT TERM USR1
    stop
    [ -z "$dog" ] || kill "$dog" 2>/dev/null
    rm -rf -- "$dir"
}
trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if ! (umask 077 && exec cat >"$dir/lines"); then
    # The older hook may be a gate. A gate that cannot be asked stays shut.
    [ ! -x "$older" ] || strict=1
    give_up "the list of pushed refs cannot be kept in $dir"
fi

# ---- The older hook, as git would run it: by its own first line, and only if it is executable.

if [ -f "$older" ] && [ -x "$older" ]; then
    OPENSESSION_HOOK_IN=$here "$older" "$@" <"$dir/lines" || exit $?
elif [ -f "$older" ] && [ "$(git config --type=bool advice.ignoredHook)" != false ]; then
    say "the older hook $older was ignored because it is not executable"
fi

# ---- Our part.

# One branch a line, with the commit that is pushed. Fields are cut off from the right: what stands on the left is what
# was typed, which may hold spaces.
branches() {
    while IFS= read -r line; do
        rest=${line% *}
        remote_ref=${rest##* }
        rest=${rest% *}
        oid=${rest##* }
        local_ref=${rest% *}
        case $oid in
        *[!0]*) ;;
        *) continue ;; # a deletion; the zero has 40 digits or 64
        esac
        case $remote_ref in
        refs/opensession/* | refs/notes/opensession) continue ;;
        esac
        anything=1
        # `git push origin HEAD` means the branch that is checked out, and git hands its name on as it was typed.
        [ "$local_ref" != HEAD ] || local_ref=$(git symbolic-ref -q HEAD) || local_ref=HEAD
        case $local_ref in
        refs/heads/*) printf '%s %s\n' "$oid" "${local_ref#refs/heads/}" ;;
        *)
            case $remote_ref in
            refs/heads/*) printf '%s %s\n' "$oid" "${remote_ref#refs/heads/}" ;;
            esac
            ;;
        esac
    done
}

anything=
branches <"$dir/lines" >"$dir/branches"
[ -n "$anything" ] || exit 0

program=${HOME-}/.local/share/opensession/bin/opensession
case ${XDG_DATA_HOME-} in
/*) program=$XDG_DATA_HOME/opensession/bin/opensession ;;
esac
[ -x "$program" ] || program=$(command -v opensession) ||
    give_up "the program opensession is not installed, so sessions were not recorded (opensession doctor --fix, or pip install opensession)"

cap=20
now=$(date +%s)
case $now in
'' | *[!0-9]*) ;;
*)
    # The program ends itself a little earlier, and then says what it got done.
    OPENSESSION_DEADLINE=$((now + cap - 2))
    export OPENSESSION_DEADLINE
    ;;
esac
trap 'late=1; stop' USR1
(
    trap 'kill "$nap" 2>/dev/null; exit 0' TERM
    sleep $((cap - 1)) &
    nap=$!
    wait "$nap" && kill -USR1 $$
) </dev/null >/dev/null 2>&1 &
dog=$!

failed=
input=/dev/null
# In the background, where the watchdog can end it and Ctrl-C is answered at once.
call() {
    [ -z "$late" ] || return 1
    child=starting
    "$program" "$@" <"$input" &
    child=$!
    wait "$child" 2>/dev/null
    code=$?
    if [ -n "$late" ]; then
        sleep 1
        kill -KILL "$child" 2>/dev/null
        wait "$child" 2>/dev/null
        code=1
    fi
    child=
    if [ "$code" -eq 126 ] || [ "$code" -eq 127 ]; then
        give_up "$program does not start, so sessions were not recorded (run: opensession doctor)"
    fi
    [ "$code" -eq 0 ] || failed=1
    return "$code"
}

remote=$1
url=$2
mode=
call setup --print-fanout-mode >"$dir/mode" || [ -n "$late" ] || give_up "sessions were not recorded"
read -r mode <"$dir/mode"

if read -r oid branch <"$dir/branches"; then
    set --
    while read -r more_oid more; do
        [ "$more" = "$branch" ] || set -- "$@" --sync-branch-session "$more" --sync-branch-commit "$more_oid"
    done <"$dir/branches"
    call setup --sync-branch-session "$branch" --sync-branch-commit "$oid" "$@"
    set --
    while read -r more_oid more; do
        [ "$more" = "$branch" ] || set -- "$@" --print-ledger-ref "$more"
    done <"$dir/branches"
    call setup --print-ledger-ref "$branch" "$@" >"$dir/ledgers"
fi

set --
if [ -s "$dir/ledgers" ]; then
    while read -r ref; do set -- "$@" --ledger-ref "$ref"; done <"$dir/ledgers"
fi
input=$dir/lines
call setup --push-branches "$remote" --push-url "$url" ${mode:+--fanout-mode "$mode"} "$@"

if [ -n "$late" ]; then
    give_up "stopped after $cap seconds; what was recorded is kept, and the next push goes on from there"
fi
[ -z "$failed" ] || [ -z "$strict" ] ||
    give_up "not everything could be recorded and sent"
exit 0
