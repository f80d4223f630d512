//! Which commands are checks, and what an output says about one where the exit code does not.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::programs::{Kinds, BUILD, FORMAT, LINT, TEST, TYPES};
use super::shell::Word;

/// Programs (with subcommand) that are checks whatever their arguments, one line a kind.
const PROGRAMS: &[(Kinds, &[&str])] = &[
    (
        TEST,
        &[
            "pytest",
            "py.test",
            "python -m pytest",
            "python -m unittest",
            "python -m doctest",
            "nosetests",
            "nose2",
            "tox",
            "nox",
            "trial",
            "behave",
            "jest",
            "vitest",
            "mocha",
            "ava",
            "tap",
            "jasmine",
            "karma",
            "qunit",
            "playwright test",
            "cypress run",
            "rspec",
            "minitest",
            "cucumber",
            "phpunit",
            "pest",
            "ctest",
            "bats",
            "busted",
            "go test",
            "gotestsum",
            "ginkgo",
            "cargo test",
            "cargo nextest run",
            "cargo t",
            "dotnet test",
            "mvn test",
            "mvnw test",
            "mvn verify",
            "mvnw verify",
            "gradle test",
            "gradlew test",
            "gradle check",
            "gradlew check",
            "sbt test",
            "lein test",
            "mix test",
            "swift test",
            "flutter test",
            "dart test",
            "deno test",
            "bun test",
            "node --test",
            "npm test",
            "npm t",
            "npm run test",
            "yarn test",
            "pnpm test",
            "pnpm t",
            "rake test",
            "rake spec",
            "rails test",
            "make test",
            "make check",
            "gmake test",
            "gmake check",
            "zig test",
            "stack test",
            "cabal test",
            "prove",
            "xcodebuild test",
            "bazel test",
            "buck test",
            "composer test",
            "artisan test",
            "ng test",
            "nx test",
            "turbo test",
            "moon test",
            "meson test",
            "ninja test",
            "elm-test",
            "tsd",
            "deno bench",
            "cargo miri",
        ],
    ),
    (
        LINT,
        &[
            "eslint",
            "ruff check",
            "flake8",
            "pylint",
            "pyflakes",
            "pycodestyle",
            "pydocstyle",
            "golangci-lint",
            "golint",
            "staticcheck",
            "revive",
            "go vet",
            "cargo clippy",
            "cargo deny",
            "cargo audit",
            "rubocop",
            "standardrb",
            "stylelint",
            "tslint",
            "standard",
            "xo",
            "biome check",
            "biome lint",
            "biome ci",
            "oxlint",
            "shellcheck",
            "hadolint",
            "yamllint",
            "markdownlint",
            "markdownlint-cli2",
            "ktlint",
            "detekt",
            "swiftlint",
            "checkstyle",
            "phpcs",
            "php-cs-fixer",
            "hlint",
            "sqlfluff",
            "actionlint",
            "vale",
            "bandit",
            "semgrep",
            "commitlint",
            "tflint",
            "ansible-lint",
            "clang-tidy",
            "cppcheck",
            "luacheck",
            "pre-commit run",
            "deno lint",
            "dart analyze",
            "flutter analyze",
            "mix credo",
            "lint-imports",
            "vulture",
            "ng lint",
            "nx lint",
            "turbo lint",
            "next lint",
            "gofumpt",
            "terraform validate",
            "tofu validate",
            "helm lint",
            "python -m ruff",
            "python -m flake8",
            "python -m pylint",
            "knip",
            "spectral",
            "buf lint",
        ],
    ),
    (
        TYPES,
        &[
            "tsc",
            "vue-tsc",
            "svelte-check",
            "mypy",
            "dmypy",
            "python -m mypy",
            "pyright",
            "basedpyright",
            "pyre",
            "pytype",
            "ty",
            "flow",
            "srb",
            "phpstan",
            "psalm",
            "stubtest",
            "cargo check",
            "cargo c",
            "deno check",
            "dialyzer",
            "mix dialyzer",
            "attw",
            "npm run typecheck",
            "go build -n",
        ],
    ),
    (
        BUILD,
        &[
            "cargo build",
            "cargo b",
            "cargo doc",
            "go build",
            "go install",
            "make",
            "gmake",
            "make all",
            "make build",
            "gmake all",
            "cmake --build",
            "ninja",
            "meson compile",
            "mvn compile",
            "mvn package",
            "mvn install",
            "mvnw compile",
            "mvnw package",
            "gradle build",
            "gradlew build",
            "gradle assemble",
            "gradlew assemble",
            "dotnet build",
            "dotnet publish",
            "webpack",
            "vite build",
            "rollup",
            "esbuild",
            "tsup",
            "next build",
            "nuxt build",
            "astro build",
            "ng build",
            "nx build",
            "turbo build",
            "swift build",
            "xcodebuild",
            "xcodebuild build",
            "bazel build",
            "buck build",
            "stack build",
            "cabal build",
            "mix compile",
            "python -m build",
            "maturin build",
            "maturin develop",
            "poetry build",
            "uv build",
            "hatch build",
            "docker build",
            "docker compose build",
            "flutter build",
            "zig build",
            "rustc",
            "gcc",
            "g++",
            "clang",
            "clang++",
            "cc",
            "javac",
            "kotlinc",
            "elm",
            "sbt compile",
            "nix build",
            "hugo",
            "jekyll",
            "mkdocs",
            "sphinx-build",
            "wasm-pack",
            "tinygo",
            "bun build",
            "python -m compileall",
            "python -m py_compile",
            "npm run build",
            "lein compile",
            "expo",
            "gatsby",
            "parcel",
        ],
    ),
    (
        FORMAT,
        &[
            "cargo fmt",
            "gofmt",
            "prettier --check",
            "dprint",
            "shfmt",
            "terraform fmt",
            "mix format",
            "python -m black",
        ],
    ),
];

