//! Layout of a graph file: a frame ([`vdb_vfs::frame`]) of kind `HNSW`, version 4, all numbers little-endian.
//!
//! ```text
//! meta                                            sections
//!  0  4  rows                                     0 mean        f32 a dimension, subtracted before rounding
//!  4  4  dimensions                               1 codes       rows of whole cache lines (crate::codes::Layout)
//!  8  2  links a node at level 0 (even)           2 map scales  f32 a coordinate; empty if vectors are coded as they are
//! 10  1  levels above level 0                     3 map         for each coordinate, (dimensions rounded up to 64) bytes
//! 11  1  metric                                   4 base        rows x degree u32: rows
//! 12  1  element of the vectors                   5 upper rows  u32 a node of the lowest upper level: its row
//! 13  1  bits of a code; 0 without codes          6 upper links for each level, the sparsest first: nodes x
//! 14  1  what codes were asked for                              (degree / 2) u32: places in section 5
//! 15  1  how rows were made: 0 as they are; 1 multivectors, encoded (crate::multi)
//! 16  4  f32 width of a code (1 but for Manhattan)
//! 20  4  coordinates of the map; 0 if vectors are coded as they are
//! 24  8  seed
//! 32  4  f32 power of the rank that distances go with; 0 if it is not known
//! 36  4  f32 length of the longest vector, for inner products; otherwise 0
//! 40  2  width of the beam that found neighbours
//! 42  2  the same of the second pass; 0 without one
//! 44  4  f32 slack of the pruning
//! 48  4  for each level, the sparsest first: nodes
//! ```
//! The nodes of a level are the first ones of section 5; the very first is where walks start, and stands there even
//! if there are no upper levels. An unused place in a
//! block of links is `u32::MAX`, and only unused ones follow it.
//!
//! Opening checks that meta and the lengths of sections agree. Links are data: whoever follows one bounds it.

use vdb_sys::element::Element;
use vdb_sys::kernel::Metric;
use vdb_sys::kernel::packed::Bits;
use vdb_vfs::frame::FileKind;

use crate::codes::{Layout, Scheme};
use crate::hnsw::growth::Growth;
use crate::hnsw::params::{HnswParams, MAX_ROWS};
use crate::quant::{Projection, Quantization};

pub(super) const FILE: FileKind = FileKind {
    magic: *b"HNSW",
    name: "graph",
    version: 4,
};

pub(super) const MEAN: u32 = 0;
pub(super) const CODES: u32 = 1;
pub(super) const MAP_SCALES: u32 = 2;
pub(super) const MAP: u32 = 3;
pub(super) const BASE: u32 = 4;
pub(super) const UPPER_ROWS: u32 = 5;
pub(super) const UPPER_LINKS: u32 = 6;
pub(super) const SECTIONS: usize = 7;

const DIM_AT: usize = 4;
const DEGREE_AT: usize = DIM_AT + 4;
const LEVELS_AT: usize = DEGREE_AT + 2;
const METRIC_AT: usize = LEVELS_AT + 1;
const ELEMENT_AT: usize = METRIC_AT + 1;
const BITS_AT: usize = ELEMENT_AT + 1;
const CHOICE_AT: usize = BITS_AT + 1;
pub(super) const ENCODING_AT: usize = CHOICE_AT + 1;
const STEP_AT: usize = ENCODING_AT + 1;
const MAPPED_AT: usize = STEP_AT + 4;
const SEED_AT: usize = MAPPED_AT + 4;
const EXPONENT_AT: usize = SEED_AT + 8;
const LONGEST_AT: usize = EXPONENT_AT + 4;
const EF_CONSTRUCT_AT: usize = LONGEST_AT + 4;
const EF_REFINE_AT: usize = EF_CONSTRUCT_AT + 2;
const ALPHA_AT: usize = EF_REFINE_AT + 2;
const SIZES_AT: usize = ALPHA_AT + 4;
const _: () = assert!(SIZES_AT == 48);

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
    /// What it was built with.
    pub(super) params: HnswParams,
    pub(super) metric: Metric,
    pub(super) element: Element,
    /// None without codes.
    pub(super) bits: Option<Bits>,
    pub(super) step: f32,
    /// Coordinates of the map; 0 without one.
    pub(super) mapped: u32,
    pub(super) growth: Growth,
    /// As [`Graph::encoding`](crate::hnsw::Graph).
    pub(super) encoding: u8,
    /// Nodes of each level above the base, the sparsest first.
    pub(super) sizes: Vec<u32>,
}

