//! Values of columns as JSON.
//!
//! | Arrow | JSON |
//! |---|---|
//! | integers, floats, booleans, null | the same; NaN and infinities are errors |
//! | text | string |
//! | lists of all kinds | array |
//! | struct, map with text as keys | object |
//! | dictionary, run-end encoded | what they stand for |
//! | decimal | string with all digits |
//! | date | `2024-05-01` |
//! | time of day | `12:30:00.25` |
//! | timestamp with a time zone | RFC 3339 in UTC: `2024-05-01T12:30:00.25Z` |
//! | timestamp without one | the same without `Z` |
//! | bytes | none: an error, and base64 where the caller allows it |
//! | durations, intervals, unions | none: [`check`] names them before a row is read |

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DecimalType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, GenericListArray, OffsetSizeTrait};
use arrow_schema::{DataType, Field, TimeUnit};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Map, Number, Value as Json};

use crate::error::Problem;
use crate::misfit::{Lossy, Misfit};
use crate::time;

/// Types within types, at most.
const DEPTH: usize = 64;

/// Whether a column holds text.
pub(super) fn is_text(of: &DataType) -> bool {
    matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Whether a column holds text, or codes that stand for it.
pub(super) fn is_text_or_codes(of: &DataType) -> bool {
    is_text(if let DataType::Dictionary(_, value) = of {
        value
    } else {
        of
    })
}

/// The part of a type that has no JSON, if there is one: where, and what it is.
pub(super) fn check(of: &DataType) -> Result<(), String> {
    within(of, DEPTH)
}

fn within(of: &DataType, depth: usize) -> Result<(), String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("more than {DEPTH} types within each other"));
    };
    match of {
        DataType::Null
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float16
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_)
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(_, _)
        | DataType::Decimal32(_, _)
        | DataType::Decimal64(_, _)
        | DataType::Decimal128(_, _)
        | DataType::Decimal256(_, _) => Ok(()),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::RunEndEncoded(_, item) => within(item.data_type(), depth),
        DataType::Struct(fields) => fields.iter().try_for_each(|field| {
            within(field.data_type(), depth).map_err(|why| format!("{why} in .{}", field.name()))
        }),
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else {
                return Err("a map that is none".to_owned());
            };
            if !fields.first().is_some_and(|key| is_text(key.data_type())) {
                return Err("a map whose keys are no text".to_owned());
            }
            fields
                .iter()
                .try_for_each(|field| within(field.data_type(), depth))
        }
        DataType::Dictionary(_, value) => within(value, depth),
        DataType::Duration(_)
        | DataType::Interval(_)
        | DataType::Union(_, _)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => Err(format!("the type {of}")),
    }
}

