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
///
/// Where a row of bytes costs as much to take apart as to score, `widened by $widen for $prepared` does so once for the one
/// row and all that it is scored against: `$prepared` takes what `$widen` returns and otherwise goes through the same
/// operations in the same order as `$kernel`, so that it gives the same bits.
macro_rules! pairing {
    ($kernel:ident, $wide:literal $(, $features:literal)?) => {
        pairing!(@ $kernel, $crate::kernel::drive::as_it_is, $kernel, $wide $(, $features)?)
    };
    ($kernel:ident, $wide:literal, $features:literal, widened by $widen:ident for $prepared:ident) => {
        pairing!(@ $kernel, $widen, $prepared, $wide, $features)
    };
    (@ $kernel:ident, $widen:path, $prepared:ident, $wide:literal $(, $features:literal)?) => {{
        use $crate::kernel::drive::Scratch;

        $(#[target_feature(enable = $features)])?
        fn one(query: &[u8], row: &[u8]) -> f32 {
            $kernel::<1>(query, [row])[0]
        }

        $(#[target_feature(enable = $features)])?
        fn rows(query: &[u8], rows: &[u8], out: &mut [f32]) {
            let len = query.len();
            let mut scratch = Scratch::take();
            let query = $widen(query, &mut scratch);
            let mut rest = rows;
            for score in out {
                let (row, next) = rest.split_at(len);
                *score = $prepared::<1>(query, [row])[0];
                rest = next;
            }
            scratch.keep();
        }

        $(#[target_feature(enable = $features)])?
        fn gather(query: &[u8], rows: &[&[u8]], out: &mut [f32]) {
            let mut scratch = Scratch::take();
            let query = $widen(query, &mut scratch);
            let (blocks, last) = out.as_chunks_mut::<$wide>();
            let (row_blocks, last_rows) = rows.as_chunks::<$wide>();
            for (i, (scores, many)) in blocks.iter_mut().zip(row_blocks).enumerate() {
                for row in rows[(i + 1) * $wide..].iter().take($wide) {
                    $crate::kernel::prefetch(row);
                }
                *scores = $prepared::<$wide>(query, *many);
            }
            for (score, row) in last.iter_mut().zip(last_rows) {
                *score = $prepared::<1>(query, [*row])[0];
            }
            scratch.keep();
        }

        $(#[target_feature(enable = $features)])?
        fn multi(queries: &[&[u8]], all: &[u8], out: &mut [f32]) {
            if let [query] = queries {
                return rows(query, all, out);
            }
            let len = queries[0].len();
            let (query_blocks, last_queries) = queries.as_chunks::<$wide>();
            let mut scratch = Scratch::take();
            let mut rest = all;
            for scores in out.chunks_exact_mut(queries.len()) {
                let (row, next) = rest.split_at(len);
                let row = $widen(row, &mut scratch);
                let (blocks, last) = scores.as_chunks_mut::<$wide>();
                for (scores, queries) in blocks.iter_mut().zip(query_blocks) {
                    *scores = $prepared::<$wide>(row, *queries);
                }
                for (score, query) in last.iter_mut().zip(last_queries) {
                    *score = $prepared::<1>(row, [*query])[0];
                }
                rest = next;
            }
            scratch.keep();
        }

        $crate::kernel::drive::Pairing { one, rows, gather, multi }
    }};
}
pub(super) use pairing;

/// Where a widened row lies: memory of the thread, so that a call need not allocate.
pub(super) trait Scratch {
    /// The thread's, or new.
    fn take() -> Self;
    /// Hands it back to the thread.
    fn keep(self);
}

impl Scratch for () {
    #[inline]
    fn take() {}
    #[inline]
    fn keep(self) {}
}

/// A row that is not widened.
#[inline]
pub(super) fn as_it_is<'a>(row: &'a [u8], (): &'a mut ()) -> &'a [u8] {
    row
}

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
///
/// With `one: $widened`, the one row is vectors of that type, the last of them padded, each of which stands for `$vector`
/// bytes.
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
            let (blocks, tail) = one.as_chunks::<{ $vector * $unroll }>();
            sums!(
                @ R, many, blocks.len(), $out, [$acc; $unroll] = $zero, $vector, $load, $load_part, $step, $finish,
                |i, u| $load(&blocks[i].as_chunks::<$vector>().0[u]),
                |_u, part| $load_part(&tail[part])
            )
        }
    };
    (
        fn $name:ident -> $out:ty,
        features: $features:literal,
        accumulators: [$acc:ty; $unroll:literal] = $zero:expr,
        one: $widened:ty,
        vector: $vector:literal bytes by $load:ident or $load_part:ident,
        step: $step:ident,
        finish: $finish:ident $(,)?
    ) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn $name<const R: usize>(one: &[$widened], many: [&[u8]; R]) -> [$out; R] {
            let blocks = many.first().map_or(0, |row| row.len() / ($vector * $unroll));
            let (whole, tail) = one.split_at(blocks * $unroll);
            let (whole, _) = whole.as_chunks::<$unroll>();
            sums!(
                @ R, many, whole.len(), $out, [$acc; $unroll] = $zero, $vector, $load, $load_part, $step, $finish,
                |i, u| whole[i][u],
                |u, _part| tail[u]
            )
        }
    };
    (
        @ $r:ident, $many:ident, $blocks:expr, $out:ty, [$acc:ty; $unroll:literal] = $zero:expr,
        $vector:literal, $load:ident, $load_part:ident, $step:ident, $finish:ident,
        |$i:ident, $u:ident| $a:expr, |$v:ident, $part:ident| $a_part:expr
    ) => {{
        let count = $blocks;
        let mut sums: [[$acc; $unroll]; $r] = [[$zero; $unroll]; $r];
        let mut many_blocks: [&[[u8; $vector * $unroll]]; $r] = [&[]; $r];
        let mut tails: [&[u8]; $r] = [&[]; $r];
        for r in 0..$r {
            let (blocks_r, tail_r) = $many[r].as_chunks::<{ $vector * $unroll }>();
            many_blocks[r] = &blocks_r[..count];
            tails[r] = tail_r;
        }
        for $i in 0..count {
            for $u in 0..$unroll {
                let a = $a;
                for r in 0..$r {
                    let (b, _) = many_blocks[r][$i].as_chunks::<$vector>();
                    sums[r][$u] = $step(sums[r][$u], a, $load(&b[$u]));
                }
            }
        }
        let tail_len = tails.first().map_or(0, |tail| tail.len());
        if tail_len > 0 {
            for $v in 0..$unroll {
                let from = ($v * $vector).min(tail_len);
                let to = (from + $vector).min(tail_len);
                if from < to {
                    let $part = from..to;
                    let a = $a_part;
                    for r in 0..$r {
                        let b = $load_part(&tails[r][from..to]);
                        sums[r][$v] = $step(sums[r][$v], a, b);
                    }
                }
            }
        }
        let mut out = [<$out>::default(); $r];
        for r in 0..$r {
            out[r] = $finish(sums[r]);
        }
        out
    }};
}
pub(super) use sums;

