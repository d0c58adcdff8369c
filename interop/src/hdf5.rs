//! The files of ann-benchmarks (Aumüller, Bernhardsson, Faithfull, "ANN-Benchmarks: a benchmarking tool for approximate nearest neighbor
//! algorithms", 2020): HDF5 with the vectors in the matrix `train`, and the attribute `distance`. Any other matrix of floats or bytes of
//! an HDF5 file is read when the caller names it.
//!
//! Decoded by the crate `hdf5-reader`, block by block.

use hdf5_reader::{Dataset, Hdf5File, OpenOptions, SliceInfo, SliceInfoElem};
use vdb::{CollectionConfig, Distance, VectorParams, Vectors};

use crate::error::{Problem, RowError, guarded, quoted};
use crate::id::Numbering;
use crate::input::Input;
use crate::options::ReadOptions;
use crate::row::{At, Place, Row};
use crate::source::{Progress, RowSource};
use crate::vector::{MAX_DIM, not_finite};

const FORMAT: &str = "HDF5";
/// The matrix that is read unless the caller names another.
const TRAIN: &str = "train";
const DISTANCE: &str = "distance";

/// Numbers of a block.
const BLOCK: usize = 1 << 20;
/// Bytes that one reading may take, and one chunk of the file.
const MAX_READ: usize = 1 << 30;
/// Bytes that one byte of a chunk becomes, at most, by deflate (RFC 1951), the filter of such files.
const MOST_UNPACKED: u64 = 1032;

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    F32,
    F64,
    U8,
}

impl Number {
    fn size(self) -> u64 {
        match self {
            Number::F32 => 4,
            Number::F64 => 8,
            Number::U8 => 1,
        }
    }
}

/// The rows of a matrix.
pub struct Hdf5Rows {
    dataset: Dataset,
    number: Number,
    place: Place,
    name: String,
    dim: usize,
    rows: u64,
    next: u64,
    /// Rows that are held, and the number of the first of them.
    block: Vec<f32>,
    first: u64,
    config: Option<CollectionConfig>,
    notes: Vec<String>,
    numbering: Numbering,
    vector_name: String,
    bytes: u64,
    ended: bool,
}

impl Hdf5Rows {
    /// Opens the file at the path of `input`.
    ///
    /// # Errors
    /// A pipe, a file that is damaged, or a matrix that is not there or holds no vectors.
    pub fn new(input: &Input, options: &ReadOptions) -> Result<Hdf5Rows, RowError> {
        let place = input.place(At::File);
        Hdf5Rows::open(input, place.clone(), options).map_err(|problem| RowError::new(place, problem))
    }

    fn open(input: &Input, place: Place, options: &ReadOptions) -> Result<Hdf5Rows, Problem> {
        let path = input.path().ok_or_else(|| Problem::Format {
            expected: "a file",
            found: "HDF5 from a pipe".to_owned(),
            advice: "save it first: an HDF5 file is read from many places",
        })?;
        let limits = OpenOptions {
            max_read_bytes: MAX_READ,
            max_chunk_bytes: MAX_READ,
            ..OpenOptions::default()
        };
        let file = guarded(FORMAT, || Hdf5File::open_with_options(path, limits))?;
        let name = match options.columns.vectors.as_slice() {
            [] => TRAIN.to_owned(),
            [one] => one.clone(),
            _ => {
                return Err(Problem::Collection(
                    "one matrix of an HDF5 file is read: name one with --vector-column".to_owned(),
                ));
            }
        };
        let dataset = guarded(FORMAT, || file.dataset(&name))?;
        let wrong = |why: String| {
            Problem::Collection(format!(
                "{name:?} {why}; name another matrix with --vector-column"
            ))
        };
        let &[rows, dim] = dataset.shape() else {
            return Err(wrong(format!(
                "has {} dimensions and is no matrix",
                dataset.shape().len()
            )));
        };
        let dim = usize::try_from(dim)
            .ok()
            .filter(|dim| (1..=MAX_DIM).contains(dim))
            .ok_or_else(|| wrong(format!("has rows of {dim} numbers, and vectors have 1 to 65536")))?;
        let number = number(&dataset)
            .ok_or_else(|| wrong("holds no floats of 32 or 64 bits and no bytes".to_owned()))?;
        // What was never written reads as zeros, without end if a damaged file says so.
        let bytes = input.total_bytes().unwrap_or(0);
        let most = match dataset.chunks() {
            Some(_) => bytes.saturating_mul(MOST_UNPACKED),
            None => bytes,
        };
        if rows.saturating_mul(dim as u64).saturating_mul(number.size()) > most {
            let why = format!(
                "{name:?} is said to have {rows} rows of {dim} numbers, which its {bytes} bytes do not hold"
            );
            return Err(Problem::Container { format: FORMAT, why });
        }
        let mut notes = Vec::new();
        if number == Number::F64 {
            notes.push(format!(
                "{name:?} has floats of 64 bits, which are rounded to the 32 of a vector"
            ));
        }
        // Without the attribute, or with one of no use, the caller's choice counts.
        let said = guarded(FORMAT, || {
            let root = file.root_group()?;
            root.attribute(DISTANCE).and_then(|said| said.read_string())
        });
        let said = said.ok();
        let said = said.as_deref().map(|said| said.trim_end_matches('\0'));
        let distance = said.and_then(distance);
        if let Some(said) = said.filter(|_| distance.is_none()) {
            notes.push(format!(
                "its distance is {}, which is none of ours: vectors compare as --distance says [default: cosine]",
                quoted(said)
            ));
        }
        let config = distance.map(|distance| {
            CollectionConfig::default().vector(options.vector_name.clone(), VectorParams::new(dim, distance))
        });
        Ok(Hdf5Rows {
            dataset,
            number,
            place,
            name,
            dim,
            rows,
            next: 0,
            block: Vec::new(),
            first: 0,
            config,
            notes,
            numbering: Numbering::of(options),
            vector_name: options.vector_name.clone(),
            bytes,
            ended: false,
        })
    }

