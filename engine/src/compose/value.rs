//! Single values of payloads, as they are put in order and counted.

use std::cmp::Ordering;

use serde_json::Value;
use vdb_storage::payload::{ObjectRef, ValueRef};

use crate::error::{Error, Result};
use crate::filter::{Condition, Datetime, Filter, PayloadPath, find_value};
use crate::query::allowance::Allowance;
use crate::schema::Schema;

/// Passes each value at a path of a stored payload to `take`, for as long as there is time: one point may have millions.
pub(super) fn each_value<'a>(
    payload: ObjectRef<'a>,
    path: &PayloadPath,
    allowance: &Allowance<'_>,
    mut take: impl FnMut(ValueRef<'a>) -> Result<()>,
) -> Result<()> {
    allowance.go_on(payload.bytes())?;
    find_value(payload, path.steps(), &mut |value| {
        allowance.beat()?;
        take(value)?;
        Ok::<_, Error>(false)
    })?;
    Ok(())
}

/// Values of one point. Many of them are counted with the memory of the answer for as long as they are held.
pub(super) struct Gathered<'a, T> {
    values: Vec<T>,
    bytes: usize,
    /// Of those bytes.
    counted: usize,
    allowance: &'a Allowance<'a>,
}

impl<'a, T> Gathered<'a, T> {
    /// What is counted at a time: fewer bytes are not worth it, and most points have few.
    const STEP: usize = 16 << 10;

    /// What `read` makes of the values at a path of a stored payload, each with the bytes that it takes beside itself.
    pub(super) fn read<'v>(
        payload: ObjectRef<'v>,
        path: &PayloadPath,
        allowance: &'a Allowance<'a>,
        mut read: impl FnMut(ValueRef<'v>) -> Option<(T, usize)>,
    ) -> Result<Self> {
        let mut gathered = Gathered {
            values: Vec::new(),
            bytes: 0,
            counted: 0,
            allowance,
        };
        each_value(payload, path, allowance, |value| match read(value) {
            Some((value, heap)) => gathered.add(value, heap),
            None => Ok(()),
        })?;
        Ok(gathered)
    }

    /// Adds a value that takes so many bytes beside itself.
    fn add(&mut self, value: T, heap: usize) -> Result<()> {
        self.bytes += size_of::<T>() + heap;
        if self.bytes - self.counted >= Self::STEP {
            self.allowance.take(self.bytes - self.counted)?;
            self.counted = self.bytes;
        }
        self.values.push(value);
        Ok(())
    }

    /// All of them.
    pub(super) fn values(&mut self) -> &mut Vec<T> {
        &mut self.values
    }
}

impl<T> Drop for Gathered<'_, T> {
    fn drop(&mut self) {
        self.allowance.give(self.counted);
    }
}

/// Which values at a path count, and as what. The others are treated as if they were not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValueKind {
    /// Booleans, numbers and strings, in this order. Strings are compared by their bytes, those that spell dates too.
    #[default]
    Any,
    /// Numbers alone, compared without rounding, whatever their type: 2 and 2.0 are one number.
    Numbers,
    /// Strings that spell a point in time ([`Datetime`]), and nothing else.
    Datetimes,
    /// Strings alone, by their bytes.
    Strings,
}

/// A value that counts. Each has one form: a float that is whole and not too large is an integer.
#[derive(Clone, Debug)]
pub(super) enum Scalar<S = Box<str>> {
    Bool(bool),
    /// From the least `i64` to the greatest `u64`.
    Integer(i128),
    Float(f64),
    Datetime(Datetime),
    String(S),
}

/// Whole floats below this are integers: none of them is beyond `u64`, and all that are beyond are whole.
const BEYOND: f64 = 18_446_744_073_709_551_616.0;

fn number<S>(float: f64) -> Option<Scalar<S>> {
    if float.is_nan() {
        return None;
    }
    if float.fract() == 0.0 && float < BEYOND && float >= i64::MIN as f64 {
        return Some(Scalar::Integer(float as i128));
    }
    Some(Scalar::Float(float))
}

impl ValueKind {
    /// A stored value, if it counts.
    pub(super) fn read(self, value: ValueRef<'_>) -> Option<Scalar<&str>> {
        let read = match value {
            ValueRef::Bool(truth) => Scalar::Bool(truth),
            ValueRef::I64(number) => Scalar::Integer(number.into()),
            ValueRef::U64(number) => Scalar::Integer(number.into()),
            ValueRef::F64(float) => number(float)?,
            ValueRef::Str(text) => return self.text(text),
            ValueRef::Null | ValueRef::Array(_) | ValueRef::Object(_) => return None,
        };
        self.admits(read)
    }

