//! What one shell command is about: its kind, the checks in it, and what it does to files and to git.
//!
//! Pure and made on any thread; nothing here knows how the command ended.

use std::sync::Arc;

use super::keys::Key;
use super::limits::{COMMAND, PATH_LENGTH};
use super::programs::{self, Kinds, Run};
use super::shell::{self, Joint, Simple, Word};
use super::text;
use crate::digest::short as digest;

/// A check inside a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Program and subcommand.
    pub name: Key,
    /// The same, with what narrows it.
    pub exact: Key,
    /// Nothing narrows it.
    pub broad: bool,
    /// The exit code of the whole command is 0 only if this check passed.
    pub decides: bool,
}

/// What a command does to the files of a repository, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `git add` of these paths.
    Add(Vec<String>),
    /// `git add -A`, `.` or `-u`; below this folder where one is known.
    AddAll(Option<String>),
    /// `git commit`: with `-a`, and the paths after `--`.
    Commit { all: bool, paths: Vec<String>, folder: Option<String>, own_repository: bool },
    /// `rm` and `git rm`.
    Remove(Vec<String>),
    /// `mv` and `git mv` of one file.
    Move(String, String),
}

#[derive(Debug, Clone)]
pub struct Command {
    /// As much of it as is shown.
    pub text: Arc<str>,
    /// Commands of the same kind: program and subcommand.
    pub kind: Key,
    /// Where in `text` the arguments of the main program begin.
    arguments: usize,
    pub kinds: Kinds,
    pub checks: Vec<Check>,
    /// Exit code 1 is an answer, not a failure.
    pub answers: bool,
    pub steps: Vec<Step>,
}

/// A simple command, and what it runs.
struct Known<'c> {
    simple: &'c Simple<'c>,
    /// Without wrappers.
    words: &'c [Word<'c>],
    run: Option<Run>,
}

fn known<'c>(list: &'c [Simple<'c>]) -> Vec<Known<'c>> {
    let words = list.iter().map(|simple| (simple, programs::unwrapped(&simple.words)));
    words.map(|(simple, words)| Known { simple, words, run: programs::run(words) }).collect()
}

/// Look at a command (decoded).
pub fn analyze(command: &str) -> Command {
    let list = shell::split(command);
    let list = known(&list);
    let mut looked = Look { folder: None, own_repository: false, steps: Vec::new() };
    let mut checks = Vec::new();
    let mut kinds = 0;
    inspect(&list, &mut looked, &mut checks, &mut kinds, 0);
    let shown = text::short_verbatim(command, COMMAND);
    let main = main(&list);
    let answers = list.last().is_some_and(|last| {
        let program = last.words.first().map_or("", |w| programs::base(w));
        programs::answers_by_code(program) || last.run.as_ref().is_some_and(|r| programs::answers_by_code(&r.name))
    });
    Command {
        kind: main.and_then(|m| m.run.as_ref()).map_or_else(|| key("text", &shown), |run| key("kind", &run.name)),
        arguments: main.and_then(|m| arguments(&shown, m.simple)).unwrap_or(shown.len()),
        text: shown.into(),
        kinds,
        checks,
        answers,
        steps: looked.steps,
    }
}

impl Command {
    /// Commands of the same text, as far as it is shown.
    pub fn same(&self) -> Key {
        key("text", &self.text)
    }

    /// Commands that differ in the program only; `None` where the rest is too short to tell.
    pub fn arguments(&self) -> Option<Key> {
        let rest = self.text[self.arguments..].trim();
        (rest.len() >= 12).then(|| key("arguments", rest))
    }

    /// Some check in it does not decide the exit code.
    pub fn hides_a_check(&self) -> bool {
        self.checks.iter().any(|check| !check.decides)
    }
}

fn key(what: &str, text: &str) -> Key {
    let mut near = [0; 96];
    let n = what.len() + 1 + text.len();
    if let Some(room) = near.get_mut(..n) {
        room[..what.len()].copy_from_slice(what.as_bytes());
        room[what.len() + 1..].copy_from_slice(text.as_bytes());
        return digest(room);
    }
    digest(format!("{what}\0{text}").as_bytes())
}

/// The command that the whole is for: the first one of the last pipeline that does more than `echo`.
fn main<'k, 'c>(list: &'k [Known<'c>]) -> Option<&'k Known<'c>> {
    let mut best = None;
    let mut fresh = true;
    for known in list {
        if fresh && known.run.is_some() {
            best = Some(known);
        }
        fresh = known.simple.then != Joint::Pipe;
    }
    best
}

