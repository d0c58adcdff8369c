//! Layout of a graph file: a frame ([`vdb_vfs::frame`]) of kind `HNSW`, version 1, all numbers little-endian.
//!
//! ```text
//! meta                                            sections
//!  0  4  rows                                     0 mean        f32 a dimension, subtracted before rounding
//!  4  4  dimensions                               1 codes       rows x (dimensions rounded up to 64) bytes
//!  8  2  links a node at level 0 (even)           2 factors     f32 scale, f32 bias a row; empty for Manhattan
//! 10  1  levels above level 0                     3 base        rows x degree u32: rows
//! 11  1  metric                                   4 upper rows  u32 a node of the lowest upper level: its row
//! 12  1  element of the vectors                   5 upper links for each level, the sparsest first: nodes x
//! 13  3  zero                                                   (degree / 2) u32: places in section 4
//! 16  4  f32 width of a code (1 but for Manhattan)
//! 20  4  zero
//! 24  8  seed
//! 32  4  for each level, the sparsest first: nodes
//! ```
//! The nodes of a level are the first ones of section 4; the very first is where walks start, and stands there even
//! if there are no upper levels. An unused place in a
//! block of links is `u32::MAX`, and only unused ones follow it.
//!
//! Opening checks that meta and the lengths of sections agree. Links are data: whoever follows one bounds it.

use vdb_sys::element::Element;
use vdb_sys::kernel::Metric;
use vdb_vfs::frame::FileKind;

use crate::codes::{Scheme, code_bytes};
use crate::hnsw::params::MAX_ROWS;

pub(super) const FILE: FileKind = FileKind {
    magic: *b"HNSW",
    name: "graph",
    version: 1,
};

pub(super) const MEAN: u32 = 0;
pub(super) const CODES: u32 = 1;
pub(super) const FACTORS: u32 = 2;
pub(super) const BASE: u32 = 3;
pub(super) const UPPER_ROWS: u32 = 4;
pub(super) const UPPER_LINKS: u32 = 5;
pub(super) const SECTIONS: usize = 6;

const DIM_AT: usize = 4;
const DEGREE_AT: usize = DIM_AT + 4;
const LEVELS_AT: usize = DEGREE_AT + 2;
const METRIC_AT: usize = LEVELS_AT + 1;
const ELEMENT_AT: usize = METRIC_AT + 1;
const ZERO_AT: usize = ELEMENT_AT + 1;
const STEP_AT: usize = ZERO_AT + 3;
const ZERO_2_AT: usize = STEP_AT + 4;
const SEED_AT: usize = ZERO_2_AT + 4;
const SIZES_AT: usize = SEED_AT + 8;
const _: () = assert!(SIZES_AT == 32);

/// Each level has at most half the nodes of the one below.
const MAX_LEVELS: usize = 30;
const _: () = assert!(MAX_ROWS == 1 << MAX_LEVELS);
/// Twice the largest `m`.
const MAX_DEGREE: u16 = 512;

/// What the file says of itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Meta {
    pub(super) rows: u32,
    pub(super) dim: u32,
    pub(super) degree: u16,
    pub(super) metric: Metric,
    pub(super) element: Element,
    pub(super) step: f32,
    pub(super) seed: u64,
    /// Nodes of each level above the base, the sparsest first.
    pub(super) sizes: Vec<u32>,
}