/// Bytes of `u8` rows that integer kernels sum in 32 bits before they widen: even if all of them are
/// a square of 255, the total fits an `i32`.
pub(super) const WIDEN_EVERY: usize = 1 << 15;
const _: () = assert!(WIDEN_EVERY * 255 * 255 <= i32::MAX as usize);

/// Defines a kernel over `u8` rows of any length from one that is exact up to [`WIDEN_EVERY`] bytes:
/// adds up what `$part` returns for stretches of the rows and turns the sum into a score. With `one: $widened`, the one row
/// is vectors of that type, each of which stands for `$bytes` bytes.
macro_rules! wide_sums {
    (fn $name:ident, features: $features:literal, part: $part:ident, score: $score:path) => {
        wide_sums!(fn $name, features: $features, one: u8 of 1 bytes, part: $part, score: $score);
    };
    (
        fn $name:ident,
        features: $features:literal,
        one: $widened:ident of $bytes:literal bytes,
        part: $part:ident,
        score: $score:path
    ) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn $name<const R: usize>(one: &[$widened], many: [&[u8]; R]) -> [f32; R] {
            use $crate::kernel::drive::WIDEN_EVERY;
            const EVERY: usize = WIDEN_EVERY / $bytes;

            // Apart from the others, whose code is the better for it.
            #[cold]
            #[inline(never)]
            #[target_feature(enable = $features)]
            fn long<const R: usize>(one: &[$widened], many: [&[u8]; R]) -> [f32; R] {
                let mut out = [0.0; R];
                for r in 0..R {
                    let stretches = one.chunks(EVERY).zip(many[r].chunks(WIDEN_EVERY));
                    let mut total = Default::default();
                    for (one, row) in stretches {
                        let [sum] = $part::<1>(one, [row]);
                        total += sum;
                    }
                    out[r] = $score(total);
                }
                out
            }

            if one.len() > EVERY {
                return long(one, many);
            }
            let sums = $part::<R>(one, many);
            let mut out = [0.0; R];
            for r in 0..R {
                out[r] = $score(sums[r]);
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
