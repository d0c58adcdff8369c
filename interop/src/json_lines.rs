//! JSON Lines: one row a line, `{"id": 7, "vector": [0.1, ...], "payload": {...}}`.
//!
//! `vector` is an array or, for named vectors, an object of such by name; a multivector is an array of arrays, a sparse vector,
//! which always has a name, `{"indices": [...], "values": [...]}`; `id` is a number or a UUID as a string. All
//! three may be left out or `null`; rows without ids are numbered. Any other key is refused, so that a payload field
//! which was left beside `payload` instead of in it is not lost in silence. Lines of other programs are read once the caller says
//! which of their keys is what ([`ColumnOptions`](crate::ColumnOptions)); all others are payload then. Blank lines are stepped over.

mod flat;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use vdb::Vectors;

use crate::error::{Problem, RowError};
use crate::id::{self, Given, Numbering};
use crate::input::Input;
use crate::json::{self, Spot};
use crate::lines::{Line, Lines};
use crate::options::ReadOptions;
use crate::row::{At, Place, Row};
use crate::source::{Progress, RowSource};
use crate::vector::{VectorsSeed, not_finite_in};
use flat::{Flat, FlatSeed};

/// What a line has to be.
const EXPECTED: &str = "an object with id, vector and payload";
const EXPECTED_FLAT: &str = "an object";

/// The rows of a JSON Lines file.
#[derive(Debug)]
pub struct JsonLinesRows {
    lines: Lines,
    rows: u64,
    ended: bool,
    numbering: Numbering,
    vector_name: String,
    /// Which keys are what, for lines of others; and whether the first of them had those that were named.
    flat: Option<Flat>,
    is_compared: bool,
    lossy: bool,
    changed: u64,
}

impl JsonLinesRows {
    /// Nothing is read before the first row is asked for.
    ///
    /// # Errors
    /// When several vectors are to have one name.
    pub fn new(input: Input, options: &ReadOptions) -> Result<JsonLinesRows, RowError> {
        let flat = Flat::of(options).map_err(|problem| RowError::new(input.place(At::File), problem))?;
        Ok(JsonLinesRows {
            lines: Lines::new(input, options.max_row_bytes),
            rows: 0,
            ended: false,
            numbering: Numbering::of(options),
            vector_name: options.vector_name.clone(),
            flat,
            is_compared: false,
            lossy: options.lossy,
            changed: 0,
        })
    }

    /// Where it stands.
    pub(crate) fn place(&self) -> Place {
        self.lines.place()
    }

    /// The line as it is, or the field that is wrong and what is wrong with it.
    fn parse(&self) -> Result<Fields, (Option<String>, Problem)> {
        let spot = Spot::default();
        let text = self.lines.text();
        let parsed = match &self.flat {
            None => {
                let seed = FieldsSeed {
                    vector_name: &self.vector_name,
                    spot: &spot,
                };
                json::parse_line(text, seed, EXPECTED)
            }
            Some(keys) => json::parse_line(text, FlatSeed { keys, spot: &spot }, EXPECTED_FLAT),
        };
        parsed.map_err(|problem| {
            let field = spot.take();
            let problem = match field.as_deref() {
                Some(field) if self.is_payload(field) => json::of_payload(problem),
                Some(field) if field == self.id_name() => id::refused(problem),
                // A key, which is one of the payload in lines of others.
                None if self.flat.is_some() => problem,
                Some(_) | None => json::beside_payload(problem),
            };
            (field, problem)
        })
    }

    /// Whether a place in a line is in its payload.
    fn is_payload(&self, place: &str) -> bool {
        match &self.flat {
            None => place == "payload",
            Some(keys) => keys.is_payload(place),
        }
    }

    /// The key of the ids.
    fn id_name(&self) -> &str {
        self.flat.as_ref().map_or("id", Flat::id_name)
    }

