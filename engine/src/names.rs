//! Which names collections, aliases and vectors may have.

use crate::error::{Error, Result};
use crate::limits::{MAX_COLLECTION_NAME, MAX_VECTOR_NAME};

/// Characters that no name may hold: they clash with paths and with clients' URLs.
const FORBIDDEN: [char; 11] = ['<', '>', ':', '"', '/', '\\', '|', '?', '*', '\0', '\u{1F}'];

fn invalid(what: &'static str, name: &str, why: String) -> Error {
    Error::InvalidName {
        what,
        name: name.chars().take(64).collect(),
        why,
    }
}

fn check_chars(what: &'static str, name: &str) -> Result<()> {
    match name.chars().find(|c| FORBIDDEN.contains(c)) {
        Some(c) => Err(invalid(what, name, format!("the character {c:?} is not allowed"))),
        None => Ok(()),
    }
}

/// A collection or alias name: 1 to 255 characters, none of them forbidden.
pub(crate) fn check_collection_name(name: &str) -> Result<()> {
    let length = name.chars().count();
    if length == 0 || length > MAX_COLLECTION_NAME {
        let why = format!("it must have 1 to {MAX_COLLECTION_NAME} characters, it has {length}");
        return Err(invalid("collection", name, why));
    }
    check_chars("collection", name)
}

/// A vector name: up to 200 bytes, none of its characters forbidden; empty for the default vector.
pub(crate) fn check_vector_name(name: &str) -> Result<()> {
    if name.len() > MAX_VECTOR_NAME {
        return Err(invalid(
            "vector",
            name,
            format!(
                "it must have at most {MAX_VECTOR_NAME} bytes, it has {}",
                name.len()
            ),
        ));
    }
    check_chars("vector", name)
}
