//! What score does a caller's own formula give a point?
//!
//! | file | what |
//! |---|---|
//! | `ast.rs` | formulas as values, and their builders |
//! | `compile.rs` | limits checked, paths parsed, defaults put in their places |
//! | `eval.rs` | one point's score |
//!
//! Knows filters, for conditions, and nothing else of the engine.

mod ast;
mod compile;
mod eval;

pub use ast::{Decay, Expression, Formula, Variable};
pub(crate) use compile::CompiledFormula;
pub(crate) use eval::Subject;
