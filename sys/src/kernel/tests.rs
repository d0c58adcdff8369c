use super::{Isa, Kernel, Metric, prefetch, unit_scale};
use crate::element::{Element, encode_f32, encode_scaled};
use proptest::prelude::*;

/// Numbers from a seed: xorshift64*.
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| (self.next() >> 56) as u8).collect()
    }

    /// A row of `dim` components between -1 and 1, or 0 and 255 for `U8`.
    pub(super) fn row(&mut self, element: Element, dim: usize) -> Vec<u8> {
        if element == Element::U8 {
            return self.bytes(dim);
        }
        let values: Vec<f32> = (0..dim)
            .map(|_| (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0)
            .collect();
        let mut row = Vec::new();
        encode_f32(&values, element, &mut row);
        row
    }
}

fn pairs() -> impl Iterator<Item = (Metric, Element)> {
    Metric::ALL
        .into_iter()
        .flat_map(|metric| Element::ALL.map(|element| (metric, element)))
        .filter(|&(metric, element)| metric != Metric::CosineU8 || element == Element::U8)
}

/// Every kernel that this CPU can run.
pub(super) fn kernels() -> impl Iterator<Item = Kernel> {
    pairs().flat_map(|(metric, element)| {
        Isa::ALL
            .into_iter()
            .filter_map(move |isa| Kernel::with_isa(metric, element, isa))
    })
}

fn oracle(kernel: &Kernel) -> Kernel {
    Kernel::with_isa(kernel.metric(), kernel.element(), Isa::Scalar).unwrap()
}

/// The encoded row without signs.
fn magnitudes(element: Element, row: &[u8]) -> Vec<u8> {
    let mut row = row.to_vec();
    if element != Element::U8 {
        for last in row.iter_mut().skip(element.size() - 1).step_by(element.size()) {
            *last &= 0x7f;
        }
    }
    row
}

fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

#[test]
fn every_pair_has_a_kernel_and_every_isa_reports_itself() {
    for (metric, element) in pairs() {
        let kernel = Kernel::new(metric, element);
        assert_eq!((kernel.metric(), kernel.element()), (metric, element));
        assert!(kernel.isa().is_present());
        assert_eq!(kernel.isa_name(), kernel.isa().name());
    }
    for kernel in kernels() {
        assert!(kernel.isa().is_present(), "{kernel:?}");
    }
}

#[test]
fn scores_are_larger_for_nearer_rows() {
    for kernel in kernels() {
        let mut rows = [Vec::new(), Vec::new(), Vec::new()];
        let values = [[3.0, 4.0], [4.0, 4.0], [4.0, 0.0]];
        for (row, values) in rows.iter_mut().zip(values) {
            encode_f32(&values, kernel.element(), row);
        }
        let [query, near, far] = rows;
        let scores = (kernel.score(&query, &near), kernel.score(&query, &far));
        let expected = match kernel.metric() {
            Metric::Dot => (28.0, 12.0),
            Metric::L2 => (-1.0, -17.0),
            Metric::L1 => (-1.0, -5.0),
            Metric::CosineU8 => ((28.0 / (5.0 * 32f64.sqrt())) as f32, 0.6),
        };
        assert_eq!(scores, expected, "{kernel:?}");
    }
}

/// Scores of one pair by every method; all must be the same bits.
fn score_every_way(kernel: &Kernel, query: &[u8], row: &[u8]) -> f32 {
    let score = kernel.score(query, row);
    let mut out = [0.0; 6];
    kernel.score_rows(query, &row.repeat(6), &mut out);
    assert_eq!(out, [score; 6], "{kernel:?}");
    kernel.score_gather(query, &[row; 6], &mut out);
    assert_eq!(out, [score; 6], "{kernel:?}");
    kernel.score_rows_multi(&[query; 3], &row.repeat(2), &mut out);
    assert_eq!(out, [score; 6], "{kernel:?}");
    score
}

#[test]
fn sums_that_overflow_are_finite_and_the_same_on_every_isa() {
    let row = |values: &[f32]| {
        let mut row = Vec::new();
        encode_f32(values, Element::F32, &mut row);
        row
    };
    // Long enough that vector lanes hold sums of both signs before they meet.
    let (ones, ups_and_downs): (Vec<f32>, Vec<f32>) = (0..64)
        .map(|i| (1e30, if i % 2 == 0 { 1e30 } else { -1e30 }))
        .unzip();
    let (large, mixed) = (row(&ones), row(&ups_and_downs));
    let mut mostly = ups_and_downs.clone();
    mostly[0] = 3e30;
    for kernel in kernels().filter(|kernel| kernel.element() == Element::F32) {
        let cancelled = score_every_way(&kernel, &large, &mixed);
        let beyond = score_every_way(&kernel, &large, &row(&mostly));
        match kernel.metric() {
            Metric::Dot => assert_eq!((cancelled, beyond), (0.0, f32::MAX), "{kernel:?}"),
            Metric::L2 => assert_eq!((cancelled, beyond), (-f32::MAX, -f32::MAX), "{kernel:?}"),
            Metric::L1 | Metric::CosineU8 => assert!(cancelled.is_finite() && beyond.is_finite()),
        }
    }
}

