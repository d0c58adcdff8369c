//! The pruned search: MaxScore with the maxima of blocks, window by window.
//!
//! Rows are taken in windows of 2,048. The maxima of the blocks in a window bound what each dimension of the query can
//! add there. Dimensions whose bounds together cannot lift a row above the worst that is kept are *non-essential* (Turtle
//! and Flood, "Query evaluation: strategies and optimizations", IP&M 1995): a row that has no other cannot enter. So
//! only the others decide which rows are looked at. To the sums that might still get there the non-essential dimensions
//! are added, the greatest bound first: for the whole window where they are short, by looking rows up where they are
//! long. Where all are non-essential, the window is passed over unread. A row is not looked up where the blocks that could
//! have it bound it below the worst. Bounds of blocks rather than of whole lists are from Ding and Suel, "Faster top-k
//! document retrieval using block-max indexes" (SIGIR 2011). How MaxScore compares with WAND, by terms of the query and by
//! where weights come from: Mallia, Siedlaczek and Suel, "An experimental study of index compression and DAAT query
//! processing methods" (ECIR 2019); Mallia, Mackenzie, Suel and Tonellotto, "Faster learned sparse retrieval with guided
//! traversal" (SIGIR 2022). Summing up over windows rather than row by row is how Lucene evaluates disjunctions.
//!
//! Where the lists of a query are short beside the segment, nothing is pruned: their postings are summed up window by window, and
//! windows begin where there are any.
//!
//! Ours differs in three things. Dimensions become non-essential by how many postings that saves for the bound it costs,
//! rather than by the bound alone. Weights of either sign stay exact, since a bound is never below the zero of a row
//! without the dimension. And a row is returned with its canonical score: sums over all dimensions are summed up in the
//! canonical order and are that score; others are in another order, so their bounds are widened by what rounding can
//! do. Where all that lies between rounds to one `f32`, as nearly always, that is the score; else it is made of the full vectors.

use std::ops::Range;

use vdb_sys::sparse::{SparseFault, SparseView, round};

use super::cursor::{Cursor, Sums, WINDOW};
use super::file::{Lists, SparseIndex};
use super::scan::scan_rows;
use super::vectors::SparseVectors;
use crate::{Control, Error, Result, RowFilter, TopK};

/// Scoring a row with its full vector costs as much as about so many postings.
const ROW_COST: u64 = 128;

/// Looking up a row in a list costs as much as adding about so many postings.
const LOOKUP_COST: u64 = 16;

/// Queries of more dimensions that occur are answered by scoring every row: it reads hardly more than their lists hold, and
/// cursors take half a kilobyte each.
const MOST_CURSORS: usize = 1024;

/// Where so many rows and more come to a posting, all postings are summed up: windows would have too few to leave any out.
const ROWS_A_POSTING: u64 = 16;

/// Postings that are merged, at most.
const MOST_MERGED: u64 = 1 << 14;

/// Where so many rows and more come to one that is touched, only to those is added what cannot lift others.
const ROWS_A_TOUCHED: u64 = 8;

/// Rows that each list of scratch memory keeps room for.
const KEPT: usize = 1 << 18;

/// What is asked.
#[derive(Clone, Copy)]
pub struct SparseQuery<'a> {
    /// Dimensions and their weights.
    pub vector: SparseView<'a>,
    /// Rows wanted, at most.
    pub k: usize,
    /// Rows that may be returned; all when there is none.
    pub filter: Option<&'a dyn RowFilter>,
}

/// What a search did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Postings that were summed up or looked up.
    pub postings_scored: u64,
    /// The other postings of the query's dimensions.
    pub postings_skipped: u64,
    /// Rows that were scored with their full vectors.
    pub rows_scored: u64,
}

