//! Which column is what.
//!
//! A file of ours says so itself. Of others the column `id` has the ids, and every column of lists of floats could be the vectors: one
//! alone is, several of a fixed size are vectors by name, and for any others the caller has to say. All the rest is payload.

mod ours;

use std::collections::BTreeSet;

use arrow_schema::{DataType, Schema};
use vdb::CollectionConfig;

use super::field::FieldType;
use super::origin::{self, Origin};
use super::value;
use super::vectors::Kind;
use crate::error::Problem;
use crate::options::ReadOptions;

/// The columns of a file.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) id: Option<usize>,
    pub(super) vectors: Vec<Vectors>,
    pub(super) payload: Payload,
    /// What the file says of its collection.
    pub(super) config: Option<CollectionConfig>,
    /// What the caller should be told.
    pub(super) notes: Vec<String>,
}

/// A column of vectors.
#[derive(Debug)]
pub(super) struct Vectors {
    /// The name of the vector.
    pub(super) name: String,
    pub(super) column: usize,
    pub(super) kind: Kind,
}

/// Where payloads are.
#[derive(Debug)]
pub(super) enum Payload {
    /// As a file of ours says.
    Ours(OurFields),
    /// A field a column, under the column's name.
    Fields(Vec<usize>),
}

/// Columns of payload fields, in a file of ours.
#[derive(Debug, Default)]
pub(super) struct OurFields {
    pub(super) fields: Vec<OurField>,
    /// The names of fields that are null.
    pub(super) nulls: Option<usize>,
    /// The fields without a column, as one object of JSON.
    pub(super) rest: Option<usize>,
}

/// A column of one field.
#[derive(Debug)]
pub(super) struct OurField {
    pub(super) column: usize,
    pub(super) key: String,
    pub(super) of: FieldType,
}

impl Layout {
    /// A file of ours is read as it says, or not at all: guessed at, its distances and payloads would be others.
    pub(super) fn of(schema: &Schema, options: &ReadOptions) -> Result<Layout, Problem> {
        let Some(said) = schema.metadata().get(origin::KEY) else {
            return Layout::looked_for(schema, options);
        };
        if let Some(option) = choice(options) {
            return Err(Problem::Collection(format!(
                "a file that `vdb export` wrote says itself what its columns are, and {option} is for files of others; --leave-out \
                 leaves columns out"
            )));
        }
        let left_out = left_out(schema, options)?;
        Origin::from_json(said)
            .and_then(|origin| origin.with_name(&options.vector_name))
            .and_then(|origin| Layout::of_origin(schema, &origin, &left_out))
            .map_err(|why| {
                let key = origin::KEY;
                Problem::Collection(format!(
                    "its metadata says under {key:?} that `vdb export` wrote it, and {why}; without that key it is read as a file of others"
                ))
            })
    }

    fn looked_for(schema: &Schema, options: &ReadOptions) -> Result<Layout, Problem> {
        let asked = &options.columns;
        let left_out = left_out(schema, options)?;
        let id = match &asked.id {
            _ if asked.number_rows => None,
            Some(name) => Some(find(schema, name)?),
            None => schema
                .index_of(origin::ID)
                .ok()
                .filter(|id| !left_out.contains(id)),
        };
        if let Some(column) = id.and_then(|id| schema.fields().get(id))
            && !is_id(column.data_type())
        {
            let (name, of) = (column.name(), column.data_type());
            return Err(Problem::Collection(format!(
                "the column {name:?} is of the type {of}, and ids are numbers from 0 on or UUIDs: name another one with \
                 --id-column, or number the rows with --number-rows"
            )));
        }
        let vectors = vectors(schema, options, id, &left_out)?;
        let mut notes = Vec::new();
        for vector in vectors.iter().filter(|vector| vector.kind.is_rounded()) {
            let column = schema.field(vector.column).name();
            notes.push(format!(
                "the column {column:?} has floats of 64 bits, which are rounded to the 32 of a vector"
            ));
        }
        let is_payload =
            |at: &usize| id != Some(*at) && !left_out.contains(at) && vectors.iter().all(|v| v.column != *at);
        let fields: Vec<usize> = (0..schema.fields().len()).filter(is_payload).collect();
        let mut used = BTreeSet::new();
        for field in fields.iter().filter_map(|at| schema.fields().get(*at)) {
            let name = field.name();
            value::check(field.data_type()).map_err(|why| {
                Problem::Collection(format!(
                    "the column {name:?} has {why}, which payloads do not hold: cast it, or leave it out with --leave-out {name:?}"
                ))
            })?;
            if !used.insert(name) {
                return Err(Problem::Collection(format!(
                    "there are two columns {name:?}: rename one, or leave them out with --leave-out {name:?}"
                )));
            }
        }
        Ok(Layout {
            id,
            vectors,
            payload: Payload::Fields(fields),
            config: None,
            notes,
        })
    }
}

