//! Which paths are valid inside a disk, and how they are put together.
//!
//! Names are kept to what every file system and archive format takes, so that a database can be copied anywhere.

use crate::{Error, Result};

/// Longest file name in bytes that common file systems accept.
const MAX_NAME: usize = 255;
/// Longest path in bytes, below the limits of the operating systems with room for the root.
const MAX_PATH: usize = 2048;

/// `name` inside `dir`; an empty `dir` is the root.
pub fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

/// Directory and name of a path: `("a/b", "c")` of `a/b/c`, `("", "c")` of `c`.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Refuses what could leave the root or what some file system cannot store; the root itself (`""`) is accepted.
pub fn check_dir(path: &str) -> Result<()> {
    if path.is_empty() { Ok(()) } else { check(path) }
}

/// As [`check_dir`], and refuses the root.
pub fn check(path: &str) -> Result<()> {
    if path.len() <= MAX_PATH && path.split('/').all(is_name) {
        Ok(())
    } else {
        Err(Error::InvalidPath {
            path: path.to_owned(),
        })
    }
}

/// Backslash and colon would be separators elsewhere; control characters make messages unreadable.
fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && name.len() <= MAX_NAME
        && !name.contains(|c: char| c == '\\' || c == ':' || c.is_control())
}

#[cfg(test)]
mod tests;
