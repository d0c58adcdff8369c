//! Opening a file by its name.

use std::path::Path;

use crate::delimited::CsvRows;
use crate::error::{Problem, RowError};
use crate::input::Input;
use crate::joined::JoinedRows;
use crate::json_lines::JsonLinesRows;
use crate::npy::NpyRows;
use crate::npz::NpzRows;
use crate::options::{ColumnOptions, Format, ReadOptions};
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
    let (input, format) = bare(vectors, options)?;
    let name = input.name().clone();
    let mut payload = Input::open(payload)?;
    payload.unpack()?;
    let vectors = read(input, format, options)?;
    Ok(Box::new(PairedRows::new(vectors, &name, payload, options)))
}

/// Opens a file of vectors with a JSON Lines file that holds the id and the payload of each row, as points without vectors.
pub fn open_with_rows(
    vectors: &Path,
    rows: &Path,
    options: &ReadOptions,
) -> Result<Box<dyn RowSource>, RowError> {
    let (input, format) = bare(vectors, options)?;
    let name = input.name().clone();
    let mut rows = Input::open(rows)?;
    rows.unpack()?;
    let vectors = read(input, format, options)?;
    // Columns that are named are those of the vectors' file.
    let of_rows = ReadOptions {
        columns: ColumnOptions::default(),
        ..options.clone()
    };
    let rows = JsonLinesRows::new(rows, &of_rows)?;
    Ok(Box::new(JoinedRows::new(vectors, &name, rows)))
}

/// Opens a file whose rows are vectors and nothing else.
fn bare(vectors: &Path, options: &ReadOptions) -> Result<(Input, Format), RowError> {
    let format = options.format.map_or_else(|| Format::of(vectors), Ok)?;
    let input = Input::open(vectors)?;
    let has_payload = match format {
        Format::Npy | Format::Fvecs | Format::Bvecs | Format::Ivecs | Format::Hdf5 => false,
        Format::Csv | Format::Tsv | Format::JsonLines | Format::Npz | Format::Parquet | Format::Arrow => true,
    };
    if has_payload {
        let problem = Problem::Format {
            expected: "vectors in .npy, .fvecs, .bvecs, .ivecs or HDF5 beside a payload file",
            found: format.to_string(),
            advice: "its rows carry their own payload",
        };
        return Err(RowError::new(input.place(At::File), problem));
    }
    Ok((input, format))
}

/// Reads `input` as `format`.
pub fn read(mut input: Input, format: Format, options: &ReadOptions) -> Result<Box<dyn RowSource>, RowError> {
    match format {
        Format::Npz => {}
        Format::Csv | Format::Tsv | Format::JsonLines => input.unpack()?,
        Format::Npy
        | Format::Fvecs
        | Format::Bvecs
        | Format::Ivecs
        | Format::Parquet
        | Format::Arrow
        | Format::Hdf5 => input.refuse_packed()?,
    }
    Ok(match format {
        Format::Npy => Box::new(NpyRows::new(input, options)?),
        Format::Fvecs => Box::new(VecsRows::fvecs(input, options)?),
        Format::Bvecs => Box::new(VecsRows::bvecs(input, options)?),
        Format::Ivecs => Box::new(VecsRows::ivecs(input, options)?),
        Format::Npz => Box::new(NpzRows::new(&input, options)?),
        #[cfg(feature = "parquet")]
        Format::Parquet => Box::new(crate::columnar::ColumnarRows::parquet(&input, options)?),
        #[cfg(feature = "parquet")]
        Format::Arrow => Box::new(crate::columnar::ColumnarRows::arrow(input, options)?),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet | Format::Arrow => return Err(not_built(&input, format, "parquet")),
        #[cfg(feature = "hdf5")]
        Format::Hdf5 => Box::new(crate::hdf5::Hdf5Rows::new(&input, options)?),
        #[cfg(not(feature = "hdf5"))]
        Format::Hdf5 => return Err(not_built(&input, format, "hdf5")),
        Format::Csv => Box::new(CsvRows::new(input, options)?),
        Format::Tsv => {
            let mut options = options.clone();
            options.csv.delimiter = b'\t';
            Box::new(CsvRows::new(input, &options)?)
        }
        Format::JsonLines => Box::new(JsonLinesRows::new(input, options)?),
    })
}

/// A format that this build leaves out.
#[cfg(not(all(feature = "parquet", feature = "hdf5")))]
fn not_built(input: &Input, format: Format, feature: &str) -> RowError {
    let why = format!(
        "this program was built without {format}: build it with it (cargo build --features {feature}), or convert the file"
    );
    RowError::new(input.place(At::File), Problem::Collection(why))
}

#[cfg(test)]
mod tests;
