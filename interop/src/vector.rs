//! Vectors in JSON: arrays of numbers read straight into `f32`, without a tree of JSON values in between.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use vdb::{SparseVector, Vector, Vectors};

use crate::error::Problem;
use crate::json::Spot;

/// Numbers in one vector, at most.
pub const MAX_DIM: usize = 65_536;
/// Rows of one multivector, at most.
pub(crate) const MAX_ROWS: usize = 65_536;

/// The number of a vector that cannot be element, if there is one: its position and what to say of it.
pub(crate) fn not_finite(vector: &[f32]) -> Option<(usize, Problem)> {
    // The sum is finite for every sane vector, and adding is quicker than testing number by number.
    if vector.iter().sum::<f32>().is_finite() {
        return None;
    }
    let at = vector.iter().position(|number| !number.is_finite())?;
    let value = vector.get(at).copied().unwrap_or(f32::NAN);
    Some((
        at,
        Problem::NotFinite {
            value: value.to_string(),
        },
    ))
}

/// As [`not_finite`], for a vector of any kind: where in it, as a path.
pub(crate) fn not_finite_in(vector: &Vector) -> Option<(String, Problem)> {
    match vector {
        Vector::Dense(numbers) => not_finite(numbers).map(|(at, problem)| (format!("[{at}]"), problem)),
        Vector::Sparse(sparse) => {
            not_finite(&sparse.values).map(|(at, problem)| (format!(".values[{at}]"), problem))
        }
        Vector::Multi(rows) => rows.iter().enumerate().find_map(|(row, numbers)| {
            not_finite(numbers).map(|(at, problem)| (format!("[{row}][{at}]"), problem))
        }),
    }
}

/// An array of numbers.
pub(crate) struct NumbersSeed<'a> {
    /// What errors call the array.
    pub(crate) field: &'a str,
    pub(crate) spot: &'a Spot,
}

impl<'de> DeserializeSeed<'de> for NumbersSeed<'_> {
    type Value = Vec<f32>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for NumbersSeed<'_> {
    type Value = Vec<f32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, numbers: A) -> Result<Self::Value, A::Error> {
        self.collect(Vec::new(), numbers)
    }
}

impl NumbersSeed<'_> {
    /// Adds the numbers that are left to those that were read.
    fn collect<'de, A: SeqAccess<'de>>(
        &self,
        mut vector: Vec<f32>,
        mut numbers: A,
    ) -> Result<Vec<f32>, A::Error> {
        loop {
            let next = numbers.next_element::<f32>();
            match self
                .spot
                .note(next, || format!("{}[{}]", self.field, vector.len()))?
            {
                None => return Ok(vector),
                Some(_) if vector.len() == MAX_DIM => {
                    return Err(A::Error::custom(format_args!(
                        "a vector has at most {MAX_DIM} numbers"
                    )));
                }
                Some(number) => vector.push(number),
            }
        }
    }
}

/// One vector: an array of numbers, an array of such arrays, or `{"indices": [...], "values": [...]}`.
pub(crate) struct VectorSeed<'a> {
    /// What errors call it.
    pub(crate) field: &'a str,
    pub(crate) spot: &'a Spot,
}

impl<'de> DeserializeSeed<'de> for VectorSeed<'_> {
    type Value = Vector;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl VectorSeed<'_> {
    fn row(&self, at: usize) -> String {
        format!("{}[{at}]", self.field)
    }

    /// What an item of an array noted as its place is where the array is.
    fn within<T, E>(&self, result: Result<T, E>, at: usize) -> Result<T, E> {
        self.spot.note(result, || self.row(at))
    }
}

