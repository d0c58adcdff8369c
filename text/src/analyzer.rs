//! From a text to its tokens.

use std::borrow::Cow;

use crate::config::{AnalyzerConfig, MAX_PREFIX_LEN, Tokenizer};
use crate::error::Result;
use crate::normalize::Normalizer;
use crate::split::{self, Piece};
use crate::stem::Stemmer;
use crate::stopwords::StopwordSet;

/// One token of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is compared by; never empty.
    pub text: &'a str,
    /// Its place among the words that were kept, from 0. The beginnings of one word share it; in scripts without spaces
    /// each character takes one, and a pair has that of its first.
    pub position: usize,
}

/// Memory that is used from one text to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    token: String,
}

/// A text to be found, or one to find others by: some tokenizers treat them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Document,
    Query,
}

/// Finds the tokens of texts, as an [`AnalyzerConfig`] says.
///
/// Each word goes through these steps, in this order: it is cut out of the text; made lower case; folded; left out if it is
/// a stop word; reduced to its stem; left out if the stem is too short or too long. So stop words are compared before
/// stemming, in the form (case, accents) that tokens have then, and lengths are those of what is stored. [`Tokenizer::Prefix`]
/// takes beginnings of what the steps have left.
///
/// The tokens of a text as a query are among those it has as a document, at the same positions. So a query finds a document
/// if the document has all its tokens, and as a phrase if it has them at the same distances.
#[derive(Clone, Debug)]
pub struct Analyzer {
    tokenizer: Tokenizer,
    normalizer: Normalizer,
    stopwords: StopwordSet,
    stemmer: Option<Stemmer>,
    min: usize,
    max: usize,
}

impl Analyzer {
    /// An analyzer that does what `config` says.
    ///
    /// # Errors
    /// A language lacks what it is named for, lengths leave no token, or there are too many stop words.
    pub fn new(config: &AnalyzerConfig) -> Result<Self> {
        config.check()?;
        let normalizer = Normalizer {
            lowercase: config.lowercase,
            folding: config.ascii_folding,
            is_cut: config.tokenizer == Tokenizer::Prefix,
        };
        let languages = config.stopwords.languages.iter().copied();
        let custom = config.stopwords.custom.iter().map(String::as_str);
        Ok(Self {
            tokenizer: config.tokenizer,
            normalizer,
            stopwords: StopwordSet::new(languages, custom, normalizer)?,
            stemmer: config.stemmer.map(Stemmer::new).transpose()?,
            min: config.min_token_len.unwrap_or(0).max(1),
            max: config.max_token_len.unwrap_or(usize::MAX),
        })
    }

    /// Calls `each` with the tokens that `text` is found by, in ascending positions.
    pub fn for_each_document_token(
        &self,
        scratch: &mut Scratch,
        text: &str,
        mut each: impl FnMut(Token<'_>),
    ) {
        self.analyze(scratch, text, Side::Document, &mut each);
    }

    /// Calls `each` with the tokens that a document must have for `text` to find it, in ascending positions.
    pub fn for_each_query_token(&self, scratch: &mut Scratch, text: &str, mut each: impl FnMut(Token<'_>)) {
        self.analyze(scratch, text, Side::Query, &mut each);
    }

    fn analyze(&self, scratch: &mut Scratch, text: &str, side: Side, each: &mut dyn FnMut(Token<'_>)) {
        let cut = match self.tokenizer {
            Tokenizer::Word | Tokenizer::Prefix => split::words,
            Tokenizer::Whitespace => split::fields,
            Tokenizer::Multilingual => split::words_and_runs,
        };
        let mut position = 0;
        cut(text, &mut |piece| {
            position += match piece {
                Piece::Word(word) => self.word(scratch, word, position, side, each),
                Piece::Run(run) => self.run(scratch, run, position, side, each),
            };
        });
    }

    /// The tokens of one word; returns how many positions it takes, which is none if it is left out.
    fn word(
        &self,
        scratch: &mut Scratch,
        word: &str,
        position: usize,
        side: Side,
        each: &mut dyn FnMut(Token<'_>),
    ) -> usize {
        let Some(token) = self.kept(scratch, word) else {
            return 0;
        };
        let token = self
            .stemmer
            .map_or(Cow::Borrowed(token), |stemmer| stemmer.stem(token));
        let text = token.as_ref();
        if self.tokenizer == Tokenizer::Prefix {
            return self.beginnings(text, position, side, each);
        }
        let length = text.chars().count();
        if !(self.min..=self.max).contains(&length) {
            return 0;
        }
        each(Token { text, position });
        1
    }

    /// A word as it is compared, unless it is a stop word.
    fn kept<'a>(&self, scratch: &'a mut Scratch, word: &'a str) -> Option<&'a str> {
        let token = self.normalizer.apply(word, &mut scratch.token);
        (!self.stopwords.contains(token)).then_some(token)
    }

    /// The beginnings of `word` of every allowed length; in a query the longest of them.
    fn beginnings(&self, word: &str, position: usize, side: Side, each: &mut dyn FnMut(Token<'_>)) -> usize {
        let max = self.max.min(MAX_PREFIX_LEN);
        let ends = word
            .char_indices()
            .map(|(start, character)| start + character.len_utf8());
        let mut longest = None;
        for end in ends.take(max).skip(self.min - 1) {
            let text = &word[..end];
            if side == Side::Document {
                each(Token { text, position });
            }
            longest = Some(text);
        }
        if let (Side::Query, Some(text)) = (side, longest) {
            each(Token { text, position });
        }
        usize::from(longest.is_some())
    }

    /// Of a run without spaces its characters and its pairs of neighbours, at the position of the first of the two; in a
    /// query only the pairs, unless it is one character. Every part of a run finds it, which no dictionary promises: it
    /// cuts a query otherwise than the sentence around the same words. Characters take a position each, kept or not.
    fn run(
        &self,
        scratch: &mut Scratch,
        run: &str,
        position: usize,
        side: Side,
        each: &mut dyn FnMut(Token<'_>),
    ) -> usize {
        let mut emit = |text: &str, position: usize| {
            if let Some(text) = self.kept(scratch, text) {
                each(Token { text, position });
            }
        };
        let mut characters = split::characters(run).peekable();
        let mut count = 0;
        while let Some((start, character)) = characters.next() {
            let at = position + count;
            let next = characters.peek();
            if side == Side::Document || (next.is_none() && count == 0) {
                emit(character, at);
            }
            if let Some(&(second, neighbour)) = next {
                emit(&run[start..second + neighbour.len()], at);
            }
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests;
