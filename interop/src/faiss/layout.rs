//! What an index file holds and where: found by passing over it once, without reading the rows.

use crate::error::Problem;
use crate::vector::MAX_DIM;

use super::scan::{Extent, Scan};

/// How FAISS compares the vectors of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaissMetric {
    /// The inner product, larger is nearer.
    InnerProduct,
    /// The squared Euclidean distance.
    L2,
    /// The Manhattan distance.
    L1,
}

/// What is known of an index before a row is read.
#[derive(Clone, Debug)]
pub struct FaissLayout {
    /// What FAISS calls this kind of index, from the outside in: `IndexIDMap of IndexFlatIP`.
    pub kind: String,
    /// How it compares.
    pub metric: FaissMetric,
    /// Numbers in a vector.
    pub dim: usize,
    /// Vectors.
    pub rows: u64,
    /// Whether the index says which id a vector has; else it is its position.
    pub ids: bool,
    pub(super) codec: Codec,
    pub(super) runs: Vec<Run>,
}

/// Rows that lie one behind another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// The first byte of the first row.
    pub(super) codes: u64,
    /// Rows.
    pub(super) rows: u64,
    /// The first byte of their ids.
    pub(super) ids: Option<u64>,
}

/// How a number is stored.
#[derive(Clone, Debug)]
pub(super) enum Codec {
    F32,
    F16,
    /// A byte is the number.
    Byte,
    /// A byte is one of 256 steps between a minimum and a maximum: minima and spans, one a dimension.
    Steps {
        min: Vec<f32>,
        span: Vec<f32>,
    },
}

impl Codec {
    /// Bytes of a number.
    pub(super) fn width(&self) -> usize {
        match self {
            Codec::F32 => 4,
            Codec::F16 => 2,
            Codec::Byte | Codec::Steps { .. } => 1,
        }
    }
}

/// How many indexes may lie in one another: ids around a graph around full vectors.
const MAX_NESTING: usize = 3;

const DAMAGED: &str = "the file is damaged: write it again";
const KINDS: &str = "export its vectors with reconstruct_n, or rebuild it as one of these";

fn damaged(expected: &'static str, found: impl std::fmt::Display) -> Problem {
    Problem::Format {
        expected,
        found: found.to_string(),
        advice: DAMAGED,
    }
}

fn unsupported(expected: &'static str, found: impl Into<String>) -> Problem {
    Problem::Format {
        expected,
        found: found.into(),
        advice: KINDS,
    }
}

/// The start of every index.
struct Header {
    dim: usize,
    rows: u64,
    metric: FaissMetric,
}

fn header(scan: &mut Scan) -> Result<Header, Problem> {
    let dim = scan.i32()?;
    let rows = scan.i64()?;
    scan.i64()?;
    scan.i64()?;
    scan.u8()?;
    let metric = scan.i32()?;
    if metric > 1 {
        scan.f32()?;
    }
    let dim = usize::try_from(dim)
        .ok()
        .filter(|dim| (1..=MAX_DIM).contains(dim))
        .ok_or_else(|| damaged("a dimension of 1 to 65536", dim))?;
    let rows = u64::try_from(rows).map_err(|_| damaged("a number of rows", rows))?;
    let metric = match metric {
        0 => FaissMetric::InnerProduct,
        1 => FaissMetric::L2,
        2 => FaissMetric::L1,
        other => {
            return Err(unsupported(
                "an index by inner product, L2 or L1",
                format!("metric {other}"),
            ));
        }
    };
    Ok(Header { dim, rows, metric })
}

impl FaissLayout {
    /// Passes over a file.
    pub(super) fn read(scan: &mut Scan) -> Result<FaissLayout, Problem> {
        index(scan, MAX_NESTING)
    }

    /// Bytes of a stored row.
    pub(super) fn row_bytes(&self) -> usize {
        self.dim * self.codec.width()
    }
}

