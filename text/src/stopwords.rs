//! Words that are left out: lists by language, and the caller's own.

use std::collections::HashSet;
use std::sync::OnceLock;

use crate::error::{Error, Result, list};
use crate::language::Language;
use crate::normalize::Normalizer;

/// The words of Japanese grammar that one or two characters write; the lists of the NLTK have no Japanese.
const JAPANESE: &[&str] = &[
    "の",
    "に",
    "は",
    "を",
    "が",
    "と",
    "で",
    "も",
    "へ",
    "や",
    "か",
    "ね",
    "よ",
    "た",
    "だ",
    "て",
    "な",
    "し",
    "れ",
    "さ",
    "から",
    "まで",
    "より",
    "など",
    "ので",
    "のに",
    "には",
    "では",
    "とは",
    "ても",
    "でも",
    "です",
    "ます",
    "する",
    "した",
    "して",
    "いる",
    "ある",
    "なる",
    "ない",
    "この",
    "その",
    "あの",
    "どの",
    "これ",
    "それ",
    "あれ",
    "どれ",
    "ここ",
    "そこ",
    "こと",
    "もの",
    "ため",
    "また",
    "および",
    "という",
    "として",
    "による",
    "において",
];

impl Language {
    /// Its stop words; `None` where there is no list.
    ///
    /// The lists are those of the Natural Language Toolkit, which has them from the Snowball project and from
    /// volunteers. Japanese has a short one of our own.
    pub fn stopwords(self) -> Option<&'static [&'static str]> {
        let code = match self {
            Self::Arabic => "ar",
            Self::Armenian => return None,
            Self::Azerbaijani => "az",
            Self::Basque => "eu",
            Self::Bengali => "bn",
            Self::Catalan => "ca",
            Self::Chinese => "zh",
            Self::Danish => "da",
            Self::Dutch => "nl",
            Self::English => "en",
            Self::Finnish => "fi",
            Self::French => "fr",
            Self::German => "de",
            Self::Greek => "el",
            Self::Hebrew => "he",
            Self::Hinglish => "hinglish",
            Self::Hungarian => "hu",
            Self::Indonesian => "id",
            Self::Italian => "it",
            Self::Japanese => return Some(JAPANESE),
            Self::Kazakh => "kk",
            Self::Nepali => "ne",
            Self::Norwegian => "no",
            Self::Portuguese => "pt",
            Self::Romanian => "ro",
            Self::Russian => "ru",
            Self::Slovene => "sl",
            Self::Spanish => "es",
            Self::Swedish => "sv",
            Self::Tajik => "tg",
            Self::Tamil => "ta",
            Self::Turkish => "tr",
        };
        stop_words::lookup(code)
    }
}

/// Words in the form that tokens have when they are compared with them.
type Words = HashSet<Box<str>>;

/// The lists of languages in every form that tokens can have, each made when it is first asked for and then there for all sets of
/// the process.
static LISTS: [[OnceLock<Words>; Normalizer::FORMS]; Language::ALL.len()] =
    [const { [const { OnceLock::new() }; Normalizer::FORMS] }; Language::ALL.len()];

/// The list of a language in the form that tokens have; `None` where there is no list.
fn list_of(language: Language, normalizer: Normalizer) -> Option<&'static Words> {
    let words = language.stopwords()?;
    let forms = LISTS.get(language as usize)?;
    let list = forms.get(normalizer.form())?;
    Some(list.get_or_init(|| normalized(words.iter().copied(), normalizer)))
}

fn normalized<'a>(words: impl IntoIterator<Item = &'a str>, normalizer: Normalizer) -> Words {
    let mut buffer = String::new();
    let mut set = Words::new();
    for word in words {
        let word = normalizer.apply(word, &mut buffer);
        if !set.contains(word) {
            set.insert(Box::from(word));
        }
    }
    set
}

/// Stop words: the lists of languages, and the caller's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct StopwordSet {
    lists: Vec<&'static Words>,
    own: Words,
}

impl StopwordSet {
    pub(crate) fn new<'a>(
        languages: impl IntoIterator<Item = Language>,
        custom: impl IntoIterator<Item = &'a str>,
        normalizer: Normalizer,
    ) -> Result<Self> {
        let named = |language: Language| {
            list_of(language, normalizer).ok_or_else(|| Error::NoResource {
                field: "stopwords",
                language: language.name(),
                what: "list of stop words",
                known: list(with_stopwords().map(Language::name)),
            })
        };
        Ok(Self {
            lists: languages.into_iter().map(named).collect::<Result<_>>()?,
            own: normalized(custom, normalizer),
        })
    }

    pub(crate) fn contains(&self, token: &str) -> bool {
        self.own.contains(token) || self.lists.iter().any(|list| list.contains(token))
    }
}

fn with_stopwords() -> impl Iterator<Item = Language> {
    Language::ALL
        .into_iter()
        .filter(|language| language.stopwords().is_some())
}

#[cfg(test)]
mod tests;
