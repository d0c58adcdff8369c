//! One dimension of a query over its list, from window to window of rows.

use std::ops::Range;

use super::file::{Listed, Lists};
use super::format::Span;
use super::pack::BLOCK;
use crate::Result;

/// Rows that are summed up together: their sums stay in the first-level cache, and the maxima of their blocks leave much out.
pub(super) const WINDOW: usize = 2048;

/// The sums of the rows of a window, and which rows may be among the best. Between windows all sums are zero and no row is touched.
#[derive(Debug)]
pub(super) struct Sums {
    of: [f64; WINDOW],
    touched: [u64; WINDOW / 64],
}

impl Sums {
    pub(super) const EMPTY: Self = Self {
        of: [0.0; WINDOW],
        touched: [0; WINDOW / 64],
    };

    /// Adds a product to the sum of a row, which may be among the best.
    #[inline]
    pub(super) fn touch(&mut self, at: usize, product: f64) {
        // `at` is below WINDOW; said here, so that no bound is checked.
        let at = at % WINDOW;
        self.of[at] += product;
        self.touched[at / 64] |= 1 << (at % 64);
    }

    /// Adds a product to the sum of a row, whichever it is. To be followed by [`clear`](Self::clear) at the end of the window.
    #[inline]
    pub(super) fn add(&mut self, at: usize, product: f64) {
        self.of[at % WINDOW] += product;
    }

    /// Adds a product to the sum of a row that is touched.
    #[inline]
    pub(super) fn add_if_touched(&mut self, at: usize, product: f64) {
        let at = at % WINDOW;
        if self.touched[at / 64] >> (at % 64) & 1 == 1 {
            self.of[at] += product;
        }
    }

    /// Makes all sums zero.
    pub(super) fn clear(&mut self) {
        self.of.fill(0.0);
    }

    /// Passes each row that is touched with its sum to `take`, in their order, and leaves none touched and those sums zero. What
    /// follows a row that `take` fails for stays as it is.
    #[inline]
    pub(super) fn take_each(&mut self, mut take: impl FnMut(usize, f64) -> Result<()>) -> Result<()> {
        for (word, touched) in self.touched.iter_mut().enumerate() {
            let mut touched = std::mem::take(touched);
            while touched != 0 {
                let at = word * 64 + touched.trailing_zeros() as usize;
                touched &= touched - 1;
                let sum = self.of.get_mut(at).map(std::mem::take).unwrap_or_default();
                take(at, sum)?;
            }
        }
        Ok(())
    }

    /// Leaves only those rows touched whose sums are above `cut`, the sums of others zero, and returns how many these are.
    pub(super) fn keep_above(&mut self, cut: f64) -> u64 {
        let mut kept = 0;
        for (word, sums) in self.touched.iter_mut().zip(self.of.as_chunks_mut::<64>().0) {
            let mut touched = *word;
            while touched != 0 {
                let at = touched.trailing_zeros();
                touched &= touched - 1;
                let sum = &mut sums[at as usize % 64];
                let is_left = *sum > cut;
                *word &= !(u64::from(!is_left) << at);
                *sum = if is_left { *sum } else { 0.0 };
            }
            kept += u64::from(word.count_ones());
        }
        kept
    }
}

/// The list of one dimension of a query, and where in it the search is.
#[derive(Debug)]
pub(super) struct Cursor {
    list: Listed,
    /// What the query has at the dimension.
    weight: f64,
    /// No product of a row of the window is above this, nor is it below zero, which rows without the dimension add.
    pub(super) bound: f64,
    /// The first block that has rows of the window, or later ones.
    first: usize,
    /// The block that [`approach`](Self::approach) has come to.
    at: usize,
    /// The block whose rows are decoded; none in the beginning.
    decoded: Option<usize>,
    rows: [u32; BLOCK],
    count: usize,
    /// Of those the first that no window so far has had.
    next: usize,
}

/// How many of some ascending rows lie before this one: sooner told where they are few.
fn before(rows: &[u32], row: u32) -> usize {
    let mut end = 1;
    while rows.get(end - 1).is_some_and(|&last| last < row) {
        end *= 2;
    }
    let start = end / 2;
    let rest = rows.get(start..end.min(rows.len())).unwrap_or_default();
    start.min(rows.len()) + rest.partition_point(|&one| one < row)
}

impl Cursor {
    pub(super) fn new(list: Listed, weight: f32) -> Self {
        Self {
            list,
            weight: f64::from(weight),
            bound: 0.0,
            first: 0,
            at: 0,
            decoded: None,
            rows: [0; BLOCK],
            count: 0,
            next: 0,
        }
    }