/// The option that chooses columns of a file of others, if one is given.
fn choice(options: &ReadOptions) -> Option<&'static str> {
    let asked = &options.columns;
    let given = [
        ("--id-column", asked.id.is_some()),
        ("--vector-column", !asked.vectors.is_empty()),
        ("--number-rows", asked.number_rows),
        ("--no-vectors", !asked.has_vectors),
    ];
    given
        .into_iter()
        .find_map(|(option, is_given)| is_given.then_some(option))
}

fn left_out(schema: &Schema, options: &ReadOptions) -> Result<BTreeSet<usize>, Problem> {
    let names = options.columns.leave_out.iter();
    names.map(|name| find(schema, name)).collect()
}

/// The column of a name that the caller gave.
fn find(schema: &Schema, name: &str) -> Result<usize, Problem> {
    schema.index_of(name).map_err(|_| Problem::NoColumn {
        name: format!("{name:?}"),
        columns: names(schema),
    })
}

/// Whether a column can hold ids.
fn is_id(of: &DataType) -> bool {
    if let DataType::Dictionary(_, value) = of {
        return is_id(value);
    }
    of.is_integer() || value::is_text(of) || *of == DataType::FixedSizeBinary(16)
}

fn vectors(
    schema: &Schema,
    options: &ReadOptions,
    id: Option<usize>,
    left_out: &BTreeSet<usize>,
) -> Result<Vec<Vectors>, Problem> {
    let asked = &options.columns;
    if !asked.has_vectors {
        return Ok(Vec::new());
    }
    let kind = |at: usize| {
        schema
            .fields()
            .get(at)
            .and_then(|field| Kind::of(field.data_type()))
    };
    let mut found: Vec<(usize, Kind)> = Vec::new();
    for name in &asked.vectors {
        let column = find(schema, name)?;
        let kind = kind(column).ok_or_else(|| {
            let of = schema.field(column).data_type();
            Problem::Collection(format!(
                "the column {name:?} is of the type {of}, and vectors are lists of numbers, lists of such lists, structs of \
                 the lists indices and values, or text with the numbers"
            ))
        })?;
        found.push((column, kind));
    }
    if asked.vectors.is_empty() {
        let likely = (0..schema.fields().len()).filter(|at| id != Some(*at) && !left_out.contains(at));
        found = likely
            .filter_map(|at| kind(at).filter(|kind| kind.is_likely()).map(|kind| (at, kind)))
            .collect();
        let is_fixed = |(_, kind): &(usize, Kind)| matches!(kind, Kind::Dense { size: Some(_), .. });
        if found.is_empty() {
            return Err(Problem::Collection(format!(
                "no column holds vectors, which are lists of floats; the columns are {}; name one with --vector-column, or say \
                 --no-vectors if the rows have none",
                names(schema)
            )));
        }
        if found.len() > 1 && !found.iter().all(is_fixed) {
            let several: Vec<&str> = found
                .iter()
                .map(|(at, _)| schema.field(*at).name().as_str())
                .collect();
            return Err(Problem::Collection(format!(
                "several columns could be the vectors: {}; say --vector-column NAME for each that is",
                several.join(", ")
            )));
        }
    }
    let several = found.len() > 1;
    if several && !options.vector_name.is_empty() {
        return Err(Problem::Collection(
            "there are several columns of vectors, whose names are those of the columns: --using names one alone".to_owned(),
        ));
    }
    let named = found.into_iter().map(|(column, kind)| Vectors {
        // A sparse vector always has a name.
        name: if several || matches!(kind, Kind::Sparse { .. }) && options.vector_name.is_empty() {
            schema.field(column).name().clone()
        } else {
            options.vector_name.clone()
        },
        column,
        kind,
    });
    Ok(named.collect())
}

fn names(schema: &Schema) -> String {
    const MOST: usize = 40;
    let fields = schema.fields();
    let shown: Vec<String> = fields
        .iter()
        .take(MOST)
        .map(|field| format!("{:?}", field.name()))
        .collect();
    let more = fields.len().saturating_sub(MOST);
    if more > 0 {
        return format!("{} and {more} more", shown.join(", "));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests;
