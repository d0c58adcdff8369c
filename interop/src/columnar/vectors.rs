//! Columns as vectors.
//!
//! | column | vector |
//! |---|---|
//! | list of numbers, of any kind and length | dense |
//! | list of such lists | multivector |
//! | struct of the lists `indices` and `values` | sparse |
//! | text with numbers in it, as `spelled.rs` reads them | dense |
//!
//! Floats of 64 bits are rounded to the 32 of a vector, which [`Kind::is_rounded`] lets the caller tell; integers that 32 bits
//! do not hold are errors.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use vdb::{SparseVector, Vector};

use super::value;
use crate::error::Problem;
use crate::misfit::{Lossy, Misfit};
use crate::spelled;
use crate::vector::{MAX_DIM, MAX_ROWS};

/// What vectors a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Dense {
        /// Numbers, where all vectors of the column have the same.
        size: Option<usize>,
        of: Numbers,
    },
    Multi {
        of: Numbers,
    },
    Sparse {
        of: Numbers,
    },
    /// Dense ones, in text.
    Text,
}

/// What kind of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Floats of at most 32 bits.
    Floats,
    /// Floats of 64 bits.
    Doubles,
    Integers,
}

/// The names of the fields of a sparse vector.
pub(super) const INDICES: &str = "indices";
pub(super) const VALUES: &str = "values";

impl Kind {
    /// What a column of this type can be, if it can be vectors.
    pub(super) fn of(column: &DataType) -> Option<Kind> {
        if let DataType::Struct(fields) = column {
            let [indices, values] = &**fields else { return None };
            let index = item(indices.data_type()).and_then(Numbers::of);
            let of = item(values.data_type()).and_then(Numbers::of)?;
            let is_sparse =
                indices.name() == INDICES && values.name() == VALUES && index == Some(Numbers::Integers);
            return is_sparse.then_some(Kind::Sparse { of });
        }
        if value::is_text_or_codes(column) {
            return Some(Kind::Text);
        }
        let inner = item(column)?;
        if let Some(of) = Numbers::of(inner) {
            let size = if let DataType::FixedSizeList(_, size) = column {
                usize::try_from(*size).ok()
            } else {
                None
            };
            return Some(Kind::Dense { size, of });
        }
        Numbers::of(item(inner)?).map(|of| Kind::Multi { of })
    }

    /// Whether numbers lose digits.
    pub(super) fn is_rounded(self) -> bool {
        match self {
            Kind::Dense { of, .. } | Kind::Multi { of } | Kind::Sparse { of } => of == Numbers::Doubles,
            Kind::Text => false,
        }
    }

    /// Whether it looks like vectors without being named: dense ones of floats.
    pub(super) fn is_likely(self) -> bool {
        matches!(
            self,
            Kind::Dense {
                of: Numbers::Floats | Numbers::Doubles,
                ..
            }
        )
    }
}

impl Numbers {
    fn of(item: &DataType) -> Option<Numbers> {
        if matches!(item, DataType::Float16 | DataType::Float32) {
            Some(Numbers::Floats)
        } else if *item == DataType::Float64 {
            Some(Numbers::Doubles)
        } else if item.is_integer() {
            Some(Numbers::Integers)
        } else {
            None
        }
    }
}

/// The type of the items of a list.
pub(super) fn item(list: &DataType) -> Option<&DataType> {
    if let DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) = list {
        Some(item.data_type())
    } else {
        None
    }
}

/// The items of a row of a list; `None` where it is null.
fn items(array: &dyn Array, row: usize) -> Option<ArrayRef> {
    if array.is_null(row) {
        return None;
    }
    if let Some(list) = array.as_fixed_size_list_opt() {
        return Some(list.value(row));
    }
    if let Some(list) = array.as_list_opt::<i32>() {
        return Some(list.value(row));
    }
    array.as_list_opt::<i64>().map(|list| list.value(row))
}

fn misfit(expected: &'static str, found: impl ToString) -> Misfit {
    Misfit::here(Problem::Value {
        expected,
        found: found.to_string(),
    })
}

/// The vector of a row; `None` where it is null.
pub(super) fn read(array: &dyn Array, row: usize, kind: Kind) -> Result<Option<Vector>, Misfit> {
    if array.is_null(row) {
        return Ok(None);
    }
    match kind {
        Kind::Dense { .. } => items(array, row)
            .map(|numbers| floats(&*numbers).map(Vector::Dense))
            .transpose(),
        Kind::Multi { .. } => {
            let Some(rows) = items(array, row) else {
                return Ok(None);
            };
            if rows.len() > MAX_ROWS {
                return Err(misfit("a number of rows: at most 65536", rows.len()));
            }
            let one = |at: usize| {
                let numbers = items(&*rows, at).ok_or_else(|| misfit("a list of numbers", "null"));
                numbers
                    .and_then(|numbers| floats(&*numbers))
                    .map_err(|misfit| misfit.within(&format!("[{at}]")))
            };
            let rows: Vec<Vec<f32>> = (0..rows.len()).map(one).collect::<Result<_, _>>()?;
            Ok(Some(Vector::Multi(rows)))
        }
        Kind::Sparse { .. } => sparse(array, row).map(Some),
        Kind::Text => text(array, row),
    }
}

