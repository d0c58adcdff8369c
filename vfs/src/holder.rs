//! Who holds a lock, as the lock file tells.

use std::fmt;
use std::path::Path;

/// More than a lock file ever holds, in bytes.
pub const MAX_TEXT: usize = 128;
/// Characters of a program's name that are kept.
const MAX_PROGRAM: usize = 24;

/// Who holds a lock, as the lock file tells: the process id, and the program's name in a second line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Name of the program; empty where it has none.
    pub program: String,
}

impl Holder {
    /// The process that asks.
    pub fn this_process() -> Holder {
        let name = std::env::args_os().next().unwrap_or_default();
        let name = Path::new(&name).file_name().unwrap_or_default();
        let shown = name.to_string_lossy();
        let plain = shown.chars().filter(|c| !c.is_control());
        Holder {
            pid: std::process::id(),
            program: plain.take(MAX_PROGRAM).collect(),
        }
    }

    /// What a lock file says of its holder; nothing where it was released, or is no lock file.
    pub fn parse(text: &[u8]) -> Option<Holder> {
        let mut lines = std::str::from_utf8(text).ok()?.lines();
        let pid = lines.next()?.trim_end().parse().ok()?;
        let program = lines.next().unwrap_or_default();
        let plain = program.chars().filter(|c| !c.is_control());
        Some(Holder {
            pid,
            program: plain.take(MAX_PROGRAM).collect(),
        })
    }

    pub(crate) fn to_text(&self) -> String {
        format!("{}\n{}\n", self.pid, self.program)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == std::process::id() {
            write!(f, "another handle of this process ({})", self.pid)
        } else if self.program.is_empty() {
            write!(f, "process {}", self.pid)
        } else {
            write!(f, "process {} ({})", self.pid, self.program)
        }
    }
}

#[cfg(test)]
mod tests;
