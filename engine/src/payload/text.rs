//! How an index of texts, or a model of them, makes tokens: what was given, and its JSON form.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use vdb_storage::schema::{StemmerRecord, StopwordsRecord, TextOptionsRecord};
use vdb_text::{AnalyzerConfig, Language, Stopwords, Tokenizer};

use crate::error::{Error, Result};

/// How texts become tokens. What is not given is as it is by default, and is told as not given.
///
/// ```
/// use serde_json::json;
/// use vdb::{PayloadIndexParams, text::Tokenizer};
///
/// let params = PayloadIndexParams::from_json(&json!({
///     "type": "text", "tokenizer": "word", "stopwords": "english",
///     "stemmer": {"type": "snowball", "language": "english"}, "phrase_matching": true,
/// }))?;
/// assert_eq!(params.options.unwrap().text.tokenizer, Some(Tokenizer::Word));
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextOptions {
    /// How a text is cut; into words by default.
    pub tokenizer: Option<Tokenizer>,
    /// Characters of a token, at least; shorter ones are left out.
    pub min_token_len: Option<usize>,
    /// Characters of a token, at most; longer ones are left out.
    pub max_token_len: Option<usize>,
    /// Whether case makes no difference, as by default.
    pub lowercase: Option<bool>,
    /// Whether accents on Latin letters make no difference; they do by default.
    pub ascii_folding: Option<bool>,
    /// Words that are left out, of texts and of queries; none by default.
    pub stopwords: Option<StopwordsOption>,
    /// What words are reduced to their stems by; nothing by default.
    pub stemmer: Option<StemmerOption>,
}

/// Words that are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopwordsOption {
    /// Those of a language.
    Language(Language),
    /// Those of languages, and others.
    Set {
        /// The languages.
        languages: Option<Vec<Language>>,
        /// Words of the caller's own.
        custom: Option<Vec<String>>,
    },
}

/// What words are reduced to their stems by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StemmerOption {
    /// Nothing.
    None,
    /// The Snowball stemmer of a language.
    Snowball(Language),
}

/// An error of the texts' configuration, as one of a request.
pub(crate) fn refused(error: vdb_text::Error) -> Error {
    Error::InvalidRequest(format!("tokens of texts: {error}"))
}

fn invalid(what: impl Into<String>) -> Error {
    Error::InvalidRequest(what.into())
}

/// The keys of the JSON form that are no switches.
pub(super) const KEYS: [&str; 5] = [
    "tokenizer",
    "min_token_len",
    "max_token_len",
    "stopwords",
    "stemmer",
];