/// Where the arguments of the main command begin.
fn arguments(command: &str, main: &Simple<'_>) -> Option<usize> {
    let program = main.words.first()?;
    command.find(program.as_ref()).map(|at| at + program.len())
}

/// What is known while the simple commands pass.
struct Look {
    /// Where `cd` went; relative to where the command began if it does not begin with a slash.
    folder: Option<String>,
    /// `git init` was seen: a commit is one of a new repository.
    own_repository: bool,
    steps: Vec<Step>,
}

fn inspect(list: &[Known<'_>], look: &mut Look, checks: &mut Vec<Check>, kinds: &mut Kinds, depth: u8) {
    for (known_, decides) in list.iter().zip(decides(list)) {
        let words = known_.words;
        if let Some(inner) = inner_script(words).filter(|_| depth < 2) {
            let mut within = Vec::new();
            inspect(&known(&shell::split(inner)), look, &mut within, kinds, depth + 1);
            within.iter_mut().for_each(|c| c.decides &= decides);
            checks.append(&mut within);
            continue;
        }
        look.at(words);
        let Some(run) = known_.run.as_ref().filter(|r| r.kinds != 0) else { continue };
        *kinds |= run.kinds;
        let exact = key("check", &format!("{}{}", run.name, run.targets));
        checks.push(Check { name: key("check", &run.name), exact, broad: run.targets.is_empty(), decides });
    }
}

/// Whether the exit code of all is 0 only if that of each one is.
fn decides(list: &[Known<'_>]) -> Vec<bool> {
    let sets = |k: &Known<'_>| k.words.first().is_some_and(|w| w == "set") && k.words.iter().any(|w| w == "pipefail");
    let pipefail = list.iter().any(sets);
    // From the end; a pipeline is one thing between `&&` and `&&`.
    let mut pipeline = true;
    let mut all: Vec<bool> = list
        .iter()
        .rev()
        .map(|known| match known.simple.then {
            Joint::End => pipeline,
            Joint::Pipe => pipeline && pipefail,
            Joint::And => pipeline,
            Joint::Or | Joint::Next => {
                pipeline = false;
                false
            }
        })
        .collect();
    all.reverse();
    all
}

/// `sh -c '…'`, `bash -lc "…"`.
fn inner_script<'w>(words: &'w [Word<'_>]) -> Option<&'w str> {
    if !matches!(programs::base(words.first()?), "sh" | "bash" | "zsh" | "dash") {
        return None;
    }
    let at = words.iter().position(|w| w.starts_with('-') && !w.starts_with("--") && w.ends_with('c'))?;
    words.get(at + 1).map(|w| w.as_ref())
}

impl Look {
    fn at(&mut self, words: &[Word<'_>]) {
        let Some(program) = words.first().map(|w| programs::base(w)) else { return };
        match program {
            "cd" | "pushd" => {
                let to = words[1..].iter().find(|w| !w.starts_with('-'));
                self.folder = to.filter(|w| is_plain(w)).map(|to| below(self.folder.as_deref(), to));
            }
            "git" => self.git(&words[1..]),
            "rm" | "unlink" | "rmdir" => {
                let paths = self.paths(&words[1..]);
                self.push(Step::Remove(paths));
            }
            "mv" => self.moved(&words[1..]),
            _ => {}
        }
    }

    fn push(&mut self, step: Step) {
        if !matches!(&step, Step::Add(paths) | Step::Remove(paths) if paths.is_empty()) {
            self.steps.push(step);
        }
    }

    /// The words that are paths, seen from where the command began.
    fn paths(&self, words: &[Word<'_>]) -> Vec<String> {
        let mut only = false;
        let mut paths = Vec::new();
        for word in words {
            if word == "--" && !only {
                only = true;
            } else if (only || !word.starts_with('-')) && is_plain(word) {
                paths.push(below(self.folder.as_deref(), word));
            }
        }
        paths
    }

    fn moved(&mut self, words: &[Word<'_>]) {
        if let [from, to] = &self.paths(words)[..] {
            self.push(Step::Move(from.clone(), to.clone()));
        }
    }

    /// `git [options] subcommand …`.
    fn git(&mut self, words: &[Word<'_>]) {
        let outside = self.folder.clone();
        let mut k = 0;
        while let Some(option) = words.get(k).filter(|w| w.starts_with('-')) {
            if option == "-C" {
                let to = words.get(k + 1).filter(|w| is_plain(w));
                self.folder = to.map(|to| below(self.folder.as_deref(), to));
            }
            let argument = ["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env", "--super-prefix"];
            k += 1 + argument.contains(&option.as_ref()) as usize;
        }
        let rest = words.get(k + 1..).unwrap_or_default();
        match words.get(k).map(|w| w.as_ref()) {
            Some("init" | "clone") => self.own_repository = true,
            Some("add" | "stage") => self.add(rest),
            Some("commit") => self.commit(rest),
            Some("rm") if !rest.iter().any(|w| w == "--cached") => {
                let paths = self.paths(rest);
                self.push(Step::Remove(paths));
            }
            Some("mv") => self.moved(rest),
            _ => {}
        }
        self.folder = outside;
    }

    fn add(&mut self, words: &[Word<'_>]) {
        if words.iter().any(|w| w == "-n" || w == "--dry-run") {
            return;
        }
        let all = words.iter().any(|w| matches!(w.as_ref(), "-A" | "--all" | "-u" | "--update" | "." | "./" | ":/"));
        let paths: Vec<Word<'_>> = words.iter().filter(|w| !matches!(w.as_ref(), "." | "./" | ":/")).cloned().collect();
        let paths = self.paths(&paths);
        if !paths.is_empty() {
            self.push(Step::Add(paths));
        } else if all {
            let below = words.iter().any(|w| w == "." || w == "./");
            self.push(Step::AddAll(self.folder.clone().filter(|_| below || self.own_repository)));
        }
    }

    fn commit(&mut self, words: &[Word<'_>]) {
        let mut all = false;
        let mut k = 0;
        while let Some(word) = words.get(k).filter(|w| *w != "--") {
            match word.strip_prefix('-') {
                Some("-all") => all = true,
                Some("-dry-run" | "-short" | "-porcelain") => return,
                Some(long) if long.starts_with('-') => {
                    k += [
                        "-message",
                        "-file",
                        "-author",
                        "-date",
                        "-reuse-message",
                        "-fixup",
                        "-squash",
                        "-template",
                        "-trailer",
                    ]
                    .contains(&long) as usize;
                }
                Some(cluster) => {
                    // In a cluster, the first option with an argument takes the rest of the word, or the next word.
                    let value = cluster.find(['m', 'F', 'C', 'c', 't']);
                    all |= cluster[..value.unwrap_or(cluster.len())].contains('a');
                    k += value.is_some_and(|at| at + 1 == cluster.len()) as usize;
                }
                None => {}
            }
            k += 1;
        }
        let paths = self.paths(words.get(k..).unwrap_or_default());
        let (folder, own_repository) = (self.folder.clone(), self.own_repository);
        self.push(Step::Commit { all, paths, folder, own_repository });
    }
}

/// The word means itself: nothing in it is expanded.
fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= PATH_LENGTH
        && !word.contains(['$', '*', '?', '`', '\n'])
        && !word.starts_with('~')
}

/// A path as seen from where `folder` is seen from; `.` and `..` are resolved where that can be done.
pub fn below(folder: Option<&str>, path: &str) -> String {
    let joined = match folder {
        Some(folder) if !path.starts_with('/') => format!("{folder}/{path}"),
        _ => path.to_owned(),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/').filter(|p| !p.is_empty() && *p != ".") {
        match (part, parts.last()) {
            ("..", Some(&last)) if last != ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let root = if joined.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<Step> {
        analyze(text).steps
    }

    fn paths(list: &[&str]) -> Vec<String> {
        list.iter().map(|p| (*p).to_owned()).collect()
    }

    fn commit(all: bool, list: &[&str]) -> Step {
        Step::Commit { all, paths: paths(list), folder: None, own_repository: false }
    }

    #[test]
    fn commits_are_simple_commands_whose_words_say_so() {
        assert_eq!(steps("git add a b && git commit -m 'x'"), [Step::Add(paths(&["a", "b"])), commit(false, &[])]);
        assert_eq!(steps("git --no-pager -c a=b commit -am x"), [commit(true, &[])]);
        assert_eq!(steps("git commit -ma"), [commit(false, &[])], "the message is `a`");
        assert_eq!(steps("git commit -m -a"), [commit(false, &[])], "the message is `-a`");
        assert_eq!(steps("git commit --all --message -a"), [commit(true, &[])]);
        assert_eq!(steps("git commit -q -m x -- a b"), [commit(false, &["a", "b"])]);
        assert_eq!(steps("git add -A\ngit commit -m x"), [Step::AddAll(None), commit(false, &[])]);
        assert_eq!(steps("git add -u; git add ."), [Step::AddAll(None), Step::AddAll(None)]);
        for text in [
            "echo git commit -a",
            "git log --grep 'git commit -a'",
            "git commit --dry-run",
            "# git commit -a",
            "git commit-tree x",
        ] {
            assert_eq!(steps(text), [], "{text}");
        }
        assert_eq!(steps("bash -lc 'git commit -a -m x'"), [commit(true, &[])]);
    }

    #[test]
    fn a_folder_that_the_command_names_counts() {
        assert_eq!(steps("cd /x/y && git add ../z/a"), [Step::Add(paths(&["/x/z/a"]))]);
        assert_eq!(steps("git -C sub add a"), [Step::Add(paths(&["sub/a"]))]);
        let fresh = steps("cd /tmp && mkdir t && cd t && git init && git add . && git commit -m x");
        assert_eq!(fresh[0], Step::AddAll(Some("/tmp/t".into())));
        assert!(matches!(&fresh[1], Step::Commit { own_repository: true, folder: Some(f), .. } if f == "/tmp/t"));
        assert_eq!(steps("rm -rf x/y 'a b' $T *.o"), [Step::Remove(paths(&["x/y", "a b"]))]);
        assert_eq!(steps("git mv a b"), [Step::Move("a".into(), "b".into())]);
    }

    #[test]
    fn only_a_check_that_the_exit_code_depends_on_decides() {
        let decides = |text: &str| analyze(text).checks.iter().map(|c| c.decides).collect::<Vec<_>>();
        assert_eq!(decides("cd x && pytest && ruff check"), [true, true]);
        assert_eq!(decides("pytest | tail -5"), [false]);
        assert_eq!(decides("set -o pipefail; pytest | tail -5"), [true]);
        assert_eq!(decides("pytest; ls"), [false]);
        assert_eq!(decides("pytest || true"), [false]);
        assert_eq!(decides("ls; pytest"), [true]);
        assert_eq!(decides("pytest && ls | tail"), [true], "a pipeline binds tighter");
        assert_eq!(decides("pytest && ls; ruff check | tail"), [false, false]);
        assert_eq!(decides("sh -c 'pytest' | cat"), [false]);
    }

    #[test]
    fn commands_of_one_kind_have_one_key() {
        let kind = |text: &str| analyze(text).kind;
        assert_eq!(kind("git fetch --all"), kind("cd x && git fetch"));
        assert_ne!(kind("git fetch"), kind("git push"));
        assert_eq!(kind("gh api graphql -f a | jq x"), kind("gh api graphql -f b"));
        let rest = |text: &str| analyze(text).arguments();
        assert_eq!(rest("python - <<'E'\nprint(1)\nE"), rest("python3 - <<'E'\nprint(1)\nE"));
        assert!(rest("python - <<'E'\nprint(1)\nE").is_some() && rest("python x").is_none());
        assert!(analyze("rg x src").answers && !analyze("rg x | wc -l").answers);
    }
}
