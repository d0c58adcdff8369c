//! Vectors of all kinds, as pickles have them.

use vdb::{MAX_DIMENSION, SparseVector, Vector};

use crate::error::Problem;
use crate::misfit::Misfit;
use crate::pickle::{Items, Object, Value};

/// Rows of one multivector, at most.
const MAX_ROWS: usize = 65_536;

/// From a list of numbers, a list of such lists, or a `SparseVector`.
pub(super) fn read(value: &Value) -> Result<Vector, Misfit> {
    if let Value::List(items) = value {
        return match items.items().first() {
            Some(Value::List(_)) => multi(items),
            Some(_) | None => dense(items).map(Vector::Dense),
        };
    }
    if let Value::Object(of) = value
        && of.class().name == "SparseVector"
    {
        return sparse(of);
    }
    Err(misfit(
        "a vector: a list of numbers, of lists of numbers, or a SparseVector",
        value,
    ))
}

fn misfit(expected: &'static str, found: &Value) -> Misfit {
    Misfit::here(Problem::Value {
        expected,
        found: found.kind().to_owned(),
    })
}

fn limit(found: usize, expected: &'static str) -> Misfit {
    Misfit::here(Problem::Value {
        expected,
        found: found.to_string(),
    })
}

fn dense(numbers: &Items) -> Result<Vec<f32>, Misfit> {
    let numbers = numbers.items();
    if numbers.is_empty() || numbers.len() > MAX_DIMENSION {
        return Err(limit(numbers.len(), "a length of vectors: 1 to 65536 numbers"));
    }
    floats(numbers)
}

fn floats(numbers: &[Value]) -> Result<Vec<f32>, Misfit> {
    let number = |(at, value)| number(value).map_err(|misfit| misfit.within(&format!("[{at}]")));
    numbers.iter().enumerate().map(number).collect()
}

/// Rounded to 32 bits.
fn number(value: &Value) -> Result<f32, Misfit> {
    let wide = value.as_number().ok_or_else(|| misfit("a number", value))?;
    let narrow = wide as f32;
    if !narrow.is_finite() {
        return Err(Misfit::here(Problem::NotFinite {
            value: wide.to_string(),
        }));
    }
    Ok(narrow)
}

fn multi(rows: &Items) -> Result<Vector, Misfit> {
    let rows = rows.items();
    if rows.len() > MAX_ROWS {
        return Err(limit(rows.len(), "a number of rows: at most 65536"));
    }
    let row = |(at, row): (usize, &Value)| {
        let within = |misfit: Misfit| misfit.within(&format!("[{at}]"));
        if let Value::List(numbers) = row {
            return dense(numbers).map_err(within);
        }
        Err(within(misfit("a list of numbers", row)))
    };
    let rows: Vec<Vec<f32>> = rows.iter().enumerate().map(row).collect::<Result<_, _>>()?;
    let size = rows.first().map_or(0, Vec::len);
    match rows.iter().position(|row| row.len() != size) {
        None => Ok(Vector::Multi(rows)),
        Some(at) => {
            let length = rows.get(at).map_or(0, Vec::len);
            Err(limit(length, "the length of the rows before it").within(&format!("[{at}]")))
        }
    }
}

fn sparse(of: &Object) -> Result<Vector, Misfit> {
    let list = |name: &'static str| match of.field(name) {
        Some(Value::List(items)) => Ok(items.clone()),
        Some(other) => Err(misfit("a list of numbers", other).within(&format!(".{name}"))),
        None => Err(misfit("a list of numbers", &Value::None).within(&format!(".{name}"))),
    };
    let (indices, values) = (list("indices")?, list("values")?);
    let index = |(at, value): (usize, &Value)| {
        if let Value::Int(index) = value
            && let Ok(index) = u32::try_from(*index)
        {
            return Ok(index);
        }
        Err(misfit("an index from 0 to 4294967295", value).within(&format!(".indices[{at}]")))
    };
    let indices: Vec<u32> = indices
        .items()
        .iter()
        .enumerate()
        .map(index)
        .collect::<Result<_, _>>()?;
    let values = floats(values.items()).map_err(|misfit| misfit.within(".values"))?;
    if indices.len() != values.len() {
        return Err(limit(values.len(), "the number of its indices").within(".values"));
    }
    let mut pairs: Vec<(u32, f32)> = indices.into_iter().zip(values).collect();
    pairs.sort_unstable_by_key(|(index, _)| *index);
    if let Some(twice) = pairs
        .windows(2)
        .find(|pair| matches!(pair, [(a, _), (b, _)] if a == b))
    {
        let index = twice.first().map_or(0, |(index, _)| *index);
        return Err(Misfit::here(Problem::Value {
            expected: "a list of different indices",
            found: format!("a list with {index} twice"),
        })
        .within(".indices"));
    }
    Ok(SparseVector::from(pairs).into())
}
