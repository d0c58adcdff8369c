//! What tokens are worth: Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond",
//! 2009), split so that the dot product of a query and a document is the score.
//!
//! A document's part needs nothing but the document and an expected length; how rare a token is in the collection, the
//! inverse document frequency, is what the sparse vector's `idf` modifier adds to the query's part.

use crate::analyzer::{Analyzer, Scratch};
use crate::config::AnalyzerConfig;
use crate::error::{Error, Result};
use crate::language::Language;
use crate::murmur3::murmur3_32;

/// How tokens are weighed. The default is for English: its stop words are left out, and words are stemmed.
#[derive(Clone, Debug, PartialEq)]
pub struct Bm25Config {
    /// How much a token counts that is there again, from 0 (nothing) to [`Self::MAX_K`] (as much as the first time).
    pub k: f64,
    /// How much a long document is held against it, from 0 (not at all) to 1.
    pub b: f64,
    /// Tokens that a document is expected to have, within [`Self::AVG_LEN`].
    pub avg_len: f64,
    /// Which tokens a text has.
    pub analyzer: AnalyzerConfig,
}

impl Bm25Config {
    /// The greatest [`k`](Self::k).
    pub const MAX_K: f64 = 1e6;
    /// The range of [`avg_len`](Self::avg_len).
    pub const AVG_LEN: std::ops::RangeInclusive<f64> = 1e-3..=1e9;

    /// The default, for another language: its stop words and its stemmer, as far as there are any. `None` does neither.
    pub fn for_language(language: Option<Language>) -> Self {
        Self {
            k: 1.2,
            b: 0.75,
            avg_len: 256.0,
            analyzer: language.map(AnalyzerConfig::for_language).unwrap_or_default(),
        }
    }

    fn check(&self) -> Result<()> {
        let fields = [
            (
                "k",
                self.k,
                0.0..=Self::MAX_K,
                "it must be a number from 0 to 1,000,000",
            ),
            ("b", self.b, 0.0..=1.0, "it must be a number from 0 to 1"),
            (
                "avg_len",
                self.avg_len,
                Self::AVG_LEN,
                "it must be a number from 0.001 to 1,000,000,000",
            ),
        ];
        for (field, value, range, advice) in fields {
            if !range.contains(&value) {
                return Err(Error::Invalid {
                    field,
                    value: value.to_string(),
                    advice,
                });
            }
        }
        Ok(())
    }
}

impl Default for Bm25Config {
    fn default() -> Self {
        Self::for_language(Some(Language::English))
    }
}

/// A sparse vector: the ids of tokens, ascending, each once, and their weights, finite and above 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenWeights {
    /// Ids of tokens.
    pub indices: Vec<u32>,
    /// The weight of each.
    pub values: Vec<f32>,
}

/// Turns texts into sparse vectors.
#[derive(Clone, Debug)]
pub struct Bm25 {
    analyzer: Analyzer,
    k: f64,
    b: f64,
    avg_len: f64,
}

impl Bm25 {
    /// A model that does what `config` says.
    ///
    /// # Errors
    /// A number is outside its range, or the analyzer's configuration is wrong.
    pub fn new(config: &Bm25Config) -> Result<Self> {
        config.check()?;
        Ok(Self {
            analyzer: Analyzer::new(&config.analyzer)?,
            k: config.k,
            b: config.b,
            avg_len: config.avg_len,
        })
    }

    /// The vector to store with a text: for each token `tf (k + 1) / (tf + k (1 - b + b length / avg_len))`, where `tf` is
    /// how often the text has it, and `length` how many tokens the text has. Tokens with the same id count as one token.
    pub fn document(&self, text: &str) -> TokenWeights {
        let mut ids = Vec::new();
        self.analyzer
            .for_each_document_token(&mut Scratch::default(), text, |token| {
                ids.push(token_id(token.text))
            });
        let relative = ids.len() as f64 / self.avg_len;
        let damping = self.k * (1.0 - self.b + self.b * relative);
        weigh(ids, |count| {
            let frequency = count as f64;
            (frequency * (self.k + 1.0) / (frequency + damping)) as f32
        })
    }

    /// The vector to search with: weight 1 for each token, however often the text has it.
    pub fn query(&self, text: &str) -> TokenWeights {
        let mut ids = Vec::new();
        self.analyzer
            .for_each_query_token(&mut Scratch::default(), text, |token| {
                ids.push(token_id(token.text))
            });
        weigh(ids, |_| 1.0)
    }
}

fn weigh(mut ids: Vec<u32>, weight: impl Fn(usize) -> f32) -> TokenWeights {
    ids.sort_unstable();
    let same = ids.chunk_by(|a, b| a == b);
    let (indices, values) = same.map(|same| (same[0], weight(same.len()))).unzip();
    TokenWeights { indices, values }
}

/// The id of a token in sparse vectors: the absolute value of its MurmurHash3 as a signed number, so 0 to 2^31, both
/// included. Two tokens in a vocabulary of 100,000 share an id with a chance of about 1 in 20,000 each.
pub fn token_id(token: &str) -> u32 {
    murmur3_32(token.as_bytes(), 0).cast_signed().unsigned_abs()
}

#[cfg(test)]
mod tests;
