//! How the files are read.

use std::path::PathBuf;

use vdb_interop::{ColumnOptions, CsvOptions, Format, ReadOptions};

use super::source::Beside;
use crate::failure::{Failure, Outcome};
use crate::parse;

/// The options that say how files are read.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Reading {
    /// Name of the vector where the file has none
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    using: String,

    /// Format of the files, where their names do not say; standard input is jsonl unless told otherwise
    #[arg(long, value_parser = parse::format())]
    format: Option<Format>,

    /// Id of the first row without one; 0 where nothing is in the way
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) start_id: Option<u64>,

    /// Longest row of a .csv or .jsonl file; memory holds several times as much
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true, value_parser = row_bytes)]
    max_row_bytes: Option<usize>,

    /// Change what payloads cannot hold (NaN, bytes, integers beyond 64 bits) to the nearest that they can
    #[arg(long)]
    pub(crate) lossy: bool,

    /// Column of a CSV, Parquet or Arrow file, array of an .npz, or key of a .jsonl file, with the ids [default: id, where there is one]
    #[arg(long, value_name = "NAME", help_heading = "Columns")]
    id_column: Option<String>,

    /// Ids that are texts, and neither numbers nor UUIDs, become UUIDs, the same each time, and the texts the field NAME of the payload;
    /// a number or UUID is the same id however it is spelled, 007 as 7
    #[arg(
        long,
        value_name = "NAME",
        help_heading = "Columns",
        conflicts_with_all = ["number_rows", "start_id"]
    )]
    text_ids: Option<String>,

    /// Column with whole vectors: in CSV and .jsonl arrays or text with the numbers [default: vector], in Parquet and Arrow lists
    /// [default: those of floats] or such text, in .npz and HDF5 a matrix; given several times, each is the vector of its name
    #[arg(long, value_name = "NAME", help_heading = "Columns")]
    vector_column: Vec<String>,

    /// Columns of a CSV file with one number each start with this and end in 0, 1, 2, ... [default: v]
    #[arg(long, value_name = "TEXT", help_heading = "Columns")]
    vector_prefix: Option<String>,

    /// The rows have no vectors: every column, or key, but the ids is payload
    #[arg(long, help_heading = "Columns", conflicts_with_all = ["vector_column", "vector_prefix"])]
    no_vectors: bool,

    /// Number the rows, and take the column or key id for payload
    #[arg(long, help_heading = "Columns", conflicts_with = "id_column")]
    number_rows: bool,

    /// A column or key that is not read; may be given several times
    #[arg(long, value_name = "NAME", help_heading = "Columns")]
    leave_out: Vec<String>,

    /// Byte between the cells of a CSV file; \t for a tab [default: ,]
    #[arg(long, value_name = "BYTE", help_heading = "Columns", value_parser = delimiter)]
    delimiter: Option<u8>,
}

fn row_bytes(text: &str) -> Result<usize, String> {
    let bytes = text.parse().ok().filter(|bytes| (1..=1 << 30).contains(bytes));
    bytes.ok_or_else(|| "a row has 1 to 1073741824 bytes".to_owned())
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        br"\t" => Ok(b'\t'),
        [b'"' | b'\n' | b'\r'] => Err("this byte has a meaning of its own in a CSV file".to_owned()),
        [byte] => Ok(*byte),
        _ => Err(r"expected one ASCII character, or \t for a tab".to_owned()),
    }
}

/// Whether a format is CSV, or has named columns or arrays of its own.
fn is_csv(format: Format) -> bool {
    matches!(format, Format::Csv | Format::Tsv)
}

fn has_columns(format: Format) -> bool {
    matches!(format, Format::Parquet | Format::Arrow | Format::Npz)
}

/// Whether a row is nothing but the numbers of its vector.
fn is_bare(format: Format) -> bool {
    matches!(
        format,
        Format::Npy | Format::Fvecs | Format::Bvecs | Format::Ivecs | Format::Hdf5
    )
}

impl Reading {
    /// The same for the readers.
    pub(super) fn options(&self) -> ReadOptions {
        ReadOptions {
            format: self.format,
            first_id: self.start_id.unwrap_or(0),
            text_ids: self.text_ids.clone(),
            vector_name: self.using.clone(),
            max_row_bytes: self.max_row_bytes.unwrap_or(ReadOptions::default().max_row_bytes),
            csv: CsvOptions {
                delimiter: self.delimiter.unwrap_or(b','),
                id_column: self.id_column.clone(),
                vector_column: self.vector_column.first().cloned(),
                vector_prefix: self.vector_prefix.clone(),
                vectors: !self.no_vectors,
                ..CsvOptions::default()
            },
            columns: ColumnOptions {
                id: self.id_column.clone(),
                vectors: self.vector_column.clone(),
                has_vectors: !self.no_vectors,
                number_rows: self.number_rows,
                leave_out: self.leave_out.clone(),
            },
            lossy: self.lossy,
        }
    }