#[test]
fn scores_by_root_are_equal_where_roots_are_and_keep_the_order() {
    for kernel in kernels().filter(|kernel| kernel.element() == Element::F32) {
        let by_root = kernel.by_root();
        let mut last = f32::INFINITY;
        let mut merged = 0;
        for step in 0..2_000u32 {
            // Distances from 1 on, a few neighbouring squares apart.
            let (mut query, mut row) = (Vec::new(), Vec::new());
            encode_f32(&[0.0, 0.0], Element::F32, &mut query);
            let rest = (step as f32 * f32::EPSILON).sqrt();
            encode_f32(&[1.0, rest], Element::F32, &mut row);
            let (exact, rounded) = (
                kernel.score(&query, &row),
                score_every_way(&by_root, &query, &row),
            );
            if kernel.metric() != Metric::L2 {
                assert_eq!(exact, rounded);
                continue;
            }
            assert_eq!((-rounded).sqrt(), (-exact).sqrt(), "{kernel:?}, step {step}");
            if (-rounded).sqrt() == (-last).sqrt() {
                assert_eq!(rounded, last, "{kernel:?}, step {step}");
                merged += 1;
            }
            assert!(rounded <= last);
            last = rounded;
        }
        assert!(kernel.metric() != Metric::L2 || merged > 500, "{merged}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_isa_agrees_with_the_oracle(dim in 1usize..=2000, seed: u64) {
        for kernel in kernels() {
            let element = kernel.element();
            let mut numbers = Numbers::new(seed);
            let (query, row) = (numbers.row(element, dim), numbers.row(element, dim));
            let oracle = oracle(&kernel);
            let (score, expected) = (kernel.score(&query, &row), oracle.score(&query, &row));
            if element == Element::U8 {
                prop_assert_eq!(score.to_bits(), expected.to_bits(), "{:?}", kernel);
                continue;
            }
            // Rounding errors are in proportion to the terms, not to their sum.
            let terms = match kernel.metric() {
                Metric::Dot => {
                    oracle.score(&magnitudes(element, &query), &magnitudes(element, &row))
                }
                Metric::CosineU8 | Metric::L2 | Metric::L1 => expected.abs(),
            };
            prop_assert!(
                (score - expected).abs() <= 2e-5 * terms,
                "{:?}: {} instead of {}", kernel, score, expected
            );
        }
    }

    #[test]
    fn every_method_gives_the_same_bits_at_every_address(
        dim in 1usize..=300,
        count in 0usize..=13,
        queries in 1usize..=9,
        shift in 0usize..=64,
        seed: u64,
    ) {
        for kernel in kernels() {
            let mut numbers = Numbers::new(seed);
            let row_bytes = kernel.element().row_bytes(dim).unwrap();
            let mut rows = vec![0; shift];
            for _ in 0..count {
                rows.extend_from_slice(&numbers.row(kernel.element(), dim));
            }
            let rows = &rows[shift..];
            let queries: Vec<_> =
                (0..queries).map(|_| numbers.row(kernel.element(), dim)).collect();
            let queries: Vec<&[u8]> = queries.iter().map(Vec::as_slice).collect();
            let single: Vec<&[u8]> = rows.chunks_exact(row_bytes).collect();

            let mut multi = vec![f32::NAN; count * queries.len()];
            kernel.score_rows_multi(&queries, rows, &mut multi);
            for (q, query) in queries.iter().enumerate() {
                let mut batch = vec![f32::NAN; count];
                kernel.score_rows(query, rows, &mut batch);
                let mut gathered = vec![f32::NAN; count];
                kernel.score_gather(query, &single, &mut gathered);
                for (i, row) in single.iter().enumerate() {
                    let elsewhere = row.to_vec();
                    let expected = kernel.score(query, &elsewhere);
                    for score in [
                        kernel.score(query, row),
                        kernel.score(row, query),
                        batch[i],
                        gathered[i],
                        multi[i * queries.len() + q],
                    ] {
                        prop_assert!(
                            same(score, expected),
                            "{:?}: {} instead of {}", kernel, score, expected
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_crash_and_batches_still_agree(
        dim in 1usize..=200,
        seed: u64,
        specials in proptest::collection::vec(
            (0usize..200, prop_oneof![
                Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(f32::MAX),
                Just(f32::MIN_POSITIVE), Just(1e-40), Just(-0.0),
            ]),
            0..6,
        ),
    ) {
        for kernel in kernels() {
            let element = kernel.element();
            let mut numbers = Numbers::new(seed);
            let mut rows = numbers.bytes(8 * element.row_bytes(dim).unwrap());
            for &(place, value) in &specials {
                let mut bytes = Vec::new();
                encode_f32(&[value], element, &mut bytes);
                let at = place % (8 * dim) * element.size();
                rows[at..at + element.size()].copy_from_slice(&bytes);
            }
            let query = numbers.row(element, dim);
            let mut scores = [0.0; 8];
            kernel.score_rows(&query, &rows, &mut scores);
            for (row, score) in rows.chunks_exact(query.len()).zip(scores) {
                prop_assert!(same(kernel.score(&query, row), score), "{:?}", kernel);
            }
        }
    }

    #[test]
    fn normalised_vectors_are_unit_and_stay_as_they_are(dim in 1usize..=2000, seed: u64, scale in -15i32..60) {
        let mut numbers = Numbers::new(seed);
        let row = numbers.row(Element::F32, dim);
        let mut vector: Vec<f32> = bytemuck::allocation::pod_collect_to_vec(&row);
        vector[0] += 2.0;
        for value in &mut vector {
            *value *= 2f32.powi(scale);
        }
        let before: f64 = vector.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        let Some(scale) = unit_scale(&vector) else {
            prop_assert!(before < f64::from(f32::EPSILON) || (before - 1.0).abs() <= 2e-6);
            return Ok(());
        };
        prop_assert!((scale * before.sqrt() - 1.0).abs() < 1e-12);
        let mut unit = Vec::new();
        encode_scaled(&vector, scale, Element::F32, &mut unit);
        let unit: Vec<f32> = bytemuck::allocation::pod_collect_to_vec(&unit);
        let after: f64 = unit.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        prop_assert!((after - 1.0).abs() <= 1e-6);
        prop_assert_eq!(unit_scale(&unit), None);
    }
}

#[test]
fn sums_over_long_rows_of_extreme_bytes_do_not_overflow() {
    for dim in [32_768, 32_769, 65_535, 65_536, 65_537, 300_001] {
        let (full, empty) = (vec![255; dim], vec![0; dim]);
        let n = dim as f64;
        for kernel in kernels().filter(|kernel| kernel.element() == Element::U8) {
            let (equal, apart) = match kernel.metric() {
                Metric::Dot => (n * 65_025.0, 0.0),
                Metric::CosineU8 => (1.0, 0.0),
                Metric::L2 => (0.0, n * -65_025.0),
                Metric::L1 => (0.0, n * -255.0),
            };
            assert_eq!(score_every_way(&kernel, &full, &full), equal as f32, "{kernel:?}");
            assert_eq!(
                score_every_way(&kernel, &full, &empty),
                apart as f32,
                "{kernel:?}"
            );
            assert_eq!(
                score_every_way(&kernel, &empty, &full),
                apart as f32,
                "{kernel:?}"
            );
        }
    }
}

#[test]
fn zero_vectors_score_zero_without_nan() {
    for kernel in kernels() {
        for dim in [1, 7, 64, 129] {
            let zero = vec![0; kernel.element().row_bytes(dim).unwrap()];
            assert_eq!(kernel.score(&zero, &zero), 0.0, "{kernel:?}");
        }
    }
    let kernel = Kernel::new(Metric::CosineU8, Element::U8);
    assert_eq!(kernel.score(&[0, 0, 0], &[1, 2, 3]), 0.0);
}

#[test]
fn rows_of_no_components_score_zero() {
    for kernel in kernels() {
        let mut scores = [f32::NAN; 3];
        kernel.score_rows(&[], &[], &mut scores);
        assert_eq!(scores, [0.0; 3], "{kernel:?}");
        kernel.score_gather(&[], &[&[], &[]], &mut scores[..2]);
        kernel.score_rows_multi(&[&[], &[], &[]], &[], &mut scores);
        assert_eq!(scores, [0.0; 3], "{kernel:?}");
        kernel.score_rows_multi(&[], &[], &mut []);
    }
}

#[test]
#[should_panic(expected = "lengths of query and row")]
fn a_row_of_another_length_is_refused() {
    Kernel::new(Metric::Dot, Element::U8).score(&[1, 2], &[1]);
}

#[test]
#[should_panic(expected = "length of the rows")]
fn rows_that_do_not_match_the_places_for_scores_are_refused() {
    Kernel::new(Metric::Dot, Element::U8).score_rows(&[1, 2], &[1, 2, 3], &mut [0.0; 2]);
}

#[test]
#[should_panic(expected = "length of an encoded row")]
fn a_row_that_ends_within_a_component_is_refused() {
    Kernel::new(Metric::Dot, Element::F32).score(&[0; 7], &[0; 7]);
}

#[test]
#[should_panic(expected = "no kernel")]
fn cosine_over_floats_is_refused() {
    Kernel::new(Metric::CosineU8, Element::F32);
}

#[test]
fn vectors_that_cannot_or_need_not_be_normalised_stay_as_they_are() {
    for vector in [
        vec![],
        vec![0.0; 5],
        vec![1e-5, -1e-5],
        vec![1.0],
        vec![0.6, 0.8],
        vec![f32::INFINITY, 1.0],
    ] {
        assert_eq!(unit_scale(&vector), None, "{vector:?}");
    }
    assert_eq!(unit_scale(&[f32::NAN, 1.0]), None);
    let large = unit_scale(&[3e38, 0.0, -4e37]).unwrap();
    assert!((3e38 * large).abs() > 0.9);
}

#[test]
fn prefetching_changes_nothing() {
    prefetch(&[]);
    prefetch(&[0; 1000]);
}
