"""Sixty questions about six real logs, answered from the raw logs by hand, looked up in the summaries.

The questions were written before a summary of these logs existed. An answer counts when it stands in the field where
the next reader would look for it. No text of a log stands here beyond a few words.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from opensession import _core

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.corpus

ENOUGH = 54


class Question(NamedTuple):
    ask: str
    """What the next reader wants to know."""
    answered: Callable[[dict[str, Any]], bool]
    """The right answer stands in the summary."""


def has(value: object, *words: str) -> bool:
    """The value, as text, holds all of these words."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return all(word in text for word in words)


def modified(summary: dict[str, Any]) -> dict[str, str]:
    """Net effect by the last two parts of each path."""
    return {"/".join(f["path"].split("/")[-2:]): f["action"] for f in summary["files_modified"]}


def attempt(summary: dict[str, Any], *words: str, **fields: Any) -> dict[str, Any] | None:
    """The failed attempt whose description holds these words."""
    for one in summary["failed_attempts"]:
        if has(one["attempt"], *words) and all(one.get(key) == value for key, value in fields.items()):
            return one
    return None


def replaced(summary: dict[str, Any], failed: tuple[str, ...], by: str, **fields: Any) -> bool:
    one = attempt(summary, *failed, **fields)
    return one is not None and "replaced_by" in one and has(one["replaced_by"]["attempt"], by)


def check(summary: dict[str, Any], *words: str) -> list[tuple[str, list[str]]]:
    """Status and kinds of the checks whose command holds these words, in order."""
    checks = summary["verification"]["checks_run"]
    return [(one["status"], one["kinds"]) for one in checks if has(one["command"], *words)]


def goals(summary: dict[str, Any]) -> list[str]:
    return [goal["text"] for goal in summary["goals"]]


def files(*names: str) -> Callable[[dict[str, Any]], bool]:
    return lambda s: set(modified(s)) == set(names)


VALIDATION = [
    Question(
        "What was asked first?", lambda s: has(s["objective"], "pathSafeRegex", "duplicated", "removed")
    ),
    Question(
        "What was asked later?",
        lambda s: (
            len(goals(s)) == 4
            and has(goals(s)[1], "lacks unit tests")
            and has(goals(s)[2], "review the added tests")
            and has(goals(s)[3], "ModelSessionID")
        ),
    ),
    Question(
        "Which files exist or differ now because of this session?",
        lambda s: (
            modified(s)
            == {
                "paths/paths.go": "edited",
                "validation/validators_test.go": "created",
                "sessionid/sessionid_test.go": "created",
            }
        ),
    ),
    Question(
        "How did the first test run end, and what came of it?",
        lambda s: replaced(s, ("mise run test",), "mise run test", exit_code=1),
    ),
    Question(
        "Did the linter complain, and was that settled?",
        lambda s: replaced(s, ("mise run lint",), "mise run lint", exit_code=1),
    ),
    Question(
        "Which edits did not apply, and what was done instead?",
        lambda s: replaced(s, ("validators_test.go",), "validators_test.go", kind="edit"),
    ),
    Question(
        "What did the last check say?",
        lambda s: (
            s["verification"]["checks_run"][-1]["status"] == "passed"
            and check(s, "mise run test && mise run lint")[-1][1] == ["lint", "test"]
        ),
    ),
    Question(
        "Is a check still failing or missing?", lambda s: s["verification"]["required_checks_missing"] == []
    ),
    Question(
        "What was not committed?",
        lambda s: (
            len(s["not_seen_committed"]) == 3
            and has(s["not_seen_committed"], "paths.go", "sessionid_test.go")
        ),
    ),
    Question(
        "Is anything open?",
        lambda s: s["open_todos"] == [] and has(s["last_agent_message"]["text"], "All tests pass"),
    ),
]

