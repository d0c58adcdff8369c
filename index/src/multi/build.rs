//! A graph over the encodings of multivectors.

use rayon::prelude::*;
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView, encode_f32};
use vdb_sys::kernel::Metric;
use vdb_vfs::Disk;

use super::fde::{ENCODING, Fde, FdeScratch};
use super::vectors::MultiVectors;
use crate::hnsw::{self, Base, Graph, GraphFile, HnswParams};
use crate::{Control, Error, Quantization, Result};

/// Rows that a task encodes between two looks at whether to go on.
const ROWS_A_TASK: usize = 16;

/// The encodings of rows `0..rows`, as halves: the rows of a matrix of [`Fde::coordinates`] dimensions. A row without a
/// multivector has zeros. Takes two bytes a coordinate.
///
/// # Errors
/// [`Error::Cancelled`], and those of the vectors.
pub fn encode_all<V: MultiVectors + ?Sized>(
    fde: &Fde,
    vectors: &V,
    rows: u32,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<AlignedBuf> {
    let row_bytes = fde.coordinates() * Element::F16.size();
    let mut bytes = AlignedBuf::zeroed(rows as usize * row_bytes);
    pool.install(|| {
        bytes
            .par_chunks_mut(row_bytes * ROWS_A_TASK)
            .enumerate()
            .try_for_each_init(Encoder::default, |encoder, (task, out)| {
                if control.is_cancelled() {
                    return Err(Error::Cancelled);
                }
                // Below `rows`, which is a `u32`.
                let first = (task * ROWS_A_TASK) as u32;
                for (out, row) in out.chunks_exact_mut(row_bytes).zip(first..) {
                    if let Some(vectors) = vectors.multi(row)? {
                        out.copy_from_slice(encoder.document(fde, vectors, control)?);
                    }
                }
                Ok(())
            })
    })?;
    Ok(bytes)
}

/// What one thread needs to encode rows.
#[derive(Default)]
struct Encoder {
    scratch: FdeScratch,
    values: Vec<f32>,
    halves: Vec<u8>,
}

impl Encoder {
    fn document(&mut self, fde: &Fde, vectors: &[u8], control: &Control<'_>) -> Result<&[u8]> {
        self.values.clear();
        fde.document(vectors, control, &mut self.scratch, &mut self.values)?;
        halves(&mut self.values, &mut self.halves);
        Ok(&self.halves)
    }
}

/// Numbers as halves, the largest where they are larger.
pub(super) fn halves(values: &mut [f32], out: &mut Vec<u8>) {
    let most = f32::from(half::f16::MAX);
    values.iter_mut().for_each(|x| *x = x.clamp(-most, most));
    out.clear();
    encode_f32(values, Element::F16, out);
}

/// What a graph over encodings is built with where so much is asked for. A graph is all that is kept of encodings, so it has
/// codes in any case: with [`Quantization::Off`], which elsewhere leaves full vectors to be read instead, those of 8 bits.
#[must_use]
pub fn graph_params(asked: &HnswParams) -> HnswParams {
    let mut params = *asked;
    if params.quantization == Quantization::Off {
        params.quantization = Quantization::Int8;
    }
    params
}

/// Builds a graph over the encodings of rows `0..rows`, to be searched by [`search`](super::search()); its file is opened by
/// [`open`].
///
/// It is built with [`graph_params`]. Deterministic as [`hnsw::build`]. Memory beyond what that takes: two bytes for each
/// coordinate of each row.
///
/// # Errors
/// Those of [`hnsw::build`] and of the vectors.
pub fn build<V: MultiVectors + ?Sized>(
    fde: &Fde,
    vectors: &V,
    rows: u32,
    params: &HnswParams,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<Graph> {
    let params = graph_params(params);
    let make = |matrix: &MatrixView<'_>| hnsw::build(matrix, Metric::Dot, &params, pool, control);
    over_encodings(fde, vectors, rows, pool, control, make)
}

/// As [`build`], from a graph over the encodings of some of the same multivectors, as [`hnsw::extend`] does.
///
/// # Errors
/// Those of [`hnsw::extend`] and of the vectors.
///
/// # Panics
/// As [`hnsw::extend`].
pub fn extend<V: MultiVectors + ?Sized>(
    base: &Base<'_>,
    (fde, vectors): (&Fde, &V),
    rows: u32,
    params: &HnswParams,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<Graph> {
    let params = graph_params(params);
    let make = |matrix: &MatrixView<'_>| hnsw::extend(base, matrix, Metric::Dot, &params, pool, control);
    over_encodings(fde, vectors, rows, pool, control, make)
}

fn over_encodings<V: MultiVectors + ?Sized>(
    fde: &Fde,
    vectors: &V,
    rows: u32,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
    make: impl FnOnce(&MatrixView<'_>) -> Result<Graph>,
) -> Result<Graph> {
    let bytes = encode_all(fde, vectors, rows, pool, control)?;
    let Some(matrix) = MatrixView::new(Element::F16, fde.coordinates(), &bytes) else {
        return Err(Error::TooManyRows {
            rows,
            limit: hnsw::MAX_ROWS,
        });
    };
    let mut graph = make(&matrix)?;
    graph.encoding = ENCODING;
    Ok(graph)
}

/// Opens the graph at `path` over `rows` multivectors whose encodings have so many coordinates
/// ([`FdeParams::coordinates`](super::FdeParams::coordinates)).
///
/// # Errors
/// As [`GraphFile::open`], for a graph over rows that were not encoded as they are now too.
pub fn open(disk: &dyn Disk, path: &str, rows: u32, coordinates: usize) -> Result<GraphFile> {
    GraphFile::open_encoded(disk, path, rows, (coordinates, ENCODING), &Fde::graph_kernel())
}
