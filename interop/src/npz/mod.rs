//! `.npz`: arrays of one length, the vectors among them, as `numpy.savez` and `numpy.savez_compressed` write them.
//!
//! One matrix of floats is the vectors; of several the caller says which ones, and they get the names of their arrays. An array `ids`
//! or `id` has the ids; every other array is a field of the payload. Rows are read from all arrays side by side.

mod column;
mod zip;

use std::path::Path;

use serde_json::Map;
use vdb::Vectors;

use crate::error::{Problem, RowError};
use crate::id::{self, Given, Numbering};
use crate::input::Input;
use crate::misfit::Lossy;
use crate::npy::{Header, NpyRows};
use crate::options::ReadOptions;
use crate::row::{At, Place, Row};
use crate::source::{Progress, RowSource};
use column::Column;
use zip::Entry;

/// The arrays that are taken for ids.
const IDS: [&str; 2] = ["ids", "id"];
const ENDING: &str = ".npy";

/// The rows of an `.npz` file.
#[derive(Debug)]
pub struct NpzRows {
    place: Place,
    vectors: Vec<NpyRows>,
    id: Option<Column>,
    payload: Vec<Column>,
    numbering: Numbering,
    lossy: bool,
    changed: u64,
    rows: u64,
    next: u64,
    bytes: u64,
    ended: bool,
}

/// An array of the file, with its header read.
struct Array {
    name: String,
    entry: Entry,
    header: Header,
}

impl NpzRows {
    /// Opens the file at the path of `input`: an archive is read from its end.
    ///
    /// # Errors
    /// A pipe, a file that is damaged, arrays of several lengths or of types that are not read, or none that is the vectors.
    pub fn new(input: &Input, options: &ReadOptions) -> Result<NpzRows, RowError> {
        let place = input.place(At::File);
        let path = input.path().ok_or_else(|| Problem::Format {
            expected: "a file",
            found: "an archive from a pipe".to_owned(),
            advice: "save it first: an .npz file is read from its end",
        });
        path.and_then(|path| NpzRows::open(path, place.clone(), options))
            .map_err(|problem| RowError::new(place, problem))
    }

    fn open(path: &Path, place: Place, options: &ReadOptions) -> Result<NpzRows, Problem> {
        let asked = &options.columns;
        let (mut arrays, mut names) = (Vec::new(), Vec::new());
        for entry in zip::entries(path)? {
            let Some(name) = entry.name.strip_suffix(ENDING) else {
                continue;
            };
            names.push(name.to_owned());
            if asked.leave_out.iter().any(|left_out| left_out == name) {
                continue;
            }
            let mut input = content(path, &entry)?;
            arrays.push(Array {
                name: name.to_owned(),
                header: Header::read(&mut input)?,
                entry,
            });
        }
        if let Some(name) = asked.leave_out.iter().find(|name| !names.contains(name)) {
            return Err(Problem::NoColumn {
                name: format!("{name:?}"),
                columns: names
                    .iter()
                    .map(|name| format!("{name:?}"))
                    .collect::<Vec<_>>()
                    .join(", "),
            });
        }
        let known: Vec<String> = arrays.iter().map(|array| format!("{:?}", array.name)).collect();
        let known = known.join(", ");
        let take = |arrays: &mut Vec<Array>, name: &str| {
            let at = arrays.iter().position(|array| array.name == name);
            at.map(|at| arrays.remove(at)).ok_or_else(|| Problem::NoColumn {
                name: format!("{name:?}"),
                columns: known.clone(),
            })
        };
        let id = match &asked.id {
            _ if asked.number_rows => None,
            Some(name) => Some(take(&mut arrays, name)?),
            None => IDS.iter().find_map(|name| take(&mut arrays, name).ok()),
        };
        let mut matrices = Vec::new();
        if asked.has_vectors {
            let mut names = asked.vectors.clone();
            if names.is_empty() {
                let likely = arrays
                    .iter()
                    .filter(|array| Column::is_matrix_of_floats(&array.header));
                names = likely.map(|array| array.name.clone()).collect();
                if names.len() != 1 {
                    let found = match names.as_slice() {
                        [] => format!("no array is a matrix of floats; the arrays are {known}"),
                        several => format!("several arrays could be the vectors: {}", several.join(", ")),
                    };
                    return Err(Problem::Collection(format!(
                        "{found}; say --vector-column NAME for each that is, or --no-vectors"
                    )));
                }
            }
            for name in &names {
                let array = take(&mut arrays, name)?;
                let named = if names.len() > 1 {
                    name.clone()
                } else {
                    options.vector_name.clone()
                };
                let options = ReadOptions {
                    first_id: 0,
                    vector_name: named,
                    ..options.clone()
                };
                let input = content(path, &array.entry)?;
                matrices.push(NpyRows::new(input, &options).map_err(|error| error.problem)?);
            }
        }
        let column = |array: &Array| {
            let mut input = content(path, &array.entry)?;
            let header = Header::read(&mut input)?;
            Column::new(&array.name, &header, input)
        };
        let id = id.as_ref().map(&column).transpose()?;
        if let Some(id) = id.as_ref().filter(|id| !id.has_ids()) {
            return Err(Problem::Collection(format!(
                "the array {:?} holds no ids, which are numbers from 0 on or UUIDs, one a row: name another one with --id-column, or \
                 number the rows with --number-rows",
                id.name
            )));
        }
        let payload: Vec<Column> = arrays.iter().map(column).collect::<Result<_, _>>()?;
        let matrix_rows = matrices
            .iter()
            .map(|rows| ("the vectors", rows.progress().total_rows.unwrap_or(0)));
        let column_rows = id
            .iter()
            .chain(&payload)
            .map(|column| (column.name.as_str(), column.rows));
        let lengths: Vec<(&str, u64)> = matrix_rows.chain(column_rows).collect();
        let (first, rows) = lengths.first().copied().unwrap_or(("", 0));
        if let Some((other, found)) = lengths.iter().find(|(_, length)| *length != rows) {
            return Err(Problem::Collection(format!(
                "{first:?} has {rows} rows and {other:?} {found}, and arrays of rows have one length: leave out with --leave-out what \
                 is none of them"
            )));
        }
        Ok(NpzRows {
            vectors: matrices,
            id,
            payload,
            numbering: Numbering::of(options),
            lossy: options.lossy,
            changed: 0,
            rows,
            next: 0,
            bytes: std::fs::metadata(path).map_or(0, |found| found.len()),
            ended: false,
            place,
        })
    }

