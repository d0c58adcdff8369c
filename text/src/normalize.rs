//! Lower case and folding of one token, without a copy where nothing changes.

use crate::fold::fold_into;

/// What makes two spellings one token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Normalizer {
    pub(crate) lowercase: bool,
    pub(crate) folding: bool,
    /// Tokens are cut further: the last letter of a word is none of what is cut from it.
    pub(crate) is_cut: bool,
}

impl Normalizer {
    /// How many different ones there are.
    pub(crate) const FORMS: usize = 8;

    /// Which of them this is, from 0.
    pub(crate) fn form(self) -> usize {
        usize::from(self.lowercase) | usize::from(self.folding) << 1 | usize::from(self.is_cut) << 2
    }

    /// The normal form of `token`: itself, or what is then in `buffer`.
    pub(crate) fn apply<'a>(&self, token: &'a str, buffer: &'a mut String) -> &'a str {
        let unchanged = match (token.is_ascii(), self.lowercase) {
            (true, true) => !token.bytes().any(|byte| byte.is_ascii_uppercase()),
            (true, false) => true,
            (false, true) => false,
            (false, false) => !self.folding,
        };
        if unchanged {
            return token;
        }
        buffer.clear();
        if token.is_ascii() {
            buffer.push_str(token);
            buffer.make_ascii_lowercase();
            return buffer;
        }
        if !self.lowercase {
            token.chars().for_each(|character| fold_into(character, buffer));
            return buffer;
        }
        // The one letter whose lower case depends on what stands around it; `str` knows the rule.
        if token.contains('Σ') {
            let lower = token.to_lowercase();
            lower.chars().for_each(|character| self.push(character, buffer));
        } else {
            let lower = token.chars().flat_map(char::to_lowercase);
            lower.for_each(|character| self.push(character, buffer));
        }
        if self.folding {
            // A few symbols have no lower case but fold to capitals: ℂ, ℡.
            buffer.make_ascii_lowercase();
        }
        buffer
    }

    fn push(&self, character: char, buffer: &mut String) {
        let character = match character {
            'ς' if self.is_cut => 'σ',
            _ => character,
        };
        if self.folding {
            fold_into(character, buffer);
        } else {
            buffer.push(character);
        }
    }
}

#[cfg(test)]
mod tests;
