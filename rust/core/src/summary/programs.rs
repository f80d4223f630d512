//! What a simple command runs: the program behind its wrappers, its subcommand, and whether that is a check.
//!
//! Two runs are of the same kind when program and subcommand are equal. A check is a program that exists to tell whether
//! the work is right: tests, linters, type checkers, builds, formatters that only look.

use std::collections::HashSet;
use std::sync::OnceLock;

use super::shell::Word;

/// Kinds of checks, a set of bits.
pub type Kinds = u8;
pub const BUILD: Kinds = 1;
pub const FORMAT: Kinds = 2;
pub const LINT: Kinds = 4;
pub const TEST: Kinds = 8;
pub const TYPES: Kinds = 16;

/// The names of the kinds in a set, in order.
pub fn names(kinds: Kinds) -> Vec<&'static str> {
    let all = [(BUILD, "build"), (FORMAT, "format"), (LINT, "lint"), (TEST, "test"), (TYPES, "typecheck")];
    all.into_iter().filter(|(bit, _)| kinds & bit != 0).map(|(_, name)| name).collect()
}

/// The words of a command without what only starts another program.
pub fn unwrapped<'w, 't>(words: &'w [Word<'t>]) -> &'w [Word<'t>] {
    let mut rest = words;
    // Each round takes at least one word away.
    while let Some(first) = rest.first() {
        let taken = match base(first) {
            "sudo" | "doas" | "command" | "exec" | "nohup" | "builtin" | "nice" | "ionice" | "stdbuf" | "xvfb-run"
            | "time" | "caffeinate" => 1 + options(&rest[1..], &["-u", "-n", "-c", "-g"]),
            "env" | "cross-env" | "dotenv" => {
                let n = options(&rest[1..], &["-u", "-C", "-f", "-e"]);
                1 + n + rest[1 + n..].iter().take_while(|w| w.contains('=')).count()
            }
            "timeout" | "gtimeout" => {
                let n = 1 + options(&rest[1..], &["-s", "-k"]);
                n + (rest.len() > n) as usize
            }
            "npx" | "bunx" | "pnpx" => 1 + options(&rest[1..], &["-p", "--package", "-c"]),
            "uvx" | "pipx" => 1 + (rest.get(1).is_some_and(|w| w == "run")) as usize,
            "uv" | "poetry" | "pdm" | "hatch" | "rye" | "pipenv" | "pixi"
                if rest.get(1).is_some_and(|w| w == "run") =>
            {
                2 + options(&rest[2..], &["--with", "--extra", "--group", "-p", "--python", "-e", "--project"])
            }
            "bundle" | "mise" | "direnv" | "rtx" if rest.get(1).is_some_and(|w| w == "exec" || w == "x") => {
                2 + options(&rest[2..], &[])
            }
            "pnpm" | "yarn" | "bun" if rest.get(1).is_some_and(|w| matches!(w.as_ref(), "exec" | "dlx" | "x")) => {
                2 + options(&rest[2..], &[])
            }
            _ => break,
        };
        if taken >= rest.len() {
            break;
        }
        rest = &rest[taken..];
    }
    rest
}

/// How many of the first words are options, with the arguments of those in `with_argument`.
fn options(words: &[Word<'_>], with_argument: &[&str]) -> usize {
    let mut n = 0;
    while let Some(word) = words.get(n).filter(|w| w.starts_with('-') && w.len() > 1) {
        if word == "--" {
            return n + 1;
        }
        n += 1 + with_argument.contains(&word.as_ref()) as usize;
    }
    n.min(words.len())
}

/// The name of a program without its folder.
pub fn base(word: &str) -> &str {
    let name = memchr::memrchr2(b'/', b'\\', word.as_bytes()).map_or(word, |at| &word[at + 1..]);
    name.strip_suffix(".exe").or_else(|| name.strip_suffix(".cmd")).unwrap_or(name)
}

/// Options before the subcommand that take an argument.
fn global_options(program: &str) -> &'static [&'static str] {
    match program {
        "git" => {
            &["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--super-prefix", "--config-env"]
        }
        "npm" | "pnpm" | "yarn" | "bun" => &["--prefix", "-C", "--dir", "--cwd", "--filter", "-F", "-w", "--workspace"],
        "cargo" => &["--manifest-path", "-C", "--config", "-Z"],
        "make" | "gmake" => &["-C", "-f", "-j", "-I"],
        "docker" | "podman" => &["-H", "--context", "-f"],
        "kubectl" | "helm" | "gh" => &["-n", "--namespace", "--context", "-R", "--repo"],
        "go" => &["-C"],
        _ => &[],
    }
}

