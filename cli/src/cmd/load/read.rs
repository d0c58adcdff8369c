//! Rows checked against the collection and gathered in batches.

use serde_json::Value;
use vdb::{CollectionConfig, Element, Payload, Point, Vector};
use vdb_interop::{Place, Row, RowError};

use super::source::Source;
use super::target::numbers_in_the_way;

/// A batch is handed on early when its vectors and payloads take about this many bytes, so that memory does not grow
/// with the dimension.
const BATCH_BYTES: usize = 16 << 20;
/// Rows with payloads deeper than this, or with numbers greater than those of half precision, travel in a batch of
/// their own: should the engine refuse one, its place is known.
const DEEP: usize = 32;
const HALF_MAX: f32 = 65504.0;

/// What the reading side has to say, in the order of the rows.
pub(super) enum Message {
    /// Rows to be written together.
    Batch(Batch),
    /// A bad row that was left out: which, and why.
    Skipped(String),
    /// All rows have been read. Nothing follows.
    End {
        /// Values that payloads do not hold and that were changed to the nearest.
        changed: u64,
    },
    /// A bad row, or a file that cannot be read on. Nothing follows.
    Stop {
        /// Which row, and why.
        why: String,
        /// Whether the rows after it could be loaded.
        skippable: bool,
    },
}

/// Rows to be written together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) points: Vec<Point>,
    /// Where the first and the last row stand.
    pub(super) range: Option<(Place, Place)>,
    /// Bytes of the files read so far.
    pub(super) bytes_read: u64,
    weight: usize,
}

/// What rows are checked against.
pub(super) struct Rules {
    pub(super) collection: String,
    pub(super) config: CollectionConfig,
    pub(super) batch_rows: usize,
    pub(super) skip_bad: bool,
    /// Numbers that a u8 vector cannot hold are let through.
    pub(super) cast: bool,
    /// Points that were there before, whose places numbered rows could take; `None` when the caller chose the numbers.
    pub(super) in_the_way: Option<u64>,
}

/// Reads everything; `send` answers whether anyone still listens.
pub(super) fn read(mut source: Source, rules: &Rules, mut send: impl FnMut(Message) -> bool) {
    let mut batch = Batch::default();
    let mut numbered = None;
    let (batch_rows, skip_bad) = (rules.batch_rows, rules.skip_bad);
    while let Some(row) = source.next() {
        let row = row
            .map_err(Bad::from)
            .and_then(|row| check_number(row, rules, &mut numbered))
            .and_then(|row| check(row, rules));
        match row {
            Ok(row) => {
                let alone = is_suspect(&row);
                if alone && !batch.points.is_empty() && !send(Message::Batch(std::mem::take(&mut batch))) {
                    return;
                }
                batch.push(row);
                if alone || batch.points.len() >= batch_rows || batch.weight >= BATCH_BYTES {
                    batch.bytes_read = source.bytes().0;
                    if !send(Message::Batch(std::mem::take(&mut batch))) {
                        return;
                    }
                }
            }
            Err(bad) if skip_bad && bad.skippable => {
                if !send(Message::Skipped(bad.why)) {
                    return;
                }
            }
            Err(Bad { why, skippable }) => {
                send(Message::Stop { why, skippable });
                return;
            }
        }
    }
    if !batch.points.is_empty() {
        batch.bytes_read = source.bytes().0;
        send(Message::Batch(batch));
    }
    send(Message::End {
        changed: source.changed(),
    });
}

/// A row that cannot be loaded.
struct Bad {
    why: String,
    skippable: bool,
}

impl From<RowError> for Bad {
    fn from(error: RowError) -> Self {
        Bad {
            why: error.to_string(),
            skippable: error.is_skippable(),
        }
    }
}

impl Batch {
    fn push(&mut self, row: Row) {
        let numbers: usize = row.vectors.0.values().map(|vector| numbers(vector).count()).sum();
        self.weight += numbers * size_of::<f32>() + row.payload.as_ref().map_or(0, weight);
        match &mut self.range {
            Some((_, last)) => *last = row.place,
            None => self.range = Some((row.place.clone(), row.place)),
        }
        let mut point = Point::new(row.id, row.vectors);
        point.payload = row.payload.unwrap_or_default();
        self.points.push(point);
    }
}

