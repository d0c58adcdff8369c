use super::*;
use crate::fixture::{Data, Random, pool};
use crate::hnsw::{HnswParams, build};
use proptest::prelude::*;
use vdb_sys::element::Element;

/// Points of a cube of `dim` dimensions.
fn uniform(rows: u32, dim: usize) -> Data {
    let mut random = Random::new(3);
    let rows: Vec<Vec<f32>> = (0..rows)
        .map(|_| (0..dim).map(|_| random.unit()).collect())
        .collect();
    Data::of(&rows, dim, Element::F32)
}

fn aim(growth: Growth, k: usize) -> Aim {
    Aim { growth, zero: 3.0, k }
}

fn measured(data: &Data, metric: Metric) -> Growth {
    let graph = build(
        &data.matrix(),
        metric,
        &HnswParams::default(),
        &pool(2),
        &Control::none(),
    );
    graph.expect("not cancelled").growth
}

#[test]
fn the_exponent_is_that_of_the_dimension() {
    // Squared distances go with the power 2/D of the rank, sums of differences with 1/D.
    for (metric, dim, expected) in [(Metric::L2, 2, 1.0), (Metric::L2, 4, 0.5), (Metric::L1, 2, 0.5)] {
        let exponent = measured(&uniform(6_000, dim), metric).exponent;
        assert!(
            (exponent / expected - 1.0).abs() < 0.15,
            "{metric:?} in {dim} dimensions: {exponent}, expected about {expected}"
        );
    }
}

#[test]
fn the_longest_vector_counts_for_inner_products_only() {
    let mut rows = vec![vec![0.6f32, 0.8]; 20];
    rows.push(vec![3.0, 4.0]);
    let data = Data::of(&rows, 2, Element::F32);
    assert!((measured(&data, Metric::Dot).longest - 5.0).abs() < 0.01);
    assert_eq!(measured(&data, Metric::L2).longest, 0.0);
}

#[test]
fn nothing_is_known_of_few_rows_or_of_equal_ones() {
    assert_eq!(measured(&uniform(80, 4), Metric::L2).exponent, 0.0);
    let equal = Data::of(&vec![vec![1.0f32, 2.0]; 1_000], 2, Element::F32);
    assert_eq!(measured(&equal, Metric::L2).exponent, 0.0);
    assert_eq!(aim(Growth::default(), 10).width(48), Width::from(48));
}

proptest! {
    #[test]
    fn a_wider_beam_looks_farther(exponent in 0.01f32..2.0, k in 1usize..50, ef in 51usize..500, gap in 0f32..10.0) {
        let growth = Growth { exponent, longest: 1.0 };
        let aim = aim(growth, k);
        let bound = |ef| aim.width(ef).bound.expect("the exponent is known");
        let (near, far) = (bound(ef), bound(ef + 10));
        let kth = 3.0 - gap;
        prop_assert!(far.bar(kth) <= near.bar(kth) && near.bar(kth) <= kth + 1e-5);
        prop_assert!(near.least >= near.k && near.k == k);
        prop_assert!(aim.width(ef).most >= ef);
        // What was asked for is no wider than the answer: there is nothing to decide.
        prop_assert_eq!(aim.width(k), Width::from(k));
    }
}