fn index(scan: &mut Scan, depth: usize) -> Result<FaissLayout, Problem> {
    let Some(deeper) = depth.checked_sub(1) else {
        return Err(damaged("at most three indexes in one another", "a fourth"));
    };
    let tag = scan.tag()?;
    match &tag {
        b"IxFI" => flat(scan, "IndexFlatIP"),
        b"IxF2" => flat(scan, "IndexFlatL2"),
        b"IxFl" => flat(scan, "IndexFlat"),
        b"IxMp" => with_ids(scan, "IndexIDMap", deeper),
        b"IxM2" => with_ids(scan, "IndexIDMap2", deeper),
        b"IHNf" | b"IHNs" => graph(scan, deeper),
        b"IwFl" => inverted(scan, deeper),
        b"IxSQ" => quantized(scan),
        _ => {
            let name = String::from_utf8_lossy(&tag).escape_debug().to_string();
            Err(unsupported(
                "an IndexFlat, IndexIDMap, IndexHNSWFlat, IndexHNSWSQ, IndexIVFFlat or IndexScalarQuantizer (8 bits)",
                format!("a file that begins with {name:?}"),
            ))
        }
    }
}

fn plain(kind: &str, header: &Header, codec: Codec, codes: u64) -> FaissLayout {
    FaissLayout {
        kind: kind.to_owned(),
        metric: header.metric,
        dim: header.dim,
        rows: header.rows,
        ids: false,
        codec,
        runs: vec![Run {
            codes,
            rows: header.rows,
            ids: None,
        }],
    }
}

/// Codes are there for each row, no more and no fewer.
fn for_each_row(codes: Extent, header: &Header, numbers_of_a_row: usize) -> Result<u64, Problem> {
    let expected = header.rows.checked_mul(numbers_of_a_row as u64);
    if expected == Some(codes.count) {
        return Ok(codes.at);
    }
    let (rows, found) = (header.rows, codes.count);
    Err(damaged(
        "the codes of every row",
        format!("{found} for {rows} rows of {numbers_of_a_row}"),
    ))
}

fn flat(scan: &mut Scan, kind: &str) -> Result<FaissLayout, Problem> {
    let header = header(scan)?;
    let codes = scan.vector(4)?;
    let at = for_each_row(codes, &header, header.dim)?;
    Ok(plain(kind, &header, Codec::F32, at))
}

fn with_ids(scan: &mut Scan, kind: &str, depth: usize) -> Result<FaissLayout, Problem> {
    let header = header(scan)?;
    let mut inner = index(scan, depth)?;
    let ids = scan.vector(8)?;
    let [run] = inner.runs.as_mut_slice() else {
        return Err(unsupported(
            "ids around a flat index",
            format!("{kind} of {}", inner.kind),
        ));
    };
    if inner.ids {
        return Err(unsupported(
            "ids around a flat index",
            format!("{kind} of {}", inner.kind),
        ));
    }
    if ids.count != inner.rows || header.rows != inner.rows || header.dim != inner.dim {
        return Err(damaged(
            "an id for every vector",
            format!("{} ids for {} vectors", ids.count, inner.rows),
        ));
    }
    run.ids = Some(ids.at);
    Ok(FaissLayout {
        kind: format!("{kind} of {}", inner.kind),
        ids: true,
        ..inner
    })
}

/// The vectors of a graph lie behind it, as an index of their own.
fn graph(scan: &mut Scan, depth: usize) -> Result<FaissLayout, Problem> {
    let header = header(scan)?;
    // Probabilities and neighbours a level, the level and the links of each row, all links.
    for width in [8, 4, 4, 8, 4] {
        scan.vector(width)?;
    }
    // Entry point, top level, two beam widths, and one that is always 1.
    for _ in 0..5 {
        scan.i32()?;
    }
    let inner = index(scan, depth)?;
    if inner.ids || inner.rows != header.rows || inner.dim != header.dim {
        return Err(damaged(
            "the vectors of the graph",
            format!("{} of {} rows", inner.kind, inner.rows),
        ));
    }
    Ok(FaissLayout {
        kind: format!("IndexHNSW of {}", inner.kind),
        metric: header.metric,
        ..inner
    })
}