/// The memory of a search, kept from query to query: one for every thread that searches. What a large search took beyond
/// a few megabytes is given back at its end.
#[derive(Debug)]
pub struct Scratch {
    cursors: Vec<Cursor>,
    plan: Plan,
    sums: Box<Sums>,
    /// A search ended early: there may be sums left in those.
    is_unfinished: bool,
    /// Rows that a filter lists.
    rows: Vec<u32>,
    /// Rows with products, of few postings, and which of them are of each dimension.
    products: Vec<(u32, f64)>,
    lists: Vec<Range<usize>>,
    top: TopK,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            cursors: Vec::new(),
            plan: Plan::default(),
            sums: Box::new(Sums::EMPTY),
            is_unfinished: false,
            rows: Vec::new(),
            products: Vec::new(),
            lists: Vec::new(),
            top: TopK::new(0),
        }
    }
}

impl Scratch {
    /// An empty list of the `k` best.
    pub(super) fn top(&mut self, k: usize) -> &mut TopK {
        self.top.reset(k);
        &mut self.top
    }

    /// Appends the best to `hits`, and gives back what a large search took.
    pub(super) fn end(&mut self, hits: &mut Vec<(f32, u32)>) {
        self.top.drain_sorted(hits);
        if self.top.k() > KEPT {
            self.top = TopK::new(0);
        }
        if self.rows.capacity() > KEPT {
            self.rows = Vec::new();
        }
    }
}

/// How the dimensions of a query are treated in a window.
#[derive(Debug, Default)]
struct Plan {
    /// All dimensions, those first that save the most postings for their bound. Hardly any change places from one window to the
    /// next.
    order: Vec<usize>,
    /// Of each dimension what a posting less costs.
    prices: Vec<f64>,
    /// Whether each is summed up.
    essential: Vec<bool>,
    /// Those that are not, the greatest bound first.
    others: Vec<usize>,
    /// Those of the others that are looked up row by row, each with a bound on what it adds.
    lookups: Vec<(usize, f64)>,
    /// What all that is not yet added can add in the window.
    rest: f64,
}

/// Refuses what is no sparse vector.
pub(super) fn check_vector(vector: SparseView<'_>) -> Result<()> {
    match vector.fault() {
        None => Ok(()),
        Some(SparseFault::Order(at) | SparseFault::Value(at)) => Err(Error::SparseVector { at }),
    }
}

impl SparseIndex {
    /// Appends the rows with the greatest dot products to `hits`, best first, ties by the smaller row: those that
    /// [`scan_rows`] finds in `vectors`, which the index is over, with the same scores. A row that shares no dimension with
    /// the query is none of them.
    ///
    /// # Errors
    /// [`Error::SparseVector`] for a query that is no vector; [`Error::Cancelled`]; the index or a vector is damaged.
    pub fn search<V: SparseVectors + ?Sized>(
        &self,
        vectors: &V,
        query: &SparseQuery<'_>,
        control: &Control<'_>,
        scratch: &mut Scratch,
        hits: &mut Vec<(f32, u32)>,
    ) -> Result<Counters> {
        check_vector(query.vector)?;
        scratch.top(query.k);
        let lists = self.lists();
        scratch.cursors.clear();
        let (mut postings, mut dimensions) = (0, 0);
        for (dimension, weight) in query.vector.iter() {
            let Some(list) = lists.find(dimension)? else {
                continue;
            };
            postings += list.len() as u64;
            dimensions += 1;
            if dimensions <= MOST_CURSORS {
                scratch.cursors.push(Cursor::new(list, weight));
            }
        }
        let mut counters = Counters::default();
        if query.k == 0 || postings == 0 {
            counters.postings_skipped = postings;
            return Ok(counters);
        }
        scratch.rows.clear();
        let is_few = |filter: &&dyn RowFilter| {
            let estimate = filter.estimate().unwrap_or(u64::MAX);
            estimate.saturating_mul(ROW_COST) < postings
        };
        let few = query.filter.filter(is_few);
        if let Some(filter) = few
            && filter.list(&mut scratch.rows)
        {
            // Whoever is slow to ask may list more than match.
            let filter = Some(filter).filter(|filter| filter.is_slow());
            let (rows, top) = (scratch.rows.iter().copied(), &mut scratch.top);
            counters.rows_scored = scan_rows(vectors, query.vector, rows, filter, control, top)?;
        } else if dimensions > MOST_CURSORS {
            let (rows, top) = (0..self.rows(), &mut scratch.top);
            counters.rows_scored = scan_rows(vectors, query.vector, rows, query.filter, control, top)?;
        } else {
            let mut search = Search {
                lists,
                vectors,
                query,
                cursors: &mut scratch.cursors,
                slack: 0.0,
                bar: f32::NEG_INFINITY,
                top: &mut scratch.top,
                counters: &mut counters,
            };
            if scratch.is_unfinished {
                *scratch.sums = Sums::EMPTY;
            }
            scratch.is_unfinished = true;
            let sums = &mut *scratch.sums;
            if postings <= MOST_MERGED && postings.saturating_mul(ROWS_A_POSTING) <= u64::from(self.rows()) {
                let (products, lists) = (&mut scratch.products, &mut scratch.lists);
                search.merge(self.rows(), control, products, lists, sums)?;
            } else {
                search.run(self.rows(), control, &mut scratch.plan, sums)?;
            }
            scratch.is_unfinished = false;
        }
        counters.postings_skipped = postings.saturating_sub(counters.postings_scored);
        scratch.end(hits);
        Ok(counters)
    }
}

