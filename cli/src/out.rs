//! The only place that writes to standard output and standard error.

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use serde::Serialize;

use crate::failure::{Failure, Outcome};

/// Where a command's answers and remarks go.
///
/// Answers go to standard output, as tables or, with `--json`, as one JSON value a line. Remarks go to standard
/// error. A closed pipe becomes [`Failure::ClosedPipe`], never a panic.
pub(crate) struct Out {
    /// Answers are for programs.
    pub(crate) json: bool,
    /// No remarks, no progress bars.
    pub(crate) quiet: bool,
    stdout: BufWriter<io::Stdout>,
}

impl Out {
    /// Output as the global options ask for.
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Out {
            json,
            quiet,
            stdout: BufWriter::new(io::stdout()),
        }
    }

    /// A line of the answer, or several. What could make a terminal do other things than show it is left out.
    pub(crate) fn line(&mut self, text: impl Display) -> Outcome {
        writeln!(self.stdout, "{}", harmless(&text.to_string())).map_err(to_failure)
    }

    /// Bytes of the answer as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Outcome {
        self.stdout.write_all(bytes).map_err(to_failure)
    }

    /// A JSON value of the answer, on a line of its own.
    pub(crate) fn value(&mut self, value: &impl Serialize) -> Outcome {
        // serde_json passes on what the writer said, so that a closed pipe is still one.
        serde_json::to_writer(&mut self.stdout, value).map_err(|e| to_failure(e.into()))?;
        self.stdout.write_all(b"\n").map_err(to_failure)
    }

    /// The answer in the form asked for.
    pub(crate) fn answer(&mut self, value: &impl Serialize, text: impl FnOnce() -> String) -> Outcome {
        if self.json {
            self.value(value)
        } else {
            self.line(text())
        }
    }

    /// Hands over what was written so far; before a child process writes, and at the end.
    pub(crate) fn flush(&mut self) -> Outcome {
        self.stdout.flush().map_err(to_failure)
    }

    /// A remark for people, kept back by `--quiet`.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.quiet {
            say(text);
        }
    }

    /// A remark about something that went wrong, which `--quiet` does not keep back.
    pub(crate) fn warn(&self, text: impl Display) {
        say(format_args!("warning: {text}"));
    }

    /// Whether anyone watches a progress bar.
    pub(crate) fn is_watched(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }
}

/// The last word of a command that failed.
pub(crate) fn error(text: impl Display) {
    say(format_args!("error: {text}"));
}

/// Without a standard error there is nobody to tell that it is gone.
fn say(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(&text.to_string()));
}

/// How a table's headings are made bold, and its end. A name that holds this does no harm.
const BOLD: [&str; 2] = ["\x1b[1m", "\x1b[0m"];

/// Text with a blank for every character that moves the cursor, changes colours, or turns the direction of what
/// follows. Names and payloads are others' text.
fn harmless(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let styled = || BOLD.iter().any(|style| text[at..].starts_with(style));
        let kept = c == '\n' || c == '\x1b' && styled() || !is_unseen(c);
        clean.push(if kept { c } else { ' ' });
    }
    clean
}

/// An argument as a shell takes it.
pub(crate) fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

/// Whether a character does something to others instead of being seen.
pub(crate) fn is_unseen(c: char) -> bool {
    // Bidirectional marks, embeddings, overrides and isolates; separators of lines and paragraphs; invisible marks.
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn to_failure(error: io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        Failure::ClosedPipe
    } else {
        Failure::Failed(format!("cannot write to standard output: {error}"))
    }
}

#[cfg(test)]
mod tests;
