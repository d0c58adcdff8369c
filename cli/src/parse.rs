//! Values on the command line. Errors say what was expected; [`brief`] and clap add which option it was.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use serde_json::{Map, Value};
use vdb::text::{Language, Tokenizer};
use vdb::{
    Condition, Distance, Durability, Element, Filter, PayloadIndexKind, Quantization, SparseVector,
    ValueKind, Vector,
};
use vdb_interop::Format;

/// So many characters of a value are shown in an error: a vector would fill the screen and hide what is wrong.
const SHOWN: usize = 60;

/// A parser of one value, whose errors show no more than the beginning of the value.
#[derive(Clone)]
pub(crate) struct Brief<T>(fn(&str) -> Result<T, String>);

/// Uses `parse` for the values of an option.
pub(crate) fn brief<T>(parse: fn(&str) -> Result<T, String>) -> Brief<T> {
    Brief(parse)
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Brief<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<T, clap::Error> {
        let text = value.to_string_lossy();
        (self.0)(&text).map_err(|why| {
            let mut shown: String = text.chars().take(SHOWN).collect();
            if shown.len() < text.len() {
                shown.push_str("...");
            }
            let option = argument.map(ToString::to_string).unwrap_or_default();
            let message = format!("invalid value '{shown}' for '{option}': {why}\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}

/// The text of a value that may stand in a file (`@FILE`) or come from standard input (`-`): vectors and filters can be
/// longer than a command line may be.
fn from_file(text: &str) -> Result<String, String> {
    let path = match text.strip_prefix('@') {
        _ if text == "-" => {
            return std::io::read_to_string(std::io::stdin()).map_err(|e| format!("standard input: {e}"));
        }
        Some(path) => path,
        None => return Ok(text.to_owned()),
    };
    std::fs::read_to_string(path).map_err(|e| format!("{path}: cannot be read: {e}"))
}

/// A vector as JSON has one of each kind.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum VectorForm {
    Dense(Vec<f32>),
    Multi(Vec<Vec<f32>>),
    Sparse { indices: Vec<u32>, values: Vec<f32> },
}

/// A JSON array of finite numbers, or of such arrays, or an object with indices and values.
pub(crate) fn vector(text: &str) -> Result<Vector, String> {
    let form = serde_json::from_str(&from_file(text)?).map_err(|_| {
        "a vector is a JSON array of numbers such as '[0.1, 0.2]', a multivector an array of those, a sparse vector \
         '{\"indices\": [7, 12], \"values\": [0.5, 1]}'"
            .to_owned()
    })?;
    let vector = match form {
        VectorForm::Dense(numbers) => Vector::Dense(numbers),
        VectorForm::Multi(rows) => Vector::Multi(rows),
        VectorForm::Sparse { indices, values } => Vector::Sparse(SparseVector { indices, values }),
    };
    let mut numbers: Box<dyn Iterator<Item = &f32>> = match &vector {
        Vector::Dense(numbers) => Box::new(numbers.iter()),
        Vector::Multi(rows) => Box::new(rows.iter().flatten()),
        Vector::Sparse(sparse) => Box::new(sparse.values.iter()),
    };
    match numbers.position(|number| !number.is_finite()) {
        Some(at) => Err(format!(
            "number {at} does not fit 32 bits: every number must be finite"
        )),
        None => {
            drop(numbers);
            Ok(vector)
        }
    }
}

/// Most points that an answer may hold.
pub(crate) fn limit(text: &str) -> Result<usize, String> {
    within(text, 1, vdb::MAX_LIMIT)
}

/// Points that an answer may begin after.
pub(crate) fn offset(text: &str) -> Result<usize, String> {
    within(text, 0, vdb::MAX_LIMIT)
}

/// Width of a beam.
pub(crate) fn ef(text: &str) -> Result<usize, String> {
    within(text, 1, vdb::MAX_EF)
}

fn within(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("expected a whole number from {least} to {most}"))
}

/// A score.
pub(crate) fn score(text: &str) -> Result<f32, String> {
    let score = text.parse().ok().filter(|score: &f32| score.is_finite());
    score.ok_or_else(|| "expected a finite number".to_owned())
}

/// A time in seconds.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().map(Duration::try_from_secs_f64);
    match seconds {
        Some(Ok(seconds)) => Ok(seconds),
        Some(Err(_)) | None => Err("expected seconds, for example 30".to_owned()),
    }
}

/// Numbers in a vector.
pub(crate) fn dimension(text: &str) -> Result<usize, String> {
    let dim = text
        .parse()
        .ok()
        .filter(|dim| (1..=vdb::MAX_DIMENSION).contains(dim));
    dim.ok_or_else(|| format!("a vector has 1 to {} numbers", vdb::MAX_DIMENSION))
}

/// A filter in Qdrant's JSON.
pub(crate) fn filter(text: &str) -> Result<Filter, String> {
    let value: Value = serde_json::from_str(&from_file(text)?).map_err(|e| format!("not JSON: {e}"))?;
    Filter::from_json(&value).map_err(|e| e.to_string())
}

/// A JSON object.
pub(crate) fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(&from_file(text)?).map_err(|e| format!("no JSON object: {e}"))
}

/// A language, by its English name.
pub(crate) fn language(name: &str) -> Result<Language, String> {
    name.parse::<Language>().map_err(|e| e.to_string())
}

/// How texts are cut.
pub(crate) fn tokenizer(name: &str) -> Result<Tokenizer, String> {
    name.parse::<Tokenizer>().map_err(|e| e.to_string())
}

/// A key and a value with an equals sign between them.
pub(crate) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected KEY=VALUE, for example words=owl".to_owned()),
    }
}

