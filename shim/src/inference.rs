//! Vectors made of texts: the model `qdrant/bm25`, which needs no weights and runs in the process. Others run elsewhere;
//! callers make their vectors before they call.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::Deserialize;
use serde_json::{Map, Value};
use vdb::{Control, Error, SparseVector};
use vdb_text::{AnalyzerConfig, Bm25, Bm25Config, Language, Stopwords};

/// The names of the model, in lower case.
const BM25: [&str; 2] = ["qdrant/bm25", "bm25"];

/// What a text is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Stored with a point: tokens count by how often the text has them.
    Document,
    /// Searched with: tokens count once.
    Query,
}

/// Why a text has no vector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InferenceError {
    /// There is no such model.
    #[error("model: {0}")]
    Model(String),
    /// An option is not known, or out of its range.
    #[error("options: {0}")]
    Options(String),
    /// The time of the request is over, or nobody waits for it any more.
    #[error("{0}")]
    Stopped(String),
}

/// The options of the model, as clients give them; others are not minded.
#[derive(Debug, Default, Deserialize)]
struct Options {
    k: Option<f64>,
    b: Option<f64>,
    avg_len: Option<f64>,
    tokenizer: Option<String>,
    language: Option<String>,
    lowercase: Option<bool>,
    ascii_folding: Option<bool>,
    stopwords: Option<GivenStopwords>,
    stemmer: Option<Stemmer>,
    min_token_len: Option<usize>,
    max_token_len: Option<usize>,
}

/// The list of a language, or lists of several and words of one's own.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected the name of a language, or an object of lists `languages` and `custom` of names and words"
)]
enum GivenStopwords {
    Language(String),
    Set {
        #[serde(default)]
        languages: Vec<String>,
        #[serde(default)]
        custom: Vec<String>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Stemmer {
    Snowball { language: String },
    None,
}

/// Makes vectors of the texts of one request. What their options say is made once, however many texts say the same.
#[derive(Debug, Default)]
pub struct Models<'a> {
    control: Option<Control<'a>>,
    /// By their options, as JSON.
    made: HashMap<String, Bm25>,
}

impl<'a> Models<'a> {
    /// For as long as `control` allows, which is asked before each text.
    pub fn within(control: &Control<'a>) -> Self {
        Models {
            control: Some(*control),
            made: HashMap::new(),
        }
    }

    /// The vector that a model makes of a text.
    ///
    /// # Errors
    /// When there is no such model, an option is out of its range, or the request has to end.
    pub fn embed(
        &mut self,
        model: &str,
        text: &str,
        options: Map<String, Value>,
        role: Role,
    ) -> Result<SparseVector, InferenceError> {
        let known = BM25.iter().any(|name| name.eq_ignore_ascii_case(model));
        if !known {
            return Err(InferenceError::Model(unknown_model(model)));
        }
        self.go_on()?;
        let options = Value::Object(options);
        let bm25 = match self.made.entry(options.to_string()) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(free) => free.insert(bm25(options).map_err(InferenceError::Options)?),
        };
        let weights = match role {
            Role::Document => bm25.document(text),
            Role::Query => bm25.query(text),
        };
        Ok(SparseVector::new(weights.indices, weights.values))
    }

    /// Ends the work where nobody waits for it.
    fn go_on(&self) -> Result<(), InferenceError> {
        let Some(control) = self.control.filter(Control::is_cancelled) else {
            return Ok(());
        };
        let why = control
            .timed_out()
            .map_or(Error::Cancelled, |limit| Error::Timeout {
                doing: "making vectors of texts",
                limit,
            });
        Err(InferenceError::Stopped(why.to_string()))
    }
}

/// What is said of a model that is not there.
pub(crate) fn unknown_model(model: &str) -> String {
    let cut: String = model.chars().take(64).collect();
    format!("there is no model {cut:?}, only qdrant/bm25 for texts; send the vector in its place")
}

fn bm25(options: Value) -> Result<Bm25, String> {
    let options: Options = serde_json::from_value(options).map_err(|error| error.to_string())?;
    let language = match options.language.as_deref() {
        None => Some(Language::English),
        Some("none") => None,
        Some(name) => Some(language(name)?),
    };
    let mut config = Bm25Config::for_language(language);
    config.k = options.k.unwrap_or(config.k);
    config.b = options.b.unwrap_or(config.b);
    config.avg_len = options.avg_len.unwrap_or(config.avg_len);
    let analyzer: &mut AnalyzerConfig = &mut config.analyzer;
    if let Some(name) = options.tokenizer {
        analyzer.tokenizer = name.parse().map_err(|error: vdb_text::Error| error.to_string())?;
    }
    analyzer.lowercase = options.lowercase.unwrap_or(analyzer.lowercase);
    analyzer.ascii_folding = options.ascii_folding.unwrap_or(analyzer.ascii_folding);
    analyzer.min_token_len = options.min_token_len.or(analyzer.min_token_len);
    analyzer.max_token_len = options.max_token_len.or(analyzer.max_token_len);
    match options.stopwords {
        None => {}
        Some(GivenStopwords::Language(name)) => analyzer.stopwords = self::language(&name)?.into(),
        Some(GivenStopwords::Set { languages, custom }) => {
            let languages = languages.iter().map(|name| self::language(name));
            analyzer.stopwords = Stopwords {
                languages: languages.collect::<Result<_, _>>()?,
                custom,
            };
        }
    }
    match options.stemmer {
        None => {}
        Some(Stemmer::None) => analyzer.stemmer = None,
        Some(Stemmer::Snowball { language }) => analyzer.stemmer = Some(self::language(&language)?),
    }
    Bm25::new(&config).map_err(|error| error.to_string())
}

fn language(name: &str) -> Result<Language, String> {
    name.parse().map_err(|error: vdb_text::Error| error.to_string())
}

#[cfg(test)]
mod tests;
