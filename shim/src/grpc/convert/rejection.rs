//! Why a message cannot be understood.

use std::fmt::{Debug, Display};

use tonic::{Code, Status};

use crate::grpc::status::told;
use crate::service::{ErrorKind, ServiceError};

/// The result of reading a message.
pub(crate) type Result<T> = std::result::Result<T, Rejection>;

/// What is wrong with a message, and in which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    path: String,
    problem: String,
    class: Class,
}

/// What class a rejection is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A value that its field cannot have.
    Invalid,
    /// Something that is understood and that there is not.
    Unimplemented,
    /// The message is good, and the time of its call is over.
    Late,
}

impl Rejection {
    /// A value that the field cannot have.
    pub(crate) fn invalid(field: impl Into<String>, problem: impl Display) -> Self {
        Rejection {
            path: field.into(),
            problem: problem.to_string(),
            class: Class::Invalid,
        }
    }

    /// A call of which the time is over, whatever its message says.
    pub(crate) fn late(why: impl Display) -> Self {
        Rejection {
            class: Class::Late,
            ..Rejection::invalid("", why)
        }
    }

    /// Something that is understood and that there is not; `problem` says what to use in its place.
    pub(crate) fn unimplemented(field: impl Into<String>, problem: impl Display) -> Self {
        Rejection {
            class: Class::Unimplemented,
            ..Rejection::invalid(field, problem)
        }
    }

    /// The same as seen from the message that holds it in `field`.
    pub(crate) fn within(mut self, field: impl Display) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{field}{separator}{}", self.path);
        self
    }
}

impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        let Rejection { path, problem, class } = rejection;
        match class {
            Class::Invalid => told(
                Code::InvalidArgument,
                &format!("Validation error in body: [{path}: {problem}]"),
            ),
            Class::Unimplemented => told(Code::Unimplemented, &format!("{path}: {problem}")),
            Class::Late => ServiceError::new(ErrorKind::Timeout, problem).into(),
        }
    }
}

/// Tells in which field it was.
pub(crate) trait Within<T> {
    /// The same as seen from the message that holds it in `field`.
    fn within(self, field: impl Display) -> Result<T>;
}

impl<T> Within<T> for Result<T> {
    fn within(self, field: impl Display) -> Result<T> {
        self.map_err(|rejection| rejection.within(field))
    }
}

/// Reads each of a list; a rejection tells its place.
pub(crate) fn each<P, T>(
    field: &str,
    list: impl IntoIterator<Item = P>,
    mut read: impl FnMut(P) -> Result<T>,
) -> Result<Vec<T>> {
    let read = |(place, one)| read(one).within(format_args!("{field}[{place}]"));
    list.into_iter().enumerate().map(read).collect()
}

/// A field that must be there.
pub(crate) fn required<T>(field: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Rejection::invalid(field, "is required"))
}

/// The variant of an enumeration that a number stands for.
pub(crate) fn variant<E: TryFrom<i32>>(field: &str, code: i32) -> Result<E> {
    E::try_from(code).map_err(|_| Rejection::invalid(field, format_args!("unknown value {code}")))
}

/// A number that has a smallest value.
pub(crate) fn at_least<T: PartialOrd + Debug + Copy>(field: &str, value: T, least: T) -> Result<T> {
    // What is no number at all is not either.
    if value >= least {
        return Ok(value);
    }
    let problem = format_args!("value {value:?} invalid, must be {least:?} or larger");
    Err(Rejection::invalid(field, problem))
}

/// A count as the engine has it. What does not fit is as good as the largest that does: the engine refuses both by name.
pub(crate) fn count(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