    /// Reads the rows from `first` on.
    fn read(&mut self, first: u64) -> Result<(), Problem> {
        let rows = (BLOCK / self.dim).max(1) as u64;
        let end = self.rows.min(first.saturating_add(rows));
        let range = |start, end| SliceInfoElem::Slice { start, end, step: 1 };
        let part = SliceInfo {
            selections: vec![range(first, end), range(0, self.dim as u64)],
        };
        let dataset = &self.dataset;
        self.block = match self.number {
            Number::F32 => guarded(FORMAT, || dataset.read_slice::<f32>(&part))?
                .into_iter()
                .collect(),
            Number::F64 => {
                let wide = guarded(FORMAT, || dataset.read_slice::<f64>(&part))?;
                wide.into_iter().map(|number| number as f32).collect()
            }
            Number::U8 => {
                let bytes = guarded(FORMAT, || dataset.read_slice::<u8>(&part))?;
                bytes.into_iter().map(f32::from).collect()
            }
        };
        self.first = first;
        Ok(())
    }

    fn row(&mut self, number: u64) -> Result<Row, RowError> {
        let place = Place {
            file: self.place.file.clone(),
            at: At::Row(number),
        };
        let held = (self.block.len() / self.dim) as u64;
        if !(self.first..self.first + held).contains(&number) {
            self.read(number)
                .map_err(|problem| RowError::new(place.clone(), problem))?;
        }
        let at = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        let vector = at
            .checked_mul(self.dim)
            .and_then(|at| self.block.get(at..at.checked_add(self.dim)?));
        let Some(vector) = vector.map(<[f32]>::to_vec) else {
            let problem = Problem::Container {
                format: FORMAT,
                why: "it has fewer rows than it says".to_owned(),
            };
            return Err(RowError::new(place, problem));
        };
        if let Some((at, problem)) = not_finite(&vector) {
            return Err(RowError::in_field(place, format!("{}[{at}]", self.name), problem));
        }
        match self.numbering.number(number) {
            Ok(id) => Ok(Row {
                id,
                numbered: true,
                vectors: Vectors::default().with(self.vector_name.as_str(), vector),
                payload: None,
                place,
            }),
            Err(problem) => Err(RowError::new(place, problem)),
        }
    }
}

fn number(dataset: &Dataset) -> Option<Number> {
    use hdf5_reader::Datatype;
    if let Datatype::FloatingPoint { size, .. } = dataset.dtype() {
        return match size {
            4 => Some(Number::F32),
            8 => Some(Number::F64),
            _ => None,
        };
    }
    let is_byte = matches!(
        dataset.dtype(),
        Datatype::FixedPoint {
            size: 1,
            signed: false,
            ..
        }
    );
    is_byte.then_some(Number::U8)
}

/// The distances that such files name and that are ours.
fn distance(name: &str) -> Option<Distance> {
    match name {
        "angular" | "cosine" => Some(Distance::Cosine),
        "euclidean" => Some(Distance::Euclid),
        "dot" | "ip" => Some(Distance::Dot),
        "manhattan" => Some(Distance::Manhattan),
        _ => None,
    }
}

impl Iterator for Hdf5Rows {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended || self.next == self.rows {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let row = self.row(number);
        self.ended = row.as_ref().is_err_and(|error| !error.is_skippable());
        Some(row)
    }
}

impl RowSource for Hdf5Rows {
    fn progress(&self) -> Progress {
        Progress::of_share(self.next, self.rows, self.bytes)
    }

    fn dim_hint(&self) -> Option<usize> {
        Some(self.dim)
    }

    fn config(&self) -> Option<CollectionConfig> {
        self.config.clone()
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl std::fmt::Debug for Hdf5Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hdf5Rows")
            .field("place", &self.place)
            .field("name", &self.name)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