/// The value of a row. Its type passed [`check`].
pub(super) fn json(array: &dyn Array, row: usize, lossy: &mut Lossy) -> Result<Json, Misfit> {
    if array.is_null(row) {
        return Ok(Json::Null);
    }
    Ok(match array.data_type() {
        DataType::Null => Json::Null,
        DataType::Boolean => get(array.as_boolean_opt(), |array| array.value(row).into())?,
        DataType::Int8 => number::<Int8Type>(array, row)?,
        DataType::Int16 => number::<Int16Type>(array, row)?,
        DataType::Int32 => number::<Int32Type>(array, row)?,
        DataType::Int64 => number::<Int64Type>(array, row)?,
        DataType::UInt8 => number::<UInt8Type>(array, row)?,
        DataType::UInt16 => number::<UInt16Type>(array, row)?,
        DataType::UInt32 => number::<UInt32Type>(array, row)?,
        DataType::UInt64 => number::<UInt64Type>(array, row)?,
        DataType::Float16 => float(primitive::<Float16Type>(array, row)?.to_f64(), lossy)?,
        DataType::Float32 => float(primitive::<Float32Type>(array, row)?.into(), lossy)?,
        DataType::Float64 => float(primitive::<Float64Type>(array, row)?, lossy)?,
        DataType::Utf8 => get(array.as_string_opt::<i32>(), |array| array.value(row).into())?,
        DataType::LargeUtf8 => get(array.as_string_opt::<i64>(), |array| array.value(row).into())?,
        DataType::Utf8View => get(array.as_string_view_opt(), |array| array.value(row).into())?,
        DataType::Binary => bytes(
            get(array.as_binary_opt::<i32>(), |array| array.value(row))?,
            lossy,
        )?,
        DataType::LargeBinary => bytes(
            get(array.as_binary_opt::<i64>(), |array| array.value(row))?,
            lossy,
        )?,
        DataType::BinaryView => bytes(get(array.as_binary_view_opt(), |array| array.value(row))?, lossy)?,
        DataType::FixedSizeBinary(_) => bytes(
            get(array.as_fixed_size_binary_opt(), |array| array.value(row))?,
            lossy,
        )?,
        DataType::Date32 => text(time::date(primitive::<Date32Type>(array, row)?.into()))?,
        DataType::Date64 => text(time::date_of_millis(primitive::<Date64Type>(array, row)?))?,
        DataType::Time32(_) | DataType::Time64(_) => time_of_day(array, row)?,
        DataType::Timestamp(unit, zone) => timestamp(array, row, *unit, zone.is_some())?,
        DataType::Decimal32(_, scale) => decimal::<Decimal32Type>(array, row, *scale)?,
        DataType::Decimal64(_, scale) => decimal::<Decimal64Type>(array, row, *scale)?,
        DataType::Decimal128(_, scale) => decimal::<Decimal128Type>(array, row, *scale)?,
        DataType::Decimal256(_, scale) => decimal::<Decimal256Type>(array, row, *scale)?,
        DataType::List(_) => items(&*list::<i32>(array, row)?, lossy)?,
        DataType::LargeList(_) => items(&*list::<i64>(array, row)?, lossy)?,
        DataType::FixedSizeList(_, _) => items(
            &*get(array.as_fixed_size_list_opt(), |array| array.value(row))?,
            lossy,
        )?,
        DataType::Struct(fields) => {
            let array = get(array.as_struct_opt(), |array| array)?;
            let mut map = Map::with_capacity(fields.len());
            for (field, column) in fields.iter().zip(array.columns()) {
                put(&mut map, field, column, row, lossy)?;
            }
            Json::Object(map)
        }
        DataType::Map(_, _) => {
            let entries = get(array.as_map_opt(), |array| array.value(row))?;
            map(&entries, lossy)?
        }
        DataType::Dictionary(_, _) => {
            let array = array.as_any_dictionary_opt().ok_or_else(other_type)?;
            let key = json(array.keys(), row, lossy)?;
            let at = key.as_u64().and_then(|at| usize::try_from(at).ok());
            let at = at
                .filter(|at| *at < array.values().len())
                .ok_or_else(other_type)?;
            json(array.values(), at, lossy)?
        }
        DataType::RunEndEncoded(_, _) => {
            if let Some(array) = array.as_run_opt::<Int16Type>() {
                json(array.values(), array.get_physical_index(row), lossy)?
            } else if let Some(array) = array.as_run_opt::<Int32Type>() {
                json(array.values(), array.get_physical_index(row), lossy)?
            } else {
                let array = get(array.as_run_opt::<Int64Type>(), |array| array)?;
                json(array.values(), array.get_physical_index(row), lossy)?
            }
        }
        DataType::Duration(_)
        | DataType::Interval(_)
        | DataType::Union(_, _)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => return Err(other_type()),
    })
}

/// Arrays are of the type that they say: this is for what no file can bring about.
fn other_type() -> Misfit {
    Misfit::here(Problem::Value {
        expected: "of the type of its column",
        found: "a value".to_owned(),
    })
}

fn get<'a, A: ?Sized, T>(array: Option<&'a A>, read: impl FnOnce(&'a A) -> T) -> Result<T, Misfit> {
    array.map(read).ok_or_else(other_type)
}

fn primitive<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Result<T::Native, Misfit> {
    get(array.as_primitive_opt::<T>(), |array| array.value(row))
}

fn number<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Result<Json, Misfit>
where
    T::Native: Into<Json>,
{
    primitive::<T>(array, row).map(Into::into)
}

fn float(value: f64, lossy: &mut Lossy) -> Result<Json, Misfit> {
    match Number::from_f64(value) {
        Some(number) => Ok(Json::Number(number)),
        None => lossy.change(value.to_string(), "null", Json::Null),
    }
}