fn text(array: &dyn Array, row: usize) -> Result<Option<Vector>, Misfit> {
    let found = value::json(array, row, &mut Lossy::default())?;
    // In a dictionary the code may be there and the text null.
    let Some(text) = found.as_str().filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    match spelled::vector(text, "") {
        Ok(numbers) => Ok(Some(Vector::Dense(numbers))),
        Err((path, problem)) => Err(Misfit::here(problem).within(&path)),
    }
}

fn sparse(array: &dyn Array, row: usize) -> Result<Vector, Misfit> {
    let column = |at: usize| array.as_struct_opt().and_then(|of| of.columns().get(at));
    let list = |at: usize, name: &str| {
        let found = column(at).and_then(|column| items(&**column, row));
        found.ok_or_else(|| misfit("a list of numbers", "null").within(&format!(".{name}")))
    };
    let indices = list(0, INDICES)?;
    let index = |at: usize| {
        let found = integer(&*indices, at);
        found.and_then(|index| u32::try_from(index).ok()).ok_or_else(|| {
            let found = found.map_or_else(|| "null".to_owned(), |index| index.to_string());
            misfit("an index from 0 to 4294967295", found).within(&format!(".{INDICES}[{at}]"))
        })
    };
    let indices: Vec<u32> = (0..indices.len()).map(index).collect::<Result<_, _>>()?;
    let values = floats(&*list(1, VALUES)?).map_err(|misfit| misfit.within(&format!(".{VALUES}")))?;
    if indices.len() != values.len() {
        return Err(misfit("the number of its indices", values.len()).within(&format!(".{VALUES}")));
    }
    Ok(SparseVector { indices, values }.into())
}

/// An integer of any type; `None` where it is null.
fn integer(array: &dyn Array, at: usize) -> Option<i128> {
    fn of<T: ArrowPrimitiveType>(array: &dyn Array, at: usize) -> Option<i128>
    where
        T::Native: Into<i128>,
    {
        array
            .as_primitive_opt::<T>()
            .filter(|array| array.is_valid(at))
            .map(|array| array.value(at).into())
    }
    of::<UInt32Type>(array, at)
        .or_else(|| of::<Int64Type>(array, at))
        .or_else(|| of::<Int32Type>(array, at))
        .or_else(|| of::<UInt64Type>(array, at))
        .or_else(|| of::<Int8Type>(array, at))
        .or_else(|| of::<Int16Type>(array, at))
        .or_else(|| of::<UInt8Type>(array, at))
        .or_else(|| of::<UInt16Type>(array, at))
}

/// Numbers of any type in 32 bits.
fn floats(array: &dyn Array) -> Result<Vec<f32>, Misfit> {
    if array.len() > MAX_DIM {
        return Err(misfit("a length of vectors: at most 65536 numbers", array.len()));
    }
    if array.null_count() > 0 {
        let at = (0..array.len()).find(|at| array.is_null(*at)).unwrap_or(0);
        return Err(misfit("a number", "null").within(&format!("[{at}]")));
    }
    if let Some(floats) = array.as_primitive_opt::<Float32Type>() {
        return Ok(floats.values().to_vec());
    }
    if let Some(halves) = array.as_primitive_opt::<Float16Type>() {
        return Ok(halves.values().iter().map(|half| half.to_f32()).collect());
    }
    if let Some(doubles) = array.as_primitive_opt::<Float64Type>() {
        return doubles.values().iter().enumerate().map(narrow).collect();
    }
    (0..array.len())
        .map(|at| {
            let wide = integer(array, at).ok_or_else(|| misfit("a number", "another value"))?;
            let number = wide as f32;
            if number as i128 == wide {
                return Ok(number);
            }
            let expected = "a number that 32-bit floats hold, as integers up to 16777216 are";
            Err(misfit(expected, wide).within(&format!("[{at}]")))
        })
        .collect()
}

/// Rounded to 32 bits. What was finite stays so or is an error; what was not is found by who looks at all numbers.
fn narrow((at, wide): (usize, &f64)) -> Result<f32, Misfit> {
    let number = *wide as f32;
    if number.is_finite() || !wide.is_finite() {
        return Ok(number);
    }
    let problem = Problem::NotFinite {
        value: wide.to_string(),
    };
    Err(Misfit::here(problem).within(&format!("[{at}]")))
}
