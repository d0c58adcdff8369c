//! Which formats there are, and what the caller may choose when reading them.

use std::fmt;
use std::path::Path;

use crate::error::{Problem, RowError};
use crate::row::{At, Place};

/// The endings of text that was packed, behind that of its format.
const PACKED: [&str; 2] = ["gz", "zst"];

/// What the names of files end in that are read here.
#[cfg(feature = "zstd")]
const EXPECTED: &str = "a file that ends in .npy, .npz, .fvecs, .bvecs, .ivecs, .parquet, .arrow, .hdf5, .csv, .tsv, \
                        .jsonl or .ndjson, of these text files also with .gz or .zst";
#[cfg(not(feature = "zstd"))]
const EXPECTED: &str = "a file that ends in .npy, .npz, .fvecs, .bvecs, .ivecs, .parquet, .arrow, .hdf5, .csv, .tsv, \
                        .jsonl or .ndjson, of these text files also with .gz";

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// NumPy's `.npy`.
    Npy,
    /// TEXMEX `.fvecs`.
    Fvecs,
    /// TEXMEX `.bvecs`.
    Bvecs,
    /// TEXMEX `.ivecs`.
    Ivecs,
    /// NumPy's `.npz`: several arrays.
    Npz,
    /// Apache Parquet (feature `parquet`).
    Parquet,
    /// Apache Arrow's IPC, files and streams (feature `parquet`).
    Arrow,
    /// HDF5, as ann-benchmarks writes it (feature `hdf5`).
    Hdf5,
    /// CSV, or any other delimiter by [`CsvOptions::delimiter`].
    Csv,
    /// CSV with tabs, whatever the delimiter of the options.
    Tsv,
    /// JSON Lines.
    JsonLines,
}

impl Format {
    /// Every format with the endings of its file names.
    const ENDINGS: [(Format, &[&str]); 11] = [
        (Format::Npy, &["npy"]),
        (Format::Fvecs, &["fvecs"]),
        (Format::Bvecs, &["bvecs"]),
        (Format::Ivecs, &["ivecs"]),
        (Format::Npz, &["npz"]),
        (Format::Parquet, &["parquet"]),
        (Format::Arrow, &["arrow", "arrows", "feather", "ipc"]),
        (Format::Hdf5, &["hdf5", "h5"]),
        (Format::Csv, &["csv"]),
        (Format::Tsv, &["tsv"]),
        (Format::JsonLines, &["jsonl", "ndjson"]),
    ];

    /// The format named by a file's ending, or by the ending alone, in any case.
    pub fn from_ending(ending: &str) -> Option<Format> {
        let mut all = Format::ENDINGS.iter();
        all.find(|(_, endings)| endings.iter().any(|known| known.eq_ignore_ascii_case(ending)))
            .map(|(format, _)| *format)
    }

    /// Whether the rows of a format are text.
    pub fn is_text(self) -> bool {
        matches!(self, Format::Csv | Format::Tsv | Format::JsonLines)
    }

    /// The format of `path`: by its ending, that before `.gz` or `.zst` if it is one of text; JSON Lines for standard input (`-`).
    pub fn of(path: &Path) -> Result<Format, RowError> {
        if path.as_os_str() == "-" {
            return Ok(Format::JsonLines);
        }
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        // What was packed twice is unpacked once only.
        if PACKED.iter().any(|packed| ending.eq_ignore_ascii_case(packed))
            && let Some(inner) = path.file_stem().map(Path::new).and_then(Path::extension)
            && let Some(format) = Format::from_ending(&inner.to_string_lossy())
            && format.is_text()
        {
            return Ok(format);
        }
        Format::from_ending(&ending).ok_or_else(|| {
            let advice = match ending.to_ascii_lowercase().as_str() {
                "gz" => "unpack it on the way: gzip -dc FILE | vdb load ... -",
                "zst" => "unpack it on the way: zstd -dc FILE | vdb load ... -",
                "json" => "put one row on each line: jq -c '.[]' FILE.json > FILE.jsonl",
                _ => "rename the file or name its format",
            };
            let problem = Problem::Format {
                expected: EXPECTED,
                found: if ending.is_empty() {
                    "no ending".to_owned()
                } else {
                    format!(".{ending}")
                },
                advice,
            };
            RowError::new(
                Place {
                    file: path.display().to_string().into(),
                    at: At::File,
                },
                problem,
            )
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Npy => ".npy",
            Format::Fvecs => ".fvecs",
            Format::Bvecs => ".bvecs",
            Format::Ivecs => ".ivecs",
            Format::Npz => ".npz",
            Format::Parquet => "Parquet",
            Format::Arrow => "Arrow",
            Format::Hdf5 => "HDF5",
            Format::Csv => "CSV",
            Format::Tsv => "TSV",
            Format::JsonLines => "JSON Lines",
        })
    }
}

