//! Point ids: what they are, how people write them, how they are ordered.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::Error;

/// The name of a point within its collection: a number or a UUID.
///
/// Ordered with all numbers first, ascending, then UUIDs by their bytes. This is the order of rows in a
/// segment, of scrolling, and of results that score the same.
///
/// In JSON a number is a JSON number and a UUID is a string, read in its hyphenated, simple, URN or braced form
/// and written in lower-case hyphenated form. A string of decimal digits is not an id there, so that a
/// number and its text can never be taken for each other; [`FromStr`] is for command lines and URL paths,
/// where everything is text, and accepts both.
///
/// ```
/// use vdb_storage::PointId;
///
/// let number = PointId::from(7);
/// let uuid: PointId = "C56A4180-65AA-42EC-A945-5FD21DEC0538".parse()?;
/// assert_eq!(uuid.to_string(), "c56a4180-65aa-42ec-a945-5fd21dec0538");
/// assert!(number < uuid);
/// # Ok::<_, vdb_storage::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PointId {
    /// A number.
    Num(u64),
    /// A UUID of any version.
    Uuid(Uuid),
}

impl From<u64> for PointId {
    fn from(number: u64) -> Self {
        PointId::Num(number)
    }
}

impl From<Uuid> for PointId {
    fn from(uuid: Uuid) -> Self {
        PointId::Uuid(uuid)
    }
}

impl fmt::Display for PointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PointId::Num(number) => number.fmt(f),
            PointId::Uuid(uuid) => uuid.hyphenated().fmt(f),
        }
    }
}

impl FromStr for PointId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // Thirty-two digits are a UUID in simple form even when all of them are decimal.
        let numeric = text.len() < 32 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = if numeric {
            text.parse().ok().map(PointId::Num)
        } else {
            Uuid::try_parse(text).ok().map(PointId::Uuid)
        };
        parsed.ok_or_else(|| Error::InvalidId {
            text: text.to_owned(),
        })
    }
}

impl Serialize for PointId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            PointId::Num(number) => serializer.serialize_u64(*number),
            PointId::Uuid(uuid) => serializer.collect_str(&uuid.hyphenated()),
        }
    }
}

impl<'de> Deserialize<'de> for PointId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = PointId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id: ids are whole numbers from 0 to 18446744073709551615 or UUIDs in quotes")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<PointId, E> {
        Ok(PointId::Num(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<PointId, E> {
        u64::try_from(number)
            .map(PointId::Num)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PointId, E> {
        Uuid::try_parse(text)
            .map(PointId::Uuid)
            .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests;
