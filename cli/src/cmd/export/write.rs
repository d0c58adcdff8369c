//! The points of a collection, page by page, into files of some format.

use std::io::{self, Write};

use vdb::{
    Collection, CollectionConfig, Condition, Filter, Payload, PointId, Record, ScrollRequest, Select,
    VectorParams, VectorSelector, Vectors,
};
use vdb_interop::faiss::{FaissExport, FaissIds, FaissWriteError};
use vdb_interop::qdrant::{self, BackupWriter};
use vdb_interop::{JsonLinesWriter, NpyWriteError, NpyWriter};

use super::pages::{Pages, patiently};
use super::place::Target;
use super::{Args, Format};
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::table;

/// Points of a page, at most, and numbers in their vectors.
const PAGE: usize = 1000;
const PAGE_NUMBERS: usize = 4 << 20;

/// What an export came to.
pub(super) struct Written {
    pub(super) points: u64,
    /// Points without the vector of a format that has one for each.
    pub(super) left_out: u64,
}

/// Writes a collection. With `--lossy` points without the vector of a format that has one for each are left out.
pub(super) fn write(
    collection: &Collection,
    name: &str,
    to: Vec<Target>,
    args: &Args,
    out: &Out,
) -> Outcome<Written> {
    let config = collection.config();
    let all = patiently(name, || collection.count(None))?;
    let (mut request, mut total) = (ScrollRequest::new(), all);
    if args.lossy {
        let (vector, _) = dense(&config, args)?;
        let has_it = Filter::must([Condition::has_vector(vector.as_str())]);
        total = patiently(name, || collection.count(Some(&has_it)))?;
        request = request.filter(has_it);
        if total < all {
            let without = table::counted(all - total, "point");
            out.warn(format_args!(
                "{name}: {without} without the vector {vector:?} left out (--lossy)"
            ));
        }
    }
    let mut writer = Writer::new(to, collection, &config, total, args, (name, out))?;
    if args.format == Format::Backup {
        for unkept in qdrant::unkept(&config, &collection.payload_indexes()) {
            out.warn(format_args!("{name}: {unkept}"));
        }
    }
    let bar = progress::bar(out, "exporting", Some(total), Unit::Rows);
    request = request.select(writer.select());
    let mut pages = Pages::new(collection, name, request, page(&config), &config);
    let mut written = 0;
    let outcome = loop {
        match pages.advance() {
            Ok(Some(points)) => {
                if let Err(failure) = writer.page(written, &points) {
                    break Err(failure);
                }
                written += points.len() as u64;
                bar.set_position(written);
            }
            Ok(None) => break Ok(()),
            Err(failure) => break Err(failure),
        }
    };
    bar.finish_and_clear();
    outcome?;
    writer.finish()?;
    Ok(Written {
        points: written,
        left_out: all.saturating_sub(total),
    })
}

/// Points of a page, so that memory does not grow with the vectors.
fn page(config: &CollectionConfig) -> usize {
    /// Rows that a multivector may well have.
    const ROWS: usize = 512;
    let numbers = |(_, params): &(String, VectorParams)| {
        let rows = if params.multivector.is_some() { ROWS } else { 1 };
        params.size.saturating_mul(rows)
    };
    let numbers: usize = config.vectors.iter().map(numbers).sum();
    (PAGE_NUMBERS / numbers.max(1)).clamp(16, PAGE)
}

/// Whether there is a point of this id or of a later one.
fn has_from(collection: &Collection, name: &str, id: PointId) -> Outcome<bool> {
    let none = Select {
        payload: false.into(),
        vectors: false.into(),
    };
    let mut request = ScrollRequest::new().select(none).limit(1);
    request.offset = Some(id);
    let found = patiently(name, || collection.scroll(&request))?;
    Ok(!found.points.is_empty())
}

enum Writer {
    Backup(Box<BackupWriter<Target>>),
    #[cfg(feature = "parquet")]
    Parquet(Box<vdb_interop::columnar::ParquetWriter<Target>>),
    Lines(JsonLinesWriter<Target>),
    Matrix(Matrix),
    Faiss {
        name: String,
        export: Box<FaissExport<Target, Target>>,
    },
}

