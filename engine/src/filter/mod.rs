//! Which points does a caller want?
//!
//! ```text
//! JSON -- json --> Filter -- compile --> CompiledFilter -- eval --> does this point match?
//!            builders --^                       `--------- plan --> which rows of a segment can match?
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `error.rs` | what is wrong with a filter, and where |
//! | `path.rs` | payload paths: grammar, canonical text |
//! | `datetime.rs` | points in time as payloads spell them |
//! | `ast.rs` | filters as values, and their builders |
//! | `geo.rs` | positions and areas on the Earth |
//! | `slice.rs` | slices of the id space |
//! | `uuid.rs` | UUIDs as texts |
//! | `walk.rs` | the values at a path of an encoded payload |
//! | `text.rs`, `text/tokens.rs` | texts as the tokens of their index; tokens that are kept |
//! | `compile.rs` | limits checked, paths parsed, lists sorted |
//! | `json.rs` | Qdrant's JSON form, both ways |
//! | `eval.rs` | one point against a filter: the definition of what every condition means |
//! | `plan/` | the rows of a segment that can match, from its indexes |
//!
//! Knows the encoding of payloads ([`vdb_storage::payload`]), the indexes over them ([`vdb_index::postings`]) and the tokens
//! of texts ([`vdb_text`]), and nothing else of the engine.

mod ast;
mod compile;
mod datetime;
mod error;
mod eval;
mod geo;
mod json;
mod path;
mod plan;
mod slice;
mod text;
mod uuid;
mod walk;

#[cfg(test)]
pub(crate) mod fixture;

pub use ast::{Condition, Filter, Limits, MatchValue, MinShould, Predicate, ValueList};
pub use datetime::Datetime;
pub use error::FilterError;
pub use geo::{GeoBoundingBox, GeoPoint, GeoPolygon, GeoRadius};
pub use slice::Slice;

pub(crate) use compile::{CompiledFilter, FILTER_PATHS};
pub(crate) use error::Undecided;
pub(crate) use eval::{PointSource, go_on, number_of, values_of};
pub use path::{PathStep, PayloadPath};
pub(crate) use plan::{
    Candidates, IndexLookup, Required, candidates, estimate, plan_of_conditions, required,
};
pub use plan::{ConditionPlan, ServedBy};
pub(crate) use text::{TextAnalysis, TextFields, Tokens};
pub(crate) use uuid::canonical_uuid;
pub(crate) use walk::{any_node, find_node, find_value};
