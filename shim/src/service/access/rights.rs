//! What a caller may do.

use serde::Deserialize;
use vdb::{Prefetch, QueryRequest};

use super::super::error::{Result, ServiceError};

/// What can be done with a collection, each more than the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Reading its points and what is told of it.
    Read,
    /// Writing points.
    WritePoints,
    /// Changing what points can have and what makes them fast, too: indexes, named vectors; its snapshots.
    Write,
    /// Everything else: that it is there, its settings, what it is restored from.
    Manage,
}

/// What a token allows of one collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum CollectionAccess {
    /// Reading.
    #[serde(rename = "r")]
    Read,
    /// Reading, and writing of points alone.
    #[serde(rename = "prw")]
    WritePoints,
    /// Reading and writing.
    #[serde(rename = "rw")]
    Write,
}

impl CollectionAccess {
    fn most(self) -> Right {
        match self {
            CollectionAccess::Read => Right::Read,
            CollectionAccess::WritePoints => Right::WritePoints,
            CollectionAccess::Write => Right::Write,
        }
    }
}

/// What is allowed of one collection. A rule that says anything else, such as which points, is refused with its token: it was
/// meant to take something away.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The name that calls have to give. An alias is another one.
    pub collection: String,
    /// What is allowed.
    pub access: CollectionAccess,
}

/// What a caller may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    Manage,
    /// Reading everything.
    Read,
    /// What the first rule that names a collection says of it. The others are not there for him.
    Collections(Vec<Rule>),
}

impl Access {
    /// Nothing at all.
    pub fn nothing() -> Self {
        Access::Collections(Vec::new())
    }

    /// Whether it reaches this far everywhere.
    ///
    /// # Errors
    /// [`Forbidden`](super::super::ErrorKind::Forbidden) where it does not.
    pub fn everywhere(&self, right: Right) -> Result<()> {
        match self {
            Access::Manage => Ok(()),
            Access::Read if right == Right::Read => Ok(()),
            Access::Read => Err(ServiceError::forbidden("Global manage access is required")),
            Access::Collections(_) => Err(ServiceError::forbidden("Global access is required")),
        }
    }

    /// Whether it reaches this far in a collection, by the name that a call gives.
    ///
    /// # Errors
    /// [`Forbidden`](super::super::ErrorKind::Forbidden) where it does not.
    pub fn on(&self, collection: &str, right: Right) -> Result<()> {
        let Access::Collections(rules) = self else {
            return self.everywhere(right);
        };
        let rule = rules.iter().find(|rule| rule.collection == collection);
        let most = rule.map(|rule| rule.access.most());
        let problem = match most {
            None => format!("Access to collection {collection} is required"),
            Some(most) if most >= right => return Ok(()),
            Some(_) if right == Right::Manage => "Global access is required".to_owned(),
            Some(Right::WritePoints) => {
                format!("Full write access to collection {collection} is required")
            }
            Some(Right::Read | Right::Write | Right::Manage) => {
                format!("Write access to collection {collection} is required")
            }
        };
        Err(ServiceError::forbidden(problem))
    }

    /// Whether a collection is there for the caller.
    pub fn sees(&self, collection: &str) -> bool {
        self.on(collection, Right::Read).is_ok()
    }

    /// Whether the caller may read where a query takes vectors from besides the collection it is asked of.
    ///
    /// # Errors
    /// [`Forbidden`](super::super::ErrorKind::Forbidden) where one of these collections is not his to read.
    pub fn lookups(&self, request: &QueryRequest) -> Result<()> {
        let mut froms = vec![&request.lookup_from];
        let mut prefetches: Vec<&Prefetch> = request.prefetch.iter().collect();
        while let Some(prefetch) = prefetches.pop() {
            froms.push(&prefetch.lookup_from);
            prefetches.extend(&prefetch.prefetch);
        }
        let mut froms = froms.into_iter().flatten();
        froms.try_for_each(|from| self.on(&from.collection, Right::Read))
    }
}

#[cfg(test)]
mod tests;