/// A matrix, and the ids and payloads beside it.
struct Matrix {
    name: String,
    matrix: NpyWriter<Target>,
    rows: Option<JsonLinesWriter<Target>>,
    lossy: bool,
}

impl Writer {
    fn new(
        to: Vec<Target>,
        collection: &Collection,
        config: &CollectionConfig,
        total: u64,
        args: &Args,
        #[cfg_attr(
            not(feature = "parquet"),
            expect(
                unused_variables,
                reason = "only the columns of Parquet have to be looked for"
            )
        )]
        (of, out): (&str, &Out),
    ) -> Outcome<Writer> {
        let mut to = to.into_iter();
        let mut next = || to.next().ok_or_else(|| Failure::failed("no file to write to"));
        let first = next()?;
        Ok(match args.format {
            Format::Backup => {
                let writer = BackupWriter::new(first, config).map_err(failed)?;
                Writer::Backup(Box::new(writer.payload_indexes(collection.payload_indexes())))
            }
            Format::Jsonl => Writer::Lines(JsonLinesWriter::new(first)),
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                use vdb_interop::columnar::{ParquetIds, ParquetWriter};
                let first_uuid = "00000000-0000-0000-0000-000000000000".parse::<PointId>();
                let ids = match first_uuid {
                    Ok(first) if has_from(collection, of, first)? => ParquetIds::Texts,
                    Ok(_) | Err(_) => ParquetIds::Numbers,
                };
                let survey = super::survey::survey(collection, of, config, total, out)?;
                let writer = ParquetWriter::new(first, config, ids, &survey).map_err(failed)?;
                Writer::Parquet(Box::new(writer))
            }
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => {
                return Err(Failure::failed(
                    "this program was built without Parquet: build it with it (cargo build --features parquet)",
                ));
            }
            Format::Npy => {
                let (name, params) = dense(config, args)?;
                let rows = args.rows.is_some().then(next).transpose()?;
                Writer::Matrix(Matrix {
                    name,
                    matrix: NpyWriter::new(first, total, params.size).map_err(npy)?,
                    rows: rows.map(JsonLinesWriter::new),
                    lossy: args.lossy,
                })
            }
            Format::Faiss => {
                let (name, params) = dense(config, args)?;
                let ids = match &args.id_key {
                    Some(key) => FaissIds::Key(key.clone()),
                    // So many different ids below their number are all of them.
                    None if !has_from(collection, of, PointId::Num(total))? => FaissIds::Positions,
                    None => FaissIds::Map,
                };
                let export = FaissExport::new(first, next()?, params.size, params.distance, ids);
                let export = export.map_err(failed)?;
                Writer::Faiss {
                    name,
                    export: Box::new(export),
                }
            }
        })
    }

    fn select(&self) -> Select {
        match self {
            Writer::Backup(_) | Writer::Lines(_) => Select::all(),
            #[cfg(feature = "parquet")]
            Writer::Parquet(_) => Select::all(),
            Writer::Matrix(Matrix { name, .. }) | Writer::Faiss { name, .. } => Select {
                payload: true.into(),
                vectors: VectorSelector::Names(vec![name.clone()]),
            },
        }
    }

    /// Writes points, the first of which is the point of this number.
    fn page(&mut self, first: u64, points: &[Record]) -> Outcome {
        let (no_vectors, no_payload) = (Vectors::default(), Payload::new());
        for (number, point) in (first..).zip(points) {
            let vectors = point.vectors.as_ref().unwrap_or(&no_vectors);
            let payload = point.payload.as_ref().unwrap_or(&no_payload);
            self.point(number, point.id, vectors, payload)?;
        }
        Ok(())
    }

    fn point(&mut self, number: u64, id: PointId, vectors: &Vectors, payload: &Payload) -> Outcome {
        match self {
            Writer::Backup(backup) => backup.point(id, vectors, payload).map_err(failed),
            Writer::Lines(lines) => lines.point(id, vectors, payload).map_err(failed),
            #[cfg(feature = "parquet")]
            Writer::Parquet(parquet) => parquet.point(id, vectors, payload).map_err(failed),
            Writer::Matrix(matrix) => matrix.point(number, id, vectors, payload),
            Writer::Faiss { name, export } => {
                let vector = numbers(id, name, vectors)?;
                export.point(id, vector, payload).map_err(faiss)
            }
        }
    }

    fn finish(self) -> Outcome {
        let mut to = match self {
            Writer::Backup(backup) => vec![backup.finish().map_err(failed)?],
            Writer::Lines(lines) => vec![lines.into_inner()],
            #[cfg(feature = "parquet")]
            Writer::Parquet(parquet) => vec![parquet.finish().map_err(failed)?],
            Writer::Matrix(Matrix { matrix, rows, .. }) => {
                let mut to = vec![matrix.finish().map_err(npy)?];
                to.extend(rows.map(JsonLinesWriter::into_inner));
                to
            }
            Writer::Faiss { export, .. } => {
                let (index, metadata) = export.finish().map_err(failed)?;
                vec![index, metadata]
            }
        };
        to.iter_mut().try_for_each(Write::flush).map_err(failed)
    }
}

