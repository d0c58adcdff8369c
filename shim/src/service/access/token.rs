//! JSON Web Tokens (RFC 7519) in the compact form, signed with HMAC and SHA-256 (RFC 7518, `HS256`). No other algorithm is
//! known, whatever a token says of itself, and nothing of its claims is read before its signature is found good.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use super::rights::{Access, Rule};

/// Bytes of the longest token. Headers are not longer anyway; this holds where they are.
const MAX_BYTES: usize = 16 << 10;

/// The only algorithm.
const ALGORITHM: &str = "HS256";

/// Seconds by which clocks may differ.
const LEEWAY: f64 = 30.0;

/// A key that signs.
#[derive(Clone)]
pub(super) struct Signer(Hmac<Sha256>);

impl Signer {
    pub(super) fn new(key: &str) -> Option<Self> {
        Hmac::new_from_slice(key.as_bytes()).ok().map(Signer)
    }
}

/// What a token says.
#[derive(Debug, PartialEq)]
pub(super) struct Claims {
    pub(super) access: Access,
    pub(super) subject: Option<String>,
    pub(super) value_exists: Option<ValueExists>,
}

/// A point that there has to be as long as a token is to hold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueExists {
    /// Where.
    pub collection: String,
    /// What its payload has, all of it.
    pub matches: Vec<Match>,
}

/// A value of a payload.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The path.
    pub key: String,
    /// A text, an integer or a boolean.
    pub value: Value,
}

/// Why a token does not count.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum Problem {
    #[error("it is no token")]
    NoToken,
    #[error("only tokens of {ALGORITHM} are accepted")]
    Algorithm,
    #[error("the signature is not that of a key of this server")]
    Signature,
    #[error("the claims cannot be read: {0}")]
    Claims(String),
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    Early,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that must be understood; none is.
    crit: Option<Value>,
}

enum AccessClaim {
    Everywhere(Everywhere),
    Collections(Vec<Rule>),
}

#[derive(Deserialize)]
enum Everywhere {
    #[serde(rename = "r")]
    Read,
    #[serde(rename = "m")]
    Manage,
}

/// Claims as they are written. Others say nothing here.
#[derive(Deserialize)]
struct Written {
    exp: Option<f64>,
    nbf: Option<f64>,
    /// Null is not nothing: whoever writes it did not mean everything.
    #[serde(default, deserialize_with = "given")]
    access: Option<Value>,
    subject: Option<String>,
    /// The same by its registered name (RFC 7519, 4.1.2).
    sub: Option<String>,
    value_exists: Option<ValueExists>,
}

/// A value that is there, whatever it is.
fn given<'a, D: serde::Deserializer<'a>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// Reads a token at a time in seconds since 1970.
pub(super) fn read(token: &str, signers: &[Signer], now: i64) -> Result<Claims, Problem> {
    if token.len() > MAX_BYTES {
        return Err(Problem::NoToken);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Problem::NoToken);
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Problem::NoToken);
    let said: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Problem::NoToken)?;
    if said.alg != ALGORITHM || said.crit.is_some() {
        return Err(Problem::Algorithm);
    }
    let signature = decode(signature)?;
    let signed = &token.as_bytes()[..header.len() + 1 + claims.len()];
    let good = |signer: &Signer| {
        let mut code = signer.0.clone();
        code.update(signed);
        code.verify_slice(&signature).is_ok()
    };
    // All are tried, so that time does not tell which one it was.
    if !signers.iter().fold(false, |found, signer| found | good(signer)) {
        return Err(Problem::Signature);
    }
    let unreadable = |error: &dyn std::fmt::Display| Problem::Claims(error.to_string());
    let claims = decode(claims)?;
    let written: Written = serde_json::from_slice(&claims).map_err(|error| unreadable(&error))?;
    let now = now as f64;
    if written.exp.is_some_and(|end| now > end + LEEWAY) {
        return Err(Problem::Expired);
    }
    if written.nbf.is_some_and(|start| now + LEEWAY < start) {
        return Err(Problem::Early);
    }
    if let Some(condition) = &written.value_exists {
        check(condition)?;
    }
    Ok(Claims {
        access: access(written.access)?,
        subject: written.subject.or(written.sub),
        value_exists: written.value_exists,
    })
}

/// A token that says nothing of its access has all of it.
fn access(claim: Option<Value>) -> Result<Access, Problem> {
    let Some(claim) = claim else {
        return Ok(Access::Manage);
    };
    let read = if claim.is_array() {
        serde_json::from_value(claim).map(AccessClaim::Collections)
    } else {
        serde_json::from_value(claim).map(AccessClaim::Everywhere)
    };
    match read {
        Ok(AccessClaim::Everywhere(Everywhere::Manage)) => Ok(Access::Manage),
        Ok(AccessClaim::Everywhere(Everywhere::Read)) => Ok(Access::Read),
        Ok(AccessClaim::Collections(rules)) => Ok(Access::Collections(rules)),
        Err(error) => Err(Problem::Claims(format!("access: {error}"))),
    }
}

/// A condition that nothing can fail is none, and one that nothing can meet is a mistake.
fn check(condition: &ValueExists) -> Result<(), Problem> {
    let wrong = |text: &str| Err(Problem::Claims(format!("value_exists: {text}")));
    if condition.matches.is_empty() {
        return wrong("matches must not be empty");
    }
    let plain = |value: &Value| value.is_string() || value.is_boolean() || value.is_i64();
    if !condition.matches.iter().all(|wanted| plain(&wanted.value)) {
        return wrong("a value must be a text, an integer or a boolean");
    }
    Ok(())
}

/// A token for a test.
#[cfg(test)]
pub(super) fn signed(key: &str, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = serde_json::json!({"alg": ALGORITHM, "typ": "JWT"});
    let body = format!("{}.{}", part(&header), part(claims));
    let mut code = Signer::new(key).unwrap().0;
    code.update(body.as_bytes());
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(code.finalize().into_bytes()))
}

#[cfg(test)]
mod tests;
