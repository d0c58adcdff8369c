use proptest::prelude::*;
use vdb_sys::element::encode_f32;

use super::*;
use crate::fixture::Random;

const SMALL: FdeParams = FdeParams {
    repetitions: 3,
    bits: 2,
    projected: 4,
    seed: 9,
};

fn fde(dim: usize, params: FdeParams) -> Fde {
    Fde::new(dim, Element::F32, Metric::Dot, params).unwrap()
}

fn unit(random: &mut Random, dim: usize) -> Vec<f32> {
    let row: Vec<f32> = (0..dim).map(|_| random.normal()).collect();
    let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    row.iter().map(|x| x / length).collect()
}

fn encoded(rows: &[Vec<f32>], element: Element) -> Vec<u8> {
    let mut bytes = Vec::new();
    rows.iter().for_each(|row| encode_f32(row, element, &mut bytes));
    bytes
}

fn of(fde: &Fde, side: Side, vectors: &[u8]) -> Vec<f32> {
    let mut out = Vec::new();
    let (control, mut scratch) = (Control::none(), FdeScratch::default());
    fde.encode(side, vectors, &control, &mut scratch, &mut out)
        .unwrap();
    out
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// Which bucket a vector falls in, by the definition.
fn bucket(fde: &Fde, repetition: usize, vector: &[f32]) -> usize {
    let bits = usize::from(fde.params.bits);
    let planes: &[f32] = bytemuck::cast_slice(&fde.planes);
    (0..bits).fold(0, |code, at| {
        let plane = repetition * (bits + fde.projected) + at;
        code << 1 | usize::from(dot(&planes[plane * fde.dim..][..fde.dim], vector) > 0.0)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn with_one_bucket_and_all_dimensions_the_product_is_of_sum_and_mean(
        dim in 1usize..20, queries in 1usize..20, documents in 1usize..20, seed: u64,
    ) {
        let mut random = Random::new(seed);
        let fde = fde(dim, FdeParams { repetitions: 2, bits: 0, projected: 64, seed });
        let query: Vec<Vec<f32>> = (0..queries).map(|_| unit(&mut random, dim)).collect();
        let document: Vec<Vec<f32>> = (0..documents).map(|_| unit(&mut random, dim)).collect();
        let expected: f64 = query
            .iter()
            .flat_map(|one| document.iter().map(move |other| dot(one, other)))
            .sum::<f64>() / documents as f64;
        let found = dot(
            &of(&fde, Side::Query, &encoded(&query, Element::F32)),
            &of(&fde, Side::Document, &encoded(&document, Element::F32)),
        ) / 2.0;
        prop_assert!((found - expected).abs() < 1e-4 * queries as f64, "{} {}", found, expected);
    }

    #[test]
    fn each_vector_of_a_query_meets_the_mean_of_its_bucket_or_of_the_nearest_that_are_not_empty(
        dim in 2usize..5, queries in 1usize..12, documents in 1usize..12, seed: u64,
    ) {
        // Not projected, so that products are exact but for rounding.
        let mut random = Random::new(seed);
        let fde = fde(dim, FdeParams { seed, ..SMALL });
        let (bits, repetitions) = (u32::from(SMALL.bits), usize::from(SMALL.repetitions));
        prop_assume!(dim <= usize::from(SMALL.projected));
        let query: Vec<Vec<f32>> = (0..queries).map(|_| unit(&mut random, dim)).collect();
        let document: Vec<Vec<f32>> = (0..documents).map(|_| unit(&mut random, dim)).collect();
        let mut expected = 0.0;
        for repetition in 0..repetitions {
            for one in &query {
                let own = bucket(&fde, repetition, one);
                let met = (0..=bits).find_map(|distance| {
                    let there: Vec<f64> = document
                        .iter()
                        .filter(|other| (bucket(&fde, repetition, other) ^ own).count_ones() == distance)
                        .map(|other| dot(one, other))
                        .collect();
                    (!there.is_empty()).then(|| there.iter().sum::<f64>() / there.len() as f64)
                });
                expected += met.unwrap();
            }
        }
        let found = dot(
            &of(&fde, Side::Query, &encoded(&query, Element::F32)),
            &of(&fde, Side::Document, &encoded(&document, Element::F32)),
        );
        prop_assert!((found - expected).abs() < 1e-3, "{} {}", found, expected);
    }

    #[test]
    fn whatever_is_encoded_the_numbers_are_finite_and_as_many_as_was_said(
        dim in 1usize..9, bytes in prop::collection::vec(any::<u8>(), 0..400), code in 0u8..3,
        repetitions in 1u16..5, bits in 0u8..5, projected in 1u16..9, seed: u64,
    ) {
        let element = Element::from_code(code).unwrap();
        let params = FdeParams { repetitions, bits, projected, seed };
        let metrics = [Metric::Dot, Metric::CosineU8];
        for metric in &metrics[..if element == Element::U8 { 2 } else { 1 }] {
            let fde = Fde::new(dim, element, *metric, params).unwrap();
            let (mut scratch, mut out) = (FdeScratch::default(), vec![7.0]);
            fde.document(&bytes, &Control::none(), &mut scratch, &mut out).unwrap();
            prop_assert_eq!(out.len(), 1 + fde.coordinates());
            fde.query(&bytes, &Control::none(), &mut scratch, &mut out).unwrap();
            prop_assert_eq!(out.len(), 1 + 2 * fde.coordinates());
            prop_assert!(out.iter().all(|x| x.is_finite()));
        }
    }
}

#[test]
fn products_of_encodings_are_near_the_sum_of_best_products_on_average() {
    const DIM: usize = 32;
    let mut random = Random::new(3);
    for params in [
        FdeParams::default(),
        FdeParams {
            repetitions: 32,
            ..FdeParams::default()
        },
    ] {
        let fde = fde(DIM, params);
        let (mut off, mut spread) = (0.0, 0.0);
        for _ in 0..40 {
            let document: Vec<Vec<f32>> = (0..6).map(|_| unit(&mut random, DIM)).collect();
            // Each vector of the query is near one of the document.
            let query: Vec<Vec<f32>> = document
                .iter()
                .map(|other| {
                    let noise = unit(&mut random, DIM);
                    other
                        .iter()
                        .zip(noise)
                        .map(|(x, noise)| x + 0.2 * noise)
                        .collect()
                })
                .collect();
            let truth: f64 = query
                .iter()
                .map(|one| {
                    document
                        .iter()
                        .map(|other| dot(one, other))
                        .fold(f64::MIN, f64::max)
                })
                .sum();
            let found = dot(
                &of(&fde, Side::Query, &encoded(&query, Element::F32)),
                &of(&fde, Side::Document, &encoded(&document, Element::F32)),
            ) / f64::from(params.repetitions);
            off += (found - truth) / truth / 40.0;
            spread += ((found - truth) / truth).abs() / 40.0;
        }
        // Some vectors of a query fall into another bucket than the one they are near: the estimate is low.
        assert!(
            (-0.5..0.1).contains(&off) && spread < 0.5,
            "{params:?}: {off} {spread}"
        );
    }
}

#[test]
fn encodings_depend_on_the_vectors_as_a_set_and_on_the_seed() {
    let mut random = Random::new(1);
    let mut rows: Vec<Vec<f32>> = (0..30).map(|_| unit(&mut random, 24)).collect();
    let params = FdeParams::default();
    let first = of(&fde(24, params), Side::Document, &encoded(&rows, Element::F32));
    assert_eq!(
        first,
        of(&fde(24, params), Side::Document, &encoded(&rows, Element::F32))
    );
    let other = FdeParams { seed: 1, ..params };
    assert_ne!(
        first,
        of(&fde(24, other), Side::Document, &encoded(&rows, Element::F32))
    );
    rows.reverse();
    let reversed = of(&fde(24, params), Side::Document, &encoded(&rows, Element::F32));
    let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-4;
    assert!(first.iter().zip(&reversed).all(near));
    // A document twice over has the same means.
    let twice = [encoded(&rows, Element::F32), encoded(&rows, Element::F32)].concat();
    let twice = of(&fde(24, params), Side::Document, &twice);
    assert!(twice.iter().zip(&reversed).all(near));
}

#[test]
fn bytes_fall_on_both_sides_of_planes_and_cosines_ignore_length() {
    let params = FdeParams {
        repetitions: 4,
        bits: 3,
        projected: 16,
        seed: 2,
    };
    let mut random = Random::new(5);
    let vectors: Vec<u8> = (0..40 * 16).map(|_| random.below(128) as u8).collect();
    let doubled: Vec<u8> = vectors.iter().map(|x| x * 2).collect();
    let fde = Fde::new(16, Element::U8, Metric::CosineU8, params).unwrap();
    let mut scratch = FdeScratch::default();
    fde.gather(Side::Query, &doubled, &Control::none(), &mut scratch)
        .unwrap();
    assert!(scratch.counts.iter().filter(|&&count| count > 0).count() > scratch.counts.len() / 2);
    // In one bucket there is nothing but length to tell them.
    let one = FdeParams { bits: 0, ..params };
    let fde = Fde::new(16, Element::U8, Metric::CosineU8, one).unwrap();
    let (a, b) = (
        of(&fde, Side::Document, &vectors),
        of(&fde, Side::Document, &doubled),
    );
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn parameters_out_of_range_are_refused() {
    let refused = |dim, params: FdeParams| {
        let found = Fde::new(dim, Element::F32, Metric::Dot, params);
        assert!(matches!(found, Err(Error::BadParameter { .. })), "{params:?}");
    };
    refused(
        8,
        FdeParams {
            repetitions: 0,
            ..SMALL
        },
    );
    refused(8, FdeParams { bits: 9, ..SMALL });
    refused(8, FdeParams { bits: 255, ..SMALL });
    refused(
        8,
        FdeParams {
            projected: 0,
            ..SMALL
        },
    );
    refused(0, SMALL);
    refused(usize::MAX, SMALL);
    refused(
        1 << 20,
        FdeParams {
            repetitions: u16::MAX,
            bits: 8,
            projected: u16::MAX,
            ..SMALL
        },
    );
    for metric in [Metric::L2, Metric::L1] {
        assert!(!Fde::serves(metric));
        let error = Fde::new(8, Element::F32, metric, SMALL).unwrap_err();
        assert!(error.to_string().contains("inner products"), "{error}");
    }
}
