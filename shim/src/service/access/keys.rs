//! The keys of a server, and who shows one of them.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::super::error::{ErrorKind, Result, ServiceError};
use super::rights::Access;
use super::token::{self, Signer, ValueExists};

/// What a caller without a key is told.
const MISSING: &str = "Must provide an API key or an Authorization bearer token";
/// What a caller with another key is told.
const UNKNOWN: &str = "Invalid API key or JWT";

/// Who calls, as far as his key or token tells.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Identity>);

#[derive(Debug)]
struct Identity {
    access: Access,
    subject: Option<String>,
    condition: Option<ValueExists>,
}

impl Caller {
    /// Somebody who may do this.
    pub fn with(access: Access) -> Self {
        Caller(Arc::new(Identity {
            access,
            subject: None,
            condition: None,
        }))
    }

    /// What he may do.
    pub fn access(&self) -> &Access {
        &self.0.access
    }

    /// What his token calls him, for the log.
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// The point that there has to be for his token to hold.
    pub fn condition(&self) -> Option<&ValueExists> {
        self.0.condition.as_ref()
    }
}

/// The keys that open a server. Without any, everybody may do everything.
#[derive(Clone, Default)]
pub struct Keys {
    full: Vec<[u8; 32]>,
    read_only: Vec<[u8; 32]>,
    signers: Vec<Signer>,
    tokens: bool,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tokens = if self.tokens { ", and tokens" } else { "" };
        let (full, read_only) = (self.full.len(), self.read_only.len());
        write!(f, "Keys({full} full, {read_only} read only{tokens})")
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
        if let Some(digest) = digest(key) {
            self.full.push(digest);
            self.signers.extend(Signer::new(key));
        }
        self
    }

    /// Adds a key that allows reading. An empty one counts as none.
    #[must_use]
    pub fn read_only(mut self, key: &str) -> Self {
        self.read_only.extend(digest(key));
        self
    }

    /// Lets in who shows a token, too, that is signed with a key that allows everything.
    #[must_use]
    pub fn tokens(mut self) -> Self {
        self.tokens = true;
        self
    }

    /// Whether tokens count.
    pub fn take_tokens(&self) -> bool {
        self.tokens
    }

    /// True when a caller needs a key.
    pub fn are_required(&self) -> bool {
        !self.full.is_empty() || !self.read_only.is_empty()
    }

    /// True when there is a key that allows everything, which tokens could be signed with.
    pub fn can_sign(&self) -> bool {
        !self.signers.is_empty()
    }

    /// Who shows this key or token. Takes as long for every key of one length. Whether the condition of a token holds is
    /// [another question](super::super::Service::check_condition).
    ///
    /// # Errors
    /// [`Unauthorized`](ErrorKind::Unauthorized) when nothing is shown that is needed, or something that is not known.
    pub fn identify(&self, shown: Option<&str>) -> Result<Caller> {
        self.identify_at(shown, jiff::Timestamp::now().as_second())
    }

    /// As [`identify`](Self::identify), at a time in seconds since 1970.
    fn identify_at(&self, shown: Option<&str>, now: i64) -> Result<Caller> {
        if !self.are_required() {
            return Ok(Caller::with(Access::Manage));
        }
        let refuse = |text: &str| Err(ServiceError::new(ErrorKind::Unauthorized, text));
        let Some((shown, given)) = shown.and_then(|shown| Some((shown, digest(shown)?))) else {
            return refuse(MISSING);
        };
        let known = |keys: &[[u8; 32]]| keys.iter().fold(false, |found, key| found | same(key, &given));
        let (full, read_only) = (known(&self.full), known(&self.read_only));
        if full {
            return Ok(Caller::with(Access::Manage));
        }
        if read_only {
            return Ok(Caller::with(Access::Read));
        }
        if !self.tokens {
            return refuse(UNKNOWN);
        }
        match token::read(shown, &self.signers, now) {
            Ok(claims) => Ok(Caller(Arc::new(Identity {
                access: claims.access,
                subject: claims.subject,
                condition: claims.value_exists,
            }))),
            Err(token::Problem::NoToken) => refuse(UNKNOWN),
            Err(problem) => refuse(&format!("{UNKNOWN}: {problem}")),
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
