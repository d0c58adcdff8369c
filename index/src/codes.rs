//! Codes of rows and queries, and how they are scored. [`quant`](crate::quant) makes them.

use vdb_sys::aligned::AlignedBuf;
use vdb_sys::kernel::Metric;
use vdb_sys::kernel::codes::CodeKernel;

/// What is added to a signed code to store it.
pub(crate) const ZERO: u8 = 128;

/// How codes are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Scaled inner products plus a bias a row.
    Dot,
    /// Sums of absolute differences.
    Sad,
}

impl Scheme {
    /// The scheme that serves a metric.
    pub fn of(metric: Metric) -> Self {
        match metric {
            Metric::Dot | Metric::CosineU8 | Metric::L2 => Self::Dot,
            Metric::L1 => Self::Sad,
        }
    }
}

/// Bytes of one row of codes: `dim` rounded up to whole cache lines.
pub fn code_bytes(dim: usize) -> usize {
    dim.next_multiple_of(64)
}

/// The scale and the bias of a row under [`Scheme::Dot`]: `[scale, bias]`.
pub type Factors = [f32; 2];

/// The codes of a whole matrix, in memory.
#[derive(Debug, Clone)]
pub struct Codes {
    pub(crate) bytes: AlignedBuf,
    pub(crate) factors: Vec<Factors>,
    pub(crate) width: usize,
}

impl Codes {
    /// A view of them.
    pub fn view(&self) -> CodesView<'_> {
        CodesView {
            bytes: &self.bytes,
            factors: &self.factors,
            width: self.width,
            rows: (self.bytes.len() / self.width.max(1)) as u32,
        }
    }
}

/// The codes of a whole matrix, wherever they lie.
#[derive(Debug, Clone, Copy)]
pub struct CodesView<'a> {
    bytes: &'a [u8],
    factors: &'a [Factors],
    width: usize,
    rows: u32,
}

impl<'a> CodesView<'a> {
    /// Views codes that whoever holds them has checked: `rows` rows of `width` bytes, and factors for each or for
    /// none.
    pub(crate) fn of_checked(bytes: &'a [u8], factors: &'a [Factors], width: usize, rows: u32) -> Self {
        debug_assert_eq!(bytes.len(), width * rows as usize);
        debug_assert!(factors.is_empty() || factors.len() == rows as usize);
        Self {
            bytes,
            factors,
            width,
            rows,
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> u32 {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// All codes, row after row.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The factors of all rows; empty under [`Scheme::Sad`].
    pub fn factors(&self) -> &'a [Factors] {
        self.factors
    }

    /// The code of one row.
    ///
    /// # Panics
    /// If there is no such row: callers bound rows that come from a file first.
    #[inline]
    pub fn row(&self, row: u32) -> &'a [u8] {
        &self.bytes[row as usize * self.width..][..self.width]
    }
}

/// A query as codes, with the memory it takes; reused from query to query.
#[derive(Debug, Default)]
pub struct QueryCode {
    /// Signed codes under [`Scheme::Dot`], stored codes under [`Scheme::Sad`].
    pub(crate) bytes: AlignedBuf,
    pub(crate) scale: f32,
    /// What the 128 in stored codes adds to every sum of products with this query.
    pub(crate) excess: i32,
    /// Where a query is decoded.
    pub(crate) vector: Vec<f32>,
}

impl QueryCode {
    /// Makes room for a code of `width` bytes.
    pub(crate) fn resize(&mut self, width: usize) {
        if self.bytes.len() != width {
            self.bytes = AlignedBuf::zeroed(width);
        }
    }

    /// Takes a stored row's code as the query, as building does, which knows scales by itself. `excess` is that of
    /// the row.
    pub(crate) fn set_row(&mut self, code: &[u8], excess: i32, scheme: Scheme) {
        self.resize(code.len());
        let flip = if scheme == Scheme::Dot { ZERO } else { 0 };
        self.bytes
            .iter_mut()
            .zip(code)
            .for_each(|(out, &code)| *out = code ^ flip);
        self.excess = excess;
    }

    /// What the 128 in stored codes adds to every sum of products with this stored code.
    pub(crate) fn excess_of(code: &[u8]) -> i32 {
        // Exact: codes are at most 65,536 bytes long; beyond that the kernel's sum wraps likewise.
        let stored: u32 = code.iter().map(|&code| u32::from(code)).sum();
        let sum = stored.wrapping_sub((code.len() as u32).wrapping_mul(u32::from(ZERO))) as i32;
        sum.wrapping_mul(i32::from(ZERO))
    }

    /// The sum of products of signed codes, from the kernel's sum over stored ones.
    #[inline]
    pub(crate) fn products(&self, sum: i32) -> f32 {
        sum.wrapping_sub(self.excess) as f32
    }

    pub(crate) fn signed(&self) -> &[i8] {
        bytemuck::cast_slice(&self.bytes)
    }

    pub(crate) fn stored(&self) -> &[u8] {
        &self.bytes
    }
}

/// Scores rows of codes against something fixed: larger is nearer.
pub(crate) trait Score {
    /// One row.
    fn score(&self, row: u32) -> f32;
    /// Four rows at once.
    fn score4(&self, rows: [u32; 4]) -> [f32; 4];
    /// Asks for a row that will be scored soon.
    fn prefetch(&self, row: u32);
}

/// Scores by [`Scheme::Dot`].
pub(crate) struct DotScore<'a> {
    pub(crate) kernel: CodeKernel,
    pub(crate) codes: CodesView<'a>,
    pub(crate) query: &'a QueryCode,
}

impl Score for DotScore<'_> {
    #[inline]
    fn score(&self, row: u32) -> f32 {
        let [scale, bias] = self.codes.factors[row as usize];
        let sum = self.kernel.dot(self.codes.row(row), self.query.signed());
        self.query.scale * scale * self.query.products(sum) + bias
    }

    #[inline]
    fn score4(&self, rows: [u32; 4]) -> [f32; 4] {
        let sums = self
            .kernel
            .dot4(rows.map(|row| self.codes.row(row)), self.query.signed());
        std::array::from_fn(|at| {
            let [scale, bias] = self.codes.factors[rows[at] as usize];
            self.query.scale * scale * self.query.products(sums[at]) + bias
        })
    }

    #[inline]
    fn prefetch(&self, row: u32) {
        vdb_sys::kernel::prefetch(self.codes.row(row));
        vdb_sys::kernel::prefetch(bytemuck::bytes_of(&self.codes.factors[row as usize]));
    }
}

/// Scores by [`Scheme::Sad`].
pub(crate) struct SadScore<'a> {
    pub(crate) kernel: CodeKernel,
    pub(crate) codes: CodesView<'a>,
    pub(crate) query: &'a QueryCode,
}

impl Score for SadScore<'_> {
    #[inline]
    fn score(&self, row: u32) -> f32 {
        -(self.kernel.sad(self.codes.row(row), self.query.stored()) as f32)
    }

    #[inline]
    fn score4(&self, rows: [u32; 4]) -> [f32; 4] {
        let sums = self
            .kernel
            .sad4(rows.map(|row| self.codes.row(row)), self.query.stored());
        sums.map(|sum| -(sum as f32))
    }

    #[inline]
    fn prefetch(&self, row: u32) {
        vdb_sys::kernel::prefetch(self.codes.row(row));
    }
}