/// Refuses a row whose number could be the id of another point. `numbered` remembers what the rows before were like.
fn check_number(row: Row, rules: &Rules, numbered: &mut Option<bool>) -> Result<Row, Bad> {
    let Some(points) = rules.in_the_way else {
        return Ok(row);
    };
    let place = row.place.to_string();
    let why = if row.numbered && points > 0 {
        numbers_in_the_way(&place, &rules.collection, points)
    } else if *numbered.get_or_insert(row.numbered) != row.numbered {
        format!(
            "{place}: some files have ids and in others rows are numbered, which could take each other's places; load \
             those without ids on their own, with --start-id N"
        )
    } else {
        return Ok(row);
    };
    // The rows after it are no better.
    Err(Bad {
        why,
        skippable: false,
    })
}

/// Compares the vectors of a row with those of the collection, so that the message can name its place.
fn check(row: Row, rules: &Rules) -> Result<Row, Bad> {
    let config = &rules.config;
    for (name, vector) in &row.vectors.0 {
        let field = if name.is_empty() {
            "vector".to_owned()
        } else {
            format!("vector.{name}")
        };
        let bad = |why: String| Bad {
            why: format!("{}: {field}: {why}", row.place),
            skippable: true,
        };
        let dense = config.vectors.iter().find(|(known, _)| known == name);
        let Some((_, params)) = dense else {
            let mut sparse = config.sparse_vectors.iter().map(|(known, _)| known);
            match (sparse.any(|known| known == name), vector) {
                (true, Vector::Sparse(_)) => continue,
                (true, _) => return Err(bad("the collection has a sparse vector of this name".to_owned())),
                (false, _) => {}
            }
            let all = config.vectors.iter().map(|(known, _)| known);
            let all = all.chain(config.sparse_vectors.iter().map(|(known, _)| known));
            let known: Vec<String> = all.map(|known| format!("{known:?}")).collect();
            return Err(bad(format!(
                "the collection has no vector {name:?}, it has {}; --using names the vector of files without names",
                known.join(", ")
            )));
        };
        let lengths: Vec<usize> = match (vector, params.multivector) {
            (Vector::Dense(numbers), None) => vec![numbers.len()],
            (Vector::Multi(rows), Some(_)) => rows.iter().map(Vec::len).collect(),
            (_, several) => {
                let expected = if several.is_some() {
                    "a multivector"
                } else {
                    "a dense vector"
                };
                return Err(bad(format!(
                    "the vector is {} where the collection has {expected}",
                    vector.kind()
                )));
            }
        };
        if let Some(length) = lengths.into_iter().find(|length| *length != params.size) {
            return Err(bad(format!(
                "{length} numbers where the collection has {}; repair the row or load it into a collection of its own",
                params.size
            )));
        }
        if params.element == Element::U8
            && !rules.cast
            && let Some((at, number)) = numbers(vector).enumerate().find(|(_, number)| !is_byte(*number))
        {
            return Err(Bad {
                why: format!(
                    "{}: {field}[{at}]: {number} is not a whole number from 0 to 255, which is all that a u8 vector \
                     holds; make the collection with --element f32 or f16, or cut numbers to whole ones with --cast",
                    row.place
                ),
                skippable: true,
            });
        }
    }
    Ok(row)
}

fn is_byte(number: f32) -> bool {
    (0.0..=255.0).contains(&number) && number.fract() == 0.0
}

/// About how many bytes a payload takes in memory.
fn weight(payload: &Payload) -> usize {
    payload
        .iter()
        .map(|(key, value)| 64 + key.len() + value_weight(value))
        .sum()
}

fn value_weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 32,
        Value::String(text) => 32 + text.len(),
        Value::Array(items) => 32 + items.iter().map(value_weight).sum::<usize>(),
        Value::Object(map) => 32 + weight(map),
    }
}

/// Whether a row holds something that a collection may refuse for reasons of its own.
fn is_suspect(row: &Row) -> bool {
    let is_large = |vector: &Vector| numbers(vector).any(|number| number.abs() > HALF_MAX);
    row.payload.as_ref().is_some_and(is_deep) || row.vectors.0.values().any(is_large)
}

/// All numbers of a vector.
fn numbers(vector: &Vector) -> Box<dyn Iterator<Item = f32> + '_> {
    match vector {
        Vector::Dense(numbers) => Box::new(numbers.iter().copied()),
        Vector::Sparse(sparse) => Box::new(sparse.values.iter().copied()),
        Vector::Multi(rows) => Box::new(rows.iter().flatten().copied()),
    }
}

fn is_deep(payload: &Payload) -> bool {
    fn reaches(value: &Value, depth: usize) -> bool {
        depth == 0
            || match value {
                Value::Array(items) => items.iter().any(|item| reaches(item, depth - 1)),
                Value::Object(map) => map.values().any(|item| reaches(item, depth - 1)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
            }
    }
    payload.values().any(|value| reaches(value, DEEP))
}

#[cfg(test)]
mod tests;
