//! Payload fields as columns.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, UInt64Builder,
};
use arrow_array::{ArrayRef, ListArray};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field};
use serde::ser::{Serialize, Serializer};
use serde_json::Value as Json;
use vdb::Payload;

use crate::columnar::field::{FieldType, ITEM, Scalar};
use crate::columnar::origin::Payloads;

/// What a point's payload may be refused for: its collection is another one than was looked at first.
const CHANGED: &str = "is not what the payloads were found to be before the file was begun";

/// The columns of all fields, while they are filled.
pub(super) struct PayloadColumns {
    fields: Vec<(String, Builder)>,
    /// The fields with a column of their own.
    keys: HashSet<String>,
    /// Names of the fields that are there and null.
    nulls: Option<ListBuilder<StringBuilder>>,
    /// All other fields.
    rest: Option<StringBuilder>,
}

enum Builder {
    Values(Items),
    Lists(Lists),
    Json(StringBuilder),
}

struct Lists {
    items: Items,
    /// Where each list ends.
    ends: Vec<i32>,
    there: Vec<bool>,
    item: Arc<Field>,
}

enum Items {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Unsigned(UInt64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
}

impl PayloadColumns {
    pub(super) fn new(said: &Payloads) -> PayloadColumns {
        let builder = |of: FieldType| match of {
            FieldType::Value(scalar) => Builder::Values(Items::new(scalar)),
            FieldType::List(scalar) => Builder::Lists(Lists::new(scalar)),
            FieldType::Json => Builder::Json(StringBuilder::new()),
        };
        let fields = said.fields.iter();
        PayloadColumns {
            fields: fields
                .clone()
                .map(|field| (field.key.clone(), builder(field.of)))
                .collect(),
            keys: fields.map(|field| field.key.clone()).collect(),
            nulls: said.nulls.as_ref().map(|_| {
                ListBuilder::new(StringBuilder::new()).with_field(Field::new(ITEM, DataType::Utf8, false))
            }),
            rest: said.rest.as_ref().map(|_| StringBuilder::new()),
        }
    }

    /// Adds a payload, and says about how many bytes it took.
    pub(super) fn push(&mut self, payload: &Payload) -> Result<usize, String> {
        let (mut bytes, mut found, mut is_null) = (0, 0, false);
        for (key, builder) in &mut self.fields {
            let value = payload.get(key);
            found += usize::from(value.is_some());
            // A column of JSON says itself which values are null.
            if value == Some(&Json::Null) && !matches!(builder, Builder::Json(_)) {
                is_null = true;
                if let Some(nulls) = &mut self.nulls {
                    nulls.values().append_value(key.as_str());
                }
            }
            let took = builder.push(value);
            bytes += took.ok_or_else(|| format!("the payload field {key:?} {CHANGED}"))?;
        }
        if let Some(nulls) = &mut self.nulls {
            nulls.append(is_null);
        } else if is_null {
            return Err(format!("a null of the payload {CHANGED}"));
        }
        let has_others = found < payload.len();
        match &mut self.rest {
            Some(rest) if has_others => {
                let others = Others(payload, &self.keys);
                let text = serde_json::to_string(&others).map_err(|error| error.to_string())?;
                bytes += text.len();
                rest.append_value(text);
            }
            Some(rest) => rest.append_null(),
            None if has_others => return Err(format!("the payload {CHANGED}")),
            None => {}
        }
        Ok(bytes)
    }

    /// The columns since the last time.
    pub(super) fn finish(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        let fields = self.fields.iter_mut();
        let mut columns = fields
            .map(|(_, builder)| builder.finish())
            .collect::<Result<Vec<ArrayRef>, _>>()?;
        if let Some(nulls) = &mut self.nulls {
            columns.push(Arc::new(nulls.finish()));
        }
        if let Some(rest) = &mut self.rest {
            columns.push(Arc::new(rest.finish()));
        }
        Ok(columns)
    }
}

/// The fields of a payload without those that have columns.
struct Others<'a>(&'a Payload, &'a HashSet<String>);

impl Serialize for Others<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().filter(|(key, _)| !self.1.contains(*key)))
    }
}

impl Builder {
    /// Adds the value of a point; none when it is of another type.
    fn push(&mut self, value: Option<&Json>) -> Option<usize> {
        match (self, value) {
            (Builder::Json(texts), None) => {
                texts.append_null();
                Some(0)
            }
            (Builder::Json(texts), Some(value)) => {
                let text = value.to_string();
                texts.append_value(&text);
                Some(text.len())
            }
            (Builder::Values(items), value) => items.push(value.unwrap_or(&Json::Null)),
            (Builder::Lists(lists), None | Some(Json::Null)) => lists.push(None),
            (Builder::Lists(lists), Some(Json::Array(items))) => lists.push(Some(items)),
            (Builder::Lists(_), Some(_)) => None,
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        match self {
            Builder::Values(items) => Ok(items.finish()),
            Builder::Lists(lists) => lists.finish(),
            Builder::Json(texts) => Ok(Arc::new(texts.finish())),
        }
    }
}

impl Lists {
    fn new(scalar: Scalar) -> Lists {
        Lists {
            items: Items::new(scalar),
            ends: vec![0],
            there: Vec::new(),
            item: scalar.item(),
        }
    }

    fn push(&mut self, items: Option<&Vec<Json>>) -> Option<usize> {
        let mut bytes = 4;
        for item in items.into_iter().flatten() {
            bytes += self.items.push(item)?;
        }
        let count = i32::try_from(items.map_or(0, Vec::len)).ok()?;
        self.ends.push(self.ends.last()?.checked_add(count)?);
        self.there.push(items.is_some());
        Some(bytes)
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let ends = std::mem::replace(&mut self.ends, vec![0]);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        let there = NullBuffer::from(std::mem::take(&mut self.there));
        let lists = ListArray::try_new(self.item.clone(), offsets, self.items.finish(), Some(there))?;
        Ok(Arc::new(lists))
    }
}

impl Items {
    fn new(scalar: Scalar) -> Items {
        match scalar {
            Scalar::Boolean => Items::Boolean(BooleanBuilder::new()),
            Scalar::Integer => Items::Integer(Int64Builder::new()),
            Scalar::Unsigned => Items::Unsigned(UInt64Builder::new()),
            Scalar::Float => Items::Float(Float64Builder::new()),
            Scalar::Text => Items::Text(StringBuilder::new()),
        }
    }

    /// Adds a value; none when it is of another type.
    fn push(&mut self, value: &Json) -> Option<usize> {
        if value.is_null() {
            match self {
                Items::Boolean(items) => items.append_null(),
                Items::Integer(items) => items.append_null(),
                Items::Unsigned(items) => items.append_null(),
                Items::Float(items) => items.append_null(),
                Items::Text(items) => items.append_null(),
            }
            return Some(1);
        }
        match self {
            Items::Boolean(items) => items.append_value(value.as_bool()?),
            Items::Integer(items) => items.append_value(value.as_i64()?),
            Items::Unsigned(items) => items.append_value(value.as_u64()?),
            // An integer would come back as a float.
            Items::Float(items) => items.append_value(value.as_f64().filter(|_| value.is_f64())?),
            Items::Text(items) => {
                let text = value.as_str()?;
                items.append_value(text);
                return Some(4 + text.len());
            }
        }
        Some(8)
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Items::Boolean(items) => Arc::new(items.finish()),
            Items::Integer(items) => Arc::new(items.finish()),
            Items::Unsigned(items) => Arc::new(items.finish()),
            Items::Float(items) => Arc::new(items.finish()),
            Items::Text(items) => Arc::new(items.finish()),
        }
    }
}
