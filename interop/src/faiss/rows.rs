//! The rows of an index, block by block.

use std::path::Path;
use std::sync::Arc;

use vdb::Vectors;
use vdb_storage::PointId;
use vdb_sys::element::{Element, decode_to_f32};

use crate::error::{Problem, RowError};
use crate::id::{Given, Numbering};
use crate::input::open_regular;
use crate::options::ReadOptions;
use crate::row::{At, Place, Row};
use crate::source::{Progress, RowSource};
use crate::vector::not_finite;

use super::layout::{Codec, FaissLayout, Run};
use super::scan::{Bytes, Scan};

/// Bytes of rows that are read at once, at least one row.
const BLOCK: usize = 256 * 1024;

/// The vectors of a FAISS index. A row has the id that the index gives it, else `first_id` and its position.
///
/// Rows of inverted lists come list by list. Numbers of quantised indexes are the decoded ones.
#[derive(Debug)]
pub struct FaissRows {
    scan: Scan,
    file: Arc<str>,
    layout: FaissLayout,
    numbering: Numbering,
    vector_name: String,
    /// The run that is being read, and how many of its rows have been.
    run: usize,
    taken: u64,
    /// Rows of the run in memory, and how many of them have been yielded.
    codes: Vec<u8>,
    ids: Vec<i64>,
    held: usize,
    next_held: usize,
    yielded: u64,
    ended: bool,
}