const WITH_SUBCOMMAND: &[&str] = &[
    "git",
    "cargo",
    "go",
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "deno",
    "make",
    "gmake",
    "mise",
    "just",
    "task",
    "gradle",
    "gradlew",
    "mvn",
    "mvnw",
    "docker",
    "podman",
    "docker-compose",
    "kubectl",
    "helm",
    "gh",
    "glab",
    "bd",
    "uv",
    "poetry",
    "pdm",
    "hatch",
    "pip",
    "pip3",
    "dotnet",
    "swift",
    "mix",
    "rails",
    "rake",
    "bundle",
    "terraform",
    "tofu",
    "composer",
    "sbt",
    "lein",
    "stack",
    "cabal",
    "zig",
    "flutter",
    "dart",
    "bazel",
    "buck",
    "nix",
    "brew",
    "apt",
    "apt-get",
    "systemctl",
    "ng",
    "nx",
    "turbo",
    "lerna",
    "vite",
    "next",
    "nuxt",
    "astro",
    "playwright",
    "cypress",
    "biome",
    "ruff",
    "maturin",
    "pre-commit",
    "invoke",
    "inv",
    "poe",
    "rush",
    "moon",
    "ninja",
    "cmake",
    "xcodebuild",
    "wrangler",
    "jj",
    "hg",
    "svn",
    "aws",
    "gcloud",
    "az",
    "node",
    "python",
    "python3",
    "php",
    "ruby",
    "prettier",
];
fn has_subcommand(program: &str) -> bool {
    static TABLE: OnceLock<HashSet<&str>> = OnceLock::new();
    TABLE.get_or_init(|| WITH_SUBCOMMAND.iter().copied().collect()).contains(program)
}

/// Their subcommands have subcommands.
const TWO_WORDS: &[&str] = &[
    "gh",
    "glab",
    "docker compose",
    "aws",
    "gcloud",
    "az",
    "uv pip",
    "cargo nextest",
    "git stash",
    "npm run",
    "pnpm run",
    "yarn run",
    "bun run",
    "mise run",
    "go tool",
    "deno task",
    "nx run",
];

/// What a simple command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Program and subcommand.
    pub name: String,
    pub kinds: Kinds,
    /// Arguments that narrow a check, each after a blank.
    pub targets: String,
}