fn bytes(value: &[u8], lossy: &mut Lossy) -> Result<Json, Misfit> {
    if !lossy.is_allowed {
        return lossy.change(format!("{} bytes", value.len()), "base64", Json::Null);
    }
    lossy.change(String::new(), "base64", BASE64_STANDARD.encode(value).into())
}

fn text(value: Option<String>) -> Result<Json, Misfit> {
    value.map(Json::String).ok_or_else(|| {
        Misfit::here(Problem::Value {
            expected: "a point in time of the years -262143 to 262142",
            found: "a number".to_owned(),
        })
    })
}

fn time_of_day(array: &dyn Array, row: usize) -> Result<Json, Misfit> {
    let nanos = if let Some(array) = array.as_primitive_opt::<Time32SecondType>() {
        i64::from(array.value(row)).checked_mul(1_000_000_000)
    } else if let Some(array) = array.as_primitive_opt::<Time32MillisecondType>() {
        i64::from(array.value(row)).checked_mul(1_000_000)
    } else if let Some(array) = array.as_primitive_opt::<Time64MicrosecondType>() {
        array.value(row).checked_mul(1_000)
    } else {
        Some(primitive::<Time64NanosecondType>(array, row)?)
    };
    text(nanos.and_then(time::of_day))
}

fn timestamp(array: &dyn Array, row: usize, unit: TimeUnit, has_zone: bool) -> Result<Json, Misfit> {
    let (count, per_second) = match unit {
        TimeUnit::Second => (primitive::<TimestampSecondType>(array, row)?, 1),
        TimeUnit::Millisecond => (primitive::<TimestampMillisecondType>(array, row)?, 1_000),
        TimeUnit::Microsecond => (primitive::<TimestampMicrosecondType>(array, row)?, 1_000_000),
        TimeUnit::Nanosecond => (primitive::<TimestampNanosecondType>(array, row)?, 1_000_000_000),
    };
    text(time::timestamp(count, per_second, has_zone))
}

fn decimal<T: DecimalType>(array: &dyn Array, row: usize, scale: i8) -> Result<Json, Misfit> {
    let value = primitive::<T>(array, row)?;
    Ok(Json::String(T::format_decimal(value, T::MAX_PRECISION, scale)))
}

fn list<O: OffsetSizeTrait>(array: &dyn Array, row: usize) -> Result<ArrayRef, Misfit> {
    get(array.as_any().downcast_ref::<GenericListArray<O>>(), |array| {
        array.value(row)
    })
}

fn items(array: &dyn Array, lossy: &mut Lossy) -> Result<Json, Misfit> {
    let item = |at| json(array, at, lossy).map_err(|misfit| misfit.within(&format!("[{at}]")));
    Ok(Json::Array((0..array.len()).map(item).collect::<Result<_, _>>()?))
}

fn put(
    map: &mut Map<String, Json>,
    field: &Field,
    column: &ArrayRef,
    row: usize,
    lossy: &mut Lossy,
) -> Result<(), Misfit> {
    let within = |misfit: Misfit| misfit.within(&format!(".{}", field.name()));
    let value = json(column, row, lossy).map_err(within)?;
    if map.insert(field.name().clone(), value).is_some() {
        return twice(field.name(), lossy).map_err(within);
    }
    Ok(())
}

/// Objects of JSON have a key once.
pub(super) fn twice(key: &str, lossy: &mut Lossy) -> Result<(), Misfit> {
    let found = format!("the key {key:?} twice in one object");
    lossy
        .change(found, "the later value alone", Json::Null)
        .map(|_| ())
}

fn map(entries: &arrow_array::StructArray, lossy: &mut Lossy) -> Result<Json, Misfit> {
    let [keys, values] = entries.columns() else {
        return Err(other_type());
    };
    let mut object = Map::with_capacity(entries.len());
    for at in 0..entries.len() {
        let Json::String(key) = json(keys, at, lossy)? else {
            return Err(other_type());
        };
        let value = json(values, at, lossy).map_err(|misfit| misfit.within(&format!(".{key}")))?;
        if object.contains_key(&key) {
            twice(&key, lossy)?;
        }
        object.insert(key, value);
    }
    Ok(Json::Object(object))
}

#[cfg(test)]
mod tests;