REVIEW = [
    Question("What was asked first?", lambda s: has(s["objective"], "comments from coderabbit", "address")),
    Question("What was asked last?", lambda s: has(goals(s)[-1], "e2e tests", "locally")),
    Question(
        "Is the last request still open?",
        lambda s: has(s["execution_contract"]["next_actions"][0], "e2e tests", "locally"),
    ),
    Question("How did the session end?", lambda s: has(s["uncertainty"]["decision_required"], "interrupted")),
    Question(
        "Which files changed?",
        files(
            "file-browser/SharedFileBrowser.tsx",
            "file-browser/ShareDialog.tsx",
            "hooks/useSharedNavigation.ts",
        ),
    ),
    Question(
        "What failed, and how was it got round?",
        lambda s: replaced(s, ("gh api graphql", "cipherbox-cc"), "gh api graphql", exit_code=5),
    ),
    Question(
        "Was the web build run, and did it pass?",
        lambda s: check(s, "--filter web build") == [("passed", ["build"])],
    ),
    Question(
        "Was the linter run?", lambda s: [kinds for _, kinds in check(s, "--filter web lint")] == [["lint"]]
    ),
    Question("Is anything not committed?", lambda s: s["not_seen_committed"] == []),
    Question(
        "What was the last command?",
        lambda s: (
            has(s["last_commands"][-1], "resolveReviewThread") and s["last_commands"][-1]["exit_code"] == 0
        ),
    ),
]

HOOKS = [
    Question("What was asked?", lambda s: has(s["objective"], "TASK-CLI-HOOKS.md", "implementing")),
    Question(
        "Which files changed?",
        files(
            "opencode/types.go",
            "opencode/opencode.go",
            "cli/hooks_opencode_handlers.go",
            "cli/hook_registry.go",
        ),
    ),
    Question(
        "Which edit did not apply?",
        lambda s: replaced(s, ("hooks_opencode_handlers.go",), "hooks_opencode_handlers.go", kind="edit"),
    ),
    Question(
        "Which commands was the agent not allowed to run?",
        lambda s: (
            (one := attempt(s, "ls -la .entire/metadata")) is not None
            and "exit_code" not in one
            and has(one["error"], "denied")
        ),
    ),
    Question(
        "Do the tests pass at the end?",
        lambda s: (
            check(s, "mise run test")[-1] == ("passed", ["test"])
            and s["verification"]["required_checks_missing"] == []
        ),
    ),
    Question(
        "Does the linter pass at the end?", lambda s: check(s, "mise run lint")[-1] == ("passed", ["lint"])
    ),
    Question(
        "Was the plan carried out?",
        lambda s: s["open_todos"] == [] and has(s["execution_contract"]["done_definition"], "6 of 6"),
    ),
    Question(
        "Were the changes committed (and not just those of a throw-away repository)?",
        lambda s: len(s["not_seen_committed"]) == 4,
    ),
    Question(
        "What was the last command?",
        lambda s: (
            has(s["last_commands"][-1], "rm -rf /tmp/test-opencode-hooks")
            and s["last_commands"][-1]["exit_code"] == 0
        ),
    ),
    Question(
        "What was read to understand the task?",
        lambda s: has(s["files_read"], "TASK-CLI-HOOKS.md", "manual_commit_git.go"),
    ),
]

PROVIDERS = [
    Question("What was asked first?", lambda s: has(s["objective"], "pi sdk openai target", "custom url")),
    Question("How many times did the person speak?", lambda s: len(s["user_messages"]) == 8),
    Question("What was asked last?", lambda s: s["user_messages"][-1] == "push"),
    Question("Which file changed?", lambda s: modified(s) == {"targets/coding-agents.mdx": "edited"}),
    Question("Was the agent interrupted?", lambda s: has(s["errors"], "interrupted")),
    Question(
        "Which tests were run, and how did they end?",
        lambda s: check(s, "bun test", "pi-coding-agent.test.ts") == [("passed", ["test"])],
    ),
    Question(
        "Did the formatter complain, and was that settled?",
        lambda s: replaced(s, ("prettier --check",), "prettier", exit_code=1),
    ),
    Question("Is anything not committed?", lambda s: s["not_seen_committed"] == []),
    Question(
        "What was the last command?",
        lambda s: (
            has(s["last_commands"][-1], "git status --short --branch")
            and s["last_commands"][-1]["exit_code"] == 0
        ),
    ),
    Question(
        "Which search of issues failed?", lambda s: attempt(s, "badlogic/pi-mono", exit_code=1) is not None
    ),
]

