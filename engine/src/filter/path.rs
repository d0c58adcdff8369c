//! Payload paths: which values of a payload does `a.b[].c` name?
//!
//! ```text
//! path  = key *( "." key / "[" index "]" / "[]" )
//! key   = 1*( letter / digit / "_" / "-" )          ; letters and digits of any script
//!       / DQUOTE *( any character but DQUOTE ) DQUOTE
//! index = 1*DIGIT
//! ```
//! `.key` steps into an object, `[n]` takes one element of an array, `[]` takes every element. A step that does not
//! fit the value it meets leads nowhere: `a.b` does not look into an array of objects, `a[].b` does.

use std::{fmt, str::FromStr};

use super::error::{FilterError, Place};
use crate::limits::{MAX_PATH_BYTES, MAX_PATH_STEPS};

/// One step of a [`PayloadPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathStep {
    /// The field of an object.
    Key(String),
    /// The element of an array, counted from 0.
    Index(u64),
    /// Every element of an array.
    All,
}

/// A parsed path into a payload. The first step is always a key. [`fmt::Display`] writes the canonical text, which
/// parses to an equal path: compare and look up paths by that, since `"a".b` and `a.b` are the same path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PayloadPath {
    steps: Vec<PathStep>,
}

impl PayloadPath {
    /// Parses `text` by the grammar of the module.
    ///
    /// # Errors
    /// [`FilterError::Invalid`] when the text does not follow the grammar; [`FilterError::Limit`] when it has more than
    /// [`MAX_PATH_BYTES`] or [`MAX_PATH_STEPS`].
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Place::ROOT.within("bytes of a payload path", MAX_PATH_BYTES, text.len())?;
        let path = Parser { rest: text, at: 0 }.path().map_err(|problem| {
            Place::ROOT.invalid(format!("{} is not a payload path: {problem}", shorten(text)))
        })?;
        Place::ROOT.within("steps of a payload path", MAX_PATH_STEPS, path.steps.len())?;
        Ok(path)
    }

    /// The steps, at least one, the first a key.
    #[must_use]
    pub fn steps(&self) -> &[PathStep] {
        &self.steps
    }

    /// This path ending in `[]`: unchanged if it does already.
    #[must_use]
    pub fn into_array(mut self) -> Self {
        if self.steps.last() != Some(&PathStep::All) {
            self.steps.push(PathStep::All);
        }
        self
    }

    /// The path that leads to where `inner` leads when started from the values of this path.
    #[must_use]
    pub fn join(&self, inner: &Self) -> Self {
        let mut steps = self.steps.clone();
        steps.extend_from_slice(&inner.steps);
        Self { steps }
    }
}

impl FromStr for PayloadPath {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

impl fmt::Display for PayloadPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            match step {
                PathStep::Key(key) => {
                    let dot = if number == 0 { "" } else { "." };
                    if !key.is_empty() && key.chars().all(is_bare) {
                        write!(out, "{dot}{key}")?;
                    } else {
                        write!(out, "{dot}\"{key}\"")?;
                    }
                }
                PathStep::Index(index) => write!(out, "[{index}]")?,
                PathStep::All => out.write_str("[]")?,
            }
        }
        Ok(())
    }
}

fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// User text in an error message: quoted, and cut when it is long.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((cut, _)) => format!("{:?}...", text.get(..cut).unwrap_or_default()),
    }
}

struct Parser<'a> {
    rest: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn path(mut self) -> Result<PayloadPath, String> {
        let mut steps = vec![self.key()?];
        while !self.rest.is_empty() {
            let step = if self.eat(".") {
                self.key()?
            } else if self.eat("[") {
                self.bracket()?
            } else {
                return Err(format!("expected `.` or `[` at byte {}", self.at));
            };
            steps.push(step);
        }
        Ok(PayloadPath { steps })
    }

    fn key(&mut self) -> Result<PathStep, String> {
        let start = self.at;
        if self.eat("\"") {
            let key = self.take_while(|c| c != '"');
            if !self.eat("\"") {
                return Err(format!("the quote at byte {start} is never closed"));
            }
            return Ok(PathStep::Key(key.to_owned()));
        }
        match self.take_while(is_bare) {
            "" => Err(format!(
                "expected a key at byte {start} (keys with other characters need double quotes)"
            )),
            key => Ok(PathStep::Key(key.to_owned())),
        }
    }

    fn bracket(&mut self) -> Result<PathStep, String> {
        let start = self.at;
        let digits = self.take_while(|c| c.is_ascii_digit());
        if !self.eat("]") {
            return Err(format!("expected a number or `]` at byte {}", self.at));
        }
        if digits.is_empty() {
            return Ok(PathStep::All);
        }
        digits
            .parse()
            .map(PathStep::Index)
            .map_err(|_| format!("the index at byte {start} is too large"))
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                self.at += token.len();
                true
            }
            None => false,
        }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.at += end;
        taken
    }
}

#[cfg(test)]
mod tests;
