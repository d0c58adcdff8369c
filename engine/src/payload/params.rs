//! What a payload index is to be: its kind, and the options that were given with it.

use serde_json::{Map, Value};
use vdb_storage::schema::PayloadIndexOptionsRecord;

use super::PayloadIndexKind;
use super::text::{self, TextOptions, refused};
use crate::error::{Error, Result};
use crate::filter::TextAnalysis;

/// The kind of a payload index and its options. A kind alone is one without options.
///
/// ```
/// use serde_json::json;
/// use vdb::{PayloadIndexKind, PayloadIndexParams};
///
/// let short = PayloadIndexParams::from_json(&json!("keyword"))?;
/// assert_eq!(short, PayloadIndexKind::Keyword.into());
/// let long = json!({"type": "integer", "range": false});
/// assert_eq!(PayloadIndexParams::from_json(&long)?.to_json(), long);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadIndexParams {
    /// What values are in the index.
    pub kind: PayloadIndexKind,
    /// What else was said of it; `None` when only the kind was.
    pub options: Option<PayloadIndexOptions>,
}

/// Options of a payload index. They are kept and told again as they were given, those that were not given too. Those of texts
/// say what a token is, and `enable_hnsw` whether searches for a value have a graph of their own. None of the others changes an
/// answer: one file serves
/// equality, ranges, prefixes and phrases alike, and where its bytes are is left to the system's page cache, so that they say what
/// the index is for and not what it can do. A [strict mode](crate::StrictMode) goes by it: where a filter needs an index, one
/// whose `lookup` or `range` is false is none for that, and a filter by a field with `is_tenant` lets queries compare vectors
/// that have no graph over all points.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PayloadIndexOptions {
    /// The field divides the points among tenants (keyword, uuid).
    pub is_tenant: Option<bool>,
    /// Most filters ask about this field (integer, float, datetime).
    pub is_principal: Option<bool>,
    /// Prefixes are asked for (keyword).
    pub prefix: Option<bool>,
    /// Values are asked for; not false together with `range` (integer).
    pub lookup: Option<bool>,
    /// Ranges are asked for (integer).
    pub range: Option<bool>,
    /// The index need not be in memory.
    pub on_disk: Option<bool>,
    /// Where the index had best be.
    pub memory: Option<MemoryPlacement>,
    /// False: no values of the field get graphs of vectors among the rows that have them, as those of many rows otherwise do
    /// (keyword, integer, bool, uuid). A hint for the others, which never have any.
    pub enable_hnsw: Option<bool>,
    /// Phrases are asked for (text).
    pub phrase_matching: Option<bool>,
    /// How tokens are made (text).
    pub text: TextOptions,
}

/// Where a file had best be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryPlacement {
    /// On the disk until it is used.
    Cold,
    /// In the page cache from the start.
    Cached,
    /// In memory at all times.
    Pinned,
}

impl MemoryPlacement {
    /// Every placement, in the order of the codes.
    pub const ALL: [Self; 3] = [Self::Cold, Self::Cached, Self::Pinned];

    /// The lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Cached => "cached",
            Self::Pinned => "pinned",
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Cold => 0,
            Self::Cached => 1,
            Self::Pinned => 2,
        }
    }
}

impl From<PayloadIndexKind> for PayloadIndexParams {
    fn from(kind: PayloadIndexKind) -> Self {
        Self { kind, options: None }
    }
}

/// The switches of the JSON form, and whether indexes of a kind have them.
const SWITCHES: [&str; 10] = [
    "is_tenant",
    "is_principal",
    "prefix",
    "lookup",
    "range",
    "on_disk",
    "enable_hnsw",
    "lowercase",
    "ascii_folding",
    "phrase_matching",
];

fn has_switch(kind: PayloadIndexKind, name: &str) -> bool {
    use PayloadIndexKind::{Datetime, Float, Integer, Keyword, Text, Uuid};
    match name {
        "is_tenant" => matches!(kind, Keyword | Uuid),
        "is_principal" => matches!(kind, Integer | Float | Datetime),
        "prefix" => kind == Keyword,
        "lookup" | "range" => kind == Integer,
        "lowercase" | "ascii_folding" | "phrase_matching" => kind == Text,
        _ => true,
    }
}

impl PayloadIndexOptions {
    fn switch(&self, name: &str) -> Option<bool> {
        match name {
            "is_tenant" => self.is_tenant,
            "is_principal" => self.is_principal,
            "prefix" => self.prefix,
            "lookup" => self.lookup,
            "range" => self.range,
            "on_disk" => self.on_disk,
            "enable_hnsw" => self.enable_hnsw,
            "lowercase" => self.text.lowercase,
            "ascii_folding" => self.text.ascii_folding,
            "phrase_matching" => self.phrase_matching,
            _ => None,
        }
    }

    fn switch_mut(&mut self, name: &str) -> Option<&mut Option<bool>> {
        match name {
            "is_tenant" => Some(&mut self.is_tenant),
            "is_principal" => Some(&mut self.is_principal),
            "prefix" => Some(&mut self.prefix),
            "lookup" => Some(&mut self.lookup),
            "range" => Some(&mut self.range),
            "on_disk" => Some(&mut self.on_disk),
            "enable_hnsw" => Some(&mut self.enable_hnsw),
            "lowercase" => Some(&mut self.text.lowercase),
            "ascii_folding" => Some(&mut self.text.ascii_folding),
            "phrase_matching" => Some(&mut self.phrase_matching),
            _ => None,
        }
    }