impl Matrix {
    fn point(&mut self, number: u64, id: PointId, vectors: &Vectors, payload: &Payload) -> Outcome {
        let vector = numbers(id, &self.name, vectors)?;
        match &mut self.rows {
            Some(rows) => rows.point(id, &Vectors::default(), payload).map_err(failed)?,
            None if self.lossy => {}
            None if id != PointId::Num(number) => {
                return Err(Failure::failed(format!(
                    "point {id} would be row {number}: a matrix has no ids; --rows FILE.jsonl keeps them and the payloads beside \
                     it, --lossy leaves them out"
                )));
            }
            None if !payload.is_empty() => {
                return Err(Failure::failed(format!(
                    "point {id} has a payload, and a matrix has none; --rows FILE.jsonl keeps them beside it, --lossy leaves them out"
                )));
            }
            None => {}
        }
        self.matrix.row(vector).map_err(npy)
    }
}

/// The dense vector of a point.
fn numbers<'a>(id: PointId, name: &str, vectors: &'a Vectors) -> Outcome<&'a [f32]> {
    vectors.dense(name).ok_or_else(|| {
        Failure::failed(format!(
            "point {id} has no vector {name:?}, and there is a row for every point; --format jsonl and parquet can leave vectors out, \
             --lossy leaves out points without it"
        ))
    })
}

/// The dense vector to write. Others that there are must be left out in so many words.
fn dense(config: &CollectionConfig, args: &Args) -> Outcome<(String, VectorParams)> {
    let dense = config
        .vectors
        .iter()
        .filter(|(_, params)| params.multivector.is_none());
    let dense: Vec<&(String, VectorParams)> = dense.collect();
    let all = config.vectors.iter().map(|(name, _)| name);
    let all = all.chain(config.sparse_vectors.iter().map(|(name, _)| name));
    let all: Vec<String> = all.map(|name| format!("{name:?}")).collect();
    let found = match (&args.using, dense.as_slice()) {
        (Some(asked), _) => dense.iter().find(|(known, _)| known == asked),
        (None, [only]) if all.len() == 1 || args.lossy => Some(only),
        (None, _) => None,
    };
    if let Some((name, params)) = found {
        return Ok((name.clone(), params.clone()));
    }
    let known = if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    };
    Err(Failure::failed(match &args.using {
        Some(name) => format!("there is no dense vector {name:?}; there is {known}; --using names one"),
        None => format!(
            "{} holds one dense vector a point; there is {known}; --using names the one to write",
            args.format.ending()
        ),
    }))
}

fn failed(error: io::Error) -> Failure {
    Failure::failed(format!("cannot be written: {error}"))
}

fn npy(error: NpyWriteError) -> Failure {
    Failure::failed(error.to_string())
}

fn faiss(error: FaissWriteError) -> Failure {
    Failure::failed(error.to_string())
}
