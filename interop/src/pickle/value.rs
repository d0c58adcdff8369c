//! What a pickle holds.

use std::sync::Arc;

use super::class::Class;
use super::error::{Outcome, PickleProblem};

/// What a value takes in memory besides text and items, about.
const SCALAR: u64 = 32;
const CONTAINER: u64 = 64;

/// A value. Values that a pickle refers to more than once are shared; none holds itself, for what is shared
/// is not changed any more.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Value {
    /// `None`.
    None,
    /// A boolean.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer above those.
    UInt(u64),
    /// An integer outside of both, as the nearest float; infinite where there is none.
    BigInt(f64),
    /// A float, not always finite.
    Float(f64),
    /// A string.
    Text(Arc<str>),
    /// A string with lone surrogates, each replaced by U+FFFD.
    Surrogates(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A span of time, in seconds.
    Span(i64),
    /// An offset from UTC, in seconds.
    Offset(i64),
    /// A list.
    List(Arc<Items>),
    /// A tuple.
    Tuple(Arc<Items>),
    /// A set.
    Set(Arc<Items>),
    /// A dict.
    Dict(Arc<Dict>),
    /// An object.
    Object(Arc<Object>),
    /// A member of an enumeration, by its value; of the types of NumPy's numbers, too.
    Member(&'static Class, Arc<str>),
    /// A class itself. Objects are made with it; it is never an item or a field.
    Class(&'static Class),
    /// An item that the machine has handed out.
    Taken,
}

/// How large a value is when everything that it refers to is written out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extent {
    /// Bytes, about.
    pub(super) bytes: u64,
    /// Containers within each other.
    pub(super) depth: u16,
}

impl Extent {
    /// Adds what an item takes. Fails where the item nests more deeply than `depth` allows.
    pub(super) fn add(&mut self, item: &Value, depth: u16) -> Outcome<()> {
        let extent = item.extent();
        if extent.depth >= depth {
            return Err(PickleProblem::Limit {
                what: "lists and dicts within each other",
                limit: depth.into(),
            });
        }
        self.bytes = self.bytes.saturating_add(extent.bytes);
        self.depth = self.depth.max(extent.depth);
        Ok(())
    }
}

/// Items in order.
#[derive(Debug, Clone, Default)]
pub struct Items {
    pub(super) items: Vec<Value>,
    pub(super) extent: Extent,
}

impl Items {
    /// The items.
    pub fn items(&self) -> &[Value] {
        &self.items
    }
}

/// Keys and values in order. A key that occurs again replaces what it had.
#[derive(Debug, Clone, Default)]
pub struct Dict {
    pub(super) entries: Vec<(Value, Value)>,
    pub(super) extent: Extent,
}

impl Dict {
    /// The entries as the pickle has them: of two with one key the later counts.
    pub fn entries(&self) -> &[(Value, Value)] {
        &self.entries
    }

    /// The value of a key that is a string.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let mut entries = self.entries.iter().rev();
        entries
            .find(|(at, _)| matches!(at, Value::Text(at) if **at == *key))
            .map(|(_, value)| value)
    }
}

/// An object of a class of [`Kind::Model`](super::Kind::Model).
#[derive(Debug, Clone)]
pub struct Object {
    pub(super) class: &'static Class,
    /// `None` until its state is set.
    pub(super) fields: Option<Arc<Dict>>,
}

impl Object {
    /// Its class.
    pub fn class(&self) -> &'static Class {
        self.class
    }

    /// A field; `None` where the object has no such field.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.as_ref()?.get(name)
    }

    /// All fields.
    pub fn fields(&self) -> &[(Value, Value)] {
        self.fields.as_ref().map_or(&[], |fields| fields.entries())
    }
}

impl Value {
    /// What it takes in memory, everything that it refers to counted each time, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.extent().bytes
    }

    pub(super) fn extent(&self) -> Extent {
        let within = |content: Extent| {
            (
                CONTAINER.saturating_add(content.bytes),
                content.depth.saturating_add(1),
            )
        };
        let (bytes, depth) = match self {
            Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::UInt(_)
            | Value::BigInt(_)
            | Value::Float(_)
            | Value::Span(_)
            | Value::Offset(_)
            | Value::Member(..)
            | Value::Class(_)
            | Value::Taken => (SCALAR, 0),
            Value::Bytes(bytes) => (SCALAR.saturating_add(bytes.len() as u64), 0),
            Value::Text(text) | Value::Surrogates(text) => (SCALAR.saturating_add(text.len() as u64), 0),
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => within(items.extent),
            Value::Dict(dict) => within(dict.extent),
            Value::Object(object) => within(
                object
                    .fields
                    .as_ref()
                    .map_or(Extent::default(), |fields| fields.extent),
            ),
        };
        Extent { bytes, depth }
    }

    /// What messages call it.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::None => "None",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::UInt(_) | Value::BigInt(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Text(_) => "a string",
            Value::Surrogates(_) => "a string with lone surrogates",
            Value::Bytes(_) => "bytes",
            Value::Span(_) => "a span of time",
            Value::Offset(_) => "an offset from UTC",
            Value::List(_) => "a list",
            Value::Tuple(_) => "a tuple",
            Value::Set(_) => "a set",
            Value::Dict(_) => "a dict",
            Value::Object(object) => object.class.name,
            Value::Member(class, _) => class.name,
            Value::Class(_) => "a class",
            Value::Taken => "an item",
        }
    }

    /// The object, where it is one.
    pub fn as_object(&self) -> Option<&Object> {
        if let Value::Object(object) = self {
            Some(object)
        } else {
            None
        }
    }

    /// The number, where it is one, as the nearest float.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Float(number) | Value::BigInt(number) => Some(*number),
            Value::Int(number) => Some(*number as f64),
            Value::UInt(number) => Some(*number as f64),
            Value::None
            | Value::Bool(_)
            | Value::Text(_)
            | Value::Surrogates(_)
            | Value::Bytes(_)
            | Value::Span(_)
            | Value::Offset(_)
            | Value::List(_)
            | Value::Tuple(_)
            | Value::Set(_)
            | Value::Dict(_)
            | Value::Object(_)
            | Value::Member(..)
            | Value::Class(_)
            | Value::Taken => None,
        }
    }

    /// The string, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }
}
