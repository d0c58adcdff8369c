use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::fixture::{Data, PAIRS, Random, pool};
use proptest::prelude::*;
use vdb_sys::element::Element;

fn graph(data: &Data, metric: Metric, params: &HnswParams, threads: usize) -> Graph {
    build(&data.matrix(), metric, params, &pool(threads), &Control::none()).expect("not cancelled")
}

fn bytes(graph: &Graph) -> (Vec<u32>, Vec<u32>, Vec<u32>, Vec<u8>) {
    let upper = &graph.upper;
    (
        graph.base.clone(),
        upper.rows.clone(),
        upper.links.clone(),
        graph
            .view()
            .codes
            .map_or(Vec::new(), |codes| codes.bytes().to_vec()),
    )
}

#[test]
fn any_number_of_threads_builds_the_same_graph() {
    for (metric, element) in [(Metric::Dot, Element::F32), (Metric::L1, Element::U8)] {
        let data = Data::clustered(3_000, 24, 12, metric, element, 5);
        let params = HnswParams {
            m: 8,
            ef_construct: 40,
            ef_refine: 40,
            ..HnswParams::default()
        };
        let one = bytes(&graph(&data, metric, &params, 1));
        for threads in [2, 4] {
            assert!(
                one == bytes(&graph(&data, metric, &params, threads)),
                "{threads} threads, {metric:?}"
            );
        }
    }
}

#[test]
fn another_seed_builds_another_graph() {
    let data = Data::clustered(500, 8, 4, Metric::L2, Element::F32, 6);
    let built = |seed| {
        bytes(&graph(
            &data,
            Metric::L2,
            &HnswParams {
                seed,
                ..HnswParams::default()
            },
            2,
        ))
    };
    assert!(built(1) == built(1));
    assert!(built(1) != built(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_graph_keeps_the_invariants(
        pair in 0usize..PAIRS.len(), rows in 0u32..700, dim in 1usize..20, clusters in 1u32..8, seed: u64,
        m in 2u16..12, ef in 1u16..40, refine: bool,
    ) {
        let (metric, element) = PAIRS[pair];
        let data = Data::clustered(rows, dim, clusters, metric, element, seed);
        let ef_refine = if refine { ef } else { 0 };
        let params = HnswParams { m, ef_construct: ef, ef_refine, seed, ..HnswParams::default() };
        let graph = graph(&data, metric, &params, 2);
        let report = graph.view().check();
        prop_assert!(report.is_sound(), "{report:?}");
        prop_assert!(report.most_links <= u32::from(m) * 2);
        prop_assert_eq!(report.rows, rows);
        let sizes = graph.view().level_sizes();
        prop_assert!(sizes.windows(2).all(|pair| pair[0] <= pair[1]));
        prop_assert_eq!(graph.upper.rows.len() as u32, sizes.last().copied().unwrap_or(rows.min(1)));
    }

    #[test]
    fn many_equal_vectors_do_not_fall_apart(
        rows in 1usize..1500, different in 1u32..4, zero: bool, pair in 0usize..PAIRS.len(), seed: u64,
    ) {
        let (metric, element) = PAIRS[pair];
        let mut random = Random::new(seed);
        let kinds: Vec<Vec<f32>> = (0..different)
            .map(|kind| (0..6).map(|_| if zero && kind == 0 { 0.0 } else { 100.0 * random.unit() }).collect())
            .collect();
        let rows: Vec<Vec<f32>> = (0..rows).map(|_| kinds[random.below(different) as usize].clone()).collect();
        let data = Data::of(&rows, 6, element);
        let params = HnswParams { m: 4, ef_construct: 20, ef_refine: 20, ..HnswParams::default() };
        let report = graph(&data, metric, &params, 2).view().check();
        prop_assert!(report.is_sound(), "{report:?}");
    }
}

#[test]
fn vectors_that_are_not_numbers_build_a_sound_graph() {
    let mut random = Random::new(9);
    let odd = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN_POSITIVE,
        0.0,
        1.0,
    ];
    let rows: Vec<Vec<f32>> = (0..400)
        .map(|_| (0..5).map(|_| odd[random.below(7) as usize]).collect())
        .collect();
    let data = Data::of(&rows, 5, Element::F32);
    for metric in [Metric::Dot, Metric::L2, Metric::L1] {
        let report = graph(&data, metric, &HnswParams::default(), 2).view().check();
        assert!(report.is_sound(), "{metric:?}: {report:?}");
    }
}

#[test]
fn a_build_stops_soon_after_it_is_cancelled() {
    let data = Data::clustered(3_000, 16, 4, Metric::L2, Element::F32, 7);
    let looks = AtomicU64::new(0);
    for limit in [0, 1, 10, 500, 3_500] {
        looks.store(0, Ordering::Relaxed);
        let cancel = || looks.fetch_add(1, Ordering::Relaxed) >= limit;
        let result = build(
            &data.matrix(),
            Metric::L2,
            &HnswParams::default(),
            &pool(2),
            &Control::new(&cancel, &|_, _| ()),
        );
        assert!(matches!(result, Err(Error::Cancelled)));
        assert!(
            looks.load(Ordering::Relaxed) <= limit + 8,
            "work goes on after {limit} looks"
        );
    }
}

#[test]
fn progress_grows_to_the_total() {
    let data = Data::clustered(1_000, 8, 4, Metric::L2, Element::F32, 8);
    let seen = parking_lot::Mutex::new(Vec::new());
    let progress = |done, total| seen.lock().push((done, total));
    build(
        &data.matrix(),
        Metric::L2,
        &HnswParams::default(),
        &pool(2),
        &Control::new(&|| false, &progress),
    )
    .expect("not cancelled");
    let seen = seen.into_inner();
    assert!(seen.is_sorted());
    assert!(
        seen.iter()
            .all(|&(done, total)| done <= total && total == seen[0].1)
    );
    assert_eq!(seen.last().map(|&(done, total)| done == total), Some(true));
}

#[test]
fn parameters_out_of_range_are_refused_by_name() {
    let data = Data::clustered(10, 4, 1, Metric::L2, Element::F32, 9);
    let sound = HnswParams::default();
    for (params, name) in [
        (HnswParams { m: 1, ..sound }, "m"),
        (HnswParams { m: 257, ..sound }, "m"),
        (
            HnswParams {
                ef_construct: 0,
                ..sound
            },
            "ef_construct",
        ),
        (HnswParams { alpha: 0.9, ..sound }, "alpha"),
        (
            HnswParams {
                alpha: f32::NAN,
                ..sound
            },
            "alpha",
        ),
    ] {
        match build(&data.matrix(), Metric::L2, &params, &pool(1), &Control::none()) {
            Err(Error::BadParameter { parameter, .. }) => assert!(parameter.starts_with(name)),
            other => panic!("{params:?} gave {other:?}"),
        }
    }
}