    /// A value that a caller gives, if it is of this kind.
    pub(super) fn read_json(self, value: &Value) -> Option<Scalar<&str>> {
        let read = match value {
            Value::Bool(truth) => Scalar::Bool(*truth),
            Value::Number(given) => match (given.as_i64(), given.as_u64()) {
                (Some(integer), _) => Scalar::Integer(integer.into()),
                (None, Some(integer)) => Scalar::Integer(integer.into()),
                (None, None) => number(given.as_f64()?)?,
            },
            Value::String(text) => return self.text(text),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        self.admits(read)
    }

    fn text(self, text: &str) -> Option<Scalar<&str>> {
        match self {
            ValueKind::Any | ValueKind::Strings => Some(Scalar::String(text)),
            ValueKind::Datetimes => Datetime::parse(text).map(Scalar::Datetime),
            ValueKind::Numbers => None,
        }
    }

    /// Of what is not a string.
    fn admits<S>(self, value: Scalar<S>) -> Option<Scalar<S>> {
        let is_number = matches!(value, Scalar::Integer(_) | Scalar::Float(_));
        match self {
            ValueKind::Any => Some(value),
            ValueKind::Numbers if is_number => Some(value),
            ValueKind::Numbers | ValueKind::Datetimes | ValueKind::Strings => None,
        }
    }

    /// What a point with such a value matches, where an index on the path can tell without its payload.
    pub(super) fn condition(self, schema: &Schema, path: &PayloadPath) -> Option<Filter> {
        let path = path.to_string();
        let is_indexed = schema.payload_indexes.iter().any(|index| index.path == path);
        let condition = match self {
            ValueKind::Numbers if is_indexed => Condition::range(path, ..),
            ValueKind::Datetimes if is_indexed => Condition::datetime_range(path, ..),
            ValueKind::Any | ValueKind::Numbers | ValueKind::Datetimes | ValueKind::Strings => return None,
        };
        Some(Filter::must([condition]))
    }
}

/// Without rounding the integer.
fn integer_with_float(integer: i128, float: f64) -> Ordering {
    let nearest = (integer as f64).total_cmp(&float);
    // Where the nearest float is equal, that is a whole number beyond the integers.
    nearest.then_with(|| integer.cmp(&(float as i128)))
}

impl<S: AsRef<str>> Scalar<S> {
    /// Booleans, numbers, datetimes, strings; those of a kind by their value.
    pub(super) fn compare<T: AsRef<str>>(&self, other: &Scalar<T>) -> Ordering {
        match (self, other) {
            (Scalar::Bool(a), Scalar::Bool(b)) => a.cmp(b),
            (Scalar::Integer(a), Scalar::Integer(b)) => a.cmp(b),
            (Scalar::Float(a), Scalar::Float(b)) => a.total_cmp(b),
            (Scalar::Integer(a), Scalar::Float(b)) => integer_with_float(*a, *b),
            (Scalar::Float(a), Scalar::Integer(b)) => integer_with_float(*b, *a).reverse(),
            (Scalar::Datetime(a), Scalar::Datetime(b)) => a.cmp(b),
            (Scalar::String(a), Scalar::String(b)) => a.as_ref().cmp(b.as_ref()),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Scalar::Bool(_) => 0,
            Scalar::Integer(_) | Scalar::Float(_) => 1,
            Scalar::Datetime(_) => 2,
            Scalar::String(_) => 3,
        }
    }

    /// Bytes beside the value itself.
    pub(super) fn heap(&self) -> usize {
        match self {
            Scalar::String(text) => text.as_ref().len(),
            Scalar::Bool(_) | Scalar::Integer(_) | Scalar::Float(_) | Scalar::Datetime(_) => 0,
        }
    }

    pub(super) fn to_owned(&self) -> Scalar {
        match self {
            Scalar::Bool(truth) => Scalar::Bool(*truth),
            Scalar::Integer(integer) => Scalar::Integer(*integer),
            Scalar::Float(float) => Scalar::Float(*float),
            Scalar::Datetime(at) => Scalar::Datetime(*at),
            Scalar::String(text) => Scalar::String(text.as_ref().into()),
        }
    }

    /// As a caller gets it: datetimes in UTC.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Scalar::Bool(truth) => Value::Bool(*truth),
            Scalar::Integer(integer) => match (i64::try_from(*integer), u64::try_from(*integer)) {
                (Ok(integer), _) => integer.into(),
                (Err(_), Ok(integer)) => integer.into(),
                // None is read that is neither.
                (Err(_), Err(_)) => Value::Null,
            },
            Scalar::Float(float) => (*float).into(),
            Scalar::Datetime(at) => at.to_string().into(),
            Scalar::String(text) => text.as_ref().into(),
        }
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other).is_eq()
    }
}

impl Eq for Scalar {}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(other)
    }
}

#[cfg(test)]
mod tests;
