//! The first reading: which memo entries are fetched again, and how often.

use std::collections::HashMap;
use std::io::{Read, Seek};

use super::bytes::Bytes;
use super::error::{PickleError, PickleProblem};
use super::lexer;
use super::limits::Limits;
use super::opcode::Op;

/// How often the memo entries of a pickle are fetched. Most never are.
#[derive(Debug, Default)]
pub struct References {
    fetched: HashMap<u64, u32>,
}

impl References {
    /// Reads `reader` from its start up to the end of the pickle, looking at opcodes alone.
    ///
    /// # Errors
    /// Where there is an opcode that is not followed, a length that cannot be, an entry that is fetched before it is made,
    /// or no end.
    pub fn scan<R: Read + Seek>(reader: R, limits: &Limits) -> Result<(References, R), PickleError> {
        let mut bytes = Bytes::new(reader).map_err(|problem| problem.at(0))?;
        let mut references = References::default();
        let mut entries = 0;
        loop {
            let offset = bytes.position();
            let op = lexer::next(&mut bytes, limits, true).map_err(|problem| problem.at(offset))?;
            match op {
                Op::Stop => return Ok((references, bytes.into_inner())),
                Op::Put(_) | Op::Memoize => entries += 1,
                Op::Get(index) if index < entries => {
                    let count = references.fetched.entry(index).or_default();
                    *count = count.saturating_add(1);
                    if references.fetched.len() > limits.references {
                        let (what, limit) = ("shared values", limits.references as u64);
                        return Err(PickleProblem::Limit { what, limit }.at(offset));
                    }
                }
                Op::Get(index) => return Err(PickleProblem::NoEntry { index }.at(offset)),
                Op::Push(_)
                | Op::Nothing
                | Op::Mark
                | Op::EmptyList
                | Op::EmptyDict
                | Op::EmptySet
                | Op::EmptyTuple
                | Op::List
                | Op::Dict
                | Op::Tuple
                | Op::TupleOf(_)
                | Op::Append
                | Op::Appends
                | Op::SetItem
                | Op::SetItems
                | Op::AddItems
                | Op::Global(..)
                | Op::StackGlobal
                | Op::NewObject
                | Op::Reduce
                | Op::Build => {}
            }
        }
    }

    /// How often an entry is fetched.
    pub(super) fn count(&self, index: u64) -> u32 {
        self.fetched.get(&index).copied().unwrap_or(0)
    }
}
