"""What the tools of Claude Code are given and answer, and the sizes of everything a session says.

Owns the invented calls and results; the records around them are `claude`'s.
"""

from __future__ import annotations

from .text import Draw, Sizes

THINKING = Sizes(
    (0, 10), (0.1, 27), (0.25, 77), (0.5, 174), (0.75, 485), (0.9, 1147), (0.97, 2570), (1, 12400)
)
SIGNATURE = Sizes(
    (0, 260), (0.1, 316), (0.25, 376), (0.5, 588), (0.75, 1240), (0.9, 2952), (0.97, 6660), (1, 40000)
)
TEXT = Sizes((0, 4), (0.1, 39), (0.25, 62), (0.5, 104), (0.75, 227), (0.9, 894), (0.97, 2160), (1, 14000))
PROMPT = Sizes((0, 3), (0.1, 23), (0.25, 51), (0.5, 117), (0.75, 282), (0.9, 2068), (0.97, 6738), (1, 40000))
STDOUT = Sizes((0, 1), (0.1, 12), (0.25, 73), (0.5, 294), (0.75, 932), (0.9, 2474), (0.97, 6729), (1, 60000))
READ = Sizes(
    (0, 14), (0.1, 754), (0.25, 1381), (0.5, 2398), (0.75, 4985), (0.9, 14271), (0.97, 34215), (1, 82000)
)
GREP = Sizes((0, 10), (0.1, 16), (0.25, 85), (0.5, 401), (0.75, 1663), (0.9, 3852), (0.97, 8692), (1, 17000))
EDIT = Sizes((0, 4), (0.1, 56), (0.25, 107), (0.5, 240), (0.75, 516), (0.9, 990), (0.97, 1614), (1, 7300))
WRITE = Sizes((0, 18), (0.1, 823), (0.25, 2384), (0.5, 4528), (0.75, 7469), (0.9, 9764), (1, 19700))
COMMAND = Sizes((0, 4), (0.1, 19), (0.25, 39), (0.5, 77), (0.75, 164), (0.9, 373), (0.97, 863), (1, 9000))
REPORT = Sizes((0, 100), (0.25, 1500), (0.5, 3000), (0.9, 9000), (1, 30000))
IMAGE = Sizes((0, 1100), (0.25, 20000), (0.5, 60000), (0.9, 300000), (1, 2000000))

# Shares of the calls as counted; the rest of the real ones are mapped like one of these.
TOOLS = {
    "bash": 0.358,
    "read": 0.206,
    "edit": 0.174,
    "grep": 0.108,
    "task_update": 0.034,
    "agent": 0.026,
    "task_create": 0.02,
    "todo": 0.016,
    "glob": 0.016,
    "mcp": 0.016,
    "write": 0.015,
    "fetch": 0.006,
    "websearch": 0.005,
}


