//! A query as codes, or a row taken as one.

use vdb_sys::aligned::AlignedBuf;
use vdb_sys::kernel::packed::{Bits, Finish, PADDING};

use crate::codes::{Layout, Scheme};

/// A query as codes, with the memory it takes; reused from query to query.
#[derive(Debug, Default)]
pub struct QueryCode {
    /// Under [`Scheme::Dot`] a signed byte for each code of a row, in the order of
    /// [`packed`](vdb_sys::kernel::packed); under [`Scheme::Sad`] stored codes.
    pub(crate) bytes: AlignedBuf,
    pub(crate) scale: f32,
    /// What the score at distance 0 follows from: see [`Zero`].
    pub(crate) zero: Zero,
    /// What the zero points of stored codes add to every sum of products with this query.
    excess: i32,
    /// What a stored code is multiplied with.
    step: i32,
    /// Where a query is decoded.
    pub(crate) vector: Vec<f32>,
    /// Where it is projected.
    pub(crate) projected: Vec<f32>,
    /// What the projection reads.
    pub(crate) rounded: AlignedBuf,
}

/// The score of a vector at distance 0 of a query: `length * longest + offset`.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Zero {
    /// The length of the query, for inner products; otherwise 0.
    pub(crate) length: f32,
    pub(crate) offset: f32,
}

impl Zero {
    /// That score, where the longest vector is `longest` long.
    pub(crate) fn score(self, longest: f32) -> f32 {
        self.length * longest + self.offset
    }

    /// The same of canonical scores, which are 0 there but for inner products.
    pub(crate) fn exact(self, longest: f32) -> f32 {
        self.length * longest
    }
}

impl QueryCode {
    /// Makes room for a query against rows of a layout.
    pub(crate) fn resize(&mut self, layout: Layout) {
        let len = match layout.scheme() {
            Scheme::Dot => layout.query_len(),
            Scheme::Sad => layout.width(),
        };
        if self.bytes.len() != len {
            self.bytes = AlignedBuf::zeroed(len);
        }
    }

    /// Places the signed values of a query; `values` yields one for each code of a row.
    pub(crate) fn place(&mut self, layout: Layout, values: impl Iterator<Item = i8>) {
        self.resize(layout);
        self.bytes.fill(0);
        let parts = layout.bits().codes_a_byte();
        let mut sum = 0i32;
        let payload = layout.payload();
        let (mut byte, mut part) = (0, 0);
        for value in values {
            self.bytes[(byte / PADDING * parts + part) * PADDING + byte % PADDING] = value as u8;
            sum = sum.wrapping_add(i32::from(value));
            byte += 1;
            if byte == payload {
                (byte, part) = (0, part + 1);
            }
        }
        self.note_sum(layout, sum);
    }

    /// Takes a stored row's code as the query, as building does, which knows scales by itself.
    pub(crate) fn set_row(&mut self, row: &[u8], layout: Layout) {
        self.resize(layout);
        match (layout.scheme(), layout.bits()) {
            (Scheme::Sad, _) => self.bytes.copy_from_slice(row),
            (Scheme::Dot, Bits::One) => self.unpack::<1>(row, layout),
            (Scheme::Dot, Bits::Two) => self.unpack::<2>(row, layout),
            (Scheme::Dot, Bits::Four) => self.unpack::<4>(row, layout),
            (Scheme::Dot, Bits::Eight) => self.unpack::<8>(row, layout),
        }
    }

    fn unpack<const BITS: u32>(&mut self, row: &[u8], layout: Layout) {
        let parts = 8 / BITS as usize;
        let mask = u8::MAX >> (8 - BITS);
        let (step, zero) = layout.values();
        let (step, zero) = (step as u8, zero as u8);
        let mut sum = 0i32;
        let (lines, _) = row.as_chunks::<PADDING>();
        let (out, _) = self.bytes.as_chunks_mut::<PADDING>();
        for (at, line) in lines.iter().enumerate() {
            for part in 0..parts {
                let out = &mut out[at * parts + part];
                let shift = part as u32 * BITS;
                for (out, &codes) in out.iter_mut().zip(line) {
                    *out = (codes >> shift & mask).wrapping_mul(step).wrapping_sub(zero);
                }
                out[layout.used(at, part)..].fill(0);
                sum += out.iter().map(|&value| i32::from(value as i8)).sum::<i32>();
            }
        }
        self.note_sum(layout, sum);
    }

    fn note_sum(&mut self, layout: Layout, sum: i32) {
        let (step, zero) = layout.values();
        self.step = step;
        self.excess = sum.wrapping_mul(zero);
    }

    /// How the kernel's sums over stored codes become scores.
    pub(crate) fn finish(&self) -> Finish {
        Finish {
            scale: self.scale,
            step: self.step,
            excess: self.excess,
        }
    }

    /// The sum of products of values, from the kernel's sum over stored codes.
    #[inline]
    pub(crate) fn products(&self, sum: i32) -> f32 {
        self.finish().products(sum)
    }

    #[inline]
    pub(crate) fn signed(&self) -> &[i8] {
        bytemuck::cast_slice(&self.bytes)
    }

    #[inline]
    pub(crate) fn stored(&self) -> &[u8] {
        &self.bytes
    }
}
