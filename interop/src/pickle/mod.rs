//! Python pickles, read by an interpreter of our own that runs and imports nothing.
//!
//! A pickle is a program for a small stack machine, and Python's own machine can be made to call anything. Ours knows
//! the opcodes that build plain data, and objects of the classes of a [`Classes`] list; any other opcode or class is an
//! error that names it. Protocols 0 to 5 are read.
//!
//! ```text
//! file -> bytes.rs -> lexer.rs (opcodes) -> references.rs (first reading: which memo entries are fetched again)
//!                                        -> machine.rs (later readings: values; items of one list as they come)
//! ```
//!
//! The memo is what would keep a whole file in memory: an entry may be fetched by any later byte. So a first reading
//! looks at opcodes alone and counts how often each entry is fetched; the machine then keeps only those that are, until
//! the last time. What is counted is bounded, and so are values, depth, lengths and integers ([`Limits`]).
//!
//! | file | what |
//! |---|---|
//! | `error.rs` | [`PickleError`]: the byte, and what is wrong with it |
//! | `limits.rs` | [`Limits`] |
//! | `bytes.rs` | a file from its start, with every length checked against what is left |
//! | `integer.rs`, `text.rs` | integers of any size and strings, as pickles have them |
//! | `class.rs` | [`Classes`]: what objects may be of |
//! | `value.rs` | [`Value`] |
//! | `opcode.rs`, `lexer.rs` | opcodes with their arguments |
//! | `references.rs`, `memo.rs` | how often a memo entry is fetched; those that are still to be |
//! | `machine.rs`, `calls.rs` | the stack; what makes objects |
//! | `scalars.rs` | moments, and the numbers of NumPy |
//! | `writer.rs`, `plain.rs` | opcodes written; JSON as such |
//!
//! The opcodes are those of `Lib/pickletools.py` of CPython 3.14.

mod error;
mod limits;

mod bytes;
mod class;
mod integer;
mod text;

mod opcode;
mod value;

mod lexer;
mod references;

mod memo;
mod scalars;

mod calls;

mod machine;

mod writer;

mod plain;

pub use class::{Class, Classes, Kind};
pub use error::{PickleError, PickleProblem};
pub use limits::Limits;
pub use machine::{Event, Machine};
pub(crate) use plain::PlainWriter;
pub use references::References;
pub use value::{Dict, Items, Object, Value};
pub(crate) use writer::{Entry as MemoEntry, GROUP};

#[cfg(test)]
mod tests;