impl TextOptions {
    /// What there is besides the switches, by name: the options of an index of another kind have none of it.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            self.tokenizer.is_some(),
            self.min_token_len.is_some(),
            self.max_token_len.is_some(),
            self.stopwords.is_some(),
            self.stemmer.is_some(),
        ];
        KEYS.into_iter()
            .zip(given)
            .find(|(_, given)| *given)
            .map(|(key, _)| key)
    }

    /// Takes the option `key`; false when it is none of these.
    pub(crate) fn read(&mut self, key: &str, value: &Value) -> Result<bool> {
        match key {
            "tokenizer" => self.tokenizer = Some(name(key, value)?.parse().map_err(refused)?),
            "min_token_len" => self.min_token_len = Some(length(key, value)?),
            "max_token_len" => self.max_token_len = Some(length(key, value)?),
            "lowercase" => self.lowercase = Some(switch(key, value)?),
            "ascii_folding" => self.ascii_folding = Some(switch(key, value)?),
            "stopwords" => self.stopwords = Some(StopwordsOption::from_json(value)?),
            "stemmer" => self.stemmer = Some(StemmerOption::from_json(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Adds what was given to a JSON object, the switches left out.
    pub(super) fn write(&self, map: &mut Map<String, Value>) {
        let values = [
            self.tokenizer.map(|tokenizer| tokenizer.name().into()),
            self.min_token_len.map(Value::from),
            self.max_token_len.map(Value::from),
            self.stopwords.as_ref().map(StopwordsOption::to_json),
            self.stemmer.map(StemmerOption::to_json),
        ];
        for (key, value) in KEYS.into_iter().zip(values) {
            if let Some(value) = value {
                map.insert(key.to_owned(), value);
            }
        }
    }

    /// `config` with what was given in the place of what it says.
    pub(crate) fn over(&self, config: AnalyzerConfig) -> AnalyzerConfig {
        AnalyzerConfig {
            tokenizer: self.tokenizer.unwrap_or(config.tokenizer),
            min_token_len: self.min_token_len.or(config.min_token_len),
            max_token_len: self.max_token_len.or(config.max_token_len),
            lowercase: self.lowercase.unwrap_or(config.lowercase),
            ascii_folding: self.ascii_folding.unwrap_or(config.ascii_folding),
            stopwords: match &self.stopwords {
                Some(stopwords) => stopwords.set(),
                None => config.stopwords,
            },
            stemmer: match self.stemmer {
                Some(StemmerOption::Snowball(language)) => Some(language),
                Some(StemmerOption::None) => None,
                None => config.stemmer,
            },
        }
    }

    /// The form in the manifest, the switches left out.
    pub(super) fn to_record(&self) -> TextOptionsRecord {
        let name = |language: Language| language.name().to_owned();
        TextOptionsRecord {
            tokenizer: self.tokenizer.map(|tokenizer| tokenizer.name().to_owned()),
            min_token_len: self.min_token_len.map(|length| length as u64),
            max_token_len: self.max_token_len.map(|length| length as u64),
            stopwords: self.stopwords.as_ref().map(|stopwords| match stopwords {
                StopwordsOption::Language(language) => StopwordsRecord::Language(name(*language)),
                StopwordsOption::Set { languages, custom } => StopwordsRecord::Set {
                    languages: languages
                        .as_ref()
                        .map(|languages| languages.iter().copied().map(name).collect()),
                    custom: custom.clone(),
                },
            }),
            stemmer: self.stemmer.map(|stemmer| match stemmer {
                StemmerOption::None => StemmerRecord::None,
                StemmerOption::Snowball(language) => StemmerRecord::Snowball(name(language)),
            }),
        }
    }

    /// From the form in the manifest, `None` when it has what there is not.
    pub(super) fn from_record(record: &TextOptionsRecord) -> Option<Self> {
        let length = |length: Option<u64>| length.map(usize::try_from).transpose().ok();
        let language = |name: &String| name.parse::<Language>().ok();
        let tokenizer = record.tokenizer.as_deref().map(str::parse);
        let stopwords = record.stopwords.as_ref().map(|stopwords| {
            Some(match stopwords {
                StopwordsRecord::Language(name) => StopwordsOption::Language(language(name)?),
                StopwordsRecord::Set { languages, custom } => StopwordsOption::Set {
                    languages: match languages {
                        Some(names) => Some(names.iter().map(language).collect::<Option<_>>()?),
                        None => None,
                    },
                    custom: custom.clone(),
                },
            })
        });
        let stemmer = record.stemmer.as_ref().map(|stemmer| {
            Some(match stemmer {
                StemmerRecord::None => StemmerOption::None,
                StemmerRecord::Snowball(name) => StemmerOption::Snowball(language(name)?),
            })
        });
        // What is there and cannot be read makes the whole unreadable.
        Some(Self {
            tokenizer: tokenizer.transpose().ok()?,
            min_token_len: length(record.min_token_len)?,
            max_token_len: length(record.max_token_len)?,
            lowercase: None,
            ascii_folding: None,
            stopwords: match stopwords {
                Some(stopwords) => Some(stopwords?),
                None => None,
            },
            stemmer: match stemmer {
                Some(stemmer) => Some(stemmer?),
                None => None,
            },
        })
    }
}

impl StopwordsOption {
    fn set(&self) -> Stopwords {
        match self {
            Self::Language(language) => (*language).into(),
            Self::Set { languages, custom } => Stopwords {
                languages: languages.iter().flatten().copied().collect::<BTreeSet<_>>(),
                custom: custom.clone().unwrap_or_default(),
            },
        }
    }

    fn from_json(value: &Value) -> Result<Self> {
        let expected = "stopwords: expected a language, or an object with `languages` and `custom`";
        let map = match value {
            Value::String(language) => return Ok(Self::Language(language.parse().map_err(refused)?)),
            Value::Object(map) => map,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                return Err(invalid(expected));
            }
        };
        let (mut languages, mut custom) = (None, None);
        for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
            let list = value.as_array().map(|list| list.iter().map(Value::as_str));
            let list: Option<Vec<&str>> = list.and_then(Iterator::collect);
            let list = list.ok_or_else(|| invalid(format!("stopwords.{key}: expected a list of strings")))?;
            match key.as_str() {
                "languages" => {
                    let parsed = list.into_iter().map(str::parse).collect::<Result<_, _>>();
                    languages = Some(parsed.map_err(refused)?);
                }
                "custom" => custom = Some(list.into_iter().map(str::to_owned).collect()),
                _ => return Err(invalid(format!("{expected}; not {key:?}"))),
            }
        }
        Ok(Self::Set { languages, custom })
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Language(language) => language.name().into(),
            Self::Set { languages, custom } => {
                let mut map = Map::new();
                if let Some(languages) = languages {
                    let names: Vec<_> = languages.iter().map(|language| language.name()).collect();
                    map.insert("languages".to_owned(), names.into());
                }
                if let Some(custom) = custom {
                    map.insert("custom".to_owned(), custom.clone().into());
                }
                map.into()
            }
        }
    }
}

impl StemmerOption {
    fn from_json(value: &Value) -> Result<Self> {
        match (
            value.get("type").and_then(Value::as_str),
            value.get("language").and_then(Value::as_str),
        ) {
            (Some("none"), None) => Ok(Self::None),
            (Some("snowball"), Some(language)) => Ok(Self::Snowball(language.parse().map_err(refused)?)),
            _ => Err(invalid(
                "stemmer: expected {\"type\": \"snowball\", \"language\": a language} or {\"type\": \"none\"}",
            )),
        }
    }

    fn to_json(self) -> Value {
        match self {
            Self::None => json!({"type": "none"}),
            Self::Snowball(language) => json!({"type": "snowball", "language": language.name()}),
        }
    }
}

fn name<'v>(key: &str, value: &'v Value) -> Result<&'v str> {
    value
        .as_str()
        .ok_or_else(|| invalid(format!("option {key}: expected a name")))
}

fn switch(key: &str, value: &Value) -> Result<bool> {
    let found = value.as_bool();
    found.ok_or_else(|| invalid(format!("option {key}: expected true or false")))
}

fn length(key: &str, value: &Value) -> Result<usize> {
    let found = value.as_u64().and_then(|length| usize::try_from(length).ok());
    found.ok_or_else(|| invalid(format!("option {key}: expected a whole number of characters")))
}