fn inverted(scan: &mut Scan, depth: usize) -> Result<FaissLayout, Problem> {
    let header = header(scan)?;
    let lists = scan.u64()?;
    scan.u64()?;
    // The centroids: vectors of no row.
    index(scan, depth)?;
    const HASH_TABLE: u8 = 2;
    let direct = scan.u8()?;
    if direct > HASH_TABLE {
        return Err(damaged("a direct map: none, an array or a hash table", direct));
    }
    scan.vector(8)?;
    if direct == HASH_TABLE {
        // Pairs of an id and its place.
        scan.vector(16)?;
    }
    let row = header.dim as u64 * 4;
    let sizes = list_sizes(scan, lists, row)?;
    let mut runs = Vec::new();
    let mut rows = 0u64;
    for size in sizes.into_iter().filter(|size| *size > 0) {
        let codes = scan.skip(size, row)?;
        let ids = scan.skip(size, 8)?;
        rows = rows.saturating_add(size);
        runs.push(Run {
            codes: codes.at,
            rows: size,
            ids: Some(ids.at),
        });
    }
    if rows != header.rows {
        return Err(damaged(
            "every row in one list",
            format!("{rows} in the lists of {}", header.rows),
        ));
    }
    Ok(FaissLayout {
        kind: "IndexIVFFlat".to_owned(),
        metric: header.metric,
        dim: header.dim,
        rows,
        ids: true,
        codec: Codec::F32,
        runs,
    })
}

/// Rows of each list, in the order in which the lists follow.
fn list_sizes(scan: &mut Scan, lists: u64, row: u64) -> Result<Vec<u64>, Problem> {
    let tag = scan.tag()?;
    if &tag != b"ilar" {
        let name = String::from_utf8_lossy(&tag).escape_debug().to_string();
        return Err(unsupported(
            "inverted lists in the file itself",
            format!("lists of kind {name:?}"),
        ));
    }
    let (count, code) = (scan.u64()?, scan.u64()?);
    if count != lists || code != row {
        return Err(damaged(
            "lists as the index has them",
            format!("{count} lists of {code} bytes a row, for {lists} of {row}"),
        ));
    }
    match &scan.tag()? {
        b"full" => {
            let sizes = scan.numbers(lists, "a size for each list", Scan::u64)?;
            if sizes.len() as u64 != lists {
                return Err(damaged("a size for each list", sizes.len()));
            }
            Ok(sizes)
        }
        b"sprs" => {
            let pairs = scan.numbers(lists.saturating_mul(2), "a size for some lists", Scan::u64)?;
            let (pairs, rest) = pairs.as_chunks::<2>();
            if !rest.is_empty() || !pairs.is_sorted_by(|a, b| a[0] < b[0]) {
                return Err(damaged("pairs of list and size, by list", "others"));
            }
            Ok(pairs.iter().map(|[_, size]| *size).collect())
        }
        other => {
            let name = String::from_utf8_lossy(other).escape_debug().to_string();
            Err(damaged("sizes of lists, full or sprs", format!("{name:?}")))
        }
    }
}

fn quantized(scan: &mut Scan) -> Result<FaissLayout, Problem> {
    const EIGHT_BITS: i32 = 0;
    const EIGHT_BITS_UNIFORM: i32 = 2;
    const HALF: i32 = 4;
    const BYTES: i32 = 5;
    let header = header(scan)?;
    let kind = scan.i32()?;
    scan.i32()?;
    scan.f32()?;
    let (dim, row) = (scan.u64()?, scan.u64()?);
    let trained = scan.numbers(2 * MAX_DIM as u64, "minima and spans", Scan::f32)?;
    let codes = scan.vector(1)?;
    let codec = match (kind, trained.as_slice()) {
        (EIGHT_BITS, _) if trained.len() == 2 * header.dim => {
            let (min, span) = trained.split_at(header.dim);
            Codec::Steps {
                min: min.to_vec(),
                span: span.to_vec(),
            }
        }
        (EIGHT_BITS_UNIFORM, [min, span]) => Codec::Steps {
            min: vec![*min; header.dim],
            span: vec![*span; header.dim],
        },
        (HALF, _) => Codec::F16,
        (BYTES, _) => Codec::Byte,
        (EIGHT_BITS | EIGHT_BITS_UNIFORM, _) => {
            return Err(damaged("a minimum and a span for each dimension", trained.len()));
        }
        (other, _) => {
            return Err(unsupported(
                "a scalar quantizer of 8 bits or of f16",
                format!("quantizer type {other}"),
            ));
        }
    };
    let expected = header.dim * codec.width();
    if dim != header.dim as u64 || row != expected as u64 {
        return Err(damaged(
            "codes of the index's dimension",
            format!("{row} bytes for {dim} numbers"),
        ));
    }
    let at = for_each_row(codes, &header, expected)?;
    Ok(plain("IndexScalarQuantizer", &header, codec, at))
}
