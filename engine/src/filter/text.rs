//! What conditions on texts mean where there is a text index on their path.
//!
//! The index says which tokens a text has; a condition is compiled to the tokens that it wants. The same rules then make the
//! tokens of every payload that is asked, so that a point matches whether an index answers for it, or nothing but its payload.

mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vdb_storage::{
    ValueError,
    payload::{ObjectRef, ValueRef},
};
use vdb_text::{Analyzer, AnalyzerConfig, Scratch, Token};

use super::error::Undecided;
use super::eval::{PointSource, go_on};
use super::path::PathStep;
use super::walk::{any_value, find_value};

pub(crate) use tokens::Tokens;

/// To be raised when texts get other tokens than before from the same settings, so that indexes are built anew.
const TOKENS_VERSION: u32 = 1;

/// Which payload paths have indexes that say what texts at them mean. Paths are given by their canonical texts.
pub(crate) trait TextFields {
    /// How texts at a path become tokens; `None` when there is no text index on it.
    fn text_analysis(&self, path: &str) -> Option<&Arc<TextAnalysis>>;

    /// Whether there is an index of UUIDs on a path.
    fn has_uuids(&self, path: &str) -> bool;
}

/// How the texts of one index become tokens.
#[derive(Debug)]
pub(crate) struct TextAnalysis {
    analyzer: Analyzer,
    fingerprint: u32,
}

impl TextAnalysis {
    /// An analysis by these settings.
    ///
    /// # Errors
    /// As [`Analyzer::new`].
    pub(crate) fn new(config: &AnalyzerConfig) -> vdb_text::Result<Self> {
        Ok(Self {
            analyzer: Analyzer::new(config)?,
            fingerprint: fingerprint(config),
        })
    }

    /// The same for the same settings, and as good as never for others.
    pub(crate) fn fingerprint(&self) -> u32 {
        self.fingerprint
    }

    /// Calls `each` with the tokens of a stored text.
    pub(crate) fn each_token(&self, scratch: &mut Scratch, text: &str, each: impl FnMut(Token<'_>)) {
        self.analyzer.for_each_document_token(scratch, text, each);
    }

    /// The different tokens that a query is for, ascending.
    pub(crate) fn query_tokens(&self, text: &str) -> Vec<String> {
        let mut tokens = BTreeSet::new();
        self.analyzer
            .for_each_query_token(&mut Scratch::default(), text, |token| {
                if !tokens.contains(token.text) {
                    tokens.insert(token.text.to_owned());
                }
            });
        tokens.into_iter().collect()
    }

    /// The different tokens of a phrase, ascending, and how far each stands after the first.
    fn phrase_tokens(&self, text: &str) -> Vec<(String, Vec<u64>)> {
        let mut tokens: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let mut first = None;
        self.analyzer
            .for_each_query_token(&mut Scratch::default(), text, |token| {
                let at = token.position as u64;
                let place = at - *first.get_or_insert(at);
                match tokens.get_mut(token.text) {
                    Some(places) => places.push(place),
                    None => drop(tokens.insert(token.text.to_owned(), vec![place])),
                }
            });
        tokens.into_iter().collect()
    }

    /// Counts `tokens`, which ascend, in the texts at a path; `counts` has a place for each. Returns how many tokens the
    /// texts have together.
    ///
    /// # Errors
    /// The payload is damaged.
    pub(crate) fn count(
        &self,
        payload: ObjectRef<'_>,
        path: &[PathStep],
        tokens: &[String],
        counts: &mut [u32],
    ) -> Result<u32, ValueError> {
        let mut scratch = Scratch::default();
        let mut length = 0_u32;
        any_value(payload, path, &mut |value| {
            if let ValueRef::Str(text) = value {
                self.each_token(&mut scratch, text, |token| {
                    length = length.saturating_add(1);
                    if let Some(count) = place_of(tokens, token.text).and_then(|at| counts.get_mut(at)) {
                        *count = count.saturating_add(1);
                    }
                });
            }
            Ok(false)
        })?;
        Ok(length)
    }
}

/// A number for settings, which a file keeps.
fn fingerprint(config: &AnalyzerConfig) -> u32 {
    let AnalyzerConfig {
        tokenizer,
        min_token_len,
        max_token_len,
        lowercase,
        ascii_folding,
        stopwords,
        stemmer,
    } = config;
    let languages: Vec<&str> = stopwords
        .languages
        .iter()
        .map(|language| language.name())
        .collect();
    // Text that JSON quotes is never taken for what stands beside it.
    let all = serde_json::json!([
        TOKENS_VERSION,
        tokenizer.name(),
        min_token_len,
        max_token_len,
        lowercase,
        ascii_folding,
        languages,
        stopwords.custom,
        stemmer.map(vdb_text::Language::name),
    ]);
    crc32fast::hash(all.to_string().as_bytes())
}

/// What a condition asks of the texts at its path.
#[derive(Debug, Clone)]
pub(crate) struct TextTest {
    pub(crate) analysis: Arc<TextAnalysis>,
    pub(crate) wanted: Wanted,
}

/// Which tokens are wanted. Lists ascend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanted {
    /// A query without tokens finds nothing.
    Nothing,
    /// All of these, in whichever of the texts.
    All(Vec<String>),
    /// One of these.
    Any(Vec<String>),
    /// Each of these in one of the texts, as far after a common place as its numbers say.
    Phrase(Vec<(String, Vec<u64>)>),
}

