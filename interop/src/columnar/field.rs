//! What a column of one payload field holds: the one type that has every value of the field.
//!
//! | values of a field | column |
//! |---|---|
//! | booleans, text | the same |
//! | integers | of 64 bits with a sign; without one if there are any from 2^63 on and none below 0 |
//! | floats | of 64 bits |
//! | lists of values of one such type, nulls among them or not | a list of the type |
//! | anything else: objects, lists within lists, values of several types | JSON as text |
//!
//! `2` and `2.0` are of two types, so that each comes back as it was.

use std::sync::Arc;

use arrow_schema::{DataType, Field};
use serde::{Deserialize, Serialize};

use super::{value, vectors};

/// What the items of lists are called, as the Parquet format wants it.
pub(super) const ITEM: &str = "element";

/// One type of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Scalar {
    Boolean,
    /// Integers from -2^63 to 2^63-1.
    Integer,
    /// Integers from 0 to 2^64-1.
    Unsigned,
    Float,
    Text,
}

/// What a column of a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FieldType {
    /// Values; null where there is none.
    Value(Scalar),
    /// Lists, whose items may be null.
    List(Scalar),
    /// JSON as text; null where there is none.
    Json,
}

impl Scalar {
    fn data_type(self) -> DataType {
        match self {
            Scalar::Boolean => DataType::Boolean,
            Scalar::Integer => DataType::Int64,
            Scalar::Unsigned => DataType::UInt64,
            Scalar::Float => DataType::Float64,
            Scalar::Text => DataType::Utf8,
        }
    }

    /// The items of a list.
    pub(super) fn item(self) -> Arc<Field> {
        Arc::new(Field::new(ITEM, self.data_type(), true))
    }

    /// Whether a column of this type still has what was written, whoever wrote it again.
    fn is_kept_by(self, of: &DataType) -> bool {
        match self {
            Scalar::Boolean => *of == DataType::Boolean,
            Scalar::Integer | Scalar::Unsigned => of.is_integer(),
            // Fewer bits would be other numbers.
            Scalar::Float => *of == DataType::Float64,
            Scalar::Text => value::is_text_or_codes(of),
        }
    }
}

impl FieldType {
    /// The type of the column.
    pub(super) fn data_type(self) -> DataType {
        match self {
            FieldType::Value(scalar) => scalar.data_type(),
            FieldType::List(scalar) => DataType::List(scalar.item()),
            FieldType::Json => DataType::Utf8,
        }
    }

    /// Whether a column of the type `of` still has what was written: other programs choose other widths.
    pub(super) fn is_kept_by(self, of: &DataType) -> bool {
        match self {
            FieldType::Value(scalar) => scalar.is_kept_by(of),
            FieldType::List(scalar) => vectors::item(of).is_some_and(|item| scalar.is_kept_by(item)),
            FieldType::Json => value::is_text_or_codes(of),
        }
    }
}