/// Tools that run what the project has given a name: the name says what it is.
const NAMED: &[&str] = &[
    "npm",
    "npm run",
    "pnpm",
    "pnpm run",
    "yarn",
    "yarn run",
    "bun run",
    "deno task",
    "make",
    "gmake",
    "mise run",
    "just",
    "task",
    "rake",
    "composer",
    "invoke",
    "inv",
    "poe",
    "hatch",
    "pdm",
    "turbo",
    "nx",
    "nx run",
    "lerna",
    "rush",
    "moon",
    "mise",
    "ninja",
    "gradle",
    "gradlew",
    "bundle",
    "lein",
];

fn program(name: &str) -> Option<Kinds> {
    static TABLE: OnceLock<HashMap<&str, Kinds>> = OnceLock::new();
    let all = || PROGRAMS.iter().flat_map(|(kind, names)| names.iter().map(|name| (*name, *kind)));
    TABLE.get_or_init(|| all().collect()).get(name).copied()
}

/// The kinds of check that this program with these arguments is; none for anything else.
pub fn kinds(name: &str, arguments: &[Word<'_>]) -> Kinds {
    let has = |flags: &[&str]| arguments.iter().any(|a| flags.contains(&a.as_ref()));
    let kinds = kinds_of(name, &has);
    let asks = kinds != 0
        && (has(&["--help", "--version", "-h", "help"]) || name.ends_with(" --version") || name.ends_with(" --help"));
    if asks {
        0
    } else {
        kinds
    }
}

fn kinds_of(name: &str, has: &dyn Fn(&[&str]) -> bool) -> Kinds {
    if let Some(kind) = program(name) {
        return match kind {
            FORMAT if !name.ends_with("--check") && !has(LOOKING) => 0,
            kind => kind,
        };
    }
    match name {
        "black" | "isort" | "rustfmt" | "ruff format" | "biome format" | "clang-format" | "deno fmt" | "prettier" => {
            if has(LOOKING) {
                FORMAT
            } else {
                0
            }
        }
        _ => named(name, has),
    }
}

/// Options that make a formatter look only.
const LOOKING: &[&str] = &[
    "--check",
    "-c",
    "--check-only",
    "-l",
    "-d",
    "--diff",
    "--dry-run",
    "-check",
    "--check-formatted",
    "--list-different",
    "check",
    "-n",
];

/// A script or target by its own name.
fn named(name: &str, has: &dyn Fn(&[&str]) -> bool) -> Kinds {
    let Some((tool, script)) = name.rsplit_once(' ') else {
        return script_file(name);
    };
    if !NAMED.contains(&tool) {
        return 0;
    }
    let mut kinds = 0;
    for part in script.split([':', '-', '_', '.', '/']) {
        kinds |= match part {
            "test" | "tests" | "spec" | "specs" | "e2e" | "unit" | "integration" | "verify" | "ci" | "coverage" => TEST,
            "lint" | "eslint" | "clippy" | "ruff" | "stylelint" | "vet" | "check" | "checks" | "rubocop" | "flake8" => {
                LINT
            }
            "build" | "compile" | "bundle" => BUILD,
            "typecheck" | "types" | "tsc" | "mypy" | "pyright" | "type" => TYPES,
            "fmt" | "format" | "prettier" if script.contains("check") || has(LOOKING) => FORMAT,
            _ => 0,
        };
    }
    // `format:check`, `test:lint`: the first part that says more than "check" wins over it.
    let unspecific = script.split([':', '-', '_', '.', '/']).any(|p| p == "check" || p == "checks");
    if unspecific && kinds & !LINT != 0 {
        kinds & !LINT
    } else {
        kinds
    }
}

/// `./run_tests.sh`, `scripts/lint.sh`: a file that is called like a check.
fn script_file(name: &str) -> Kinds {
    let Some(stem) = [".sh", ".bash", ".bat", ".ps1"].iter().find_map(|end| name.strip_suffix(end)) else { return 0 };
    let mut kinds = 0;
    for part in stem.split(['-', '_', '.']) {
        kinds |= match part {
            "test" | "tests" => TEST,
            "lint" => LINT,
            "build" => BUILD,
            "typecheck" => TYPES,
            _ => 0,
        };
    }
    kinds
}

/// What the end of an output says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Says {
    #[default]
    Nothing,
    Passed,
    Failed,
}

