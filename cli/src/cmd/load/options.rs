//! How the files are read.

use std::path::PathBuf;

use vdb_interop::{CsvOptions, Format, ReadOptions};

use crate::failure::{Failure, Outcome};
use crate::parse;

/// The options that say how files are read.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Reading {
    /// Name of the vector where the file has none
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    using: String,

    /// Format of the files, where their names do not say; standard input is jsonl unless told otherwise
    #[arg(long, value_parser = parse::format())]
    format: Option<Format>,

    /// Id of the first row without one; 0 where nothing is in the way
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) start_id: Option<u64>,

    /// Longest row of a .csv or .jsonl file; memory holds several times as much
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true, value_parser = row_bytes)]
    max_row_bytes: Option<usize>,

    /// Column of a CSV file with the ids [default: id, where there is one]
    #[arg(long, value_name = "NAME", help_heading = "CSV")]
    id_column: Option<String>,

    /// Column of a CSV file with whole vectors as JSON arrays [default: vector]
    #[arg(long, value_name = "NAME", help_heading = "CSV")]
    vector_column: Option<String>,

    /// Columns of a CSV file with one number each start with this and end in 0, 1, 2, ... [default: v]
    #[arg(long, value_name = "TEXT", help_heading = "CSV")]
    vector_prefix: Option<String>,

    /// The rows of a CSV file have no vectors: every column but the ids is payload
    #[arg(long, help_heading = "CSV", conflicts_with_all = ["vector_column", "vector_prefix"])]
    no_vectors: bool,

    /// Byte between the cells of a CSV file; \t for a tab [default: ,]
    #[arg(long, value_name = "BYTE", help_heading = "CSV", value_parser = delimiter)]
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

impl Reading {
    /// The same for the readers.
    pub(super) fn options(&self) -> ReadOptions {
        ReadOptions {
            format: self.format,
            first_id: self.start_id.unwrap_or(0),
            vector_name: self.using.clone(),
            max_row_bytes: self.max_row_bytes.unwrap_or(ReadOptions::default().max_row_bytes),
            csv: CsvOptions {
                delimiter: self.delimiter.unwrap_or(b','),
                id_column: self.id_column.clone(),
                vector_column: self.vector_column.clone(),
                vector_prefix: self.vector_prefix.clone(),
                vectors: !self.no_vectors,
                ..CsvOptions::default()
            },
        }
    }

    /// Refuses options for rows of text where no file has such, and those for CSV where no file is one: they would be of
    /// no effect. `payloads` says whether there is a file of payloads as well.
    pub(super) fn check(&self, files: &[PathBuf], payloads: bool) -> Outcome {
        let format = |file: &PathBuf| self.format.or_else(|| Format::of(file).ok());
        // A file of a format that is not known is told as such when it is opened.
        let is_binary = |file| matches!(format(file), Some(Format::Npy | Format::Fvecs | Format::Bvecs));
        if self.max_row_bytes.is_some() && !payloads && files.iter().all(is_binary) {
            return Err(Failure::usage(
                "--max-row-bytes is for rows of text: a row of a .npy, .fvecs or .bvecs file has the bytes of its numbers",
            ));
        }
        let is_tsv = |file| matches!(format(file), Some(Format::Tsv));
        if self.delimiter.is_some() && files.iter().all(is_tsv) {
            return Err(Failure::usage(
                "--delimiter is for .csv files: the cells of a .tsv file have tabs between them; --format csv reads it otherwise",
            ));
        }
        let given = [
            ("--id-column", self.id_column.is_some()),
            ("--vector-column", self.vector_column.is_some()),
            ("--vector-prefix", self.vector_prefix.is_some()),
            ("--no-vectors", self.no_vectors),
            ("--delimiter", self.delimiter.is_some()),
        ];
        let Some((option, _)) = given.into_iter().find(|(_, given)| *given) else {
            return Ok(());
        };
        let may_be_csv = |file: &PathBuf| matches!(format(file), Some(Format::Csv | Format::Tsv) | None);
        if files.iter().any(may_be_csv) {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "{option} is for CSV files; a line of a .jsonl file has the keys id, vector and payload, and --format csv \
             says that a file is CSV"
        )))
    }
}
