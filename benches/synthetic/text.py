"""Invented text that is already JSON-escaped, so that a log of gigabytes is cut, not encoded.

Owns the word lists, the pools and the size tables. It must not know any log format.

Only `random.random` and `getrandbits` are used: their streams are the same in every Python version and
under every hash seed, which `choice` and `randrange` do not promise.
"""

from __future__ import annotations

import base64
import json
import math
from bisect import bisect_left
from itertools import pairwise
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


WORDS = _words(
    """
    the a of to in and for with from into over under after before each every one two other same next first
    last open closed parser reader writer cursor buffer queue worker harbor lantern orchard pebble meadow
    copper violet signal branch merge commit session record ledger packet window thread socket handle bucket
    margin column cell row table index token compiler linker loader runner builder checker checks fails
    passes returns accepts rejects keeps drops moves copies reads writes splits joins counts hashes sorts
    folds maps waits retries stops starts looks seems should could must may value field member string number
    object array empty missing broken stale fresh large small narrow wide early late
    """
)
NAMES = _words(
    """
    load_index parse_header write_frame next_token split_line merge_rows hash_block open_store close_store
    read_event emit_record fold_twin count_bytes check_bounds resolve_path build_plan run_step render_page
    pick_branch sort_keys
    """
)
TYPES = _words(
    """
    Reader Writer Cursor Ledger Frame Bucket Window Session Record Index Plan Branch Parser Store Token
    Matrix
    """
)
FOLDERS = _words(
    """
    src lib core store agents cli web tests tools docs internal pkg
    """
)
SUFFIXES = _words(
    """
    .py .py .rs .rs .ts .ts .go .md .toml .tsx
    """
)
ACCENTS = ("→", "✅", "—", "…", "é", "ü", "•", "│", "└──", "세션 기록", "次の手順", "测试通过", "“ok”", "🔧")
ANSI = ("\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[36m")


def escaped(text: str) -> bytes:
    """The inside of a JSON string as JSON.stringify and serde_json write it: the fewest escapes."""
    return json.dumps(text, ensure_ascii=False)[1:-1].encode()


class Strip:
    """A run of pieces, escaped once and twice, that can be cut between any two pieces."""

    __slots__ = ("marks", "nested", "nested_marks", "once")

    def __init__(self, pieces: list[str]) -> None:
        once = [escaped(piece) for piece in pieces]
        nested = [escaped(piece.decode()) for piece in once]
        self.once, self.marks = _joined(once)
        self.nested, self.nested_marks = _joined(nested)

    def span(self, at: float, size: int) -> tuple[int, int]:
        """The pieces that hold about `size` bytes, from the place `at` (0..1) of those where they fit."""
        marks = self.marks
        room = bisect_left(marks, max(1, marks[-1] - size))
        first = int(at * room)
        return first, min(len(marks) - 1, bisect_left(marks, marks[first] + size))

    def cut(self, at: float, size: int) -> bytes:
        first, last = self.span(at, size)
        return self.once[self.marks[first] : self.marks[last]]

    def piece(self, first: int, last: int) -> bytes:
        return self.once[self.marks[first] : self.marks[last]]

    def nested_piece(self, first: int, last: int) -> bytes:
        return self.nested[self.nested_marks[first] : self.nested_marks[last]]


def _joined(pieces: list[bytes]) -> tuple[bytes, list[int]]:
    marks, total = [0], 0
    for piece in pieces:
        total += len(piece)
        marks.append(total)
    return b"".join(pieces), marks


class Sizes:
    """A distribution given by its quantiles; between two of them sizes lie evenly on a log scale."""

    STEPS = 4096

    def __init__(self, *points: tuple[float, int]) -> None:
        self.table: list[int] = []
        for (low_p, low), (high_p, high) in pairwise(points):
            steps = round((high_p - low_p) * self.STEPS)
            a, b = math.log(max(1, low)), math.log(max(1, high))
            self.table += [int(math.exp(a + (b - a) * k / steps)) for k in range(steps)]

    def at(self, chance: float) -> int:
        return self.table[int(chance * len(self.table))]


class SourceFile:
    """One invented source file: its lines, the whole text, and the two numbered forms a Read result has."""

    __slots__ = ("arrow", "lines", "literals", "path", "tab")

    def __init__(self, path: str, lines: list[str]) -> None:
        self.path = path.encode()
        self.lines = Strip([line + "\n" for line in lines])
        self.arrow = Strip([f"{n:6d}→{line}\n" for n, line in enumerate(lines, 1)])
        self.tab = Strip([f"{n}\t{line}\n" for n, line in enumerate(lines, 1)])
        self.literals = [escaped(line) for line in lines]

    @property
    def count(self) -> int:
        return len(self.literals)