/// What the caller may choose; the defaults suit most files.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Format; `None` tells by the file's ending.
    pub format: Option<Format>,
    /// Id of the first row where rows have none of their own. To load several files of such rows, continue each from
    /// the number of rows before it.
    pub first_id: u64,
    /// Ids that are texts, and neither numbers nor UUIDs, become UUIDs (version 5 of the text, the same each time), and the texts this field
    /// of the payload, so that rows without ids are bad; without, rows with texts are.
    pub text_ids: Option<String>,
    /// Name of the vector where the format has none; empty for the unnamed one.
    pub vector_name: String,
    /// Longest row of a text format, in bytes. Reading holds a small multiple of this for a row of plain numbers, and at
    /// worst some forty times as much for a payload that is one array of small numbers.
    pub max_row_bytes: usize,
    /// Layout of CSV files.
    pub csv: CsvOptions,
    /// Which columns of Parquet and Arrow, arrays of `.npz` and HDF5, and keys of JSON Lines are what.
    pub columns: ColumnOptions,
    /// Change values that a payload cannot hold to the nearest that it can; else their rows are bad.
    pub lossy: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions {
            format: None,
            first_id: 0,
            text_ids: None,
            vector_name: String::new(),
            max_row_bytes: 8 * 1024 * 1024,
            csv: CsvOptions::default(),
            columns: ColumnOptions::default(),
            lossy: false,
        }
    }
}

/// Which columns, arrays or keys of a file with names for them are what. Lines of JSON are taken for ours where nothing of this is said.
#[derive(Debug, Clone)]
pub struct ColumnOptions {
    /// The column of the ids; `None` for `id`, without which rows are numbered.
    pub id: Option<String>,
    /// The columns of vectors; empty: those that look like it. Several are vectors by the names of their columns.
    pub vectors: Vec<String>,
    /// Whether rows have vectors; if not, every column but the ids is payload.
    pub has_vectors: bool,
    /// Whether rows are numbered even though there is a column `id`, which is payload then.
    pub number_rows: bool,
    /// Columns that are not read. Each has to be there, in JSON Lines in the first one.
    pub leave_out: Vec<String>,
}

impl Default for ColumnOptions {
    fn default() -> Self {
        ColumnOptions {
            id: None,
            vectors: Vec::new(),
            has_vectors: true,
            number_rows: false,
            leave_out: Vec::new(),
        }
    }
}

/// How a CSV file is laid out. A column that is named here must be there; those of the usual names may be.
#[derive(Debug, Clone)]
pub struct CsvOptions {
    /// Byte between cells: `,`, or a tab for `.tsv`.
    pub delimiter: u8,
    /// Column with the ids; `None` for `id`, without which rows are numbered.
    pub id_column: Option<String>,
    /// Column with whole vectors as JSON arrays; `None` for `vector`.
    pub vector_column: Option<String>,
    /// Columns with one number of the vector each start with this and go on with the position, from 0; `None` for `v`.
    pub vector_prefix: Option<String>,
    /// Whether rows have vectors. A header without a column for them is refused then: nearly always the delimiter or
    /// a name is wrong. Otherwise no column is taken for a vector.
    pub vectors: bool,
    /// Whether payload cells that look like numbers, booleans, arrays or objects become such; otherwise all are strings.
    pub typed: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions {
            delimiter: b',',
            id_column: None,
            vector_column: None,
            vector_prefix: None,
            vectors: true,
            typed: true,
        }
    }
}
