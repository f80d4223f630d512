"""One Codex session of any length, as lines.

Shares and sizes follow 20 real rollouts. Prompts, answers and reasoning summaries are written twice, as
`event_msg` and as `response_item`; outputs are a JSON text in a string in older versions and plain text
with header lines in newer ones; both stand in this log as if it had been resumed with a newer version.
`encrypted_content` is ciphertext, hence base64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .text import Clock, Draw, Pools, Sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTPUT = Sizes(
    (0, 12), (0.1, 113), (0.25, 136), (0.5, 378), (0.75, 3583), (0.9, 10300), (0.97, 23750), (1, 40200)
)
CIPHER = Sizes((0, 250), (0.25, 1228), (0.5, 2300), (0.75, 3400), (0.9, 7000), (1, 25000))
SCRIPT = Sizes((0, 10), (0.1, 20), (0.25, 45), (0.5, 100), (0.75, 300), (0.9, 1200), (0.97, 3200), (1, 12000))
ANSWER = Sizes((0, 13), (0.1, 65), (0.25, 123), (0.5, 187), (0.75, 275), (0.9, 1400), (0.97, 2420), (1, 6500))
PROMPT = Sizes((0, 2), (0.1, 10), (0.25, 39), (0.5, 94), (0.75, 232), (0.9, 455), (0.97, 8382), (1, 32800))
SUMMARY = Sizes((0, 20), (0.25, 34), (0.5, 60), (0.75, 288), (0.9, 553), (1, 1600))
PATCH = Sizes((0, 150), (0.25, 450), (0.5, 1100), (0.75, 2700), (0.9, 7000), (1, 24000))
IMAGE = Sizes((0, 8000), (0.5, 40000), (0.9, 200000), (1, 1500000))

LINE = b'{"timestamp":"%b","type":"%b","payload":%b}\n'
LIMITS = (
    b'"rate_limits":{"limit_id":"codex","limit_name":null,"primary":{"used_percent":%d.0,"window_minutes":300,"resets_at":%d},'
    b'"secondary":{"used_percent":%.1f,"window_minutes":10080,"resets_at":%d},"credits":null,"plan_type":"pro"}'
)
USAGE = (
    b'{"input_tokens":%d,"cached_input_tokens":%d,"output_tokens":%d,"reasoning_output_tokens":%d,'
    b'"total_tokens":%d}'
)
RAN = (
    b"Chunk ID: %06x\\nWall time: %.4f seconds\\nProcess exited with code %d\\nOriginal token count: %d\\n"
    b"Output:\\n%b"
)
PASSTHROUGH = b',"internal_chat_message_metadata_passthrough":{"turn_id":"%b"}}'
PLAN_DONE = b'{"type":"function_call_output","call_id":"%b","output":"Plan updated"}'


class CodexLog(Draw):
    """Call `lines()`; it never ends. Every yield is one step: complete lines, LF included."""

    def __init__(self, pools: Pools, seed: int) -> None:
        super().__init__(pools, seed * 6007 + 2)
        self.clock = Clock(self.random, 2500)
        self.out: list[bytes] = []
        self.count = 0
        self.steps = 0
        self.total = [0, 0, 0, 0]
        self.last = [0, 0, 0, 0]
        self.turn_id = b""
        self.home = b"/home/dev/src/harbor"

    def record(self, kind: bytes, payload: bytes) -> None:
        time = self.clock.tick()
        if self.chance() < 0.002:
            time = self.clock.text(self.clock.now - int(self.chance() * 4000))
        self.out.append(LINE % (time, kind, payload))
        self.count += 1
        if self.count % 4000 == 0:
            self.out[-1] = self.out[-1][:-1]  # the next record is glued to this one

    def item(self, payload: bytes) -> None:
        if self.newest:
            own = b"" if b"_output" in payload[:40] else b',"id":"%b"' % self.ident(b"it_")
            kind, _, rest = payload.partition(b",")
            payload = b"%b%b,%b" % (kind, own, rest[:-1]) + PASSTHROUGH % self.turn_id
        self.record(b"response_item", payload)

    def event(self, payload: bytes) -> None:
        self.record(b"event_msg", payload)

    def lines(self) -> Iterator[list[bytes]]:
        own = b"019a%04x-%04x-7a21-ad41-%012x" % (
            self.random.getrandbits(16),
            self.random.getrandbits(16),
            self.random.getrandbits(48),
        )
        self.record(
            b"session_meta",
            b'{"id":"%b","timestamp":"%b","cwd":"%b","originator":"codex_cli_rs","cli_version":"0.63.0","source":"cli","model_provider":"openai",'
            b'"base_instructions":{"text":"%b"},"git":{"commit_hash":"%040x","branch":"main","repository_url":"https://git.example/harbor.git"}}'
            % (
                own,
                self.clock.tick(),
                self.home,
                self.pools.prose.cut(0.5, 20_000),
                self.random.getrandbits(160),
            ),
        )
        while True:
            self.step()
            yield self.out
            self.out = []

    @property
    def modern(self) -> bool:
        return self.steps // 500 % 3 != 1

    @property
    def newest(self) -> bool:
        """Items have ids and name their turn."""
        return self.steps // 500 % 3 == 2

    def step(self) -> None:
        """A part of a turn: a prompt, reasoning, an answer now and then; one call and its output; tokens."""
        self.steps += 1
        chance = self.chance
        if self.steps == 1 or chance() < 0.075:
            self.prompt()
        if chance() < 0.35:
            self.reasoning()
        if chance() < 0.32:
            text = self.prose(ANSWER)
            phase = b',"phase":"commentary"' if self.modern else b""
            self.event(b'{"type":"agent_message","message":"%b"%b}' % (text, phase))
            self.item(
                b'{"type":"message","role":"assistant","content":[{"type":"output_text","text":"%b"}]%b}'
                % (text, phase)
            )
        kind = chance()
        if kind < 0.85:
            self.shell()
        elif kind < 0.9:
            self.patch()
        elif kind < 0.92:
            self.plan()
        elif kind < 0.926:
            self.search()
        elif kind < 0.9995:
            self.stdin()
        if chance() < 0.8:
            self.tokens()
        if chance() < 0.0025:
            self.compacted()

    def prompt(self) -> None:
        chance = self.chance
        if self.turn_id:
            done = b'"%b"' % self.phrase(300) if chance() < 0.8 else b"null"
            self.event(
                b'{"type":"task_complete","turn_id":"%b","last_agent_message":%b,"completed_at":%d,"duration_ms":%d}'
                % (self.turn_id, done, self.clock.now // 1000, int(chance() * 300_000))
            )
        self.turn_id = b"turn-%06x" % self.steps
        self.event(
            b'{"type":"task_started","turn_id":"%b","started_at":%d,"model_context_window":258400}'
            % (self.turn_id, self.clock.now // 1000)
        )
        self.record(
            b"turn_context",
            b'{"turn_id":"%b","cwd":"%b","approval_policy":"on-request","sandbox_policy":{"type":"workspace-write","network_access":false},'
            b'"model":"%b","personality":"pragmatic","effort":"high","summary":"auto"}'
            % (self.turn_id, self.home, b"gpt-5.5" if self.modern else b"gpt-5.1-codex"),
        )
        if chance() < 0.05:
            self.item(
                b'{"type":"message","role":"user","content":[{"type":"input_text","text":'
                b'"<environment_context>\\n  <cwd>%b</cwd>\\n</environment_context>"}]}' % self.home
            )
        if chance() < 0.004:
            size = IMAGE.at(chance()) & ~3
            self.item(
                b'{"type":"message","role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,%b"}]}'
                % self.pools.base64[:size]
            )
        text = self.prose(PROMPT)
        self.item(b'{"type":"message","role":"user","content":[{"type":"input_text","text":"%b"}]}' % text)
        self.event(b'{"type":"user_message","message":"%b","images":[]}' % text)

    def reasoning(self) -> None:
        chance = self.chance
        size = CIPHER.at(chance()) & ~3
        at = int(chance() * (len(self.pools.base64) - size)) & ~3
        cipher = b"gAAAAAB" + self.pools.base64[at : at + size] if chance() < 0.55 else b""
        summary = b""
        if chance() < 0.2:
            text = b"**%b**\\n\\n%b" % (self.phrase(24), self.prose(SUMMARY))
            self.event(b'{"type":"agent_reasoning","text":"%b"}' % text)
            summary = b'{"type":"summary_text","text":"%b"}' % text
        self.item(
            b'{"type":"reasoning","summary":[%b],"content":null,"encrypted_content":%b}'
            % (summary, b'"%b"' % cipher if cipher else b"null")
        )

    def shell(self) -> None:
        call, chance = self.ident(b"call_"), self.chance
        strip = self.pools.terminal
        first, last = strip.span(chance(), SCRIPT.at(chance()))
        script = strip.nested_piece(first, last).rstrip(b"\\n")
        kind = chance()
        source = self.file().lines if kind < 0.1 else self.pools.prose if kind < 0.75 else strip
        first, last = source.span(chance(), OUTPUT.at(chance()))
        failed = chance() < 0.1
        if self.modern:
            given = b'{\\"cmd\\":\\"%b\\",\\"workdir\\":\\"%b\\",\\"yield_time_ms\\":1000}' % (
                script,
                self.home,
            )
            name = b"exec_command"
            out = RAN % (
                self.random.getrandbits(24),
                chance() * 9,
                failed,
                last - first,
                source.piece(first, last),
            )
        else:
            given = (
                b'{\\"command\\":[\\"bash\\",\\"-lc\\",\\"%b\\"],\\"workdir\\":\\"%b\\",\\"timeout_ms\\":120000}'
                % (script, self.home)
            )
            name = b"shell"
            out = (
                b'{\\"output\\":\\"%b\\",\\"metadata\\":{\\"exit_code\\":%d,\\"duration_seconds\\":%.1f}}'
                % (source.nested_piece(first, last), failed, chance() * 9)
            )
        if chance() < 0.002 and self.modern:
            out = b"\\ud83d " + out
        self.item(
            b'{"type":"function_call","name":"%b","arguments":"%b","call_id":"%b"}' % (name, given, call)
        )
        if chance() > 0.003:
            self.item(b'{"type":"function_call_output","call_id":"%b","output":"%b"}' % (call, out))

    def stdin(self) -> None:
        call = self.ident(b"call_")
        first, last = self.pools.terminal.span(self.chance(), OUTPUT.at(self.chance()))
        self.item(
            b'{"type":"function_call","name":"write_stdin",'
            b'"arguments":"{\\"session_id\\":%d,\\"chars\\":\\"\\",\\"yield_time_ms\\":1000}",'
            b'"call_id":"%b"}' % (int(self.chance() * 90), call)
        )
        out = (
            b"Chunk ID: %06x\\nWall time: 1.0 seconds\\nProcess running with session ID %d\\nOutput:\\n%b"
            % (self.random.getrandbits(24), int(self.chance() * 90), self.pools.terminal.piece(first, last))
        )
        self.item(b'{"type":"function_call_output","call_id":"%b","output":"%b"}' % (call, out))

    def patch(self) -> None:
        call, file = self.ident(b"call_"), self.file()
        first, last = file.lines.span(self.chance(), PATCH.at(self.chance()))
        lines = file.literals[first:last]
        hunk = b"\\n".join(
            [b" " + x for x in lines[:3]]
            + [b"-" + x for x in lines[3:]]
            + [b"+" + x.replace(b"self", b"this") for x in lines[3:]]
        )
        text = b"*** Begin Patch\\n*** Update File: %b\\n@@\\n%b\\n*** End Patch" % (file.path, hunk)
        self.item(
            b'{"type":"custom_tool_call","status":"completed","call_id":"%b","name":"apply_patch",'
            b'"input":"%b"}' % (call, text)
        )
        done = b"Success. Updated the following files:\\nM %b\\n" % file.path
        diff = b"@@ -%d,%d +%d,%d @@\\n%b\\n" % (first + 1, len(lines), first + 1, len(lines), hunk)
        self.event(
            b'{"type":"patch_apply_end","call_id":"%b","turn_id":"%b","stdout":"%b","stderr":"",'
            b'"success":true,"changes":{"%b/%b":{"type":"update",'
            b'"unified_diff":"%b","move_path":null}},"status":"completed"}'
            % (call, self.turn_id, done, self.home, file.path, diff)
        )
        self.item(
            b'{"type":"custom_tool_call_output","call_id":"%b",'
            b'"output":"Exit code: 0\\nWall time: 0.1 seconds\\nOutput:\\n%b"}' % (call, done)
        )

    def plan(self) -> None:
        call = self.ident(b"call_")
        steps = b",".join(
            b'{\\"step\\":\\"%b\\",\\"status\\":\\"%b\\"}'
            % (self.phrase(45), (b"completed", b"in_progress", b"pending")[min(n, 2)])
            for n in range(4)
        )
        self.item(
            b'{"type":"function_call","name":"update_plan","arguments":"{\\"plan\\":[%b]}","call_id":"%b"}'
            % (steps, call)
        )
        self.item(PLAN_DONE % call)

    def search(self) -> None:
        query, call = self.phrase(50), self.ident(b"ws_")
        self.event(
            b'{"type":"web_search_end","call_id":"%b","query":"%b","action":{"type":"search",'
            b'"query":"%b","queries":["%b"]}}' % (call, query, query, query)
        )
        self.item(
            b'{"type":"web_search_call","status":"completed","action":{"type":"search",'
            b'"query":"%b","queries":["%b"]}}' % (query, query)
        )

    def tokens(self) -> None:
        chance = self.chance
        if chance() > 0.15:  # else the same totals again, as real logs repeat them
            self.last = [
                int(chance() * 200_000),
                int(chance() * 150_000),
                int(chance() * 4000),
                int(chance() * 2000),
            ]
            self.total = [a + b for a, b in zip(self.total, self.last, strict=True)]
        total = USAGE % (*self.total, self.total[0] + self.total[2])
        last = USAGE % (*self.last, self.last[0] + self.last[2])
        now = self.clock.now // 1000
        limits = b"," + LIMITS % (int(chance() * 100), now, chance() * 100, now) if chance() < 0.6 else b""
        self.event(
            b'{"type":"token_count","info":{"total_token_usage":%b,"last_token_usage":%b,'
            b'"model_context_window":258400}%b}' % (total, last, limits)
        )

    def compacted(self) -> None:
        texts = b",".join(
            b'{"type":"message","role":"user","content":[{"type":"input_text","text":"%b"}]}'
            % self.prose(PROMPT)
            for _ in range(30)
        )
        self.record(b"compacted", b'{"message":"","replacement_history":[%b]}' % texts)
        self.event(b'{"type":"context_compacted"}')
