//! Indexes of texts: which rows have these tokens, how often, and where?
//!
//! A token is a key like a keyword, so that its rows are found, united and counted like those. What is new beside them: of
//! each row of a token how often it has it and at which positions; and of each row how many
//! tokens it has, and the rows in which two of the most frequent tokens stand side by side.
//!
//! | file | what it holds |
//! |---|---|
//! | `list.rs` | the rows of a token while an index is built |
//! | `bigrams.rs` | rows with two frequent tokens side by side |
//! | `builder.rs` | collects tokens, writes the file |
//! | `phrase.rs` | rows with a phrase |
//! | `query.rs` | rows with all of some tokens; occurrences |

mod bigrams;
pub(super) mod builder;
mod list;
mod phrase;
mod query;

#[cfg(test)]
mod tests;