struct Search<'a, V: ?Sized> {
    lists: Lists<'a>,
    vectors: &'a V,
    query: &'a SparseQuery<'a>,
    cursors: &'a mut [Cursor],
    /// How far apart sums of the same products in different orders may be.
    slack: f64,
    /// What a score has to be above.
    bar: f32,
    top: &'a mut TopK,
    counters: &'a mut Counters,
}

impl<V: SparseVectors + ?Sized> Search<'_, V> {
    fn run(&mut self, rows: u32, control: &Control<'_>, plan: &mut Plan, sums: &mut Sums) -> Result<()> {
        let products: f64 = self.cursors.iter().map(Cursor::magnitude).sum();
        // A sum of n numbers is off by less than n times 2^-53 of the sum of their magnitudes (Higham, "Accuracy and
        // stability of numerical algorithms", 4.2); several such sums are compared.
        self.slack = products * (self.cursors.len() + 2) as f64 * 4.0 * f64::EPSILON;
        plan.order.clear();
        plan.order.extend(0..self.cursors.len());
        let mut start = 0;
        while start < rows {
            if control.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let window = start..start.saturating_add(WINDOW as u32).min(rows);
            for cursor in &mut *self.cursors {
                cursor.enter(&self.lists, &window);
            }
            self.plan(plan);
            if plan.others.len() < self.cursors.len() {
                for (cursor, _) in self
                    .cursors
                    .iter_mut()
                    .zip(&plan.essential)
                    .filter(|(_, is)| **is)
                {
                    let touch = |at, product| sums.touch(at, product);
                    self.counters.postings_scored += cursor.each(&self.lists, &window, touch)?;
                }
                let is_anywhere = self.add_others(&window, rows, plan, sums)?;
                self.judge(&window, plan, sums)?;
                if is_anywhere {
                    sums.clear();
                }
            }
            start = window.end;
        }
        Ok(())
    }

    /// Sums up all postings, a window at a time, each of which begins at the next row that has any.
    fn merge(
        &mut self,
        rows: u32,
        control: &Control<'_>,
        products: &mut Vec<(u32, f64)>,
        lists: &mut Vec<Range<usize>>,
        sums: &mut Sums,
    ) -> Result<()> {
        products.clear();
        lists.clear();
        for cursor in &mut *self.cursors {
            let start = products.len();
            cursor.list(&self.lists, products)?;
            lists.push(start..products.len());
        }
        self.counters.postings_scored += products.len() as u64;
        if let [_] = lists.as_slice() {
            // In the order of rows, and each row once; others are of damaged blocks.
            let mut next = 0;
            for products in products.chunks(WINDOW) {
                if control.is_cancelled() {
                    return Err(Error::Cancelled);
                }
                for &(row, product) in products {
                    if (next..rows).contains(&row) {
                        self.enter(row, 0.0 + product);
                        next = row + 1;
                    }
                }
            }
            return Ok(());
        }
        // The first row that no window so far could have had.
        let mut next = 0;
        loop {
            if control.is_cancelled() {
                return Err(Error::Cancelled);
            }
            lists.retain_mut(|list| {
                // Damaged blocks step back to rows that were shown; a row is shown once.
                let rest = products.get(list.clone()).unwrap_or_default();
                list.start += rest.iter().take_while(|(row, _)| *row < next).count();
                list.start < list.end
            });
            let heads = lists.iter().filter_map(|list| products.get(list.start));
            // All rows are below; others are of damaged blocks.
            let Some(first) = heads.map(|&(row, _)| row).min().filter(|&first| first < rows) else {
                return Ok(());
            };
            next = first.saturating_add(WINDOW as u32);
            for list in &mut *lists {
                let rest = products.get(list.clone()).unwrap_or_default();
                let mut taken = 0;
                for &(row, product) in rest {
                    let at = row.wrapping_sub(first) as usize;
                    if at >= WINDOW {
                        break;
                    }
                    sums.touch(at, product);
                    taken += 1;
                }
                list.start += taken;
            }
            sums.take_each(|at, sum| {
                let row = first.saturating_add(at as u32);
                // Others are of damaged blocks.
                if row < rows {
                    self.enter(row, sum);
                }
                Ok(())
            })?;
        }
    }

    /// Shows a row with its canonical sum to the best so far, if it matches.
    fn enter(&mut self, row: u32, sum: f64) {
        let score = round(sum);
        if score > self.bar && self.query.filter.is_none_or(|filter| filter.contains(row)) {
            self.show(score, row);
        }
    }

    /// Whether a row with a sum of at most this may enter. It comes after those that are kept, so a tie does not do.
    fn may_enter(&self, most: f64) -> bool {
        round(most + self.slack) > self.bar
    }

    /// Picks the non-essential dimensions of the window that the cursors have entered.
    fn plan(&self, plan: &mut Plan) {
        let Plan {
            order,
            prices,
            essential,
            others,
            ..
        } = plan;
        let cursors = &*self.cursors;
        essential.clear();
        essential.resize(cursors.len(), true);
        others.clear();
        if self.bar == f32::NEG_INFINITY {
            return;
        }
        prices.clear();
        prices.extend(cursors.iter().map(|cursor| cursor.bound / cursor.len() as f64));
        let price = |at: usize| prices.get(at).copied().unwrap_or_default();
        order.sort_unstable_by(|&a, &b| price(a).total_cmp(&price(b)).then(a.cmp(&b)));
        let mut sum = 0.0;
        for &at in &*order {
            let Some((cursor, is_essential)) = cursors.get(at).zip(essential.get_mut(at)) else {
                continue;
            };
            if !self.may_enter(sum + cursor.bound) {
                sum += cursor.bound;
                *is_essential = false;
                others.push(at);
            }
        }
        let bound = |at: usize| cursors.get(at).map_or(0.0, |cursor| cursor.bound);
        others.sort_unstable_by(|&a, &b| bound(b).total_cmp(&bound(a)).then(a.cmp(&b)));
    }

    /// Sums up the non-essential dimensions too for which that costs less than looking up the rows that are still touched,
    /// and leaves the others to lookups. What cannot enter any more is touched no longer. Returns whether there are sums of other
    /// rows than those that are touched.
    fn add_others(
        &mut self,
        window: &Range<u32>,
        rows: u32,
        plan: &mut Plan,
        sums: &mut Sums,
    ) -> Result<bool> {
        plan.lookups.clear();
        plan.rest = 0.0;
        if plan.others.is_empty() {
            return Ok(false);
        }
        let mut is_anywhere = false;
        let bounds = plan.others.iter().filter_map(|&at| self.cursors.get(at));
        plan.rest = bounds.map(|cursor| cursor.bound).sum();
        let part = u64::from(window.end - window.start);
        let mut left = sums.keep_above(self.cut(plan.rest));
        for &at in &plan.others {
            let Some(cursor) = self.cursors.get_mut(at) else {
                continue;
            };
            // As many as there are if the rows of the list lie anywhere.
            if cursor.len() as u64 * part / u64::from(rows) > left * LOOKUP_COST {
                plan.lookups.push((at, cursor.bound));
            } else if left > 0 {
                // Few rows are asked for by a branch that is foreseen nearly always.
                self.counters.postings_scored += if left * ROWS_A_TOUCHED <= part {
                    cursor.each(&self.lists, window, |at, product| {
                        sums.add_if_touched(at, product)
                    })?
                } else {
                    is_anywhere = true;
                    cursor.each(&self.lists, window, |at, product| sums.add(at, product))?
                };
                plan.rest -= cursor.bound;
                left = sums.keep_above(self.cut(plan.rest));
            }
        }
        Ok(is_anywhere)
    }

    /// Shows the rows of a window to the best so far, and leaves none touched, nor a sum of one that was.
    fn judge(&mut self, window: &Range<u32>, plan: &mut Plan, sums: &mut Sums) -> Result<()> {
        let mut cut = self.cut(plan.rest);
        sums.take_each(|at, sum| {
            if sum <= cut {
                return Ok(());
            }
            // A window has no more rows than fit; damaged blocks may have had rows beyond a shorter one.
            let row = window.start.saturating_add(at as u32);
            if self.may_enter(sum + plan.rest) && row < window.end {
                self.consider(row, sum, plan)?;
                cut = self.cut(plan.rest);
            }
            Ok(())
        })
    }

    /// A sum to which no more than `rest` is added cannot enter unless it is above this: sooner told than whether it may,
    /// and no closer than rounding allows.
    fn cut(&self, rest: f64) -> f64 {
        let bar = f64::from(self.bar);
        bar - rest - 2.0 * self.slack - bar.abs() * 4.0 * f64::EPSILON
    }

    /// Looks up what a row's sum lacks for as long as it may enter, and shows its canonical score.
    fn consider(&mut self, row: u32, mut sum: f64, plan: &mut Plan) -> Result<()> {
        let filter = self.query.filter;
        let is_slow = filter.is_some_and(RowFilter::is_slow);
        let matches = || filter.is_none_or(|filter| filter.contains(row));
        if !is_slow && !matches() {
            return Ok(());
        }
        if plan.others.is_empty() {
            // Of all dimensions, in ascending order: the canonical sum.
            let score = round(sum);
            if score > self.bar && (!is_slow || matches()) {
                self.show(score, row);
            }
            return Ok(());
        }
        // The blocks that would have the row bound it more closely than those of the whole window.
        let mut rest = 0.0;
        for (at, bound) in &mut plan.lookups {
            *bound = self
                .cursors
                .get_mut(*at)
                .map_or(0.0, |cursor| cursor.approach(&self.lists, row));
            rest += *bound;
        }
        for &(at, bound) in &plan.lookups {
            if !self.may_enter(sum + rest) {
                return Ok(());
            }
            rest -= bound;
            if let Some(cursor) = self.cursors.get_mut(at)
                && let Some(product) = cursor.product(&self.lists, row)?
            {
                self.counters.postings_scored += 1;
                sum += product;
            }
        }
        if !self.may_enter(sum) || (is_slow && !matches()) {
            return Ok(());
        }
        let (least, most) = (round(sum - self.slack), round(sum + self.slack));
        if least == most {
            // Whatever rounding has done, this is the score.
            self.show(least, row);
            return Ok(());
        }
        self.counters.rows_scored += 1;
        let vector = self.vectors.sparse(row)?;
        if let Some(score) = vector.and_then(|vector| vector.dot(&self.query.vector)) {
            self.show(score, row);
        }
        Ok(())
    }

    fn show(&mut self, score: f32, row: u32) {
        self.top.push(score, row);
        self.bar = self.top.threshold();
    }
}
