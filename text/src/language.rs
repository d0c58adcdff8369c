//! Languages, by the names that Qdrant gives them, and which of them have what.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A language with a list of stop words, a Snowball stemmer, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the language that it is called after")]
pub enum Language {
    Arabic,
    Armenian,
    Azerbaijani,
    Basque,
    Bengali,
    Catalan,
    Chinese,
    Danish,
    Dutch,
    English,
    Finnish,
    French,
    German,
    Greek,
    Hebrew,
    /// Hindi in Latin letters, mixed with English.
    Hinglish,
    Hungarian,
    Indonesian,
    Italian,
    Japanese,
    Kazakh,
    Nepali,
    Norwegian,
    Portuguese,
    Romanian,
    Russian,
    Slovene,
    Spanish,
    Swedish,
    Tajik,
    Tamil,
    Turkish,
}

impl Language {
    /// Every language, in the order of their names.
    pub const ALL: [Self; 32] = [
        Self::Arabic,
        Self::Armenian,
        Self::Azerbaijani,
        Self::Basque,
        Self::Bengali,
        Self::Catalan,
        Self::Chinese,
        Self::Danish,
        Self::Dutch,
        Self::English,
        Self::Finnish,
        Self::French,
        Self::German,
        Self::Greek,
        Self::Hebrew,
        Self::Hinglish,
        Self::Hungarian,
        Self::Indonesian,
        Self::Italian,
        Self::Japanese,
        Self::Kazakh,
        Self::Nepali,
        Self::Norwegian,
        Self::Portuguese,
        Self::Romanian,
        Self::Russian,
        Self::Slovene,
        Self::Spanish,
        Self::Swedish,
        Self::Tajik,
        Self::Tamil,
        Self::Turkish,
    ];

    /// Its English name in lower case, which is what it is written as.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arabic => "arabic",
            Self::Armenian => "armenian",
            Self::Azerbaijani => "azerbaijani",
            Self::Basque => "basque",
            Self::Bengali => "bengali",
            Self::Catalan => "catalan",
            Self::Chinese => "chinese",
            Self::Danish => "danish",
            Self::Dutch => "dutch",
            Self::English => "english",
            Self::Finnish => "finnish",
            Self::French => "french",
            Self::German => "german",
            Self::Greek => "greek",
            Self::Hebrew => "hebrew",
            Self::Hinglish => "hinglish",
            Self::Hungarian => "hungarian",
            Self::Indonesian => "indonesian",
            Self::Italian => "italian",
            Self::Japanese => "japanese",
            Self::Kazakh => "kazakh",
            Self::Nepali => "nepali",
            Self::Norwegian => "norwegian",
            Self::Portuguese => "portuguese",
            Self::Romanian => "romanian",
            Self::Russian => "russian",
            Self::Slovene => "slovene",
            Self::Spanish => "spanish",
            Self::Swedish => "swedish",
            Self::Tajik => "tajik",
            Self::Tamil => "tamil",
            Self::Turkish => "turkish",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Language {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|language| language.name() == name);
        found.ok_or_else(|| Error::unknown(name, "language", Self::ALL.map(Self::name)))
    }
}
