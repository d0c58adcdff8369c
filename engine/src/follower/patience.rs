//! Damage, or a file that the writer replaced between two steps of a reader?
//!
//! What was replaced is not missing twice: the newest manifest names only files that are there, so the next attempt
//! fails at another place, if at all. What fails in the same words again and again is damage.

use std::collections::BTreeMap;

use crate::error::Error;

/// So many times the same, and it will stay. Listing a directory while files in it are renamed may miss both names of
/// one, so that two may still be chance.
const TIMES: usize = 3;

/// What has failed before: of a collection, or of the database as a whole (`None`).
#[derive(Debug, Default)]
pub(crate) struct Patience(BTreeMap<Option<u32>, Failure>);

#[derive(Debug)]
struct Failure {
    message: String,
    times: usize,
}

impl Patience {
    /// A new round of attempts: what was found damaged in the last one is known to be.
    pub(crate) fn begin(&mut self) {
        self.0
            .retain(|whom, failure| whom.is_some() && failure.times >= TIMES);
    }

    /// Whether what has failed now has done so often enough to be damage.
    pub(crate) fn is_lasting(&mut self, whom: Option<u32>, error: &Error) -> bool {
        let message = error.to_string();
        let failure = self.0.entry(whom).or_insert(Failure {
            message: String::new(),
            times: 0,
        });
        if failure.message != message {
            *failure = Failure { message, times: 0 };
        }
        failure.times += 1;
        failure.times >= TIMES
    }
}

#[cfg(test)]
mod tests;
