"""One Claude Code session of any length, as lines.

Shares and sizes follow 220 real logs: a message is written as one line a block that all repeat `message.id`
and a usage that may grow, 3 % of the times go backwards, an Edit repeats the whole file, results stand
twice (for the model and structured), 0.3 % of the calls have no answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .claude_tools import IMAGE, PROMPT, READ, REPORT, SIGNATURE, TEXT, THINKING, TOOLS, Tools
from .text import Clock, Pools

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASSIC = b'{"parentUuid":%b,%b,%b,"uuid":"%b","timestamp":"%b"%b}\n'
MODERN = b'{"parentUuid":%b,"isSidechain":false,%b,"uuid":"%b","timestamp":"%b"%b,%b}\n'
ASSISTANT = (
    b'"message":{"model":"claude-opus-4-6","id":"%b","type":"message","role":"assistant","content":[%b],"stop_reason":%b,'
    b'"stop_sequence":null,"usage":{"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,'
    b'"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":%d},"output_tokens":%d,'
    b'"service_tier":"standard","inference_geo":"not_available"}},"requestId":"%b","type":"assistant"'
)
RESULT = (
    b'"type":"user","message":{"role":"user","content":[{"tool_use_id":"%b","type":"tool_result",'
    b'"content":%b%b}]}'
)
IMAGE_AND_TEXT = (
    b'[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"%b"}},'
    b'{"type":"text","text":"%b"}]'
)
NESTED = (
    b'"type":"progress","data":{"message":{"type":"user","timestamp":"%b","message":{"role":"user","content":[{"tool_use_id":'
    b'"toolu_%b","type":"tool_result","content":"%b"}]},"uuid":"%b"},"normalizedMessages":[],"type":"agent_progress","prompt":"%b",'
    b'"agentId":"%b"},"toolUseID":"agent_%b","parentToolUseID":"%b"'
)
BASH_PROGRESS = (
    b'"type":"progress","data":{"type":"bash_progress","output":"%b","fullOutput":"%b","elapsedTimeSeconds":%d,"totalLines":%d,'
    b'"timeoutMs":120000},"toolUseID":"bash-progress-%d","parentToolUseID":"%b"'
)
HOOK_PROGRESS = (
    b'"type":"progress","data":{"type":"hook_progress","hookEvent":"PostToolUse",'
    b'"hookName":"PostToolUse:%b","command":"%b"},'
    b'"parentToolUseID":"%b","toolUseID":"%b"'
)

BACKUP = b'"%b":{"backupFileName":"%016x@v%d","version":%d,"backupTime":"%b"}'
SNAPSHOT = (
    b'{"type":"file-history-snapshot","messageId":"%b","snapshot":{"messageId":"%b",'
    b'"trackedFileBackups":{%b},'
    b'"timestamp":"%b"},"isSnapshotUpdate":true}\n'
)


class ClaudeLog(Tools):
    """Call `lines()`; it never ends. Every yield is one turn: complete lines, LF included."""

    def __init__(self, pools: Pools, seed: int) -> None:
        super().__init__(pools, seed * 7919 + 1)
        self.clock = Clock(self.random, 3000)
        self.session = self.uuid()
        self.parent = b"null"
        self.count = 0
        self.upgrades = 0
        self.calls = 0
        self.out: list[bytes] = []
        self.home = b"/home/dev/src/harbor"
        self.menu = [name for name, share in TOOLS.items() for _ in range(round(share * 1000))]
        self.upgrade()

    # Small parts of a record.

    def uuid(self) -> bytes:
        h = b"%032x" % self.random.getrandbits(128)
        return b"%b-%b-4%b-a%b-%b" % (h[:8], h[8:12], h[12:15], h[15:18], h[18:30])

    def upgrade(self) -> None:
        """A resumed session: another version, sometimes another branch, another member order."""
        self.upgrades += 1
        self.modern = self.upgrades % 2 == 0
        version = b"2.1.%d" % (20 + self.upgrades)
        self.tail = b'"userType":"external"%b,"cwd":"%b","sessionId":"%b","version":"%b","gitBranch":"%b"' % (
            b',"entrypoint":"cli"' if self.modern else b"",
            self.home,
            self.session,
            version,
            (b"main", b"fix/early-close")[self.upgrades % 3 == 0],
        )
        self.head = b'"isSidechain":false,%b,"slug":"quiet-copper-lantern"' % self.tail
        self.side = b'"isSidechain":true,%b,"agentId":"a%07x"' % (self.tail, self.random.getrandbits(28))

    def record(self, body: bytes, extra: bytes = b"", *, side: bool = False) -> None:
        time = self.clock.tick()
        if self.chance() < 0.03:
            time = self.clock.text(self.clock.now - int(self.chance() * 9000))
        own = self.uuid()
        if self.modern and not side:
            self.out.append(MODERN % (self.parent, body, own, time, extra, self.tail))
        else:
            self.out.append(CLASSIC % (self.parent, self.side if side else self.head, body, own, time, extra))
        self.parent = b'"%b"' % own
        self.count += 1
        if self.count % 4000 == 0:
            self.out[-1] = self.out[-1][:-1]  # the next record is glued to this one
        if self.count % 2500 == 0:
            self.upgrade()

    # Turns.

    def lines(self) -> Iterator[list[bytes]]:
        self.out.append(
            b'{"type":"summary","summary":"%b","leafUuid":"%b"}\n' % (self.phrase(50), self.uuid())
        )
        while True:
            self.turn()
            yield self.out
            self.out = []

    def turn(self) -> None:
        if self.chance() < 0.125:
            self.prompt()
        self.around()
        self.message()

    def prompt(self) -> None:
        chance = self.chance()
        text = self.prose(PROMPT)
        if chance < 0.84:
            content = b'"%b"' % text
        elif chance < 0.995:
            content = b'[{"type":"text","text":"%b"}]' % text
        else:
            size = IMAGE.at(self.chance()) & ~3
            content = IMAGE_AND_TEXT % (self.pools.base64[:size], text)
        meta = b',"isMeta":true' if chance > 0.9 and chance < 0.93 else b""
        self.record(
            b'"type":"user","message":{"role":"user","content":%b}%b' % (content, meta),
            b',"permissionMode":"default"',
        )

    def around(self) -> None:
        """What stands between messages, each on its own chance."""
        for share, make in (
            (0.12, self.snapshot),
            (0.07, self.hook_summary),
            (0.03, self.duration),
            (0.06, self.queue),
            (0.12, self.title),
            (0.07, self.attachment),
            (0.002, self.compact),
        ):
            if self.chance() < share:
                make()

    def snapshot(self) -> None:
        own = self.uuid()
        paths = {self.file().path for _ in range(int(self.chance() * 5))}
        files = b",".join(
            BACKUP % (path, self.random.getrandbits(64), n, n, self.clock.tick())
            for n, path in enumerate(sorted(paths), 1)
        )
        self.out.append(SNAPSHOT % (own, own, files, self.clock.tick()))

    def hook_summary(self) -> None:
        self.record(
            b'"type":"system","subtype":"stop_hook_summary","hookCount":1,"hookInfos":[{"command":"%b"}],'
            b'"hookErrors":[],"preventedContinuation":false,"stopReason":"","hasOutput":true,'
            b'"level":"suggestion"' % self.phrase(70)
        )

    def duration(self) -> None:
        took = int(self.chance() * 400_000)
        self.record(b'"type":"system","subtype":"turn_duration","durationMs":%d,"isMeta":false' % took)

    def queue(self) -> None:
        kind, content = b"remove", b""
        if self.chance() < 0.55:
            kind, content = b"enqueue", b',"content":"%b"' % self.prose(PROMPT)
        self.out.append(
            b'{"type":"queue-operation","operation":"%b","timestamp":"%b","sessionId":"%b"%b}\n'
            % (kind, self.clock.tick(), self.session, content)
        )

    def title(self) -> None:
        kind = self.chance()
        if kind < 0.5:
            line = b'{"type":"last-prompt","lastPrompt":"%b","leafUuid":%b,' % (self.phrase(100), self.parent)
        elif kind < 0.9:
            line = b'{"type":"custom-title","customTitle":"%b",' % self.phrase(30)
        else:
            line = b'{"type":"mode","mode":"normal",'
        self.out.append(b'%b"sessionId":"%b"}\n' % (line, self.session))

    def compact(self) -> None:
        self.record(
            b'"type":"system","subtype":"compact_boundary","content":"Conversation compacted",'
            b'"isMeta":false,'
            b'"level":"info","compactMetadata":{"trigger":"auto","preTokens":%d}'
            % int(150_000 + self.chance() * 30_000)
        )
        self.record(
            b'"type":"user","message":{"role":"user",'
            b'"content":"This session is being continued from a previous '
            b'conversation. %b"},"isCompactSummary":true' % self.prose(REPORT)
        )

    def attachment(self) -> None:
        chance = self.chance()
        if chance < 0.5:
            body = (
                b'"type":"task_reminder","content":[{"id":"1","subject":"%b","status":"pending"}],'
                b'"itemCount":1' % self.phrase(40)
            )
        elif chance < 0.75:
            body = (
                b'"type":"hook_additional_context","content":["%b"],"hookName":"PreToolUse",'
                b'"toolUseID":"hook","hookEvent":"PreToolUse"' % self.phrase(120)
            )
        elif chance < 0.88:
            file = self.file()
            first, last = file.tab.span(self.chance(), 6000)
            body = b'"type":"edited_text_file","filename":"%b/%b","snippet":"%b"' % (
                self.home,
                file.path,
                file.tab.piece(first, last),
            )
        elif chance < 0.93:
            body = b'"type":"queued_command","prompt":"%b","commandMode":"prompt"' % self.prose(PROMPT)
        else:
            body = (
                b'"type":"skill_listing","content":"%b","skillCount":61,"isInitial":true'
                % self.pools.prose.cut(self.chance(), 20_000)
            )
        self.record(b'"attachment":{%b},"type":"attachment"' % body)

    def message(self) -> None:
        """One message of the model: its blocks a line each, then the calls' progress and results."""
        chance = self.chance
        self.message_id, self.request = self.ident(b"msg_01"), self.ident(b"req_011")
        self.usage = [
            3 + int(chance() * 40),
            int(chance() * 30_000),
            int(chance() * 160_000),
            int(3 + chance() * 400),
        ]
        side = chance() < 0.04
        if chance() < 0.58:
            size = SIGNATURE.at(chance()) & ~3
            at = int(chance() * (len(self.pools.base64) - size)) & ~3
            self.block(
                b'{"type":"thinking","thinking":"%b","signature":"%b"}'
                % (self.prose(THINKING), self.pools.base64[at : at + size]),
                side=side,
            )
        if chance() < 0.46:
            self.block(b'{"type":"text","text":"%b"}' % self.prose(TEXT), side=side)
        calls = []
        for _ in range(1 if chance() < 0.88 else 2 + int(chance() * 3)):
            call = self.ident(b"toolu_01")
            name, given, result, structured = getattr(self, self.menu[int(chance() * len(self.menu))])()
            self.block(
                b'{"type":"tool_use","id":"%b","name":"%b","input":{%b}}' % (call, name, given),
                stop=b'"tool_use"' if chance() < 0.3 else b"null",
                side=side,
            )
            calls.append((call, name, result, structured))
        for call, name, result, structured in calls:
            self.progress(call, name)
            if chance() < 0.003:
                continue
            self.result(call, result, structured, side=side)

    def block(self, block: bytes, stop: bytes = b"null", *, side: bool = False) -> None:
        given, cache_write, cache_read, out = self.usage
        self.record(
            ASSISTANT
            % (self.message_id, block, stop, given, cache_write, cache_read, cache_write, out, self.request),
            side=side,
        )
        if self.chance() < 0.25:
            self.usage[3] += int(self.chance() * 900)

    def result(self, call: bytes, result: bytes, structured: bytes, *, side: bool) -> None:
        flag = b""
        if self.chance() < 0.05:
            text = self.phrase(120)
            result, structured, flag = (
                b'"<tool_use_error>%b</tool_use_error>"' % text,
                b'"Error: %b"' % text,
                b',"is_error":true',
            )
        extra = (
            b',"toolUseResult":%b,"sourceToolAssistantUUID":%b' % (structured, self.parent)
            if not side
            else b""
        )
        self.record(RESULT % (call, result, flag), extra, side=side)

    def progress(self, call: bytes, name: bytes) -> None:
        if self.chance() < 0.27:
            self.record(HOOK_PROGRESS % (name, self.phrase(30), call, call))
        if name == b"Bash" and self.chance() < 0.3:
            for n in range(1, 2 + int(self.chance() * 7)):
                text = self.pools.terminal.cut(self.chance(), int(self.chance() * 550))
                self.record(BASH_PROGRESS % (text.partition(b"\\n")[0], text, n, n * 3, n, call))
        if name == b"Agent":
            agent, prompt = b"a%07x" % self.random.getrandbits(28), self.phrase(700)
            for _ in range(int(self.chance() * 14)):
                file = self.file()
                first, last = file.tab.span(self.chance(), READ.at(self.chance()))
                self.record(
                    NESTED
                    % (
                        self.clock.tick(),
                        self.ident(b"01"),
                        file.tab.piece(first, last),
                        self.uuid(),
                        prompt,
                        agent,
                        self.message_id,
                        call,
                    )
                )
