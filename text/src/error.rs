//! What can be wrong with a configuration. Texts are never wrong: any text has tokens, or none.

/// The one error of this crate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field whose value leaves nothing to do, or cannot be computed with.
    #[error("{field} is {value}: {advice}")]
    Invalid {
        /// The field, as it is called in the configuration.
        field: &'static str,
        /// What was given.
        value: String,
        /// What is wrong with it, and what to give instead.
        advice: &'static str,
    },
    /// A language without a list of stop words, or without a stemmer.
    #[error("{field} is {language}: there is no {what} for it; there is one for {known}")]
    NoResource {
        /// The field, as it is called in the configuration.
        field: &'static str,
        /// The language that was asked for.
        language: &'static str,
        /// What it lacks.
        what: &'static str,
        /// The languages that have it.
        known: String,
    },
    /// A name that nothing has.
    #[error("{name:?} is no {what}; known are {known}")]
    Unknown {
        /// The start of what was given.
        name: String,
        /// What it should name.
        what: &'static str,
        /// Every name there is.
        known: String,
    },
    /// More than the limit.
    #[error("{what}: at most {limit}, not {given}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// The most that is taken.
        limit: usize,
        /// What was given.
        given: usize,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// `name` is none of `known`. A long name is cut: it comes from outside.
    pub(crate) fn unknown<'a>(
        name: &str,
        what: &'static str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self::Unknown {
            name: name.chars().take(64).collect(),
            what,
            known: list(known),
        }
    }
}

/// Names, as an error lists them.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}