class Pools:
    """All text of one generator: prose, code files, terminal output, JSON text, base64."""

    FILE_SIZES = Sizes(
        (0, 300),
        (0.1, 3200),
        (0.25, 6000),
        (0.5, 12000),
        (0.75, 25500),
        (0.9, 41000),
        (0.97, 56000),
        (1, 110000),
    )

    def __init__(self, seed: int, files: int = 128) -> None:
        self.random = Random(seed)
        self.prose = Strip(self._prose(160_000))
        self.files = [self._file(n) for n in range(files)]
        self.terminal = Strip(self._terminal(16_000))
        self.base64 = base64.b64encode(self.random.getrandbits(8 * 3_000_000).to_bytes(3_000_000, "big"))

    def pick(self, items: list[str] | tuple[str, ...]) -> str:
        return items[int(self.random.random() * len(items))]

    def _prose(self, words: int) -> list[str]:
        out, run = [], 0
        for _ in range(words):
            chance, word = self.random.random(), self.pick(WORDS)
            run += 1
            if chance < 0.012:
                word = self.pick(ACCENTS)
            elif chance < 0.03:
                word = f"`{self.pick(NAMES)}`"
            elif chance < 0.037:
                word = f'"{word}"'
            if run > 11 and chance > 0.82:
                out.append(word + (".\n\n- " if chance > 0.97 else ".\n" if chance > 0.93 else ". "))
                run = 0
            else:
                out.append(word + " ")
        return out

    def _file(self, number: int) -> SourceFile:
        size = self.FILE_SIZES.at((number * 0.618034) % 1.0)
        path = f"{self.pick(FOLDERS)}/{self.pick(FOLDERS)}/{self.pick(NAMES)}_{number}{self.pick(SUFFIXES)}"
        lines: list[str] = []
        total = 0
        while total < size:
            line = self._code_line()
            lines.append(line)
            total += len(line) + 2
        return SourceFile(path, lines)

    def _code_line(self) -> str:
        chance = self.random.random()
        depth = int(self.random.random() * 4)
        pad = "\t" * depth if chance * 7 % 1 < 0.4 else "    " * depth
        name, kind, word, other = self.pick(NAMES), self.pick(TYPES), self.pick(WORDS), self.pick(WORDS)
        if chance < 0.1:
            return ""
        if chance < 0.2:
            return f"def {name}(self, {word}: {kind}) -> {kind}:"
        if chance < 0.28:
            return f"{pad}// {word} {other} {self.pick(WORDS)} {self.pick(WORDS)} {self.pick(WORDS)} — {name}"
        if chance < 0.5:
            return f'{pad}{word}["{other}"] = {name}("{self.pick(WORDS)}", {int(self.random.random() * 999)})'
        if chance < 0.6:
            return f"{pad}if {word}.{name} is not {kind}:"
        if chance < 0.69:
            return f'{pad}"{word}": "{other} {self.pick(WORDS)}",'
        if chance < 0.84:
            return f"{pad}}} else {{"
        return f"{pad}return self.{name}({word})"

    def _terminal(self, lines: int) -> list[str]:
        out = []
        for number in range(lines):
            chance = self.random.random()
            path = self.files[int(self.random.random() * len(self.files))].path.decode()
            if chance < 0.1:
                state = "ok" if chance < 0.09 else "FAILED"
                line = f"{self.pick(ANSI)}{state}\x1b[0m {path}::test_{self.pick(NAMES)} [{number % 100:3d}%]"
            elif chance < 0.45:
                line = f"{path}:{int(self.random.random() * 900)}: {self._code_line().strip()}"
            elif chance < 0.6:
                name, key, word = self.pick(NAMES), self.pick(WORDS), self.pick(WORDS)
                line = f'  "{name}": {{"{key}": {number}, "text": "{word}"}},'
            elif chance < 0.8:
                size = int(self.random.random() * 99999)
                line = f"-rw-r--r--  1 dev dev {size:6d} Mar  4 09:{number % 60:02d} {path}"
            else:
                line = " ".join(self.pick(WORDS) for _ in range(6 + number % 9))
            out.append(line + "\n")
        return out


class Draw:
    """What every log draws from the pools."""

    def __init__(self, pools: Pools, seed: int) -> None:
        self.pools = pools
        self.random = Random(seed)
        self.chance = self.random.random

    def ident(self, prefix: bytes) -> bytes:
        return b"%b%022x" % (prefix, self.random.getrandbits(88))

    def prose(self, sizes: Sizes) -> bytes:
        return self.pools.prose.cut(self.chance(), sizes.at(self.chance()))

    def phrase(self, size: int) -> bytes:
        """Words without line feeds and quotes."""
        return self.pools.prose.cut(self.chance(), size).replace(b"\\n", b" ").replace(b'\\"', b"")

    def file(self) -> SourceFile:
        return self.pools.files[int(self.chance() ** 1.3 * len(self.pools.files))]


class Clock:
    """Times of one log: mostly forwards by a few seconds, written as JavaScript and Rust write them."""

    def __init__(self, random: Random, mean_ms: int) -> None:
        self._random = random
        self._mean = mean_ms
        self._day = -1
        self._date = b""
        self.now = 1_767_225_600_000

    def tick(self) -> bytes:
        self.now += int(-math.log(1.0 - self._random.random()) * self._mean)
        return self.text(self.now)

    def text(self, ms: int) -> bytes:
        day, rest = divmod(ms, 86_400_000)
        if day != self._day:
            self._day, self._date = day, _date(day)
        seconds, ms = divmod(rest, 1000)
        minutes, seconds = divmod(seconds, 60)
        return b"%bT%02d:%02d:%02d.%03dZ" % (self._date, minutes // 60, minutes % 60, seconds, ms)


def _date(day: int) -> bytes:
    """The civil date of a day since 1970, without the platform's time zone tables."""
    day += 719_468
    era, doe = divmod(day, 146_097)
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    month = (5 * doy + 2) // 153
    year = yoe + era * 400 + (month >= 10)
    return b"%04d-%02d-%02d" % (
        year,
        month + 3 if month < 10 else month - 9,
        doy - (153 * month + 2) // 5 + 1,
    )