impl<'de> Visitor<'de> for VectorSeed<'_> {
    type Value = Vector;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let first = ItemSeed {
            field: &self.row(0),
            spot: self.spot,
        };
        let first = items.next_element_seed(first);
        match self.within(first, 0)? {
            None => Ok(Vector::Dense(Vec::new())),
            Some(Item::Number(first)) => {
                let numbers = NumbersSeed {
                    field: self.field,
                    spot: self.spot,
                };
                numbers.collect(vec![first], items).map(Vector::Dense)
            }
            Some(Item::Row(first)) => {
                let mut rows = vec![first];
                loop {
                    let field = self.row(rows.len());
                    let row = items.next_element_seed(NumbersSeed {
                        field: &field,
                        spot: self.spot,
                    });
                    match self.within(row, rows.len())? {
                        None => return Ok(Vector::Multi(rows)),
                        Some(_) if rows.len() == MAX_ROWS => {
                            let text = format!("a multivector has at most {MAX_ROWS} rows");
                            return Err(A::Error::custom(text));
                        }
                        Some(row) => rows.push(row),
                    }
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let (mut indices, mut values) = (None, None);
        while let Some(key) = entries.next_key::<String>()? {
            let field = format!("{}.{key}", self.field);
            let twice = match key.as_str() {
                "indices" => {
                    let list = entries.next_value::<Vec<u32>>();
                    indices.replace(self.spot.note(list, || field.clone())?).is_some()
                }
                "values" => {
                    let list = entries.next_value_seed(NumbersSeed {
                        field: &field,
                        spot: self.spot,
                    });
                    values.replace(self.spot.note(list, || field.clone())?).is_some()
                }
                _ => {
                    let text = "a sparse vector has the keys indices and values";
                    return self.spot.note(Err(A::Error::custom(text)), || field);
                }
            };
            if twice {
                let text = "the key is given twice";
                return self.spot.note(Err(A::Error::custom(text)), || field);
            }
        }
        match (indices, values) {
            (Some(indices), Some(values)) if indices.len() == values.len() => {
                Ok(SparseVector { indices, values }.into())
            }
            _ => Err(A::Error::custom("a sparse vector has as many indices as values")),
        }
    }
}

/// The first item of an array, which tells what the array is.
enum Item {
    Number(f32),
    Row(Vec<f32>),
}

struct ItemSeed<'a> {
    field: &'a str,
    spot: &'a Spot,
}

impl<'de> DeserializeSeed<'de> for ItemSeed<'_> {
    type Value = Item;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ItemSeed<'_> {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("f32")
    }

    // Unlike the numbers after it, the first comes by way of 64 bits. That makes a difference only to a decimal fraction
    // within a part in 10^16 of the middle between two floats.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Item, E> {
        let narrow = number as f32;
        if narrow.is_infinite() {
            return Err(E::custom("number out of range"));
        }
        Ok(Item::Number(narrow))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Item, E> {
        Ok(Item::Number(number as f32))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Item, E> {
        Ok(Item::Number(number as f32))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, numbers: A) -> Result<Item, A::Error> {
        let row = NumbersSeed {
            field: self.field,
            spot: self.spot,
        };
        row.collect(Vec::new(), numbers).map(Item::Row)
    }
}

/// The `vector` of a JSON row: a vector without a name, an object of vectors by name, or `null` for none.
pub(crate) struct VectorsSeed<'a> {
    /// The name of a vector that is given as a plain array.
    pub(crate) unnamed: &'a str,
    pub(crate) spot: &'a Spot,
}

impl<'de> DeserializeSeed<'de> for VectorsSeed<'_> {
    type Value = Vectors;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for VectorsSeed<'_> {
    type Value = Vectors;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of numbers, or an object of such arrays by vector name")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vectors::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, numbers: A) -> Result<Self::Value, A::Error> {
        let vector = VectorSeed {
            field: "vector",
            spot: self.spot,
        }
        .visit_seq(numbers)?;
        Ok(Vectors::default().with(self.unnamed, vector))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut vectors = Vectors::default();
        while let Some(name) = entries.next_key::<String>()? {
            let field = format!("vector.{name}");
            let vector = entries.next_value_seed(VectorSeed {
                field: &field,
                spot: self.spot,
            });
            let vector = self.spot.note(vector, || field.clone())?;
            if vectors.0.insert(name, vector).is_some() {
                return self
                    .spot
                    .note(Err(A::Error::custom("the name is used twice")), || field);
            }
        }
        Ok(vectors)
    }
}