    /// Reads a row of every array, whatever is wrong with one of them, so that they stay side by side.
    fn row(&mut self, number: u64) -> Result<Row, RowError> {
        let place = Place {
            file: self.place.file.clone(),
            at: At::Row(number),
        };
        let mut lossy = Lossy {
            is_allowed: self.lossy,
            changed: 0,
        };
        let mut wrong = None;
        let mut vectors = Vectors::default();
        for rows in &mut self.vectors {
            match rows.next() {
                Some(Ok(row)) => vectors.0.extend(row.vectors.0),
                Some(Err(error)) if !error.is_skippable() => return Err(error),
                Some(Err(error)) => wrong = wrong.or(Some((error.field, error.problem))),
                None => {}
            }
        }
        let mut id = None;
        if let Some(column) = &mut self.id {
            // Ids are never changed, whatever payloads may be.
            let found = column
                .advance(&mut Lossy::default())
                .map_err(|problem| RowError::in_field(place.clone(), column.name.clone(), problem))?;
            match found
                .map_err(|misfit| id::refused(misfit.problem))
                .and_then(|found| Given::of_json(&found))
            {
                Ok(found) => id = found,
                Err(problem) => wrong = wrong.or(Some((Some(column.name.clone()), problem))),
            }
        }
        let mut payload = Map::with_capacity(self.payload.len());
        for column in &mut self.payload {
            let found = column
                .advance(&mut lossy)
                .map_err(|problem| RowError::in_field(place.clone(), column.name.clone(), problem))?;
            match found {
                Ok(found) => {
                    payload.insert(column.name.clone(), found);
                }
                Err(misfit) => {
                    wrong = wrong.or(Some((
                        Some(format!("{}{}", column.name, misfit.path)),
                        misfit.problem,
                    )));
                }
            }
        }
        self.changed += lossy.changed;
        if let Some((field, problem)) = wrong {
            return Err(RowError {
                place,
                field,
                problem,
            });
        }
        let mut payload = (!payload.is_empty()).then_some(payload);
        match self.numbering.resolve(id, number, &mut payload) {
            Ok((id, numbered)) => Ok(Row {
                id,
                numbered,
                vectors,
                payload,
                place,
            }),
            Err(problem) => Err(RowError {
                place,
                field: self.id.as_ref().map(|column| column.name.clone()),
                problem,
            }),
        }
    }

    /// After the last row: has the checksums compared.
    fn end(&mut self) -> Option<RowError> {
        for rows in &mut self.vectors {
            if let Some(Err(error)) = rows.next() {
                return Some(error);
            }
        }
        for column in self.id.iter_mut().chain(&mut self.payload) {
            let problem = match column.is_over() {
                Ok(true) => continue,
                Ok(false) => Problem::Trailing { rows: self.rows },
                Err(problem) => problem,
            };
            return Some(RowError::in_field(
                self.place.clone(),
                column.name.clone(),
                problem,
            ));
        }
        None
    }
}

/// The content of an array, named for messages as the archive names it.
fn content(path: &Path, entry: &Entry) -> Result<Input, Problem> {
    let name = format!("{}[{}]", path.display(), entry.name);
    Ok(Input::of_length(&name, entry.open(path)?, entry.len()))
}

impl Iterator for NpzRows {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        if self.next == self.rows {
            self.ended = true;
            return self.end().map(Err);
        }
        let number = self.next;
        self.next += 1;
        let row = self.row(number);
        self.ended = row.as_ref().is_err_and(|error| !error.is_skippable());
        Some(row)
    }
}

impl RowSource for NpzRows {
    fn progress(&self) -> Progress {
        Progress::of_share(self.next, self.rows, self.bytes)
    }

    fn dim_hint(&self) -> Option<usize> {
        self.vectors.first().and_then(|rows| rows.dim_hint())
    }

    fn changed(&self) -> u64 {
        self.changed
    }
}

#[cfg(test)]
mod tests;
