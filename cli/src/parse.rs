//! Values on the command line. Errors say what was expected; clap adds which option it was.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::Value;
use vdb::{Condition, Distance, Durability, Element, Filter, PayloadIndexKind};
use vdb_interop::Format;

/// A vector as a JSON array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Numbers(pub(crate) Vec<f32>);

/// A JSON array of finite numbers.
pub(crate) fn numbers(text: &str) -> Result<Numbers, String> {
    let vector: Vec<f32> = serde_json::from_str(text)
        .map_err(|e| format!("a vector is a JSON array of numbers such as '[0.1, 0.2]': {e}"))?;
    match vector.iter().position(|number| !number.is_finite()) {
        Some(at) => Err(format!(
            "number {at} does not fit 32 bits: every number must be finite"
        )),
        None => Ok(Numbers(vector)),
    }
}

/// A filter in Qdrant's JSON.
pub(crate) fn filter(text: &str) -> Result<Filter, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| format!("not JSON: {e}"))?;
    Filter::from_json(&value).map_err(|e| e.to_string())
}

/// A key and a value with an equals sign between them.
pub(crate) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected KEY=VALUE, for example words=owl".to_owned()),
    }
}

/// Points whose payload holds `value` at `key`: as text, and as the integer or boolean that it spells.
pub(crate) fn matching(key: &str, value: &str) -> Filter {
    let mut any = vec![Condition::matches(key, value)];
    any.extend(
        value
            .parse::<i64>()
            .ok()
            .map(|number| Condition::matches(key, number)),
    );
    any.extend(
        value
            .parse::<bool>()
            .ok()
            .map(|truth| Condition::matches(key, truth)),
    );
    Filter::should(any)
}

/// A parser of names, each of which stands for a value.
fn names<T: Clone + Send + Sync + 'static>(
    table: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(table.iter().map(|(name, _)| *name)).try_map(move |name| {
        let found = table.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone()).ok_or("unknown name")
    })
}

/// How nearness is measured.
pub(crate) fn distance() -> impl TypedValueParser<Value = Distance> {
    const TABLE: &[(&str, Distance)] = &[
        ("cosine", Distance::Cosine),
        ("dot", Distance::Dot),
        ("euclid", Distance::Euclid),
        ("manhattan", Distance::Manhattan),
    ];
    names(TABLE)
}

/// How a number is stored.
pub(crate) fn element() -> impl TypedValueParser<Value = Element> {
    const TABLE: &[(&str, Element)] = &[("f32", Element::F32), ("f16", Element::F16), ("u8", Element::U8)];
    names(TABLE)
}

/// When a write counts as done.
pub(crate) fn durability() -> impl TypedValueParser<Value = Durability> {
    const TABLE: &[(&str, Durability)] = &[
        ("sync", Durability::Sync),
        ("buffered", Durability::Buffered),
        ("none", Durability::None),
    ];
    names(TABLE)
}

/// What kind of values a payload index holds.
pub(crate) fn index_kind() -> impl TypedValueParser<Value = PayloadIndexKind> {
    const TABLE: &[(&str, PayloadIndexKind)] = &[
        ("keyword", PayloadIndexKind::Keyword),
        ("integer", PayloadIndexKind::Integer),
        ("float", PayloadIndexKind::Float),
        ("bool", PayloadIndexKind::Bool),
        ("datetime", PayloadIndexKind::Datetime),
    ];
    names(TABLE)
}

/// The format of a file.
pub(crate) fn format() -> impl TypedValueParser<Value = Format> {
    const TABLE: &[(&str, Format)] = &[
        ("jsonl", Format::JsonLines),
        ("npy", Format::Npy),
        ("fvecs", Format::Fvecs),
        ("bvecs", Format::Bvecs),
        ("csv", Format::Csv),
        ("tsv", Format::Tsv),
    ];
    names(TABLE)
}

/// The name of an element type.
pub(crate) fn element_name(element: Element) -> &'static str {
    match element {
        Element::F32 => "f32",
        Element::F16 => "f16",
        Element::U8 => "u8",
    }
}

/// The name of a kind of index.
pub(crate) fn index_kind_name(kind: PayloadIndexKind) -> &'static str {
    match kind {
        PayloadIndexKind::Keyword => "keyword",
        PayloadIndexKind::Integer => "integer",
        PayloadIndexKind::Float => "float",
        PayloadIndexKind::Bool => "bool",
        PayloadIndexKind::Datetime => "datetime",
    }
}

#[cfg(test)]
mod tests;
