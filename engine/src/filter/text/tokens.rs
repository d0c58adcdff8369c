//! The tokens of a point's texts at one path, kept so that the texts need not be cut again.

use std::collections::BTreeMap;

use vdb_storage::{
    ValueError,
    payload::{ObjectRef, ValueRef},
};
use vdb_text::Scratch;

use super::{TextAnalysis, TextTest, Wanted};
use crate::filter::path::PathStep;
use crate::filter::walk::any_value;

/// Different tokens, how often each is there, and how many there are together.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// The tokens, ascending, one after the other.
    text: Box<str>,
    /// Of each where it ends in `text`, and how often it is there.
    each: Box<[(u32, u32)]>,
    length: u32,
}

impl Tokens {
    /// How many there are together.
    pub(crate) fn length(&self) -> u32 {
        self.length
    }

    /// How often a token is there.
    pub(crate) fn count(&self, token: &str) -> u32 {
        let (mut low, mut high) = (0, self.each.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let Some((found, count)) = self.at(middle) else {
                return 0;
            };
            match found.cmp(token) {
                std::cmp::Ordering::Equal => return count,
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        0
    }

    fn at(&self, place: usize) -> Option<(&str, u32)> {
        let &(end, count) = self.each.get(place)?;
        let start = match place.checked_sub(1) {
            Some(before) => self.each.get(before)?.0,
            None => 0,
        };
        Some((self.text.get(start as usize..end as usize)?, count))
    }

    /// About how much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.len() + size_of_val(&*self.each)
    }
}

impl TextAnalysis {
    /// The tokens of the texts at a path; `None` where they are too long to be kept.
    ///
    /// # Errors
    /// The payload is damaged.
    pub(crate) fn tokens(
        &self,
        payload: ObjectRef<'_>,
        path: &[PathStep],
    ) -> Result<Option<Tokens>, ValueError> {
        let mut scratch = Scratch::default();
        let mut counts: BTreeMap<Box<str>, u32> = BTreeMap::new();
        let mut length = 0_u32;
        any_value(payload, path, &mut |value| {
            if let ValueRef::Str(text) = value {
                self.each_token(&mut scratch, text, |token| {
                    length = length.saturating_add(1);
                    match counts.get_mut(token.text) {
                        Some(count) => *count = count.saturating_add(1),
                        None => drop(counts.insert(token.text.into(), 1)),
                    }
                });
            }
            Ok(false)
        })?;
        let mut text = String::new();
        let mut each = Vec::with_capacity(counts.len());
        for (token, count) in counts {
            text.push_str(&token);
            let Ok(end) = u32::try_from(text.len()) else {
                return Ok(None);
            };
            each.push((end, count));
        }
        Ok(Some(Tokens {
            text: text.into(),
            each: each.into(),
            length,
        }))
    }
}

impl TextTest {
    /// Whether the test holds for texts of these tokens; `None` where that depends on their order.
    pub(crate) fn holds_of(&self, tokens: &Tokens) -> Option<bool> {
        let has = |token: &String| tokens.count(token) > 0;
        match &self.wanted {
            Wanted::Nothing => Some(false),
            Wanted::All(wanted) => Some(wanted.iter().all(has)),
            Wanted::Any(wanted) => Some(wanted.iter().any(has)),
            Wanted::Phrase(phrase) => {
                let all_there = phrase.iter().all(|(token, _)| has(token));
                (!all_there).then_some(false)
            }
        }
    }
}

#[cfg(test)]
mod tests;