/// Read the verdict of a check from the end of its output (a canonical literal, or part of one).
///
/// Used only where the exit code is not that of the check. A failure outweighs any success beside it.
pub fn verdict(output: &[u8]) -> Says {
    let mut says = Says::Nothing;
    let mut number: Option<bool> = None;
    let mut before: [&[u8]; 2] = [b"", b""];
    for (word, after) in tokens(output) {
        if word.iter().all(u8::is_ascii_digit) {
            number = Some(word.iter().any(|c| *c != b'0'));
            before = [before[1], word];
            continue;
        }
        match (sign(word, after, number, before), says) {
            (Says::Failed, _) => return Says::Failed,
            (Says::Passed, _) => says = Says::Passed,
            (Says::Nothing, _) => {}
        }
        number = None;
        before = [before[1], word];
    }
    says
}

/// What one word says; `number` is the number directly before it: is it more than 0?
fn sign(word: &[u8], after: u8, number: Option<bool>, before: [&[u8]; 2]) -> Says {
    match (word, number) {
        (b"failed" | b"failing" | b"failures" | b"failure" | b"errors" | b"error" | b"problems", Some(true)) => {
            Says::Failed
        }
        (b"failed" | b"failing" | b"failures" | b"errors" | b"problems" | b"issues", Some(false)) => match word {
            b"issues" | b"errors" | b"problems" => Says::Passed,
            _ => Says::Nothing,
        },
        (b"issues", Some(true)) => Says::Failed,
        (b"FAIL" | b"FAILED" | b"FAILURES" | b"Traceback" | b"ELIFECYCLE" | b"panicked", _) => Says::Failed,
        (b"BUILD", _) => Says::Nothing,
        (b"ERROR" | b"Error", None) if after == b':' => Says::Failed,
        // `error[E0308]`, `error TS2345`, `error: …`
        (b"error", None) if matches!(after, b':' | b'[') => Says::Failed,
        (word, None)
            if before[1] == b"error"
                && word.starts_with(b"TS")
                && word[2..].iter().all(u8::is_ascii_digit)
                && word.len() > 2 =>
        {
            Says::Failed
        }
        (b"failed", None) if after == b':' => Says::Failed,
        (b"passed" | b"passing", Some(true)) => Says::Passed,
        (b"passed", None) if before[1] == b"checks" || before[1] == b"tests" => Says::Passed,
        (b"ok", _) if matches!(after, b' ' | b'\\' | b'.') => Says::Passed,
        (b"SUCCESS" | b"SUCCESSFUL" | b"PASS", _) => Says::Passed,
        (b"in", _) if before[1] == b"built" || before[1] == b"successfully" => Says::Passed,
        (b"successfully", _) if before[1] == b"Compiled" || before[1] == b"compiled" => Says::Passed,
        (b"found", _) if before == [b"no".as_slice(), b"issues"] => Says::Passed,
        (b"profile", _)
            if before == [b"Finished".as_slice(), b"dev"] || before == [b"Finished".as_slice(), b"release"] =>
        {
            Says::Passed
        }
        (b"OK", None) => Says::Passed,
        _ => Says::Nothing,
    }
}

