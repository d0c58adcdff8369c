//! What can be wrong with a filter, a payload path, or a payload selector.

use thiserror::Error;
use vdb_storage::ValueError;

/// A filter, path, or selector that cannot be used. `place` names the spot inside the request in the
/// notation of the JSON form, for instance `must[0].range.gte`; it is empty for the request as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FilterError {
    /// The request does not have the shape it must have.
    #[error("{}{problem}", prefix(.place))]
    Invalid {
        /// Where in the request.
        place: String,
        /// What was expected there, and what was found.
        problem: String,
    },
    /// More than a documented limit; the engine's calls tell it as [`Error::Limit`](crate::Error::Limit).
    #[error("{}too large: {what}: at most {limit}, got {found}", prefix(.place))]
    Limit {
        /// Where in the request.
        place: String,
        /// What is limited.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// What was given; one more than the limit where the rest was not looked at.
        found: usize,
    },
}

impl FilterError {
    /// The same of a path that stands at `place`.
    pub(crate) fn at(self, place: &Place<'_>) -> Self {
        match self {
            Self::Limit {
                what, limit, found, ..
            } => Self::Limit {
                place: place.spell(),
                what,
                limit,
                found,
            },
            Self::Invalid { .. } => place.invalid(self.to_string()),
        }
    }
}

fn prefix(place: &str) -> String {
    if place.is_empty() {
        String::new()
    } else {
        format!("{place}: ")
    }
}

/// Why it is not known whether a point matches. Small, because every step through a payload may return it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undecided {
    /// The payload is damaged.
    Damaged(ValueError),
    /// Nobody wants to know any more.
    Stopped,
}

impl From<ValueError> for Undecided {
    fn from(error: ValueError) -> Self {
        Undecided::Damaged(error)
    }
}

/// A position inside a request, kept on the stack and spelled out only when something is wrong there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    pub(crate) const ROOT: Place<'static> = Place {
        parent: None,
        step: Step::Root,
    };

    pub(crate) fn key(&'a self, name: &'a str) -> Place<'a> {
        Place {
            parent: Some(self),
            step: Step::Key(name),
        }
    }

    pub(crate) fn index(&'a self, index: usize) -> Place<'a> {
        Place {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    pub(crate) fn invalid(&self, problem: impl Into<String>) -> FilterError {
        FilterError::Invalid {
            place: self.spell(),
            problem: problem.into(),
        }
    }

    /// Refuses what is beyond a limit.
    pub(crate) fn within(&self, what: &'static str, limit: usize, found: usize) -> Result<(), FilterError> {
        if found <= limit {
            return Ok(());
        }
        Err(FilterError::Limit {
            place: self.spell(),
            what,
            limit,
            found,
        })
    }

    fn spell(&self) -> String {
        let mut out = self.parent.map(Place::spell).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Key(name) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(name);
            }
            Step::Index(index) => {
                out.push('[');
                out.push_str(&index.to_string());
                out.push(']');
            }
        }
        out
    }
}