class Tools(Draw):
    """One method a tool: (name, members of the input, result, structured result)."""

    home: bytes
    modern: bool
    calls: int

    def bash(self) -> tuple[bytes, bytes, bytes, bytes]:
        out = self.pools.terminal.cut(self.chance(), STDOUT.at(self.chance()))
        self.calls += 1
        if self.calls % 150 == 0:
            out += b"\\ud83d"  # cut in the middle of an emoji, as string.slice does
        given = b'"command":"%b","description":"%b"' % (
            self.pools.terminal.cut(self.chance(), COMMAND.at(self.chance())),
            self.phrase(32),
        )
        return (
            b"Bash",
            given,
            b'"%b"' % out,
            b'{"stdout":"%b","stderr":"","interrupted":false,"isImage":false,"noOutputExpected":false}' % out,
        )

    def read(self) -> tuple[bytes, bytes, bytes, bytes]:
        file = self.file()
        strip = file.tab if self.modern else file.arrow
        first, last = strip.span(self.chance(), READ.at(self.chance()))
        path = b"%b/%b" % (self.home, file.path)
        given = (
            b'"file_path":"%b"' % path
            if self.chance() < 0.5
            else b'"file_path":"%b","offset":%d,"limit":%d' % (path, first + 1, last - first)
        )
        structured = (
            b'{"type":"text","file":{"filePath":"%b","content":"%b","numLines":%d,"startLine":%d,"totalLines":%d}}'
            % (path, file.lines.piece(first, last), last - first, first + 1, file.count)
        )  # fmt: skip
        return b"Read", given, b'"%b"' % strip.piece(first, last), structured

    def edit(self) -> tuple[bytes, bytes, bytes, bytes]:
        file = self.file()
        first, last = file.lines.span(self.chance(), EDIT.at(self.chance()))
        old = file.lines.piece(first, last)
        new = old.replace(b"self", b"this") + b"    # " + self.phrase(20 + int(self.chance() * 400)) + b"\\n"
        path = b"%b/%b" % (self.home, file.path)
        lines = [b" " + text for text in file.literals[max(0, first - 3) : first]] + [
            b"-" + text for text in file.literals[first:last]
        ]
        lines += [b"+" + text.replace(b"self", b"this") for text in file.literals[first:last]] + [
            b" " + text for text in file.literals[last : last + 3]
        ]
        original = b'"%b"' % file.lines.once if self.chance() < 0.85 else b"null"
        structured = (
            b'{"filePath":"%b","oldString":"%b","newString":"%b","originalFile":%b,'
            b'"structuredPatch":[{"oldStart":%d,"oldLines":%d,'
            b'"newStart":%d,"newLines":%d,"lines":["%b"]}],"userModified":false,"replaceAll":false}'
            % (
                path,
                old,
                new,
                original,
                first + 1,
                last - first + 6,
                first + 1,
                last - first + 7,
                b'","'.join(lines),
            )
        )
        given = b'"file_path":"%b","old_string":"%b","new_string":"%b","replace_all":false' % (path, old, new)
        snippet = (
            file.arrow.piece(max(0, first - 3), last + 3 if self.chance() < 0.1 else first)
            if last + 3 < file.count
            else b""
        )
        return (
            b"Edit",
            given,
            b'"The file %b has been updated successfully.\\n%b"' % (path, snippet),
            structured,
        )

    def write(self) -> tuple[bytes, bytes, bytes, bytes]:
        file = self.file()
        text = file.lines.cut(self.chance(), WRITE.at(self.chance()))
        path = b"%b/%b" % (self.home, file.path)
        structured = (
            b'{"type":"create","filePath":"%b","content":"%b","structuredPatch":[],"originalFile":null}'
            % (path, text)
        )
        return (
            b"Write",
            b'"file_path":"%b","content":"%b"' % (path, text),
            b'"File created successfully at: %b"' % path,
            structured,
        )

    def grep(self) -> tuple[bytes, bytes, bytes, bytes]:
        out = self.pools.terminal.cut(self.chance(), GREP.at(self.chance()))
        given = b'"pattern":"%b","path":"%b","output_mode":"content","-n":true' % (
            self.phrase(22),
            self.file().path,
        )
        return (
            b"Grep",
            given,
            b'"%b"' % out,
            b'{"mode":"content","numFiles":0,"filenames":[],"content":"%b","numLines":%d}'
            % (out, out.count(b"\\n")),
        )

    def glob(self) -> tuple[bytes, bytes, bytes, bytes]:
        paths = [self.file().path for _ in range(1 + int(self.chance() * 30))]
        structured = b'{"filenames":["%b"],"durationMs":%d,"numFiles":%d,"truncated":false}' % (
            b'","'.join(paths),
            int(self.chance() * 900),
            len(paths),
        )
        return (
            b"Glob",
            b'"pattern":"**/*.%b"' % self.phrase(6).strip(),
            b'"%b"' % b"\\n".join(paths),
            structured,
        )

    def todo(self) -> tuple[bytes, bytes, bytes, bytes]:
        states = (b"completed", b"in_progress", b"pending")
        items = b",".join(
            b'{"content":"%b","status":"%b","activeForm":"%b"}'
            % (self.phrase(40), states[min(2, n)], self.phrase(40))
            for n in range(2 + int(self.chance() * 6))
        )
        done = b"Todos have been modified. Keep the list up to date while the work goes on."
        return (
            b"TodoWrite",
            b'"todos":[%b]' % items,
            b'"%b"' % done,
            b'{"oldTodos":[%b],"newTodos":[%b]}' % (items, items),
        )

    def task_create(self) -> tuple[bytes, bytes, bytes, bytes]:
        subject, number = self.phrase(50), 1 + int(self.chance() * 40)
        given = b'"subject":"%b","description":"%b","activeForm":"%b"' % (
            subject,
            self.phrase(150),
            self.phrase(40),
        )
        return (
            b"TaskCreate",
            given,
            b'"Task #%d created successfully: %b"' % (number, subject),
            b'{"task":{"id":"%d","subject":"%b"}}' % (number, subject),
        )

    def task_update(self) -> tuple[bytes, bytes, bytes, bytes]:
        number = 1 + int(self.chance() * 40)
        structured = (
            b'{"success":true,"taskId":"%d","updatedFields":["status"],'
            b'"statusChange":{"from":"pending","to":"completed"}}' % number
        )
        return (
            b"TaskUpdate",
            b'"taskId":"%d","status":"completed"' % number,
            b'"Updated task #%d status"' % number,
            structured,
        )

    def agent(self) -> tuple[bytes, bytes, bytes, bytes]:
        prompt, report = self.prose(REPORT), self.prose(REPORT)
        given = b'"description":"%b","prompt":"%b","subagent_type":"general-purpose"' % (
            self.phrase(32),
            prompt,
        )
        blocks = b'[{"type":"text","text":"%b"}]' % report
        structured = (
            b'{"status":"completed","prompt":"%b","agentId":"a%07x","content":%b,'
            b'"totalDurationMs":%d,"totalTokens":%d,"totalToolUseCount":%d,'
            b'"usage":{"input_tokens":2,"cache_creation_input_tokens":710,'
            b'"cache_read_input_tokens":%d,"output_tokens":%d}}'
            % (
                prompt,
                self.random.getrandbits(28),
                blocks,
                int(self.chance() * 1e6),
                int(self.chance() * 2e5),
                int(self.chance() * 70),
                int(self.chance() * 2e5),
                int(self.chance() * 5e3),
            )
        )
        return b"Agent", given, blocks, structured

    def mcp(self) -> tuple[bytes, bytes, bytes, bytes]:
        blocks = b'[{"type":"text","text":"%b"}]' % self.pools.terminal.cut(
            self.chance(), STDOUT.at(self.chance())
        )
        return (
            b"mcp__lantern__query",
            b'"text":"%b","limit":%d' % (self.phrase(400), int(self.chance() * 50)),
            blocks,
            blocks,
        )

    def fetch(self) -> tuple[bytes, bytes, bytes, bytes]:
        text, url = self.prose(REPORT), b"https://docs.example/%x" % self.random.getrandbits(40)
        structured = b'{"bytes":%d,"code":200,"codeText":"OK","result":"%b","durationMs":%d,"url":"%b"}' % (
            len(text) * 9,
            text,
            int(self.chance() * 9000),
            url,
        )
        return b"WebFetch", b'"url":"%b","prompt":"%b"' % (url, self.phrase(90)), b'"%b"' % text, structured

    def websearch(self) -> tuple[bytes, bytes, bytes, bytes]:
        text, query = self.prose(REPORT), self.phrase(40)
        return (
            b"WebSearch",
            b'"query":"%b"' % query,
            b'"%b"' % text,
            b'{"query":"%b","results":["%b"],"durationSeconds":%.3f}' % (query, text, self.chance() * 9),
        )
