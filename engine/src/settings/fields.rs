//! Objects of JSON, read key by key: what is left in the end is unknown, and refused.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// An object that is being read. A key that is null counts as not given.
pub(crate) struct Fields<'a> {
    /// Where it stands, for messages.
    place: String,
    object: &'a Map<String, Value>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Of a value that must be an object.
    pub(crate) fn new(place: impl Into<String>, value: &'a Value) -> Result<Self> {
        let place = place.into();
        match value.as_object() {
            Some(object) => Ok(Fields::of(place, object)),
            None => Err(expected(&place, "an object", value)),
        }
    }

    pub(crate) fn of(place: impl Into<String>, object: &'a Map<String, Value>) -> Self {
        Fields {
            place: place.into(),
            object,
            asked: Vec::new(),
        }
    }

    fn place(&self, key: &str) -> String {
        if self.place.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.place)
        }
    }

    /// The value of a key, if there is one.
    pub(crate) fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.push(key);
        self.object.get(key).filter(|value| !value.is_null())
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        what: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        read(value)
            .map(Some)
            .ok_or_else(|| expected(&self.place(key), what, value))
    }

    /// A whole number that fits `T`.
    pub(crate) fn unsigned<T: TryFrom<u64>>(&mut self, key: &'static str) -> Result<Option<T>> {
        let bits = 8 * size_of::<T>();
        let what = format!("a whole number from 0 that fits {bits} bits");
        self.read(key, &what, |value| T::try_from(value.as_u64()?).ok())
    }

    /// A number.
    pub(crate) fn number(&mut self, key: &'static str) -> Result<Option<f32>> {
        self.read(key, "a number", |value| {
            value.as_f64().map(|x| x as f32).filter(|x| x.is_finite())
        })
    }

    /// True or false.
    pub(crate) fn flag(&mut self, key: &'static str) -> Result<Option<bool>> {
        self.read(key, "true or false", Value::as_bool)
    }

    /// One of some values by name.
    pub(crate) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Result<Option<T>> {
        let names: Vec<&str> = all.iter().map(|&one| name(one)).collect();
        let what = format!("one of {}", names.join(", "));
        self.read(key, &what, |value| {
            let text = value.as_str()?;
            all.iter().copied().find(|&one| name(one) == text)
        })
    }

    /// An object to be kept as it is.
    pub(crate) fn map(&mut self, key: &'static str) -> Result<Option<&'a Map<String, Value>>> {
        self.read(key, "an object", Value::as_object)
    }

    /// An object to be read.
    pub(crate) fn fields(&mut self, key: &'static str) -> Result<Option<Fields<'a>>> {
        let place = self.place(key);
        Ok(self.map(key)?.map(|object| Fields::of(place, object)))
    }

    /// The keys whose values are null.
    pub(crate) fn nulls(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let all = self.object.iter();
        all.filter(|(_, value)| value.is_null())
            .map(|(key, _)| key.as_str())
    }

    /// The objects under names that a user gives.
    pub(crate) fn named(&mut self, key: &'static str) -> Result<Vec<(&'a str, Fields<'a>)>> {
        self.named_where(key, |_| true)
    }

    /// The same where a name whose value is null counts as not given.
    pub(crate) fn named_unless_null(&mut self, key: &'static str) -> Result<Vec<(&'a str, Fields<'a>)>> {
        self.named_where(key, |value| !value.is_null())
    }

    fn named_where(
        &mut self,
        key: &'static str,
        is_given: impl Fn(&Value) -> bool,
    ) -> Result<Vec<(&'a str, Fields<'a>)>> {
        let place = self.place(key);
        let Some(object) = self.map(key)? else {
            return Ok(Vec::new());
        };
        let given = object.iter().filter(|(_, value)| is_given(value));
        given
            .map(|(name, value)| Ok((name.as_str(), Fields::new(format!("{place}.{name}"), value)?)))
            .collect()
    }

    /// Refuses what nobody has asked for.
    pub(crate) fn finish(self) -> Result<()> {
        let unknown = self.object.keys().find(|key| !self.asked.contains(&key.as_str()));
        match unknown {
            None => Ok(()),
            Some(key) => Err(Error::InvalidRequest(format!(
                "{}: unknown key; known are {}",
                self.place(key),
                self.asked.join(", ")
            ))),
        }
    }
}

fn expected(place: &str, what: &str, found: &Value) -> Error {
    let mut shown = found.to_string();
    if shown.len() > 64 {
        shown = format!("{}...", shown.chars().take(64).collect::<String>());
    }
    let place = if place.is_empty() { "settings" } else { place };
    Error::InvalidRequest(format!("{place}: expected {what}, found {shown}"))
}

/// A number as a person would write it: 0.1, not the nearest `f64` of the `f32`.
pub(super) fn short(number: f32) -> Value {
    number.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// Adds a key, if there is a value for it.
pub(super) fn put(object: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(key.to_owned(), value.into());
    }
}