    /// How many rows have the dimension.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// The greatest product, regardless of its sign.
    pub(super) fn magnitude(&self) -> f64 {
        let Span { least, greatest } = self.list.weights;
        self.weight.abs() * f64::from(least).abs().max(f64::from(greatest).abs())
    }

    /// Goes on to a window of rows that follows the last one.
    pub(super) fn enter(&mut self, lists: &Lists<'_>, window: &Range<u32>) {
        let last_rows = lists.last_rows(&self.list);
        let rest = last_rows.get(self.first..).unwrap_or_default();
        self.first += rest
            .iter()
            .position(|&last| last >= window.start)
            .unwrap_or(rest.len());
        self.at = self.first;
        self.bound = 0.0;
        for (block, &last) in last_rows.iter().enumerate().skip(self.first) {
            self.bound = self.bound.max(self.bound_of(lists, block));
            if last >= window.end - 1 {
                break;
            }
        }
    }

    /// Passes the products of all rows of the window, by their places in it, to `take`, and returns how many there are.
    pub(super) fn each(
        &mut self,
        lists: &Lists<'_>,
        window: &Range<u32>,
        mut take: impl FnMut(usize, f64),
    ) -> Result<u64> {
        let last_rows = lists.last_rows(&self.list);
        let mut added = 0;
        for (block, &last) in last_rows.iter().enumerate().skip(self.first) {
            let weights = self.decode(lists, block)?;
            // Where the window before has ended, this one begins, unless nothing was taken from that.
            let rows = self.rows.get(self.next..self.count).unwrap_or_default();
            let start = before(rows, window.start);
            let rows = rows.get(start..).unwrap_or_default();
            let len = if last < window.end {
                rows.len()
            } else {
                before(rows, window.end)
            };
            let found = self.next + start..self.next + start + len;
            self.next = found.end;
            let rows = rows.get(..len).unwrap_or_default();
            let weights = weights.get(found).unwrap_or_default();
            for (&row, &weight) in rows.iter().zip(weights) {
                let at = row.wrapping_sub(window.start) as usize;
                take(at, self.weight * f64::from(weight));
            }
            added += rows.len() as u64;
            if last >= window.end - 1 {
                break;
            }
        }
        Ok(added)
    }

    /// Appends all rows of the list with their products.
    pub(super) fn list(&mut self, lists: &Lists<'_>, products: &mut Vec<(u32, f64)>) -> Result<()> {
        for block in 0..self.list.blocks.len() {
            let weights = self.decode(lists, block)?;
            let rows = self.rows.get(..self.count).unwrap_or_default();
            let weighed = weights.iter().map(|&weight| self.weight * f64::from(weight));
            products.extend(rows.iter().copied().zip(weighed));
        }
        Ok(())
    }

    /// Goes on to the one block that could have a row of the window, and returns the bound of that block. Rows ascend from
    /// call to call.
    pub(super) fn approach(&mut self, lists: &Lists<'_>, row: u32) -> f64 {
        let last_rows = lists.last_rows(&self.list);
        while last_rows.get(self.at).is_some_and(|&last| last < row) {
            self.at += 1;
        }
        if self.at < last_rows.len() {
            self.bound_of(lists, self.at)
        } else {
            0.0
        }
    }

    /// The product of the row that was [approached](Self::approach), if the row has the dimension.
    pub(super) fn product(&mut self, lists: &Lists<'_>, row: u32) -> Result<Option<f64>> {
        if self.at >= self.list.blocks.len() {
            return Ok(None);
        }
        let weights = self.decode(lists, self.at)?;
        let rows = self.rows.get(..self.count).unwrap_or_default();
        let found = rows.binary_search(&row).ok().and_then(|at| weights.get(at));
        Ok(found.map(|&weight| self.weight * f64::from(weight)))
    }

    /// No product of a block is above this, nor is it below zero.
    fn bound_of(&self, lists: &Lists<'_>, block: usize) -> f64 {
        let Span { least, greatest } = lists.span(&self.list, block);
        let (a, b) = (self.weight * f64::from(least), self.weight * f64::from(greatest));
        a.max(b).max(0.0)
    }

    /// Has the rows of a block decoded, and returns its weights.
    fn decode<'a>(&mut self, lists: &Lists<'a>, block: usize) -> Result<&'a [f32]> {
        let weights = lists.weights(&self.list, block);
        if self.decoded != Some(block) {
            self.decoded = None;
            lists.decode(&self.list, block, &mut self.rows)?;
            self.decoded = Some(block);
            self.count = weights.len();
            self.next = 0;
        }
        Ok(weights)
    }
}