    fn row(&mut self, number: u64) -> Result<Row, RowError> {
        let place = self.lines.place();
        let mut parsed = self.parse();
        if self.lossy
            && parsed
                .as_ref()
                .is_err_and(|(_, problem)| json::is_mendable(problem))
        {
            let (text, changed) = json::mended(self.lines.text(), |key| self.is_payload(key));
            self.lines.set_text(text);
            parsed = self.parse();
            self.changed += if parsed.is_ok() { changed } else { 0 };
        }
        let fields = parsed.map_err(|(field, problem)| RowError {
            place: place.clone(),
            field,
            problem,
        })?;
        if let Some(keys) = self.flat.as_ref().filter(|_| !self.is_compared) {
            if let Some(problem) = keys.missing(&fields) {
                return Err(RowError::new(place, problem));
            }
            self.is_compared = true;
        }
        let Fields {
            id,
            vectors,
            mut payload,
            ..
        } = fields;
        if let Some(payload) = payload.as_ref().filter(|_| self.lossy) {
            self.changed += json::wide_integers(payload, self.lines.text());
        }
        let wide = payload
            .as_ref()
            .filter(|_| !self.lossy)
            .and_then(|payload| json::wide_integer(payload, self.lines.text()));
        if let Some((path, problem)) = wide {
            let field = match &self.flat {
                None => format!("payload{path}"),
                Some(_) => path.trim_start_matches('.').to_owned(),
            };
            return Err(RowError::in_field(place, field, problem));
        }
        for (name, vector) in &vectors.0 {
            if let Some((at, problem)) = not_finite_in(vector) {
                let field = match &self.flat {
                    None if name.is_empty() => "vector".to_owned(),
                    None => format!("vector.{name}"),
                    Some(keys) => keys.key_of(name).to_owned(),
                };
                return Err(RowError::in_field(place, format!("{field}{at}"), problem));
            }
        }
        match self.numbering.resolve(id, number, &mut payload) {
            Ok((id, numbered)) => Ok(Row {
                id,
                numbered,
                vectors,
                payload,
                place,
            }),
            Err(problem) => Err(RowError::in_field(place, self.id_name(), problem)),
        }
    }
}

impl Iterator for JsonLinesRows {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let row = match self.lines.advance() {
                Ok(Line::End) => break,
                Ok(Line::Blank) => continue,
                Ok(Line::Text) => self.row(self.rows),
                Ok(Line::TooLong) => {
                    let limit = self.lines.limit();
                    Err(RowError::new(
                        self.lines.place(),
                        Problem::TooLong { limit, fatal: false },
                    ))
                }
                Err(error) => Err(RowError::new(self.lines.place(), Problem::Io(error))),
            };
            self.rows += 1;
            self.ended = row.as_ref().is_err_and(|error| !error.is_skippable());
            return Some(row);
        }
        self.ended = true;
        None
    }
}

impl RowSource for JsonLinesRows {
    fn progress(&self) -> Progress {
        self.lines.progress(self.rows)
    }

    fn changed(&self) -> u64 {
        self.changed
    }
}

/// What one line holds.
#[derive(Debug, Default)]
struct Fields {
    id: Option<Given>,
    vectors: Vectors,
    payload: Option<Map<String, Value>>,
    /// The first of the keys that the caller named and that the line lacks, by its place among them.
    missing: Option<usize>,
}

struct FieldsSeed<'a> {
    vector_name: &'a str,
    spot: &'a Spot,
}

impl<'de> DeserializeSeed<'de> for FieldsSeed<'_> {
    type Value = Fields;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed<'_> {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the keys id, vector and payload")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fields, A::Error> {
        let (mut id, mut vectors, mut payload) = (None, None, None);
        while let Some(key) = entries.next_key::<String>()? {
            let twice = match key.as_str() {
                "id" => {
                    let value = entries.next_value::<Option<Given>>();
                    id.replace(self.spot.note(value, || key.clone())?).is_some()
                }
                "vector" => {
                    let seed = VectorsSeed {
                        unnamed: self.vector_name,
                        spot: self.spot,
                    };
                    vectors
                        .replace(self.spot.note(entries.next_value_seed(seed), || key.clone())?)
                        .is_some()
                }
                "payload" => {
                    let value = entries.next_value::<Option<Map<String, Value>>>();
                    payload.replace(self.spot.note(value, || key.clone())?).is_some()
                }
                _ => {
                    let text = "unknown key: a row has id, vector and payload, and other fields belong in payload; of lines of other \
                                programs --vector-column names the vector, and what is not named is payload";
                    return self.spot.note(Err(A::Error::custom(text)), || key);
                }
            };
            if twice {
                return self
                    .spot
                    .note(Err(A::Error::custom("the key is given twice")), || key);
            }
        }
        Ok(Fields {
            id: id.flatten(),
            vectors: vectors.unwrap_or_default(),
            payload: payload.flatten(),
            missing: None,
        })
    }
}

#[cfg(test)]
mod tests;