    /// The form in the manifest.
    pub(crate) fn to_record(&self) -> PayloadIndexOptionsRecord {
        let switches = SWITCHES.map(|name| self.switch(name));
        PayloadIndexOptionsRecord {
            switches: switches.to_vec(),
            memory: self.memory.map(MemoryPlacement::code),
            text: self.text.to_record(),
        }
    }

    /// From the form in the manifest, `None` when it has what there is not.
    pub(crate) fn from_record(record: &PayloadIndexOptionsRecord) -> Option<Self> {
        if record.switches.len() != SWITCHES.len() {
            return None;
        }
        let mut options = Self {
            text: TextOptions::from_record(&record.text)?,
            ..Self::default()
        };
        for (name, value) in SWITCHES.into_iter().zip(&record.switches) {
            *options.switch_mut(name)? = *value;
        }
        if let Some(code) = record.memory {
            let placement = MemoryPlacement::ALL.into_iter().find(|p| p.code() == code);
            options.memory = Some(placement?);
        }
        Some(options)
    }
}

impl PayloadIndexParams {
    /// This with options.
    #[must_use]
    pub fn options(mut self, options: PayloadIndexOptions) -> Self {
        self.options = Some(options);
        self
    }

    /// Whether indexes of the kind have these options.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for an option of another kind, and for an integer index that is to answer nothing.
    pub fn validate(&self) -> Result<()> {
        let Some(options) = &self.options else {
            return Ok(());
        };
        let kind = self.kind.name();
        let foreign = SWITCHES
            .into_iter()
            .find(|name| options.switch(name).is_some() && !has_switch(self.kind, name))
            .or_else(|| {
                options
                    .text
                    .given()
                    .filter(|_| self.kind != PayloadIndexKind::Text)
            });
        if let Some(name) = foreign {
            return Err(invalid(format!("an index of kind {kind} has no option {name}")));
        }
        if (options.lookup, options.range) == (Some(false), Some(false)) {
            let what = "an index of kind integer needs lookup or range: both are false";
            return Err(invalid(what.to_owned()));
        }
        self.analysis().map(|_| ())
    }

    /// How an index of texts makes tokens; `None` for one of another kind.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when the options leave no token, or name what there is not.
    pub(crate) fn analysis(&self) -> Result<Option<TextAnalysis>> {
        if self.kind != PayloadIndexKind::Text {
            return Ok(None);
        }
        let options = self.options.clone().unwrap_or_default();
        let config = options.text.over(vdb_text::AnalyzerConfig::default());
        TextAnalysis::new(&config).map(Some).map_err(refused)
    }

    /// Whether an object that [`from_json`](Self::from_json) reads may have this key, if its `type` is that of this kind.
    #[must_use]
    pub fn knows(kind: PayloadIndexKind, key: &str) -> bool {
        ["type", "memory"].contains(&key)
            || (SWITCHES.contains(&key) && has_switch(kind, key))
            || (kind == PayloadIndexKind::Text && text::KEYS.contains(&key))
    }

    /// Reads the name of a kind, or an object of its name as `type` and options. An option that is null is not given.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for another shape, for keys and names that are not known, and as [`validate`](Self::validate).
    pub fn from_json(value: &Value) -> Result<Self> {
        let kind_of = |name: &str| {
            let found = PayloadIndexKind::ALL.into_iter().find(|kind| kind.name() == name);
            found.ok_or_else(|| {
                let names = PayloadIndexKind::ALL.map(PayloadIndexKind::name).join(", ");
                invalid(format!(
                    "unknown kind of payload index {name:?}, expected one of {names}"
                ))
            })
        };
        let map = match value {
            Value::String(name) => return Ok(kind_of(name)?.into()),
            Value::Object(map) => map,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                let what = "a payload index is the name of a kind, or an object with `type`";
                return Err(invalid(what.to_owned()));
            }
        };
        let Some(name) = map.get("type").and_then(Value::as_str) else {
            let what = "a payload index needs the name of a kind as `type`";
            return Err(invalid(what.to_owned()));
        };
        let mut options = PayloadIndexOptions::default();
        for (key, value) in map
            .iter()
            .filter(|(key, value)| *key != "type" && !value.is_null())
        {
            if key == "memory" {
                let found = MemoryPlacement::ALL
                    .into_iter()
                    .find(|placement| value.as_str() == Some(placement.name()));
                options.memory = Some(found.ok_or_else(|| {
                    invalid("memory of a payload index: expected cold, cached or pinned".to_owned())
                })?);
                continue;
            }
            if options.text.read(key, value)? {
                continue;
            }
            let Some(switch) = options.switch_mut(key) else {
                return Err(invalid(format!("unknown option of a payload index: {key:?}")));
            };
            *switch = Some(value.as_bool().ok_or_else(|| {
                invalid(format!("option {key} of a payload index: expected true or false"))
            })?);
        }
        let params = Self::from(kind_of(name)?).options(options);
        params.validate()?;
        Ok(params)
    }

    /// What [`from_json`](Self::from_json) reads back to the same: a name without options, else an object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Some(options) = &self.options else {
            return self.kind.name().into();
        };
        let mut map = Map::new();
        map.insert("type".to_owned(), self.kind.name().into());
        for name in SWITCHES {
            if let Some(value) = options.switch(name) {
                map.insert(name.to_owned(), value.into());
            }
        }
        options.text.write(&mut map);
        if let Some(memory) = options.memory {
            map.insert("memory".to_owned(), memory.name().into());
        }
        Value::Object(map)
    }
}

fn invalid(what: String) -> Error {
    Error::InvalidRequest(what)
}

#[cfg(test)]
mod tests;
