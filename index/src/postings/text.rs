//! Indexes of texts: which rows have these tokens, how often, and where?
//!
//! A token is a key like a keyword, so that its rows are found, united and counted like those. What is new beside them: of
//! each row of a token how often it has it and at which positions; and of each row how many
//! tokens it has.
//!
//! | file | what it holds |
//! |---|---|
//! | `builder.rs` | collects tokens, writes the file |
//! | `phrase.rs` | rows with a phrase |
//! | `query.rs` | rows with all of some tokens; occurrences |

pub(super) mod builder;
mod phrase;
mod query;

#[cfg(test)]
mod tests;
