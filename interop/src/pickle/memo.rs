//! Memo entries that are still to be fetched.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::{Outcome, PickleProblem};
use super::limits::Limits;
use super::references::References;
use super::value::Value;

/// What the machine keeps of the memo.
#[derive(Debug)]
pub(super) struct Memo {
    references: Arc<References>,
    /// Entries made so far, kept or not.
    made: u64,
    live: HashMap<u64, Entry>,
    bytes: u64,
}

#[derive(Debug)]
struct Entry {
    /// `None` while the value is on the stack, at this place.
    value: Option<Value>,
    place: usize,
    /// How often it is still fetched.
    left: u32,
}

impl Memo {
    pub(super) fn new(references: Arc<References>) -> Memo {
        Memo {
            references,
            made: 0,
            live: HashMap::new(),
            bytes: 0,
        }
    }

    /// The next index, or the one that `PUT` says. Python numbers entries in their order.
    /// What is fetched later is at `place` of the stack.
    pub(super) fn make(&mut self, asked: Option<u64>, place: usize) -> Outcome<Option<u64>> {
        let index = self.made;
        if asked.is_some_and(|asked| asked != index) {
            return Err(PickleProblem::Malformed("memo entries are not numbered in their order"));
        }
        self.made += 1;
        let left = self.references.count(index);
        if left == 0 {
            return Ok(None);
        }
        let value = None;
        self.live.insert(index, Entry { value, place, left });
        Ok(Some(index))
    }

    /// Gives an entry its value, which is complete.
    pub(super) fn fill(&mut self, index: u64, value: &Value, limits: &Limits) -> Outcome<()> {
        if let Some(entry) = self.live.get_mut(&index) {
            entry.value = Some(value.clone());
            self.bytes = self.bytes.saturating_add(value.extent().bytes);
            if self.bytes > limits.value_bytes {
                let limit = limits.value_bytes;
                return Err(PickleProblem::Limit {
                    what: "bytes of shared values",
                    limit,
                });
            }
        }
        Ok(())
    }

    /// Where the value of an entry is on the stack, if it is there.
    pub(super) fn on_stack(&self, index: u64) -> Option<usize> {
        let entry = self.live.get(&index)?;
        entry.value.is_none().then_some(entry.place)
    }

    pub(super) fn fetch(&mut self, index: u64) -> Outcome<Value> {
        let entry = self.live.get_mut(&index).ok_or(PickleProblem::NoEntry { index })?;
        let value = entry.value.clone().ok_or(PickleProblem::NoEntry { index })?;
        // A count that ran full is not known: such an entry stays.
        if entry.left != u32::MAX {
            entry.left = entry.left.saturating_sub(1);
        }
        if entry.left == 0 {
            self.live.remove(&index);
            self.bytes = self.bytes.saturating_sub(value.extent().bytes);
        }
        Ok(value)
    }
}