impl FaissRows {
    /// Opens an index file and looks at what it holds.
    ///
    /// # Errors
    /// A file that cannot be read, is cut short, contradicts itself, or is an index of a kind that is not read here.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<FaissRows, RowError> {
        let name: Arc<str> = path.display().to_string().into();
        let place = Place {
            file: name.clone(),
            at: At::File,
        };
        let file = open_regular(path).map_err(|error| RowError::new(place, Problem::Io(error)))?;
        FaissRows::from_reader(name, Box::new(file), options)
    }

    pub(super) fn from_reader(
        file: Arc<str>,
        reader: Box<dyn Bytes>,
        options: &ReadOptions,
    ) -> Result<FaissRows, RowError> {
        let place = Place {
            file: file.clone(),
            at: At::File,
        };
        let opened = Scan::new(reader).and_then(|mut scan| {
            let layout = FaissLayout::read(&mut scan)?;
            Ok((scan, layout))
        });
        let (scan, layout) = opened.map_err(|problem| RowError::new(place, problem))?;
        Ok(FaissRows {
            scan,
            file,
            layout,
            // No text is an id of an index, so that none is missed in it.
            numbering: Numbering::of(&ReadOptions {
                text_ids: None,
                ..options.clone()
            }),
            vector_name: options.vector_name.clone(),
            run: 0,
            taken: 0,
            codes: Vec::new(),
            ids: Vec::new(),
            held: 0,
            next_held: 0,
            yielded: 0,
            ended: false,
        })
    }

    /// What the index is.
    pub fn layout(&self) -> &FaissLayout {
        &self.layout
    }

    /// Whether each id is greater than the one before it, as positions are. Nothing but ids is read.
    pub(super) fn ids_ascend(&mut self) -> Result<bool, RowError> {
        let runs = self.layout.runs.clone();
        self.scan_ids(&runs).map_err(|problem| {
            let place = Place {
                file: self.file.clone(),
                at: At::File,
            };
            RowError::new(place, problem)
        })
    }

    fn scan_ids(&mut self, runs: &[Run]) -> Result<bool, Problem> {
        let mut last = None;
        for run in runs {
            let Some(ids) = run.ids else { continue };
            self.scan.seek(ids)?;
            for _ in 0..run.rows {
                let id = self.scan.i64()?;
                if last.is_some_and(|last| last >= id) {
                    return Ok(false);
                }
                last = Some(id);
            }
        }
        Ok(true)
    }

    /// Reads the next block; `false` after the last one.
    fn refill(&mut self) -> Result<bool, Problem> {
        let run = loop {
            let Some(run) = self.layout.runs.get(self.run) else {
                return Ok(false);
            };
            if self.taken < run.rows {
                break *run;
            }
            self.run += 1;
            self.taken = 0;
        };
        let row = self.layout.row_bytes();
        let rows = (BLOCK / row)
            .max(1)
            .min(usize::try_from(run.rows - self.taken).unwrap_or(usize::MAX));
        self.read_ids(&run, rows)?;
        self.codes.resize(rows * row, 0);
        self.scan.seek(run.codes + self.taken * row as u64)?;
        self.scan.fill(&mut self.codes)?;
        self.taken += rows as u64;
        (self.held, self.next_held) = (rows, 0);
        Ok(true)
    }

    fn read_ids(&mut self, run: &Run, rows: usize) -> Result<(), Problem> {
        self.ids.clear();
        let Some(ids) = run.ids else { return Ok(()) };
        self.scan.seek(ids + self.taken * 8)?;
        for _ in 0..rows {
            self.ids.push(self.scan.i64()?);
        }
        Ok(())
    }

    fn decode(&self, code: &[u8]) -> Vec<f32> {
        let mut out = vec![0.0; self.layout.dim];
        match &self.layout.codec {
            Codec::F32 => decode_to_f32(code, Element::F32, &mut out),
            Codec::F16 => decode_to_f32(code, Element::F16, &mut out),
            Codec::Byte => decode_to_f32(code, Element::U8, &mut out),
            Codec::Steps { min, span } => {
                for ((out, code), (min, span)) in out.iter_mut().zip(code).zip(min.iter().zip(span)) {
                    *out = min + (f32::from(*code) + 0.5) / 255.0 * span;
                }
            }
        }
        out
    }

    fn row(&mut self, number: u64) -> Result<Row, RowError> {
        let place = Place {
            file: self.file.clone(),
            at: At::Row(number),
        };
        let held = self.next_held;
        self.next_held += 1;
        let width = self.layout.row_bytes();
        let code = self
            .codes
            .get(held * width..(held + 1) * width)
            .unwrap_or_default();
        let vector = self.decode(code);
        let given = match self.ids.get(held) {
            None => None,
            Some(&id) => match u64::try_from(id) {
                Ok(id) => Some(PointId::Num(id)),
                Err(_) => {
                    let problem = Problem::Value {
                        expected: "an id from 0 on; FAISS allows negative ones, points do not: give the row another id",
                        found: id.to_string(),
                    };
                    return Err(RowError::in_field(place, "id", problem));
                }
            },
        };
        if let Some((at, problem)) = not_finite(&vector) {
            return Err(RowError::in_field(place, format!("vector[{at}]"), problem));
        }
        match self.numbering.resolve(given.map(Given::Id), number, &mut None) {
            Ok((id, numbered)) => Ok(Row {
                id,
                numbered,
                vectors: Vectors::default().with(self.vector_name.clone(), vector),
                payload: None,
                place,
            }),
            Err(problem) => Err(RowError::new(place, problem)),
        }
    }
}

impl Iterator for FaissRows {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        if self.next_held == self.held {
            match self.refill() {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    return None;
                }
                Err(problem) => {
                    self.ended = true;
                    let place = Place {
                        file: self.file.clone(),
                        at: At::Row(self.yielded),
                    };
                    return Some(Err(RowError::new(place, problem)));
                }
            }
        }
        let number = self.yielded;
        self.yielded += 1;
        let row = self.row(number);
        self.ended |= row.as_ref().is_err_and(|error| !error.is_skippable());
        Some(row)
    }
}

impl RowSource for FaissRows {
    fn progress(&self) -> Progress {
        Progress {
            rows: self.yielded,
            total_rows: Some(self.layout.rows),
            bytes: self.scan.position(),
            total_bytes: Some(self.scan.len()),
        }
    }

    fn dim_hint(&self) -> Option<usize> {
        Some(self.layout.dim)
    }
}
