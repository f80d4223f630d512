"""One HAIL session of any length whose keys are not in canonical order, as lines.

`HailLog` has event sizes of real sessions, `SmallHailLog` events of 300 bytes. The stats line counts
nothing right on purpose: readers ignore its integers and recompute them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import claude_tools as claude
from .text import Clock, Draw, Pools, Sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = (
    b'{"type":"header","version":"hail-1.0.0","session_id":"synthetic-%d",'
    b'"agent":{"provider":"anthropic","model":"claude-opus-4-6",'
    b'"tool":"claude-code","tool_version":"2.1.37"},"context":{"title":"Close the ledger early",'
    b'"tags":["bench"],'
    b'"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z",'
    b'"attributes":{"git":{"branch":"main"},"cwd":"/home/dev/src/harbor"}}}\n'
)
STATS = (
    b'{"type":"stats","event_count":0,"message_count":0,"tool_call_count":0,"task_count":0,'
    b'"duration_seconds":0,"total_input_tokens":0,'
    b'"total_output_tokens":0,"user_message_count":0,"files_changed":0,"lines_added":0,"lines_removed":0}\n'
)
EVENT = (
    b'{"type":"event","event_id":"e%d","timestamp":"%b","event_type":%b,'
    b'"content":{"blocks":[%b]},"attributes":{%b}}\n'
)
# `source` before `semantic`, the counters last: an order a writer may think of, not the canonical one.
CALL = (
    b'"source.raw_type":"tool_use","semantic.tool_kind":"%b","semantic.group_id":"msg_%d",'
    b'"semantic.call_id":"toolu_%d","output_tokens":%d,"input_tokens":%d'
)
BASE64 = Sizes((0, 1000), (0.5, 30000), (0.9, 150000), (1, 900000))


class HailLog(Draw):
    """Call `lines()` for header and events; it never ends. End the file with `STATS`."""

    def __init__(self, pools: Pools, seed: int) -> None:
        super().__init__(pools, seed * 5003 + 3)
        self.clock = Clock(self.random, 2500)
        self.seed = seed
        self.count = 0

    def lines(self) -> Iterator[list[bytes]]:
        yield [HEADER % self.seed]
        while True:
            yield [self.event() for _ in range(8)]

    def event(self) -> bytes:
        self.count += 1
        kind, blocks, attributes = self.body()
        return EVENT % (self.count, self.clock.tick(), kind, blocks, attributes)

    def body(self) -> tuple[bytes, bytes, bytes]:
        """Event type, blocks and attributes of one event, in the shares a Claude Code session has."""
        chance, pools, n = self.chance, self.pools, self.count
        kind = chance()
        if kind < 0.12:
            return (
                b'{"type":"Thinking"}',
                b'{"type":"Text","text":"%b"}' % self.prose(claude.THINKING),
                b'"source.schema_version":"1","source.raw_type":"thinking"',
            )
        if kind < 0.22:
            return (
                b'{"type":"AgentMessage"}',
                b'{"type":"Text","text":"%b"}' % self.prose(claude.TEXT),
                CALL % (b"other", n, n, int(chance() * 900), 7),
            )
        if kind < 0.25:
            return (
                b'{"type":"UserMessage"}',
                b'{"type":"Text","text":"%b"}' % self.prose(claude.PROMPT),
                b'"source.origin":"typed"',
            )
        if kind < 0.37:
            command = pools.terminal.cut(chance(), claude.COMMAND.at(chance()))
            return (
                b'{"type":"ShellCommand","data":{"command":"%b"}}' % command,
                b'{"type":"Code","language":"bash","code":"%b"}' % command,
                CALL % (b"shell", n, n, 20, 3),
            )
        file = self.file()
        if kind < 0.44:
            first, last = file.lines.span(chance(), claude.EDIT.at(chance()))
            diff = b"\\n".join(
                [b"-" + x for x in file.literals[first:last]]
                + [b"+" + x.replace(b"self", b"this") for x in file.literals[first:last]]
            )
            rest = b'{"type":"Json","data":{"replace_all":false,"file_path":"%b","new_string":"%b"}}' % (
                file.path,
                file.lines.piece(first, last),
            )
            return (
                b'{"type":"FileEdit","data":{"path":"%b","diff":"%b"}}' % (file.path, diff),
                rest,
                CALL % (b"file_write", n, n, 70, 4),
            )
        if kind < 0.55:
            return (
                b'{"type":"FileRead","data":{"path":"%b"}}' % file.path,
                b'{"type":"Json","data":{"offset":%d,"limit":%d}}' % (n % 900, n % 77),
                CALL % (b"file_read", n, n, 9, 1),
            )
        if kind < 0.75:
            rest = (
                b'"source.rest":{"type":"progress","data":{"type":"hook_progress",'
                b'"elapsedTimeSeconds":%.1f,"command":"%b"},"parentUuid":"%032x"}'
                % (chance() * 99, self.prose(claude.COMMAND), self.random.getrandbits(128))
            )
            return (
                b'{"type":"Custom","data":{"kind":"progress"}}',
                b'{"type":"Text","text":"%b"}' % pools.terminal.cut(chance(), claude.STDOUT.at(chance())),
                rest,
            )
        return self.result(kind)

    def result(self, kind: float) -> tuple[bytes, bytes, bytes]:
        chance, n = self.chance, self.count
        file = self.file()
        tool = b"Bash"
        if kind < 0.87:
            block = b'{"type":"Text","text":"%b"}' % self.pools.terminal.cut(
                chance(), claude.STDOUT.at(chance())
            )
        elif kind < 0.999:
            tool = b"Read"
            block = b'{"type":"Code","code":"%b","start_line":%d,"language":"python"}' % (
                file.lines.cut(chance(), 2 * claude.READ.at(chance())),
                n % 999,
            )
        else:
            block = (
                b'{"type":"Image","url":"data:image/png;base64,%b","mime":"image/png"}'
                % self.pools.base64[: BASE64.at(chance()) & ~3]
            )
        event = (
            b'{"type":"ToolResult","data":{"name":"%b","is_error":false,"call_id":"toolu_%d",'
            b'"exit_code":0}}' % (tool, n)
        )
        return (
            event,
            block,
            CALL % (b"shell", n, n, 0, 0)
            + b',"source.rest":{"uuid":"%032x","parentUuid":null,"isSidechain":false}'
            % self.random.getrandbits(128),
        )


class SmallHailLog(HailLog):
    """Events of 300 bytes, line feed included: the worst real case for the work a line costs."""

    SIZE = 300

    def body(self) -> tuple[bytes, bytes, bytes]:
        chance, n = self.chance(), self.count
        if chance < 0.5:
            kind, attributes = (
                b'{"type":"AgentMessage"}',
                b'"source.raw_type":"text","output_tokens":%d,"input_tokens":%d' % (n % 700, n % 90),
            )
        else:
            kind, attributes = (
                b'{"type":"ToolCall","data":{"name":"Bash"}}',
                b'"source.raw_type":"tool_use","semantic.call_id":"c%d","output_tokens":%d' % (n, n % 700),
            )
        fixed = (
            len(EVENT)
            - 10
            + len(b"%d" % n)
            + 24
            + len(kind)
            + len(attributes)
            + len(b'{"type":"Text","text":""}')
        )
        text = self.pools.prose.cut(chance, self.SIZE - fixed)
        while len(text) > self.SIZE - fixed:
            text = text[: text.rfind(b" ", 0, -1) + 1]
        return kind, b'{"type":"Text","text":"%b"}' % text.ljust(self.SIZE - fixed, b"."), attributes
