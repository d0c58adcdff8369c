//! What a caller says about the tokens it wants.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::language::Language;

/// Stop words of the caller's own, at most.
pub const MAX_STOPWORDS: usize = 65_536;

/// Bytes of the caller's own stop words together, at most.
pub const MAX_STOPWORD_BYTES: usize = 1 << 20;

/// Characters of a word that [`Tokenizer::Prefix`] looks at, at most: a word has as many tokens as that.
pub const MAX_PREFIX_LEN: usize = 128;

/// How a text is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tokenizer {
    /// Words: letters and digits, with the marks on them. Everything else is between words.
    #[default]
    Word,
    /// What stands between white space, with its punctuation.
    Whitespace,
    /// The words of [`Word`](Self::Word), each with all its beginnings; of a word in a query only the longest beginning.
    Prefix,
    /// Words as the Unicode Standard Annex 29 finds them, and for scripts without spaces between words (Chinese,
    /// Japanese, Thai, Lao, Khmer, Burmese) single characters and pairs of neighbours.
    Multilingual,
}

impl Tokenizer {
    /// Every tokenizer.
    pub const ALL: [Self; 4] = [Self::Word, Self::Whitespace, Self::Prefix, Self::Multilingual];

    /// What it is written as.
    pub fn name(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Whitespace => "whitespace",
            Self::Prefix => "prefix",
            Self::Multilingual => "multilingual",
        }
    }
}

impl fmt::Display for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Tokenizer {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|tokenizer| tokenizer.name() == name);
        found.ok_or_else(|| Error::unknown(name, "tokenizer", Self::ALL.map(Self::name)))
    }
}

/// Words that are left out, of documents and queries alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stopwords {
    /// The lists of these languages.
    pub languages: BTreeSet<Language>,
    /// Words of the caller's own. Each is compared with whole tokens, so that one with a space in it fits none.
    pub custom: Vec<String>,
}

impl From<Language> for Stopwords {
    fn from(language: Language) -> Self {
        Self {
            languages: BTreeSet::from([language]),
            custom: Vec::new(),
        }
    }
}

/// Which tokens a text has. The default: words in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyzerConfig {
    /// How a text is cut.
    pub tokenizer: Tokenizer,
    /// Characters of a token, at least; shorter ones are left out. Not for the characters and pairs of
    /// [`Tokenizer::Multilingual`].
    pub min_token_len: Option<usize>,
    /// Characters of a token, at most; longer ones are left out, but [`Tokenizer::Prefix`] cuts them. Not for the
    /// characters and pairs of [`Tokenizer::Multilingual`].
    pub max_token_len: Option<usize>,
    /// Whether case makes no difference.
    pub lowercase: bool,
    /// Whether accents on Latin letters make no difference (ação = acao), nor ligatures (æ = ae, ß = ss).
    pub ascii_folding: bool,
    /// What is left out.
    pub stopwords: Stopwords,
    /// The language whose Snowball stemmer reduces words to their stems; without one they stay as they are.
    pub stemmer: Option<Language>,
}

impl Default for AnalyzerConfig {
    fn default() -> Self {
        Self {
            tokenizer: Tokenizer::Word,
            min_token_len: None,
            max_token_len: None,
            lowercase: true,
            ascii_folding: false,
            stopwords: Stopwords::default(),
            stemmer: None,
        }
    }
}

impl AnalyzerConfig {
    /// The default with the stop words and the stemmer of `language`, as far as there are any.
    pub fn for_language(language: Language) -> Self {
        Self {
            stopwords: language.stopwords().map(|_| language.into()).unwrap_or_default(),
            stemmer: language.has_stemmer().then_some(language),
            ..Self::default()
        }
    }

    /// Whether it can be used, as far as that is a matter of numbers. Languages are looked up by
    /// [`Analyzer::new`](crate::Analyzer::new).
    pub(crate) fn check(&self) -> Result<()> {
        let invalid = |field, value: usize, advice| {
            Err(Error::Invalid {
                field,
                value: value.to_string(),
                advice,
            })
        };
        if self.max_token_len == Some(0) {
            return invalid(
                "max_token_len",
                0,
                "no token is that short; leave it out to keep tokens of any length",
            );
        }
        let min = self.min_token_len.unwrap_or(0);
        if self.max_token_len.is_some_and(|max| min > max) {
            return invalid(
                "min_token_len",
                min,
                "it is above max_token_len, so that no token is left; lower it",
            );
        }
        if self.tokenizer == Tokenizer::Prefix && min > MAX_PREFIX_LEN {
            return invalid(
                "min_token_len",
                min,
                "the tokenizer prefix looks at 128 characters of a word; lower it",
            );
        }
        let custom = &self.stopwords.custom;
        let limits = [
            ("custom stop words", MAX_STOPWORDS, custom.len()),
            (
                "bytes of custom stop words",
                MAX_STOPWORD_BYTES,
                custom.iter().map(String::len).sum(),
            ),
        ];
        for (what, limit, given) in limits {
            if given > limit {
                return Err(Error::Limit { what, limit, given });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