impl Meta {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SIZES_AT + self.sizes.len() * 4);
        out.extend_from_slice(&self.rows.to_le_bytes());
        out.extend_from_slice(&self.dim.to_le_bytes());
        out.extend_from_slice(&self.degree.to_le_bytes());
        // At most MAX_LEVELS, by construction.
        out.push(self.sizes.len() as u8);
        out.push(metric_code(self.metric));
        out.push(self.element.code());
        out.extend_from_slice(&[0; 3]);
        out.extend_from_slice(&self.step.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.seed.to_le_bytes());
        self.sizes
            .iter()
            .for_each(|size| out.extend_from_slice(&size.to_le_bytes()));
        out
    }

    /// Decodes and bounds every number; the error says where in meta, and what.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, (usize, String)> {
        let Some(head) = bytes.first_chunk::<SIZES_AT>() else {
            return Err((
                0,
                format!("meta of {} bytes, expected at least {SIZES_AT}", bytes.len()),
            ));
        };
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let rows = word(0);
        if rows > MAX_ROWS {
            return Err((0, format!("{rows} rows, at most {MAX_ROWS} expected")));
        }
        let dim = word(DIM_AT);
        if dim == 0 {
            return Err((DIM_AT, "no dimensions".to_owned()));
        }
        let degree = u16::from_le_bytes([head[DEGREE_AT], head[DEGREE_AT + 1]]);
        if !(2..=MAX_DEGREE).contains(&degree) || !degree.is_multiple_of(2) {
            return Err((
                DEGREE_AT,
                format!("{degree} links a node, an even number up to {MAX_DEGREE} expected"),
            ));
        }
        let Some(metric) = metric_of(head[METRIC_AT]) else {
            return Err((METRIC_AT, format!("metric {} is unknown", head[METRIC_AT])));
        };
        let Some(element) = Element::from_code(head[ELEMENT_AT]) else {
            return Err((ELEMENT_AT, format!("element {} is unknown", head[ELEMENT_AT])));
        };
        if metric == Metric::CosineU8 && element != Element::U8 {
            return Err((
                ELEMENT_AT,
                format!("element {element:?} does not go with {metric:?}"),
            ));
        }
        if let Some(at) = (ZERO_AT..STEP_AT)
            .chain(ZERO_2_AT..SEED_AT)
            .find(|&at| head[at] != 0)
        {
            return Err((at, "reserved bytes are not zero".to_owned()));
        }
        let step = f32::from_bits(word(STEP_AT));
        let seed = u64::from(word(SEED_AT)) | u64::from(word(SEED_AT + 4)) << 32;
        let (words, rest) = bytes[SIZES_AT..].as_chunks::<4>();
        let levels = usize::from(head[LEVELS_AT]);
        if levels > MAX_LEVELS || words.len() != levels || !rest.is_empty() {
            return Err((
                LEVELS_AT,
                format!("{levels} levels in meta of {} bytes", bytes.len()),
            ));
        }
        let sizes: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let below = sizes.iter().skip(1).chain([&rows]);
        if let Some(at) = sizes
            .iter()
            .zip(below)
            .position(|(&size, &below)| size == 0 || size > below)
        {
            return Err((
                SIZES_AT + at * 4,
                format!("level of {} nodes over a smaller one", sizes[at]),
            ));
        }
        Ok(Self {
            rows,
            dim,
            degree,
            metric,
            element,
            step,
            seed,
            sizes,
        })
    }

    /// Bytes of each section; `None` if that overflows.
    pub(super) fn section_lens(&self) -> Option<[u64; SECTIONS]> {
        let (rows, dim) = (u64::from(self.rows), u64::from(self.dim));
        let upper = u64::from(self.sizes.last().copied().unwrap_or(self.rows.min(1)));
        let nodes: u64 = self.sizes.iter().map(|&size| u64::from(size)).sum();
        let width = code_bytes(usize::try_from(dim).ok()?) as u64;
        let factors = if Scheme::of(self.metric) == Scheme::Dot {
            rows * 8
        } else {
            0
        };
        Some([
            dim * 4,
            rows.checked_mul(width)?,
            factors,
            rows * u64::from(self.degree) * 4,
            upper * 4,
            nodes * u64::from(self.degree / 2) * 4,
        ])
    }
}

fn metric_code(metric: Metric) -> u8 {
    match metric {
        Metric::Dot => 0,
        Metric::CosineU8 => 1,
        Metric::L2 => 2,
        Metric::L1 => 3,
    }
}

fn metric_of(code: u8) -> Option<Metric> {
    Metric::ALL
        .into_iter()
        .find(|&metric| metric_code(metric) == code)
}

#[cfg(test)]
mod tests;