/// What these words, which [`unwrapped`] gave, run; `None` for what does nothing that matters here: `cd`, `echo` …
pub fn run(words: &[Word<'_>]) -> Option<Run> {
    let program = base(words.first()?);
    if TRIVIAL.contains(&program) {
        return None;
    }
    let mut rest = &words[1..];
    let mut name = String::with_capacity(32);
    name.push_str(program);
    if matches!(program, "python" | "python3" | "py") && rest.first().is_some_and(|w| w == "-m") {
        name = format!("python -m {}", rest.get(1).map_or("", |w| w.as_ref()));
        rest = rest.get(2..).unwrap_or_default();
    } else if has_subcommand(program) {
        for _ in 0..2 {
            let skip = options(rest, global_options(program));
            // An option that is a mode of its own, as in `node --test` and `prettier --check`.
            if let Some(mode) = rest.first().filter(|w| MODES.contains(&w.as_ref())) {
                name.push(' ');
                name.push_str(mode);
                break;
            }
            let Some(sub) = rest.get(skip).filter(|w| !w.contains('=') || w.len() < 24) else { break };
            if matches!(program, "node" | "python" | "python3" | "php" | "ruby" | "prettier") {
                break;
            }
            name.push(' ');
            match sub.len() {
                0..=60 => name.push_str(sub),
                _ => name.push_str(&super::text::short(sub, 60)),
            }
            rest = &rest[skip + 1..];
            if !TWO_WORDS.contains(&program) && !TWO_WORDS.contains(&name.as_str()) {
                break;
            }
        }
    }
    let kinds = super::checks::kinds(&name, rest);
    let targets = match kinds {
        0 => String::new(),
        _ => rest.iter().filter(|w| is_target(w)).flat_map(|w| [" ", w.as_ref()]).collect(),
    };
    Some(Run { name, kinds, targets })
}

const MODES: &[&str] = &["--test", "--check", "--write", "-c"];

/// Flags do not narrow a check, nor does what means everything.
fn is_target(word: &str) -> bool {
    !word.starts_with('-') && !matches!(word, "." | "./..." | "..." | "./" | "all" | "/dev/null") && !word.is_empty()
}

/// Programs that neither do nor check anything by themselves.
const TRIVIAL: &[&str] = &[
    "cd", "pushd", "popd", "echo", "printf", "export", "unset", "set", "source", ".", "true", "false", ":", "sleep",
    "pwd", "mkdir", "test", "[", "[[", "]]", "read", "local", "declare", "alias", "trap", "wait", "exit", "return",
    "tee", "clear", "umask", "ulimit", "shopt", "eval",
];

/// Programs whose exit code 1 is an answer, not a failure.
pub fn answers_by_code(program: &str) -> bool {
    matches!(
        program,
        "grep"
            | "egrep"
            | "fgrep"
            | "rg"
            | "ag"
            | "ack"
            | "diff"
            | "cmp"
            | "test"
            | "["
            | "[["
            | "which"
            | "command"
            | "type"
            | "pgrep"
            | "pidof"
            | "expr"
            | "git grep"
            | "git diff"
            | "findstr"
            | "zgrep"
            | "colordiff"
            | "git ls-files"
            | "git check-ignore"
            | "git merge-base"
    )
}

#[cfg(test)]
mod tests {
    use super::super::shell;
    use super::*;

    fn name(text: &str) -> Option<String> {
        run(unwrapped(&shell::split(text)[0].words)).map(|r| r.name)
    }

    #[test]
    fn program_and_subcommand_are_found_behind_options_and_wrappers() {
        for (text, want) in [
            ("git -C /x --no-pager commit -m y", "git commit"),
            ("sudo -u me env A=1 timeout 5 cargo test", "cargo test"),
            ("npm run test:unit -- --watch", "npm run test:unit"),
            ("pnpm --filter web build", "pnpm build"),
            ("uv run --with x pytest -q", "pytest"),
            ("python3 -m pytest tests", "python -m pytest"),
            ("python - x", "python"),
            ("gh pr view 12 --json title", "gh pr view"),
            ("gh api graphql -f query=x", "gh api graphql"),
            ("./gradlew test", "gradlew test"),
            ("mise run lint", "mise run lint"),
            ("node --test", "node --test"),
            ("npx prettier --check src", "prettier --check"),
            ("/usr/bin/grep x", "grep"),
        ] {
            assert_eq!(name(text).as_deref(), Some(want), "{text}");
        }
        assert_eq!(name("cd /tmp"), None);
        assert_eq!(name("timeout 5"), Some("timeout".into()));
    }

    #[test]
    fn targets_are_what_narrows() {
        let targets = |text: &str| run(unwrapped(&shell::split(text)[0].words)).unwrap().targets;
        assert_eq!(targets("pytest -q"), "");
        assert_eq!(targets("go test ./..."), "");
        assert_eq!(targets("pytest -q tests/a.py::b"), " tests/a.py::b");
    }
}