STATUS = [
    Question("What was asked first?", lambda s: has(s["objective"], "检查目前项目的设计")),
    Question("Which feature was asked for on the way?", lambda s: has(goals(s), "status 的无登录降级体验")),
    Question(
        "What is the last request, and is it open?",
        lambda s: has(s["execution_contract"]["next_actions"][0], "完成第一阶段"),
    ),
    Question(
        "Which files were created?",
        lambda s: (
            {path for path, action in modified(s).items() if action == "created"}
            == {"tests/test_config_basic.py", "tests/test_status_local_only.py"}
        ),
    ),
    Question(
        "Were the command line and the README changed?",
        lambda s: (
            has(modified(s), "cpolar_connect/cli.py", "README.md")
            and modified(s)["cpolar_connect/cli.py"] == "edited"
        ),
    ),
    Question("Did the tests fail on the way?", lambda s: replaced(s, ("pytest -q",), "pytest -q")),
    Question("Do the tests pass at the end?", lambda s: check(s, "pytest -q")[-1] == ("passed", ["test"])),
    Question(
        "Was the plan carried out?",
        lambda s: s["open_todos"] == [] and has(s["execution_contract"]["done_definition"], "8 of 8"),
    ),
    Question(
        "Is anything not committed?",
        lambda s: (
            has(s["not_seen_committed"], "cli.py", "test_config_basic.py")
            and len(s["not_seen_committed"]) == len(s["files_modified"])
        ),
    ),
    Question(
        "What was the last command?",
        lambda s: (
            s["last_commands"][-1]["command"] == "pytest -q" and s["last_commands"][-1]["exit_code"] == 0
        ),
    ),
]

SPECIFICATION = [
    Question("What was asked first?", lambda s: has(s["objective"], "orchestrator architecture")),
    Question("What was asked next?", lambda s: len(goals(s)) == 2 and has(goals(s)[1], "setup-plan.sh")),
    Question(
        "Which documents were written?",
        lambda s: (
            {path for path, action in modified(s).items() if action == "created"}
            == {
                f"005-orchestrator-architecture/{name}.md"
                for name in ("research", "data-model", "quickstart")
            }
            | {"contracts/orchestrator.openapi.yaml"}
        ),
    ),
    Question(
        "Which existing files were changed?",
        lambda s: (
            {path.split("/")[-1] for path, action in modified(s).items() if action == "edited"}
            == {"spec.md", "plan.md", "AGENTS.md"}
        ),
    ),
    Question("Did fetching work at once?", lambda s: replaced(s, ("git fetch",), "git fetch", exit_code=128)),
    Question(
        "What happened when the script for a new feature was started?",
        lambda s: attempt(s, "create-new-feature.sh", exit_code=127) is not None,
    ),
    Question(
        "Which Python is there?", lambda s: replaced(s, ("python - <<",), "python3 - <<", exit_code=127)
    ),
    Question(
        "Was anything verified by a test, a build or a linter?",
        lambda s: s["verification"]["checks_run"] == [],
    ),
    Question(
        "Was the plan carried out?",
        lambda s: s["open_todos"] == [] and has(s["execution_contract"]["done_definition"], "3 of 3"),
    ),
    Question(
        "What was the last command?",
        lambda s: (
            has(s["last_commands"][-1], "nl -ba", "orchestrator.openapi.yaml")
            and s["last_commands"][-1]["exit_code"] == 0
        ),
    ),
]

LOGS = {
    "claude/128-entire-cli-a1bbe582e464.jsonl": VALIDATION,
    "claude/350-cipherbox-173bf4fffa3d.jsonl": REVIEW,
    "claude/054-entire-cli-75bb89ac3fe1.jsonl": HOOKS,
    "codex/005-agentv-d1eed95dc4df.jsonl": PROVIDERS,
    "codex/042-cpolar-2025-09-16T12-47.jsonl": STATUS,
    "codex/047-moonmind-2025-11-13T16-00.jsonl": SPECIFICATION,
}


@pytest.fixture(scope="module")
def wrong(corpus: Path) -> list[str]:
    """The questions that the summaries do not answer."""
    import logs

    found = []
    for name, questions in LOGS.items():
        session, _ = logs.parse(corpus / name, logs.Log(name, corpus / name).profile)
        summary = json.loads(_core.summarize(session)["summary"])
        found += [f"{name}: {question.ask}" for question in questions if not answers(question, summary)]
    return found


def answers(question: Question, summary: dict[str, Any]) -> bool:
    try:
        return question.answered(summary)
    except (LookupError, TypeError):
        return False


def test_ten_questions_are_asked_about_each_of_six_logs():
    assert [len(questions) for questions in LOGS.values()] == [10] * 6


def test_the_summaries_answer_what_the_next_reader_asks(wrong: list[str]):
    if os.environ.get("OPENSESSION_SHOW_WRONG"):
        print("\n".join(wrong))
    assert 60 - len(wrong) >= ENOUGH, "\n".join(wrong)
