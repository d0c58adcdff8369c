//! The points of a collection, page by page, into a file of some format.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use vdb::{Collection, CollectionConfig, Payload, PointId, ScrollRequest, Select, Vectors};
use vdb_interop::qdrant::{self, BackupWriter};
use vdb_interop::{JsonLinesWriter, NpyWriteError, NpyWriter};

use super::{Args, Format};
use crate::failure::{Failure, Outcome};
use crate::interrupt;
use crate::out::Out;
use crate::progress::{self, Unit};

/// Points of a page, at most, and numbers in their vectors.
const PAGE: usize = 1000;
const PAGE_NUMBERS: usize = 4 << 20;

type Target = BufWriter<File>;

/// Writes a collection, and says how many points it has.
pub(super) fn write(collection: &Collection, name: &str, to: Target, args: &Args, out: &Out) -> Outcome<u64> {
    let config = collection.config();
    let total = collection.count(None)?;
    let bar = progress::bar(out, "exporting", Some(total), Unit::Rows);
    let mut writer = Writer::new(to, &config, total, args)?;
    if args.format == Format::Backup {
        for unkept in qdrant::unkept(&config) {
            out.warn(format_args!("{name}: {unkept}"));
        }
    }
    let mut request = ScrollRequest::new().select(writer.select()).limit(page(&config));
    let mut written = 0;
    loop {
        if interrupt::asked_to_stop() {
            bar.finish_and_clear();
            return Err(Failure::Interrupted(format!(
                "interrupted: nothing was written for {name}"
            )));
        }
        let found = collection.scroll(&request)?;
        for point in found.points {
            let vectors = point.vectors.unwrap_or_default();
            let payload = point.payload.unwrap_or_default();
            writer.point(point.id, &vectors, &payload)?;
            written += 1;
        }
        bar.set_position(written);
        match found.next_offset {
            Some(next) => request.offset = Some(next),
            None => break,
        }
    }
    bar.finish_and_clear();
    writer.finish()?;
    Ok(written)
}

/// Points of a page, so that memory does not grow with the vectors.
fn page(config: &CollectionConfig) -> usize {
    let numbers: usize = config.vectors.iter().map(|(_, params)| params.size).sum();
    (PAGE_NUMBERS / numbers.max(1)).clamp(16, PAGE)
}

enum Writer {
    Backup(Box<BackupWriter<Target>>),
    Lines(JsonLinesWriter<Target>),
    Matrix { name: String, matrix: NpyWriter<Target> },
}

impl Writer {
    fn new(to: Target, config: &CollectionConfig, total: u64, args: &Args) -> Outcome<Writer> {
        Ok(match args.format {
            Format::Backup => Writer::Backup(Box::new(BackupWriter::new(to, config).map_err(failed)?)),
            Format::Jsonl => Writer::Lines(JsonLinesWriter::new(to)),
            Format::Npy => {
                let name = args.using.clone().unwrap_or_default();
                let size = columns(config, &name)?;
                let matrix = NpyWriter::new(to, total, size).map_err(npy)?;
                Writer::Matrix { name, matrix }
            }
        })
    }

    fn select(&self) -> Select {
        match self {
            Writer::Backup(_) | Writer::Lines(_) => Select::all(),
            Writer::Matrix { name, .. } => Select {
                payload: false.into(),
                vectors: vdb::VectorSelector::Names(vec![name.clone()]),
            },
        }
    }

    fn point(&mut self, id: PointId, vectors: &Vectors, payload: &Payload) -> Outcome {
        match self {
            Writer::Backup(backup) => backup.point(id, vectors, payload).map_err(failed),
            Writer::Lines(lines) => lines.point(id, vectors, payload).map_err(failed),
            Writer::Matrix { name, matrix } => {
                let vector = vectors.dense(name).ok_or_else(|| {
                    Failure::failed(format!(
                        "point {id} has no vector {name:?}, and a matrix has a row for every point; --format jsonl can leave \
                         vectors out"
                    ))
                })?;
                matrix.row(vector).map_err(npy)
            }
        }
    }

    fn finish(self) -> Outcome {
        let mut to = match self {
            Writer::Backup(backup) => backup.finish().map_err(failed)?,
            Writer::Lines(lines) => lines.into_inner(),
            Writer::Matrix { matrix, .. } => matrix.finish().map_err(npy)?,
        };
        to.flush().map_err(failed)
    }
}

/// The numbers of a dense vector of the collection.
fn columns(config: &CollectionConfig, name: &str) -> Outcome<usize> {
    let dense = config
        .vectors
        .iter()
        .filter(|(_, params)| params.multivector.is_none());
    let dense: Vec<(&str, usize)> = dense.map(|(name, params)| (name.as_str(), params.size)).collect();
    let found = dense.iter().find(|(known, _)| *known == name);
    found.map(|(_, size)| *size).ok_or_else(|| {
        let known: Vec<String> = dense.iter().map(|(name, _)| format!("{name:?}")).collect();
        Failure::failed(format!(
            "there is no dense vector {name:?} to write as a matrix; there is {}; --using names one",
            if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            }
        ))
    })
}

fn failed(error: io::Error) -> Failure {
    Failure::failed(format!("cannot be written: {error}"))
}

fn npy(error: NpyWriteError) -> Failure {
    Failure::failed(error.to_string())
}