impl Meta {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SIZES_AT + self.sizes.len() * 4);
        out.extend_from_slice(&self.rows.to_le_bytes());
        out.extend_from_slice(&self.dim.to_le_bytes());
        out.extend_from_slice(&(2 * self.params.m).to_le_bytes());
        // At most MAX_LEVELS, by construction.
        out.push(self.sizes.len() as u8);
        out.push(metric_code(self.metric));
        out.push(self.element.code());
        out.push(self.bits.map_or(0, |bits| bits.get() as u8));
        out.extend_from_slice(&[self.params.quantization.code(), self.encoding]);
        out.extend_from_slice(&self.step.to_le_bytes());
        out.extend_from_slice(&self.mapped.to_le_bytes());
        out.extend_from_slice(&self.params.seed.to_le_bytes());
        out.extend_from_slice(&self.growth.exponent.to_le_bytes());
        out.extend_from_slice(&self.growth.longest.to_le_bytes());
        out.extend_from_slice(&self.params.ef_construct.to_le_bytes());
        out.extend_from_slice(&self.params.ef_refine.to_le_bytes());
        out.extend_from_slice(&self.params.alpha.to_le_bytes());
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
        let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let degree = half(DEGREE_AT);
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
        let bits = match head[BITS_AT] {
            0 => None,
            found => match Bits::ALL.into_iter().find(|bits| bits.get() == u32::from(found)) {
                Some(bits) => Some(bits),
                None => return Err((BITS_AT, format!("codes of {found} bits"))),
            },
        };
        if Scheme::of(metric) == Scheme::Sad && bits.is_some_and(|bits| bits != Bits::Eight) {
            return Err((BITS_AT, format!("{bits:?} bits do not go with {metric:?}")));
        }
        let Some(quantization) = Quantization::from_code(head[CHOICE_AT]) else {
            return Err((CHOICE_AT, format!("codes of the kind {}", head[CHOICE_AT])));
        };
        let mapped = word(MAPPED_AT);
        let unmapped = bits.is_none_or(|bits| bits == Bits::Eight);
        if mapped > dim || (mapped > 0 && unmapped) {
            return Err((MAPPED_AT, format!("a map to {mapped} of {dim} dimensions")));
        }
        let step = f32::from_bits(word(STEP_AT));
        let params = HnswParams {
            m: degree / 2,
            ef_construct: half(EF_CONSTRUCT_AT),
            ef_refine: half(EF_REFINE_AT),
            alpha: f32::from_bits(word(ALPHA_AT)),
            seed: u64::from(word(SEED_AT)) | u64::from(word(SEED_AT + 4)) << 32,
            quantization,
        };
        if let Err(error) = params.validate() {
            return Err((DEGREE_AT, format!("no graph is built with that: {error}")));
        }
        let growth = Growth {
            exponent: f32::from_bits(word(EXPONENT_AT)),
            longest: f32::from_bits(word(LONGEST_AT)),
        };
        for (at, value) in [(EXPONENT_AT, growth.exponent), (LONGEST_AT, growth.longest)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err((at, format!("{value} is no growth of distances and no length")));
            }
        }
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
            params,
            metric,
            element,
            bits,
            step,
            mapped,
            growth,
            encoding: head[ENCODING_AT],
            sizes,
        })
    }

    /// Where the codes of a row lie; `None` without codes.
    pub(super) fn layout(&self) -> Option<Layout> {
        let codes = if self.mapped > 0 { self.mapped } else { self.dim };
        Some(Layout::new(
            Scheme::of(self.metric),
            self.bits?,
            usize::try_from(codes).ok()?,
        ))
    }

    /// Bytes of each section; `None` if that overflows.
    pub(super) fn section_lens(&self) -> Option<[u64; SECTIONS]> {
        let (rows, dim, mapped) = (u64::from(self.rows), u64::from(self.dim), u64::from(self.mapped));
        let upper = u64::from(self.sizes.last().copied().unwrap_or(self.rows.min(1)));
        let nodes: u64 = self.sizes.iter().map(|&size| u64::from(size)).sum();
        let width = self.layout().map_or(0, |layout| layout.width()) as u64;
        Some([
            dim * 4,
            rows.checked_mul(width)?,
            mapped * 4,
            mapped.checked_mul(Projection::width(usize::try_from(dim).ok()?) as u64)?,
            rows * self.params.degree() as u64 * 4,
            upper * 4,
            nodes * u64::from(self.params.m) * 4,
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
