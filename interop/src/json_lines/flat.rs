//! Lines of other programs: which key has the id and which have vectors is what the caller says, and every other key is payload.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use vdb::Vector;

use super::Fields;
use crate::error::Problem;
use crate::id::Given;
use crate::json::Spot;
use crate::options::ReadOptions;
use crate::spelled;
use crate::vector::VectorSeed;

/// The keys that are looked for where the caller names none.
const ID: &str = "id";
const VECTOR: &str = "vector";

/// Which keys of a line are what.
#[derive(Debug)]
pub(super) struct Flat {
    /// The key of the ids; `None` where rows are numbered.
    id: Option<String>,
    /// The keys of vectors with the names that these get.
    vectors: Vec<(String, String)>,
    leave_out: Vec<String>,
    /// Keys that the caller named, to read or to leave out, and that the first line has to have.
    asked: Vec<String>,
}

impl Flat {
    /// What the caller says of the keys; `None` for lines of ours.
    ///
    /// # Errors
    /// When several vectors are to have one name, or a key is named both to be read and to be left out.
    pub(super) fn of(options: &ReadOptions) -> Result<Option<Flat>, Problem> {
        let asked = &options.columns;
        let is_ours = asked.id.is_none()
            && asked.vectors.is_empty()
            && asked.has_vectors
            && !asked.number_rows
            && asked.leave_out.is_empty();
        if is_ours {
            return Ok(None);
        }
        let to_read = || asked.id.iter().chain(&asked.vectors);
        if let Some(both) = to_read().find(|name| asked.leave_out.contains(name)) {
            return Err(Problem::Collection(format!(
                "the key {both:?} is named to be read and, with --leave-out, not to be"
            )));
        }
        let vectors = match asked.vectors.as_slice() {
            _ if !asked.has_vectors => Vec::new(),
            [] => vec![(VECTOR.to_owned(), options.vector_name.clone())],
            [one] => vec![(one.clone(), options.vector_name.clone())],
            _ if !options.vector_name.is_empty() => {
                return Err(Problem::Collection(
                    "several vectors have the names of their keys: --using names one alone".to_owned(),
                ));
            }
            several => several.iter().map(|key| (key.clone(), key.clone())).collect(),
        };
        let id = asked.id.clone().unwrap_or_else(|| ID.to_owned());
        Ok(Some(Flat {
            id: (!asked.number_rows).then_some(id),
            vectors,
            leave_out: asked.leave_out.clone(),
            asked: to_read().chain(&asked.leave_out).cloned().collect(),
        }))
    }

    /// The key of the ids.
    pub(super) fn id_name(&self) -> &str {
        self.id.as_deref().unwrap_or(ID)
    }

    /// Whether a place in a line is in its payload.
    pub(super) fn is_payload(&self, place: &str) -> bool {
        let vectors = self.vectors.iter().map(|(key, _)| key);
        let is_in = |known: &String| {
            let rest = place.strip_prefix(known.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
        };
        !self.id.iter().chain(vectors).any(is_in)
    }

    /// The key of the vector with this name.
    pub(super) fn key_of<'a>(&'a self, name: &'a str) -> &'a str {
        let known = self.vectors.iter().find(|(_, of)| of == name);
        known.map_or(name, |(key, _)| key.as_str())
    }

    /// What to say of a line that lacks a key which the caller named.
    pub(super) fn missing(&self, line: &Fields) -> Option<Problem> {
        const MOST: usize = 40;
        let name = line.missing.and_then(|at| self.asked.get(at))?;
        let others = line.payload.iter().flat_map(Map::keys).take(MOST);
        let others: Vec<String> = others.map(|key| format!("{key:?}")).collect();
        Some(Problem::NoColumn {
            name: format!("{name:?}"),
            columns: others.join(", "),
        })
    }
}

/// One line.
pub(super) struct FlatSeed<'a> {
    pub(super) keys: &'a Flat,
    pub(super) spot: &'a Spot,
}

impl<'de> DeserializeSeed<'de> for FlatSeed<'_> {
    type Value = Fields;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl FlatSeed<'_> {
    /// Reads the value of `key` into `fields`; false where the key was there before.
    fn read<'de, A: MapAccess<'de>>(
        &self,
        key: &str,
        entries: &mut A,
        fields: &mut Fields,
    ) -> Result<bool, A::Error> {
        let Flat {
            id,
            vectors,
            leave_out,
            ..
        } = self.keys;
        if leave_out.iter().any(|left_out| left_out == key) {
            return entries.next_value::<IgnoredAny>().map(|_| true);
        }
        if id.as_deref() == Some(key) {
            let found: Value = entries.next_value()?;
            let Some(given) = Given::of_json(&found).map_err(A::Error::custom)? else {
                return Ok(true);
            };
            return Ok(fields.id.replace(given).is_none());
        }
        if let Some((key, name)) = vectors.iter().find(|(known, _)| known == key) {
            let found = entries.next_value_seed(OptionalVector {
                field: key,
                spot: self.spot,
            })?;
            let Some(vector) = found else { return Ok(true) };
            // A sparse vector always has a name.
            let name = if name.is_empty() && matches!(vector, Vector::Sparse(_)) {
                key
            } else {
                name
            };
            return Ok(fields.vectors.0.insert(name.clone(), vector).is_none());
        }
        let value: Value = entries.next_value()?;
        let payload = fields.payload.get_or_insert_with(Map::new);
        Ok(payload.insert(key.to_owned(), value).is_none())
    }
}

impl<'de> Visitor<'de> for FlatSeed<'_> {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        let asked = &self.keys.asked;
        let mut met = vec![false; asked.len()];
        while let Some(key) = entries.next_key::<String>()? {
            for (met, _) in met.iter_mut().zip(asked).filter(|(_, named)| **named == key) {
                *met = true;
            }
            let read = self.read(&key, &mut entries, &mut fields).and_then(|is_new| {
                is_new
                    .then_some(())
                    .ok_or_else(|| A::Error::custom("the key is given twice"))
            });
            self.spot.note(read, || key)?;
        }
        fields.missing = met.iter().position(|met| !met);
        Ok(fields)
    }
}

/// A vector, one in text, or null for none.
struct OptionalVector<'a> {
    field: &'a str,
    spot: &'a Spot,
}

impl<'a> OptionalVector<'a> {
    fn plain(&self) -> VectorSeed<'a> {
        VectorSeed {
            field: self.field,
            spot: self.spot,
        }
    }
}

impl<'de> DeserializeSeed<'de> for OptionalVector<'_> {
    type Value = Option<Vector>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OptionalVector<'_> {
    type Value = Option<Vector>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of numbers")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        match spelled::vector(text, self.field) {
            Ok(numbers) => Ok(Some(Vector::Dense(numbers))),
            // Where in the text it is helps nobody.
            Err((field, Problem::Json { message, .. })) => self.spot.note(Err(E::custom(message)), || field),
            Err((field, problem)) => self.spot.note(Err(E::custom(problem)), || field),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        self.plain().visit_seq(items).map(Some)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        self.plain().visit_map(entries).map(Some)
    }
}
