//! Stemming by the algorithms of the Snowball project (<https://snowballstem.org>).

use std::borrow::Cow;

use crate::error::{Error, Result, list};
use crate::language::Language;

/// A longer token is not stemmed: it is no word, and some of the algorithms copy it once a letter.
pub const MAX_STEMMED_BYTES: usize = 256;

/// A stemmer of one language.
///
/// `rust-stemmers` has most of them, in the versions that other search engines use, so that stems, and the token ids made
/// of them, agree. It lacks Armenian, and its Greek panics on words such as ισαισαν; these two are from
/// `waken_snowball`, which the compiler of the Snowball project made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stemmer {
    Rust(rust_stemmers::Algorithm),
    Waken(waken_snowball::Algorithm),
}

impl Stemmer {
    pub(crate) fn new(language: Language) -> Result<Self> {
        language.stemmer().ok_or_else(|| Error::NoResource {
            field: "stemmer",
            language: language.name(),
            what: "stemmer",
            known: list(with_stemmer().map(Language::name)),
        })
    }

    /// The stem of `token`, which the algorithms expect in lower case.
    pub(crate) fn stem<'a>(&self, token: &'a str) -> Cow<'a, str> {
        if token.len() > MAX_STEMMED_BYTES {
            return Cow::Borrowed(token);
        }
        match *self {
            Self::Rust(algorithm) => rust_stemmers::Stemmer::create(algorithm).stem(token),
            Self::Waken(algorithm) => waken_snowball::stem(algorithm, token),
        }
    }
}

impl Language {
    /// Whether there is a stemmer for it.
    pub fn has_stemmer(self) -> bool {
        self.stemmer().is_some()
    }

    fn stemmer(self) -> Option<Stemmer> {
        use rust_stemmers::Algorithm;

        Some(Stemmer::Rust(match self {
            Self::Arabic => Algorithm::Arabic,
            Self::Armenian => return Some(Stemmer::Waken(waken_snowball::Algorithm::Armenian)),
            Self::Danish => Algorithm::Danish,
            Self::Dutch => Algorithm::Dutch,
            Self::English => Algorithm::English,
            Self::Finnish => Algorithm::Finnish,
            Self::French => Algorithm::French,
            Self::German => Algorithm::German,
            Self::Greek => return Some(Stemmer::Waken(waken_snowball::Algorithm::Greek)),
            Self::Hungarian => Algorithm::Hungarian,
            Self::Italian => Algorithm::Italian,
            Self::Norwegian => Algorithm::Norwegian,
            Self::Portuguese => Algorithm::Portuguese,
            Self::Romanian => Algorithm::Romanian,
            Self::Russian => Algorithm::Russian,
            Self::Spanish => Algorithm::Spanish,
            Self::Swedish => Algorithm::Swedish,
            Self::Tamil => Algorithm::Tamil,
            Self::Turkish => Algorithm::Turkish,
            Self::Azerbaijani
            | Self::Basque
            | Self::Bengali
            | Self::Catalan
            | Self::Chinese
            | Self::Hebrew
            | Self::Hinglish
            | Self::Indonesian
            | Self::Japanese
            | Self::Kazakh
            | Self::Nepali
            | Self::Slovene
            | Self::Tajik => return None,
        }))
    }
}

fn with_stemmer() -> impl Iterator<Item = Language> {
    Language::ALL
        .into_iter()
        .filter(|language| language.has_stemmer())
}

#[cfg(test)]
mod tests;
