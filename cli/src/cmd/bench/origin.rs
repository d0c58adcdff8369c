//! What a kept database was built from, in a file beside it: figures of one data set and settings must not be told for
//! those of another.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vdb::{CollectionConfig, VectorParams};
use vdb_measure::Split;

use crate::failure::{Failure, Outcome};
use crate::parse;

/// A hash that is the same whatever this program was built with (FNV-1a).
fn fnv(rows: &[u64]) -> u64 {
    let bytes = rows.iter().flat_map(|row| row.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Everything that decides which rows are in the database, and how.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Origin {
    /// Rows of the data, queries included.
    rows: u64,
    /// Bytes of its file.
    bytes: u64,
    queries: u64,
    /// Of the queries' row numbers.
    split: String,
    distance: String,
    element: String,
    graph: String,
}

impl Origin {
    pub(super) fn new(data: &Path, rows: u64, split: &Split, params: &VectorParams) -> Origin {
        Origin {
            rows,
            bytes: std::fs::metadata(data).map_or(0, |meta| meta.len()),
            queries: split.queries.len() as u64,
            split: format!("{:016x}", fnv(&split.queries)),
            distance: params.distance.name().to_owned(),
            element: parse::element_name(params.element).to_owned(),
            graph: params.graph(&CollectionConfig::default()).map_or_else(
                || "no graph".to_owned(),
                |graph| {
                    format!(
                        "m {}, ef_construct {}, {}",
                        graph.m,
                        graph.ef_construct,
                        graph.quantization.name()
                    )
                },
            ),
        }
    }

    fn file(db: &Path) -> PathBuf {
        let mut name = db.file_name().unwrap_or_default().to_owned();
        name.push(".bench.json");
        db.with_file_name(name)
    }

    /// Writes it beside the database.
    pub(super) fn keep(&self, db: &Path) -> Outcome {
        let file = Origin::file(db);
        let text = serde_json::to_string(self).map_err(std::io::Error::from);
        text.and_then(|text| std::fs::write(&file, text + "\n"))
            .map_err(|e| Failure::failed(format!("{}: cannot be written: {e}", file.display())))
    }

    /// Refuses a database that was built from anything else.
    pub(super) fn check(&self, db: &Path) -> Outcome {
        let file = Origin::file(db);
        let advice = "remove the database, or name another with --db";
        let text = std::fs::read_to_string(&file).map_err(|e| {
            Failure::failed(format!(
                "{}: cannot tell what this database was built from ({}: {e}); {advice}",
                db.display(),
                file.display()
            ))
        })?;
        let built: Origin = serde_json::from_str(&text).map_err(|e| {
            Failure::failed(format!(
                "{}: not what `vdb bench search` wrote: {e}; {advice}",
                file.display()
            ))
        })?;
        let differences = [
            ("rows", built.rows.to_string(), self.rows.to_string()),
            ("bytes of data", built.bytes.to_string(), self.bytes.to_string()),
            ("queries", built.queries.to_string(), self.queries.to_string()),
            ("split", built.split, self.split.clone()),
            ("distance", built.distance, self.distance.clone()),
            ("element", built.element, self.element.clone()),
            ("graph", built.graph, self.graph.clone()),
        ];
        let told: Vec<String> = differences
            .iter()
            .filter(|(_, built, asked)| built != asked)
            .map(|(what, built, asked)| format!("{what} {built}, not {asked}"))
            .collect();
        if told.is_empty() {
            return Ok(());
        }
        Err(Failure::failed(format!(
            "{}: this database was built from other data or settings ({}); {advice}",
            db.display(),
            told.join("; ")
        )))
    }
}
