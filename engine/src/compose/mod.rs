//! What is asked for beyond the nearest points, and how are answers made of answers?
//!
//! ```text
//! QueryRequest -> check -> examples: ids become vectors
//!              -> run: prefetches first, each as a query of its own; their union is scored, fused or ordered anew
//!                      without prefetches: graph | one pass over all vectors | pages | payloads
//!              -> threshold, offset, limit -> payloads and vectors of what is returned
//! ```
//!
//! | file | what |
//! |---|---|
//! | `request.rs`, `kind.rs` | a query as it is asked for; the kinds of queries |
//! | `check.rs` | what can be refused without looking at a point |
//! | `narrow.rs` | filters that hold together |
//! | `examples.rs` | ids become vectors; which similarities a kind needs |
//! | `mean.rs` | means of vectors of each kind |
//! | `order.rs`, `sample.rs` | points by a payload value; a random sample |
//! | `value.rs`, `sort/` | single values of payloads; pages in the order of several |
//! | `run.rs` | one query and its prefetches |
//! | `answer.rs` | the page that is returned; several queries together |
//! | `groups.rs` | the best points of each value of a payload field |
//! | `facet.rs` | how many points have which value |
//! | `aggregate/` | what the values at a path come to |
//! | `matrix.rs` | which points of a sample are near each other |
//!
//! Costs, for `n` points that match: nearest points, average vectors and diverse results take a walk of the graph where there
//! is one. The other kinds with examples score all `n` by every example. Order, samples, facets and groups read something of
//! each of the `n`: a payload, or for samples the id alone. Fusion, formulas, and every query with prefetches look at what
//! the prefetches found and nothing else.

pub(crate) mod aggregate;
pub(crate) mod answer;
mod check;
mod examples;
pub(crate) mod facet;
pub(crate) mod groups;
pub(crate) mod kind;
pub(crate) mod matrix;
mod mean;
mod narrow;
pub(crate) mod order;
pub(crate) mod request;
mod run;
mod sample;
pub(crate) mod sort;
pub(crate) mod value;

pub(crate) use examples::{Lookup, Lookups};
