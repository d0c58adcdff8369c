//! Who may do what: API keys.

use sha2::{Digest, Sha256};

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    Full,
    /// Reading.
    ReadOnly,
}

/// The keys that open the service. Without any, everybody may do everything.
#[derive(Clone, Default)]
pub struct Keys {
    full: Vec<[u8; 32]>,
    read_only: Vec<[u8; 32]>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Keys({} full, {} read only)",
            self.full.len(),
            self.read_only.len()
        )
    }
}

impl Keys {
    /// No keys.
    pub fn none() -> Self {
        Keys::default()
    }

    /// Adds a key that allows everything. An empty one counts as none.
    #[must_use]
    pub fn full(mut self, key: &str) -> Self {
        self.full.extend(digest(key));
        self
    }

    /// Adds a key that allows reading. An empty one counts as none.
    #[must_use]
    pub fn read_only(mut self, key: &str) -> Self {
        self.read_only.extend(digest(key));
        self
    }

    /// True when a caller needs a key.
    pub fn are_required(&self) -> bool {
        !self.full.is_empty() || !self.read_only.is_empty()
    }

    /// What the bearer of a key may do; `None` for a key that is missing or not known. Takes as long for every key of one
    /// length.
    pub fn access(&self, key: Option<&str>) -> Option<Access> {
        if !self.are_required() {
            return Some(Access::Full);
        }
        let given = digest(key?)?;
        let known = |keys: &[[u8; 32]]| keys.iter().fold(false, |found, key| found | same(key, &given));
        let (full, read_only) = (known(&self.full), known(&self.read_only));
        if full {
            Some(Access::Full)
        } else if read_only {
            Some(Access::ReadOnly)
        } else {
            None
        }
    }
}

/// Digests are compared, not keys: they are of one length, and time tells nothing of what they are made of.
fn digest(key: &str) -> Option<[u8; 32]> {
    (!key.is_empty()).then(|| Sha256::digest(key.as_bytes()).into())
}

fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests;