    /// The first option that was given and is for files of rows alone.
    pub(crate) fn for_rows(&self) -> Option<&'static str> {
        let given = [
            ("--using", !self.using.is_empty()),
            ("--format", self.format.is_some()),
            ("--start-id", self.start_id.is_some()),
            ("--max-row-bytes", self.max_row_bytes.is_some()),
            ("--id-column", self.id_column.is_some()),
            ("--text-ids", self.text_ids.is_some()),
            ("--vector-column", !self.vector_column.is_empty()),
            ("--vector-prefix", self.vector_prefix.is_some()),
            ("--no-vectors", self.no_vectors),
            ("--number-rows", self.number_rows),
            ("--leave-out", !self.leave_out.is_empty()),
            ("--delimiter", self.delimiter.is_some()),
        ];
        given
            .into_iter()
            .find_map(|(option, is_given)| is_given.then_some(option))
    }

    /// As if this format had been asked for.
    pub(crate) fn of_format(self, format: Format) -> Reading {
        Reading {
            format: Some(format),
            ..self
        }
    }

    /// The format that was asked for.
    pub(crate) fn format(&self) -> Option<Format> {
        self.format
    }

    /// Refuses options of no effect: those for rows of text where no file has such, and those for columns where no file has them.
    /// `beside` is the file that belongs to that of the vectors.
    pub(super) fn check(&self, files: &[PathBuf], beside: Option<Beside<'_>>) -> Outcome {
        let payloads = beside.is_some();
        // A file of a format that is not known is told as such when it is opened.
        let may_be = |is_it: fn(Format) -> bool| {
            let format = |file: &PathBuf| self.format.or_else(|| Format::of(file).ok());
            files.iter().any(|file| format(file).is_none_or(is_it))
        };
        let has_text: fn(Format) -> bool = |format| !is_bare(format) && !has_columns(format);
        if self.max_row_bytes.is_some() && !payloads && !may_be(has_text) {
            return Err(Failure::usage(
                "--max-row-bytes is for rows of text: the rows of other files have the bytes of their numbers",
            ));
        }
        if self.lossy && !payloads && !may_be(|format| !is_bare(format) && !is_csv(format)) {
            return Err(Failure::usage(if may_be(is_csv) {
                "--lossy finds nothing to change in CSV files: a cell that is no value of a payload is text"
            } else {
                "--lossy is for payloads, and these files have none"
            }));
        }
        if self.delimiter.is_some() && !may_be(|format| format != Format::Tsv) {
            return Err(Failure::usage(
                "--delimiter is for .csv files: the cells of a .tsv file have tabs between them; --format csv reads it otherwise",
            ));
        }
        if self.vector_column.len() > 1 && may_be(is_csv) {
            return Err(Failure::usage(
                "a CSV file has one --vector-column: the lines of a .jsonl file may have several",
            ));
        }
        if !self.using.is_empty() && self.vector_column.len() > 1 {
            return Err(Failure::usage(
                "--using names a vector that has no name: of several --vector-column each has the name of its column",
            ));
        }
        if !self.using.is_empty() && self.no_vectors && !may_be(is_bare) {
            return Err(Failure::usage(
                "--using names a vector, and with --no-vectors there is none",
            ));
        }
        let columns: fn(Format) -> bool =
            |format| is_csv(format) || has_columns(format) || format == Format::JsonLines;
        let matrices: fn(Format) -> bool = |format| {
            is_csv(format) || has_columns(format) || matches!(format, Format::JsonLines | Format::Hdf5)
        };
        // Ids may also come from the file beside that of the vectors.
        let has_text_ids = self.text_ids.is_some() && !matches!(beside, Some(Beside::Rows(_)));
        let given = [
            ("--id-column", self.id_column.is_some(), columns),
            ("--text-ids", has_text_ids, columns),
            ("--vector-column", !self.vector_column.is_empty(), matrices),
            ("--no-vectors", self.no_vectors, columns),
            ("--vector-prefix", self.vector_prefix.is_some(), is_csv),
            ("--delimiter", self.delimiter.is_some(), is_csv),
            ("--number-rows", self.number_rows, columns),
            ("--leave-out", !self.leave_out.is_empty(), columns),
        ];
        for (option, is_given, is_for) in given {
            if is_given && !may_be(is_for) {
                let kinds = match (is_for(Format::Parquet), is_for(Format::Hdf5)) {
                    (false, _) => "CSV files",
                    (true, false) => "CSV, Parquet, Arrow, .npz and .jsonl files",
                    (true, true) => "CSV, Parquet, Arrow, .npz, HDF5 and .jsonl files",
                };
                return Err(Failure::usage(format!(
                    "{option} is for {kinds}; --format says what a file is whose name does not"
                )));
            }
        }
        Ok(())
    }
}
