//! Payload paths in bodies.

use serde::Deserialize;
use serde::de::{self, Deserializer};
use vdb::PayloadPath;

/// A payload path, as it was written. One that is none is a body of a shape that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rest) struct WirePath(String);

impl WirePath {
    /// Its text.
    pub(in crate::rest) fn into_text(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for WirePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        PayloadPath::parse(&text).map_err(de::Error::custom)?;
        Ok(WirePath(text))
    }
}
