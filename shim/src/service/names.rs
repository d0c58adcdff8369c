//! Which names collections and aliases may have.
//!
//! The engine has the same rules; here they are told in the words that clients know, and before anybody looks for a collection.

use vdb::MAX_VECTOR_NAME;

use super::error::{Result, ServiceError};

/// Most characters.
const MAX_CHARS: usize = 255;

/// What no new name may hold.
const FORBIDDEN: [char; 11] = ['<', '>', ':', '"', '/', '\\', '|', '?', '*', '\0', '\u{1F}'];

/// What no name holds that there is.
const NOWHERE: [char; 2] = ['/', '\0'];

fn problem(name: &str, forbidden: &[char]) -> Option<String> {
    let chars = name.chars().take(MAX_CHARS + 1).count();
    if !(1..=MAX_CHARS).contains(&chars) {
        let start: String = name.chars().take(64).collect();
        return Some(format!(
            "value {start:?} invalid, must be from 1 to {MAX_CHARS} characters"
        ));
    }
    let found = name.chars().find(|c| forbidden.contains(c))?;
    Some(format!(
        "collection name cannot contain {:?} char",
        found.to_string()
    ))
}

/// What is wrong with a name that somebody gives to a collection or an alias.
pub(super) fn problem_of_new(name: &str) -> Option<String> {
    problem(name, &FORBIDDEN)
}

/// Refuses to give a collection this name.
pub(super) fn check_new_name(name: &str) -> Result<()> {
    refuse(problem_of_new(name))
}

/// Names that no collection can have are refused before anybody looks for one.
pub(super) fn check_name(name: &str) -> Result<()> {
    refuse(problem(name, &NOWHERE))
}

fn refuse(problem: Option<String>) -> Result<()> {
    problem.map_or(Ok(()), |problem| {
        Err(ServiceError::name("collection_name", problem))
    })
}

/// Refuses what no vector can be called, before anybody looks for one.
pub(super) fn check_vector_name(name: &str) -> Result<()> {
    let problem = if name.len() > MAX_VECTOR_NAME {
        format!("must be at most {MAX_VECTOR_NAME} bytes")
    } else if let Some(found) = name.chars().find(|c| FORBIDDEN.contains(c)) {
        format!("vector name cannot contain {:?} char", found.to_string())
    } else {
        return Ok(());
    };
    Err(ServiceError::name("vector_name", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_names_of_most_characters() {
        for name in ["", "a b", &"x".repeat(MAX_VECTOR_NAME)] {
            assert_eq!(check_vector_name(name), Ok(()), "{name}");
        }
        for name in ["a/b", "a:b", &"x".repeat(MAX_VECTOR_NAME + 1)] {
            assert!(check_vector_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn names_are_of_some_length_and_of_most_characters() {
        for name in ["a", "ä b", "#%", &"x".repeat(255), &"ä".repeat(255)] {
            assert_eq!(check_new_name(name), Ok(()), "{name}");
        }
        for name in ["", &"x".repeat(256)] {
            assert!(
                check_name(name).is_err() && check_new_name(name).is_err(),
                "{name}"
            );
        }
        for name in ["a<b", "a:b", "a*"] {
            assert!(
                check_name(name).is_ok() && check_new_name(name).is_err(),
                "{name}"
            );
        }
        assert_eq!(
            check_name("a/b"),
            Err(ServiceError::name(
                "collection_name",
                "collection name cannot contain \"/\" char"
            ))
        );
    }
}
