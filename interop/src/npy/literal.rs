//! The few Python literals that occur in an `.npy` header.

/// A value of the header's dictionary.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    /// A string in either kind of quotes, without escapes.
    Text(String),
    /// `True` or `False`.
    Bool(bool),
    /// A tuple of whole numbers; NumPy under Python 2 wrote them with a trailing `L`.
    Tuple(Vec<u64>),
    /// A list: the fields of a record. What is in it does not matter.
    Other,
}

/// Parses `{'key': value, ...}` followed by blanks; `None` when the text is anything else.
pub(crate) fn dictionary(text: &str) -> Option<Vec<(String, Literal)>> {
    let mut cursor = Cursor { rest: text };
    let mut entries = Vec::new();
    cursor.token('{')?;
    while !cursor.accept('}') {
        let key = cursor.string()?;
        cursor.token(':')?;
        entries.push((key, cursor.value()?));
        if !cursor.accept(',') {
            cursor.token('}')?;
            break;
        }
    }
    cursor.skip_blanks();
    cursor.rest.is_empty().then_some(entries)
}

struct Cursor<'a> {
    rest: &'a str,
}

impl Cursor<'_> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn accept(&mut self, symbol: char) -> bool {
        self.skip_blanks();
        let after = self.rest.strip_prefix(symbol);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn token(&mut self, symbol: char) -> Option<()> {
        self.accept(symbol).then_some(())
    }

    fn word(&mut self, word: &str) -> bool {
        let after = self.rest.strip_prefix(word);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn string(&mut self) -> Option<String> {
        self.skip_blanks();
        let quote = self
            .rest
            .chars()
            .next()
            .filter(|first| matches!(first, '\'' | '"'))?;
        let (text, rest) = self.rest.get(1..)?.split_once(quote)?;
        self.rest = rest;
        Some(text.to_owned())
    }

    fn value(&mut self) -> Option<Literal> {
        self.skip_blanks();
        match self.rest.chars().next()? {
            '\'' | '"' => self.string().map(Literal::Text),
            '(' => self.tuple().map(Literal::Tuple),
            '[' => self.skip_list(),
            _ if self.word("True") => Some(Literal::Bool(true)),
            _ if self.word("False") => Some(Literal::Bool(false)),
            _ => None,
        }
    }

    fn tuple(&mut self) -> Option<Vec<u64>> {
        let mut lengths = Vec::new();
        self.token('(')?;
        while !self.accept(')') {
            self.skip_blanks();
            let digits = self.rest.find(|symbol: char| !symbol.is_ascii_digit())?;
            let (number, rest) = self.rest.split_at(digits);
            lengths.push(number.parse().ok()?);
            self.rest = rest;
            self.word("L");
            if !self.accept(',') {
                self.token(')')?;
                break;
            }
        }
        Some(lengths)
    }

    /// Steps over a list with the lists and tuples in it.
    fn skip_list(&mut self) -> Option<Literal> {
        let mut depth = 0_usize;
        for (at, symbol) in self.rest.char_indices() {
            match symbol {
                '[' | '(' => depth += 1,
                ']' | ')' => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                self.rest = self.rest.get(at + 1..)?;
                return Some(Literal::Other);
            }
        }
        None
    }
}
