//! Commands of a shell: from the shapes a call gives them to one line of text, or to the patch that they apply.

use super::super::event::{Event, EventType, Lit, Marks};
use super::super::text::{lines, trim};
use super::calls::owned;
use super::patch;
use crate::json::{string, Value};

const KEYS: &[&str] = &["cmd", "command", "script"];

/// Programs that run the argument after `-c` as a script.
const SHELLS: &[&[u8]] = &[b"bash", b"sh", b"zsh", b"dash", b"ksh", b"ash", b"fish", b"bash.exe", b"sh.exe"];
const POWERSHELLS: &[&[u8]] = &[b"powershell", b"powershell.exe", b"pwsh", b"pwsh.exe"];

pub fn events(args: Value<'_>, marks: &mut Marks) -> Option<Vec<Event<'static>>> {
    let command = KEYS.iter().find_map(|key| args.get(key).filter(|v| v.is_string() || v.is_array()))?;
    if command.is_string() {
        return script(command, marks);
    }
    let words: Vec<Value<'_>> = command.items().collect();
    if words.is_empty() || !words.iter().all(|w| w.is_string()) {
        return None;
    }
    if let Some(inner) = inner_script(&words) {
        return script(inner, marks);
    }
    if let [program, patch] = words[..] {
        if program.is("apply_patch") || program.is("applypatch") {
            if let Some(events) = patch::events(&patch.canonical_literal(), b"") {
                return Some(events);
            }
        }
    }
    let (line, as_written) = joined(&words);
    if as_written {
        marks.leave_out(command.id());
    }
    shell_command(line).map(|event| vec![event])
}

fn shell_command(command: Lit<'static>) -> Option<Event<'static>> {
    (!trim(&command).is_empty()).then(|| Event::new(EventType::ShellCommand { command }))
}

/// A script: a patch if it applies one, a command otherwise (both if it goes on after the patch).
fn script(script: Value<'_>, marks: &mut Marks) -> Option<Vec<Event<'static>>> {
    let literal = script.canonical_literal();
    if let Some(applied) = heredoc(&literal) {
        if let Some(mut events) = patch::events(applied.patch, applied.folder) {
            if !applied.alone {
                marks.leave_out(script.id());
                events.insert(0, shell_command(owned(script))?);
            }
            return Some(events);
        }
    }
    let event = shell_command(Lit::Owned(literal.into_owned()))?;
    marks.leave_out(script.id());
    Some(vec![event])
}

/// A shell and the script it was given: `bash -lc S`, `powershell -Command S`, `cmd /c S`.
fn inner_script<'a>(words: &[Value<'a>]) -> Option<Value<'a>> {
    let (last, before) = words.split_last()?;
    let (program, flags) = before.split_first()?;
    let path = program.text()?.to_ascii_lowercase();
    let program = path.rsplit(|c| matches!(c, b'/' | b'\\')).next()?;
    let flag = |v: &Value<'_>| v.literal().to_ascii_lowercase();
    let fits = if SHELLS.contains(&program) {
        // `-c`, `-lc`, `-euc`: letters that end in c.
        flags.len() == 1
            && matches!(flag(&flags[0]).as_slice(), [b'-', letters @ .., b'c'] if letters.iter().all(u8::is_ascii_lowercase))
    } else if POWERSHELLS.contains(&program) {
        flags.last().is_some_and(|f| matches!(flag(f).as_slice(), b"-command" | b"-c"))
    } else {
        matches!(program, b"cmd" | b"cmd.exe") && flags.len() == 1 && flag(&flags[0]) == b"/c"
    };
    fits.then_some(*last)
}

/// The words as one line for a shell (literals), and whether each stands in it as it was.
fn joined(words: &[Value<'_>]) -> (Lit<'static>, bool) {
    let mut line = Vec::new();
    let mut as_written = true;
    for word in words {
        if !line.is_empty() {
            line.push(b' ');
        }
        let text = word.text().unwrap_or_default();
        let plain = |c: &u8| c.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(c);
        if !text.is_empty() && text.iter().all(plain) {
            line.extend_from_slice(&text);
            continue;
        }
        let text = String::from_utf8_lossy(&text);
        as_written &= !text.contains('\'');
        string::encode_into(format!("'{}'", text.replace('\'', "'\\''")).as_bytes(), &mut line);
    }
    (Lit::Owned(line), as_written)
}

struct Applied<'a> {
    patch: &'a [u8],
    /// Where a `cd` before it led.
    folder: &'a [u8],
    /// The script does nothing else.
    alone: bool,
}

/// `apply_patch <<'EOF'` at the beginning of a script (maybe after `cd FOLDER &&`), up to the line that ends the patch
/// or, as models write it at times, to the end of the script. All of it as literals.
fn heredoc(script: &[u8]) -> Option<Applied<'_>> {
    let script = trim(script);
    let (folder, call) = match script.strip_prefix(b"cd ") {
        Some(rest) => {
            let end = rest.windows(4).take(4096).position(|w| w == b" && ")?;
            (folder(trim(&rest[..end]))?, &rest[end + 4..])
        }
        None => (b"".as_slice(), script),
    };
    let after = call.strip_prefix(b"apply_patch").or_else(|| call.strip_prefix(b"applypatch"))?;
    let mut rows = lines(after);
    let first = trim(rows.next()?).strip_prefix(b"<<")?;
    let word = trim(first.strip_prefix(b"-").unwrap_or(first));
    let end: Vec<u8> = word.iter().copied().filter(|c| !b"'\"\\".contains(c)).collect();
    if end.is_empty() || !end.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'_') {
        return None;
    }
    let body = rows.rest();
    let (mut patch, mut alone) = (body, true);
    let mut left = body.len();
    while let Some(row) = rows.next() {
        if trim(row) == end.as_slice() {
            patch = &body[..body.len() - left];
            alone = trim(rows.rest()).is_empty();
            break;
        }
        left = rows.rest().len();
    }
    Some(Applied { patch, folder, alone })
}

/// A folder's name without quotes; `None` where the shell would make something else of it.
fn folder(word: &[u8]) -> Option<&[u8]> {
    let bare = match word {
        [b'\'', inner @ .., b'\''] => inner,
        [b'\\', b'"', inner @ .., b'\\', b'"'] => inner,
        _ if word.contains(&b' ') => return None,
        _ => word,
    };
    (!bare.is_empty() && !bare.iter().any(|c| b"'\"\\$`;&|~*?".contains(c))).then_some(bare)
}
