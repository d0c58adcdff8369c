//! The loops around a kernel: one row, many rows, many queries.
//!
//! A kernel is a function `fn(one: &[u8], many: [&[u8]; R]) -> [f32; R]`, generic over `R`, that
//! scores one row against `R` others of the same length. Each of the `R` results depends on its own
//! pair alone and goes through the same operations in the same order whatever `R` is. All metrics
//! are symmetric, so the one row may be a query against many rows, or a row against many queries,
//! with the same bits as a result.

/// Entry points of the loops around one kernel.
///
/// Calling one requires that the running CPU has the features that the kernel was compiled for, and
/// lengths as checked by [`super::Kernel`]: all rows and queries equally long and not empty, and as
/// many places for results as there are pairs.
#[derive(Clone, Copy)]
pub(super) struct Pairing {
    pub(super) one: unsafe fn(&[u8], &[u8]) -> f32,
    pub(super) rows: unsafe fn(&[u8], &[u8], &mut [f32]),
    pub(super) gather: unsafe fn(&[u8], &[&[u8]], &mut [f32]),
    pub(super) multi: unsafe fn(&[&[u8]], &[u8], &mut [f32]),
}

/// Instantiates the loops around kernel `$kernel`, which was compiled for `$features` and does best
/// with `$wide` rows at a time where they are in the cache.
///
/// A scan goes one row at a time and prefetches nothing: it then runs at the speed of memory, while
/// four rows at a time (four streams of reads) took it to about half on a Zen 4, and prefetching
/// 4 KiB ahead of one row cost a tenth to a third.
macro_rules! pairing {
    ($kernel:ident, $wide:literal $(, $features:literal)?) => {{
        $(#[target_feature(enable = $features)])?
        fn one(query: &[u8], row: &[u8]) -> f32 {
            $kernel::<1>(query, [row])[0]
        }

        $(#[target_feature(enable = $features)])?
        fn rows(query: &[u8], rows: &[u8], out: &mut [f32]) {
            let len = query.len();
            let mut rest = rows;
            for score in out {
                let (row, next) = rest.split_at(len);
                *score = $kernel::<1>(query, [row])[0];
                rest = next;
            }
        }

        $(#[target_feature(enable = $features)])?
        fn gather(query: &[u8], rows: &[&[u8]], out: &mut [f32]) {
            let (blocks, last) = out.as_chunks_mut::<$wide>();
            let (row_blocks, last_rows) = rows.as_chunks::<$wide>();
            for (i, (scores, many)) in blocks.iter_mut().zip(row_blocks).enumerate() {
                for row in rows[(i + 1) * $wide..].iter().take($wide) {
                    $crate::kernel::prefetch(row);
                }
                *scores = $kernel::<$wide>(query, *many);
            }
            for (score, row) in last.iter_mut().zip(last_rows) {
                *score = $kernel::<1>(query, [*row])[0];
            }
        }

        $(#[target_feature(enable = $features)])?
        fn multi(queries: &[&[u8]], rows: &[u8], out: &mut [f32]) {
            let len = queries[0].len();
            let (query_blocks, last_queries) = queries.as_chunks::<$wide>();
            let mut rest = rows;
            for scores in out.chunks_exact_mut(queries.len()) {
                let (row, next) = rest.split_at(len);
                let (blocks, last) = scores.as_chunks_mut::<$wide>();
                for (scores, queries) in blocks.iter_mut().zip(query_blocks) {
                    *scores = $kernel::<$wide>(row, *queries);
                }
                for (score, query) in last.iter_mut().zip(last_queries) {
                    *score = $kernel::<1>(row, [*query])[0];
                }
                rest = next;
            }
        }

        $crate::kernel::drive::Pairing { one, rows, gather, multi }
    }};
}
pub(super) use pairing;

/// Defines a kernel as sums over the components of one row and each of `R` others.
///
/// `$name::<R>(one, many)` cuts the rows into vectors of `$vector` bytes, keeps `$unroll`
/// independent accumulators for each pair (so that one step need not wait for the one before), lets
/// `$step(accumulator, a, b)` add a vector of components, and ends with `$finish(accumulators)`. A
/// last, shorter vector is padded with zeros, which every step here counts as nothing. Loops run over
/// constant ranges, so that the accumulators stay in registers.
///
/// Rows must be as long as `one`; [`super::Kernel`] checks that. (If they were not, slicing would
/// panic. Nothing is ever read outside of the slices.)
macro_rules! sums {
    (
        fn $name:ident -> $out:ty,
        features: $features:literal,
        accumulators: [$acc:ty; $unroll:literal] = $zero:expr,
        vector: $vector:literal bytes by $load:ident or $load_part:ident,
        step: $step:ident,
        finish: $finish:ident $(,)?
    ) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn $name<const R: usize>(one: &[u8], many: [&[u8]; R]) -> [$out; R] {
            let mut sums: [[$acc; $unroll]; R] = [[$zero; $unroll]; R];
            let (blocks, tail) = one.as_chunks::<{ $vector * $unroll }>();
            let mut many_blocks = [blocks; R];
            let mut tails = [tail; R];
            for r in 0..R {
                let (blocks_r, tail_r) = many[r].as_chunks::<{ $vector * $unroll }>();
                many_blocks[r] = &blocks_r[..blocks.len()];
                tails[r] = &tail_r[..tail.len()];
            }
            for i in 0..blocks.len() {
                let (a, _) = blocks[i].as_chunks::<$vector>();
                for u in 0..$unroll {
                    let a = $load(&a[u]);
                    for r in 0..R {
                        let (b, _) = many_blocks[r][i].as_chunks::<$vector>();
                        sums[r][u] = $step(sums[r][u], a, $load(&b[u]));
                    }
                }
            }
            if !tail.is_empty() {
                for u in 0..$unroll {
                    let from = (u * $vector).min(tail.len());
                    let to = (from + $vector).min(tail.len());
                    if from < to {
                        let a = $load_part(&tail[from..to]);
                        for r in 0..R {
                            let b = $load_part(&tails[r][from..to]);
                            sums[r][u] = $step(sums[r][u], a, b);
                        }
                    }
                }
            }
            let mut out = [<$out>::default(); R];
            for r in 0..R {
                out[r] = $finish(sums[r]);
            }
            out
        }
    };
}
pub(super) use sums;

/// Bytes of `u8` rows that integer kernels sum in 32 bits before they widen: even if all of them are
/// a square of 255, the total fits an `i32`.
pub(super) const WIDEN_EVERY: usize = 1 << 15;
const _: () = assert!(WIDEN_EVERY * 255 * 255 <= i32::MAX as usize);

/// Defines a kernel over `u8` rows of any length from one that is exact up to [`WIDEN_EVERY`] bytes:
/// adds up what `$part` returns for stretches of the rows and turns the sum into a score.
macro_rules! wide_sums {
    (fn $name:ident, features: $features:literal, part: $part:ident, score: $score:path) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn $name<const R: usize>(one: &[u8], many: [&[u8]; R]) -> [f32; R] {
            use $crate::kernel::drive::WIDEN_EVERY;
            let mut totals = $part::<R>(&one[..one.len().min(WIDEN_EVERY)], {
                let mut first = many;
                for r in 0..R {
                    first[r] = &many[r][..many[r].len().min(WIDEN_EVERY)];
                }
                first
            });
            let mut at = WIDEN_EVERY;
            while at < one.len() {
                let to = (at + WIDEN_EVERY).min(one.len());
                let mut part = many;
                for r in 0..R {
                    part[r] = &many[r][at..to];
                }
                let sums = $part::<R>(&one[at..to], part);
                for r in 0..R {
                    totals[r] += sums[r];
                }
                at = to;
            }
            let mut out = [0.0; R];
            for r in 0..R {
                out[r] = $score(totals[r]);
            }
            out
        }
    };
}
pub(super) use wide_sums;

/// The sums that make up a cosine; exact.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CosineSums {
    pub(super) dot: u64,
    pub(super) aa: u64,
    pub(super) bb: u64,
}

impl std::ops::AddAssign for CosineSums {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        self.dot += other.dot;
        self.aa += other.aa;
        self.bb += other.bb;
    }
}

/// The score of an exact similarity, rounded once.
#[inline]
pub(super) fn similarity(sum: u64) -> f32 {
    sum as f32
}

/// The score of an exact distance, rounded once.
#[inline]
pub(super) fn distance(sum: u64) -> f32 {
    -(sum as f32)
}

/// The cosine from exact sums: the same on every instruction set.
#[inline]
pub(super) fn cosine(sums: CosineSums) -> f32 {
    if sums.aa == 0 || sums.bb == 0 {
        return 0.0;
    }
    // One root of the product: it is exact where both rows are equal, and roots are slow.
    // Signed, because CPUs convert those faster; the sums of a row that fits memory fit an `i64`.
    let [dot, aa, bb] = [sums.dot, sums.aa, sums.bb].map(|sum| sum as i64 as f64);
    (dot / (aa * bb).sqrt()) as f32
}