impl Wanted {
    pub(super) fn all(analysis: &TextAnalysis, text: &str) -> Self {
        Self::unless_empty(analysis.query_tokens(text), Self::All)
    }

    pub(super) fn any(analysis: &TextAnalysis, text: &str) -> Self {
        Self::unless_empty(analysis.query_tokens(text), Self::Any)
    }

    pub(super) fn phrase(analysis: &TextAnalysis, text: &str) -> Self {
        Self::unless_empty(analysis.phrase_tokens(text), Self::Phrase)
    }

    fn unless_empty<T>(tokens: Vec<T>, make: impl FnOnce(Vec<T>) -> Self) -> Self {
        if tokens.is_empty() {
            Self::Nothing
        } else {
            make(tokens)
        }
    }

    /// How many tokens it lists.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::All(tokens) | Self::Any(tokens) => tokens.len(),
            Self::Phrase(tokens) => tokens.iter().map(|(_, places)| places.len()).sum(),
        }
    }
}

/// Starts of a phrase between two looks at whether to go on.
const STARTS: usize = 256;

/// Whether there is a phrase in a text of a point. `at` has a place for each of its tokens, for where the text has them.
fn has_phrase(
    analysis: &TextAnalysis,
    scratch: &mut Scratch,
    (text, point): (&str, &dyn PointSource),
    phrase: &[(String, Vec<u64>)],
    at: &mut [Vec<u64>],
) -> Result<bool, Undecided> {
    at.iter_mut().for_each(Vec::clear);
    analysis.each_token(scratch, text, |token| {
        let place = phrase.binary_search_by(|(wanted, _)| wanted.as_str().cmp(token.text));
        if let Some(at) = place.ok().and_then(|place| at.get_mut(place)) {
            at.push(token.position as u64);
        }
    });
    // From each place of the rarest token; positions ascend.
    let rarest = phrase.iter().zip(at.iter()).min_by_key(|(_, at)| at.len());
    let Some(((_, places), firsts)) = rarest else {
        return Ok(false);
    };
    let stands = |start: u64, places: &[u64], at: &[u64]| {
        let mut places = places.iter();
        places.all(|place| at.binary_search(&(start + place)).is_ok())
    };
    let offset = places.first().copied().unwrap_or_default();
    for firsts in firsts.chunks(STARTS) {
        go_on(point, 0)?;
        let mut starts = firsts.iter().filter_map(|first| first.checked_sub(offset));
        let found = starts.any(|start| {
            let mut all = phrase.iter().zip(at.iter());
            all.all(|((_, places), at)| stands(start, places, at))
        });
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

impl TextTest {
    /// Whether the test holds for the texts at a path, counted from `root`, which is in a point.
    pub(super) fn holds(
        &self,
        root: ObjectRef<'_>,
        path: &[PathStep],
        point: &dyn PointSource,
    ) -> Result<bool, Undecided> {
        let mut scratch = Scratch::default();
        match &self.wanted {
            Wanted::Nothing => Ok(false),
            Wanted::Any(tokens) => any_text(root, path, point, &mut |text| {
                let mut found = false;
                self.analysis.each_token(&mut scratch, text, |token| {
                    found |= place_of(tokens, token.text).is_some()
                });
                Ok(found)
            }),
            Wanted::All(tokens) => {
                let mut seen = vec![false; tokens.len()];
                let mut missing = tokens.len();
                any_text(root, path, point, &mut |text| {
                    self.analysis.each_token(&mut scratch, text, |token| {
                        let place = place_of(tokens, token.text).and_then(|at| seen.get_mut(at));
                        if let Some(seen) = place {
                            missing -= usize::from(!*seen);
                            *seen = true;
                        }
                    });
                    Ok(missing == 0)
                })
            }
            Wanted::Phrase(phrase) => {
                let mut at = vec![Vec::new(); phrase.len()];
                any_text(root, path, point, &mut |text| {
                    has_phrase(&self.analysis, &mut scratch, (text, point), phrase, &mut at)
                })
            }
        }
    }
}

/// Whether `accept` is true of some text at a path.
fn any_text(
    root: ObjectRef<'_>,
    path: &[PathStep],
    point: &dyn PointSource,
    accept: &mut dyn FnMut(&str) -> Result<bool, Undecided>,
) -> Result<bool, Undecided> {
    find_value(root, path, &mut |value| match value {
        ValueRef::Str(text) => {
            go_on(point, text.len())?;
            accept(text)
        }
        ValueRef::Null
        | ValueRef::Bool(_)
        | ValueRef::I64(_)
        | ValueRef::U64(_)
        | ValueRef::F64(_)
        | ValueRef::Array(_)
        | ValueRef::Object(_) => Ok(false),
    })
}

/// The place of a token in a list that ascends.
fn place_of(tokens: &[String], token: &str) -> Option<usize> {
    tokens.binary_search_by(|item| item.as_str().cmp(token)).ok()
}

#[cfg(test)]
mod tests;