/// Words of letters and digits, each with the byte after it; an escape separates.
fn tokens(text: &[u8]) -> impl Iterator<Item = (&[u8], u8)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            match text.get(at)? {
                b'\\' => at += 2,
                c if c.is_ascii_alphanumeric() => break,
                _ => at += 1,
            }
        }
        let start = at;
        while text.get(at).is_some_and(u8::is_ascii_alphanumeric) {
            at += 1;
        }
        Some((&text[start..at], text.get(at).copied().unwrap_or(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::programs::{names, run, unwrapped};
    use super::super::shell;
    use super::*;

    fn of(text: &str) -> Vec<&'static str> {
        let kinds = shell::split(text).iter().filter_map(|s| run(unwrapped(&s.words))).fold(0, |k, r| k | r.kinds);
        names(kinds)
    }

    #[test]
    fn checks_of_all_ecosystems_are_known() {
        for (text, want) in [
            ("cd x && mise run test && mise run lint", "lint test"),
            ("python -m pytest -q | tail -5", "test"),
            ("cargo clippy --all-targets", "lint"),
            ("cargo fmt --all --check", "format"),
            ("cargo fmt", ""),
            ("cargo test -p core", "test"),
            ("go vet ./... && go build ./...", "build lint"),
            ("npm run lint:fix", "lint"),
            ("npm run format:check", "format"),
            ("npm run format", ""),
            ("npm test", "test"),
            ("npm install", ""),
            ("pnpm --filter web build 2>&1 | tail", "build"),
            ("yarn typecheck", "typecheck"),
            ("npx tsc --noEmit", "typecheck"),
            ("bun test a.test.ts", "test"),
            ("bunx prettier --check a.mdx", "format"),
            ("prettier --write a", ""),
            ("make", "build"),
            ("make check", "test"),
            ("make clean", ""),
            ("./gradlew :app:test", "test"),
            ("bash run_tests.sh", ""),
            ("./run_tests.sh", "test"),
            ("ls tests", ""),
            ("cat test.py", ""),
            ("pytest --version", ""),
            ("git commit -m 'run tests'", ""),
            ("echo cargo test", ""),
            ("just ci", "test"),
            ("uv run mypy src", "typecheck"),
            ("dotnet build", "build"),
        ] {
            assert_eq!(of(text).join(" "), want, "{text}");
        }
    }

    #[test]
    fn the_end_of_an_output_is_read_as_a_person_would() {
        for (text, want) in [
            ("===== 3 passed in 0.1s =====", Says::Passed),
            ("1 failed, 3 passed", Says::Failed),
            ("0 failed, 3 passed", Says::Passed),
            (r"ok  \tx/y\t0.2s\nok  \tx/z\t(cached)", Says::Passed),
            (r"ok \tx\nFAIL\tx/z", Says::Failed),
            ("src/a.ts(1,2): error TS2345: no", Says::Failed),
            ("error[E0308]: mismatched types", Says::Failed),
            (r"\n0 issues.\n[lint] $ golangci-lint run", Says::Passed),
            (r"3 issues:\n* gocritic: 3", Says::Failed),
            (r"✓ built in 3.25s\n", Says::Passed),
            ("Success: no issues found in 12 source files", Says::Passed),
            ("All checks passed!", Says::Passed),
            ("test result: ok. 12 passed; 0 failed", Says::Passed),
            ("test result: FAILED. 11 passed; 1 failed", Says::Failed),
            ("Tests: 5 passing", Says::Passed),
            ("> eslint src", Says::Nothing),
            ("the error handling is fine", Says::Nothing),
            ("", Says::Nothing),
            ("\\", Says::Nothing),
        ] {
            assert_eq!(verdict(text.as_bytes()), want, "{text}");
        }
    }
}
