//! Opening a file by its name.

use std::path::Path;

use crate::delimited::CsvRows;
use crate::error::{Problem, RowError};
use crate::input::Input;
use crate::json_lines::JsonLinesRows;
use crate::npy::NpyRows;
use crate::options::{Format, ReadOptions};
use crate::paired::PairedRows;
use crate::row::At;
use crate::source::RowSource;
use crate::vecs::VecsRows;

/// Opens a file, or standard input for `-`, as a stream of rows.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("rows.jsonl");
/// std::fs::write(&path, r#"{"id": 7, "vector": [0.5, 1.0], "payload": {"word": "owl"}}"#)?;
/// for row in vdb_interop::open(&path, &vdb_interop::ReadOptions::default())? {
///     let row = row?;
///     assert_eq!((row.id.to_string(), row.vectors.dense("").map(<[f32]>::len)), ("7".to_owned(), Some(2)));
/// }
/// # Ok(())
/// # }
/// ```
pub fn open(path: &Path, options: &ReadOptions) -> Result<Box<dyn RowSource>, RowError> {
    let format = options.format.map_or_else(|| Format::of(path), Ok)?;
    read(Input::open(path)?, format, options)
}

/// Opens a file of vectors with a JSON Lines file that holds the payload object of each row.
pub fn open_with_payload(
    vectors: &Path,
    payload: &Path,
    options: &ReadOptions,
) -> Result<Box<dyn RowSource>, RowError> {
    let format = options.format.map_or_else(|| Format::of(vectors), Ok)?;
    let input = Input::open(vectors)?;
    if matches!(format, Format::Csv | Format::Tsv | Format::JsonLines) {
        let problem = Problem::Format {
            expected: "vectors in .npy, .fvecs or .bvecs beside a payload file",
            found: format.to_string(),
            advice: "its rows carry their own payload",
        };
        return Err(RowError::new(input.place(At::File), problem));
    }
    let name = input.name().clone();
    let mut payload = Input::open(payload)?;
    payload.refuse_packed()?;
    let vectors = read(input, format, options)?;
    Ok(Box::new(PairedRows::new(vectors, &name, payload, options)))
}

/// Reads `input` as `format`.
pub fn read(mut input: Input, format: Format, options: &ReadOptions) -> Result<Box<dyn RowSource>, RowError> {
    input.refuse_packed()?;
    Ok(match format {
        Format::Npy => Box::new(NpyRows::new(input, options)?),
        Format::Fvecs => Box::new(VecsRows::fvecs(input, options)?),
        Format::Bvecs => Box::new(VecsRows::bvecs(input, options)?),
        Format::Csv => Box::new(CsvRows::new(input, options)?),
        Format::Tsv => {
            let mut options = options.clone();
            options.csv.delimiter = b'\t';
            Box::new(CsvRows::new(input, &options)?)
        }
        Format::JsonLines => Box::new(JsonLinesRows::new(input, options)),
    })
}

#[cfg(test)]
mod tests;