/// `OLD=NEW`. Names that are there may have a `=`, and a new one is the caller's choice: the last one counts.
pub(crate) fn renaming(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => Ok((old.to_owned(), new.to_owned())),
        Some(_) | None => {
            Err("expected OLD=NEW, for example birds=old-birds, and neither may be empty".to_owned())
        }
    }
}

/// Points whose payload holds `value` at `key`: as text, and as the number, the boolean or the null that it spells.
pub(crate) fn matching(key: &str, value: &str) -> Filter {
    let mut any = vec![Condition::matches(key, value)];
    any.extend(
        value
            .parse::<i64>()
            .ok()
            .map(|number| Condition::matches(key, number)),
    );
    // Numbers with a fraction match by a range alone. Integers beyond 2^53 run together as floating-point numbers.
    let float = value
        .parse::<f64>()
        .ok()
        .filter(|number| number.abs() <= 9_007_199_254_740_992.0);
    any.extend(float.map(|number| Condition::range(key, number..=number)));
    any.extend((value == "null").then(|| Condition::is_null(key)));
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

/// What graph walks read of vectors.
pub(crate) fn quantization() -> impl TypedValueParser<Value = Quantization> {
    const TABLE: &[(&str, Quantization)] = &[
        ("auto", Quantization::Auto),
        ("off", Quantization::Off),
        ("int8", Quantization::Int8),
        ("int4", Quantization::Int4),
        ("int2", Quantization::Int2),
        ("binary", Quantization::Binary),
    ];
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
        ("uuid", PayloadIndexKind::Uuid),
        ("geo", PayloadIndexKind::Geo),
        ("text", PayloadIndexKind::Text),
    ];
    names(TABLE)
}

/// Which values of a payload field count.
pub(crate) fn value_kind() -> impl TypedValueParser<Value = ValueKind> {
    const TABLE: &[(&str, ValueKind)] = &[
        ("any", ValueKind::Any),
        ("numbers", ValueKind::Numbers),
        ("datetimes", ValueKind::Datetimes),
        ("strings", ValueKind::Strings),
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
        ("ivecs", Format::Ivecs),
        ("npz", Format::Npz),
        ("parquet", Format::Parquet),
        ("arrow", Format::Arrow),
        ("hdf5", Format::Hdf5),
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

#[cfg(test)]
mod tests;
