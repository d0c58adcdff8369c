//! Sparse vectors of texts, by BM25: what Qdrant calls the model `qdrant/bm25`.
//!
//! [`Bm25::document`] makes the vector that is stored with a text, [`Bm25::query`] the one that is searched with: their dot
//! product, with the modifier `idf` on the vector, is the BM25 score. No index of payloads is needed, and the collection may be
//! any that has sparse vectors; what is worth a query by the text itself is [`Query::Text`](crate::Query::Text).
//!
//! ```
//! use vdb::bm25::{Bm25, Options, token_id};
//!
//! let bm25 = Bm25::new(&Options::default())?;
//! let document = bm25.document("The quick foxes, jumping over foxes.");
//! let query = bm25.query("a fox");
//! assert_eq!(query.indices, [token_id("fox")]);
//! assert_eq!(query.values, [1.0]);
//! let at = document.indices.binary_search(&token_id("fox")).unwrap();
//! assert!(document.values[at] > document.values[1 - at.min(1)]);
//! # Ok::<_, vdb::Error>(())
//! ```

use serde_json::Value;
use vdb_text::{AnalyzerConfig, Bm25Config, Language};

use crate::error::{Error, Result};
use crate::payload::{TextOptions, refused_text};

pub use vdb_text::{TokenWeights, token_id};

/// How texts become sparse vectors. The default is for English.
///
/// ```
/// use serde_json::json;
/// use vdb::bm25::{Bm25, Options};
///
/// let options = Options::from_json(&json!({"language": "german", "avg_len": 40, "ascii_folding": true}))?;
/// assert_eq!(Bm25::new(&options)?.query("Häuser").indices, Bm25::new(&options)?.query("hauser").indices);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How much a token counts that is there again, from 0 (nothing) to 1,000,000 (as much as the first time).
    pub k: f64,
    /// How much a long document is held against it, from 0 (not at all) to 1.
    pub b: f64,
    /// Tokens that a document is expected to have, from 0.001 to 1,000,000,000.
    pub avg_len: f64,
    /// Whose stop words are left out, and whose stemmer is used, as far as there are any; `None` does neither.
    pub language: Option<Language>,
    /// What is otherwise than the language says.
    pub text: TextOptions,
}

impl Default for Options {
    fn default() -> Self {
        let Bm25Config { k, b, avg_len, .. } = Bm25Config::default();
        Self {
            k,
            b,
            avg_len,
            language: Some(Language::English),
            text: TextOptions::default(),
        }
    }
}

impl Options {
    /// Reads the options that Qdrant's clients send with a document; null is none. The language `"none"` is no language.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for another shape, for keys and names that are not known. Numbers are checked by
    /// [`Bm25::new`].
    pub fn from_json(value: &Value) -> Result<Self> {
        let invalid = |what: String| Error::InvalidRequest(format!("options of bm25: {what}"));
        let mut options = Self::default();
        let map = match value {
            Value::Null => return Ok(options),
            Value::Object(map) => map,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(invalid("expected an object".to_owned()));
            }
        };
        for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
            let number = || {
                value
                    .as_f64()
                    .ok_or_else(|| invalid(format!("{key}: expected a number")))
            };
            match key.as_str() {
                "k" => options.k = number()?,
                "b" => options.b = number()?,
                "avg_len" => options.avg_len = number()?,
                "language" => {
                    let name = value.as_str();
                    let name = name.ok_or_else(|| invalid("language: expected a name".to_owned()))?;
                    options.language = match name {
                        "none" => None,
                        name => Some(name.parse().map_err(refused_text)?),
                    };
                }
                _ => {
                    if !options.text.read(key, value)? {
                        return Err(invalid(format!("{key:?} is none")));
                    }
                }
            }
        }
        Ok(options)
    }
}

/// Turns texts into sparse vectors.
#[derive(Clone, Debug)]
pub struct Bm25(vdb_text::Bm25);

impl Bm25 {
    /// A model that does what `options` say.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when a number is outside its range, or there is no stemmer or list of stop words for a
    /// language that is asked for by name.
    pub fn new(options: &Options) -> Result<Self> {
        let analyzer = options
            .language
            .map(AnalyzerConfig::for_language)
            .unwrap_or_default();
        let config = Bm25Config {
            k: options.k,
            b: options.b,
            avg_len: options.avg_len,
            analyzer: options.text.over(analyzer),
        };
        vdb_text::Bm25::new(&config).map(Self).map_err(refused_text)
    }

    /// The vector to store with a text: for each token `tf (k + 1) / (tf + k (1 - b + b length / avg_len))`, where `tf` is
    /// how often the text has it, and `length` how many tokens the text has.
    #[must_use]
    pub fn document(&self, text: &str) -> TokenWeights {
        self.0.document(text)
    }

    /// The vector to search with: weight 1 for each token, however often the text has it.
    #[must_use]
    pub fn query(&self, text: &str) -> TokenWeights {
        self.0.query(text)
    }
}

#[cfg(test)]
mod tests;
