use super::*;
use crate::fixture::{Data, PAIRS, Random, Unlisted, pool, recall};
use crate::hnsw::{Graph, HnswParams, build};
use crate::quant::Quantization;
use crate::rowset::RowBits;
use proptest::prelude::*;
use vdb_sys::element::Element;
use vdb_sys::kernel::Metric;

mod codes;

fn graph(data: &Data, metric: Metric) -> Graph {
    coded_graph(data, metric, Quantization::Auto)
}

fn coded_graph(data: &Data, metric: Metric, quantization: Quantization) -> Graph {
    let params = HnswParams {
        quantization,
        ..HnswParams::default()
    };
    build(&data.matrix(), metric, &params, &pool(2), &Control::none()).expect("not cancelled")
}

fn find(
    graph: &Graph,
    data: &Data,
    query: &[u8],
    params: &SearchParams,
    filter: Option<&dyn RowFilter>,
    scratch: &mut Scratch,
) -> Vec<(f32, u32)> {
    let kernel = Kernel::new(graph.quantizer.metric(), data.element);
    let found = search(
        graph.view(),
        &data.matrix(),
        &kernel,
        query,
        params,
        filter,
        scratch,
    );
    assert!(!found.damaged);
    found.hits
}

/// The mean over all queries of `data`.
fn mean_recall(
    data: &Data,
    metric: Metric,
    graph: &Graph,
    params: &SearchParams,
    filter: Option<&dyn RowFilter>,
) -> f64 {
    let mut scratch = Scratch::default();
    let each = data.queries.iter().map(|query| {
        let truth = data.brute(metric, query, params.k, filter);
        recall(&find(graph, data, query, params, filter, &mut scratch), &truth)
    });
    each.sum::<f64>() / data.queries.len() as f64
}

#[test]
fn recall_by_default_is_above_095_for_every_metric_and_element() {
    for (metric, element) in PAIRS {
        let data = Data::clustered(5_000, 32, 40, metric, element, 11);
        let graph = graph(&data, metric);
        let mean = mean_recall(&data, metric, &graph, &SearchParams::new(10), None);
        assert!(mean >= 0.95, "{metric:?} over {element:?}: {mean}");
    }
}

#[test]
fn every_quantization_finds_the_nearest() {
    for quantization in [
        Quantization::Off,
        Quantization::Int8,
        Quantization::Int4,
        Quantization::Int2,
        Quantization::Binary,
    ] {
        for metric in [Metric::Dot, Metric::L2, Metric::L1] {
            let data = Data::clustered(3_000, 130, 40, metric, Element::F32, 11);
            let graph = coded_graph(&data, metric, quantization);
            let bits = graph.view().codes.map(|codes| codes.layout().bits());
            assert_eq!(bits, quantization.bits(3_000, 130, metric));
            let mean = mean_recall(&data, metric, &graph, &SearchParams::new(10).ef(100), None);
            assert!(mean >= 0.95, "{quantization:?}, {metric:?}: {mean}");
        }
    }
}

#[test]
fn by_default_no_outlier_and_no_far_clusters_hide_neighbours() {
    let rows = 6_000;
    let spoiled: [fn(usize, usize, &mut [f32]); 4] = [
        // One row far away.
        |_, row, x| {
            x.iter_mut()
                .for_each(|x| *x *= if row == 100 { 1_000.0 } else { 1.0 })
        },
        // One dimension that holds nearly all of the variance.
        |_, _, x| x[0] *= 100.0,
        // Clusters that are far apart.
        |_, row, x| x[row % 10] += 100.0,
        |_, row, x| x[row % 10] += 1_000.0,
    ];
    for metric in [Metric::Dot, Metric::L2] {
        for (which, spoil) in spoiled.into_iter().enumerate() {
            let mut random = Random::new(3);
            let mut draw = |row: usize| {
                let mut vector: Vec<f32> = (0..128).map(|_| random.normal()).collect();
                spoil(rows, row, &mut vector);
                vector
            };
            let vectors: Vec<Vec<f32>> = (0..rows).map(&mut draw).collect();
            let mut data = Data::of(&vectors, 128, Element::F32);
            data.queries = (0..160).map(|at| data.encode(&draw(at))).collect();
            let recall_of = |quantization| {
                let graph = coded_graph(&data, metric, quantization);
                mean_recall(&data, metric, &graph, &SearchParams::new(10), None)
            };
            let (auto, int8) = (recall_of(Quantization::Auto), recall_of(Quantization::Int8));
            assert!(
                auto >= int8 - 0.03,
                "{metric:?}, {which}: {auto}, with 8 bits {int8}"
            );
        }
    }
}

#[test]
fn scores_that_overflow_are_still_rows() {
    let vectors: Vec<Vec<f32>> = (0..200).map(|at| vec![1e17 * (at as f32 - 100.0); 64]).collect();
    let mut data = Data::of(&vectors, 64, Element::F32);
    data.queries = vec![data.encode(&[1e22; 64])];
    for metric in [Metric::Dot, Metric::L2] {
        for quantization in [Quantization::Auto, Quantization::Int4, Quantization::Int8] {
            let graph = coded_graph(&data, metric, quantization);
            let some = RowBits::from_rows(200, 0..100);
            let mut scratch = Scratch::default();
            let hits = find(
                &graph,
                &data,
                &data.queries[0],
                &SearchParams::new(100),
                Some(&some),
                &mut scratch,
            );
            assert_eq!(hits.len(), 100, "{metric:?} {quantization:?}");
        }
    }
}

#[test]
fn recall_reaches_099_through_ef() {
    let data = Data::clustered(8_000, 48, 60, Metric::Dot, Element::F32, 12);
    let mean = mean_recall(
        &data,
        Metric::Dot,
        &graph(&data, Metric::Dot),
        &SearchParams::new(10).ef(200),
        None,
    );
    assert!(mean >= 0.99, "{mean}");
}

#[test]
fn inner_products_of_vectors_of_all_lengths_are_found() {
    let mut random = Random::new(13);
    let centres: Vec<Vec<f32>> = (0..40)
        .map(|_| (0..24).map(|_| random.normal()).collect())
        .collect();
    let mut draw = |length: f32| -> Vec<f32> {
        let centre = &centres[random.below(40) as usize];
        centre
            .iter()
            .map(|c| length * (c + 0.6 * random.normal()))
            .collect()
    };
    let rows: Vec<Vec<f32>> = (0..4_000)
        .map(|row| draw(0.1 + (row % 50) as f32 / 10.0))
        .collect();
    let mut data = Data::of(&rows, 24, Element::F32);
    data.queries = (0..40)
        .map(|_| draw(1.0))
        .map(|query| data.encode(&query))
        .collect();
    let graph = graph(&data, Metric::Dot);
    let mean = mean_recall(&data, Metric::Dot, &graph, &SearchParams::new(10), None);
    assert!(mean >= 0.97, "{mean}");
    // Short vectors are never near in inner product, unless a filter asks for them.
    let short = RowBits::from_rows(4_000, (0..4_000).filter(|row| row % 50 < 10));
    let mean = mean_recall(
        &data,
        Metric::Dot,
        &graph,
        &SearchParams::new(10),
        Some(&Unlisted(short)),
    );
    // The graph leads to what is long: links of short vectors go out and few come in.
    assert!(mean >= 0.85, "short ones: {mean}");
}

#[test]
fn inner_products_of_many_dimensions_and_lengths_are_found() {
    let mut random = Random::new(17);
    let mut draw = || -> Vec<f32> {
        let length = 0.2 - random.unit().max(1e-6).ln();
        (0..48)
            .map(|at| length * random.normal() / (1.0 + at as f32 / 16.0))
            .collect()
    };
    let rows: Vec<Vec<f32>> = (0..4_000).map(|_| draw()).collect();
    let mut data = Data::of(&rows, 48, Element::F32);
    data.queries = (0..40).map(|_| draw()).map(|query| data.encode(&query)).collect();
    let graph = graph(&data, Metric::Dot);
    // By distances between vectors that are made equally long it is a third.
    let mean = mean_recall(&data, Metric::Dot, &graph, &SearchParams::new(10), None);
    assert!(mean >= 0.97, "{mean}");
}

#[test]
fn filtered_recall_is_above_097_from_one_percent_to_all() {
    let data = Data::clustered(10_000, 32, 50, Metric::Dot, Element::F32, 14);
    let graph = graph(&data, Metric::Dot);
    let mut random = Random::new(15);
    for percent in [1, 2, 5, 10, 25, 50, 75, 99] {
        let filter = RowBits::from_rows(10_000, (0..10_000).filter(|_| random.below(100) < percent));
        let params = SearchParams::new(10).ef(100);
        let scanned = mean_recall(&data, Metric::Dot, &graph, &params, Some(&filter));
        assert!(scanned >= 0.99, "{percent} %, scanned: {scanned}");
        let mean = mean_recall(&data, Metric::Dot, &graph, &params, Some(&Unlisted(filter)));
        assert!(mean >= 0.97, "{percent} %: {mean}");
    }
}

#[test]
fn filters_that_follow_the_data_are_walked_to_what_matches() {
    let data = Data::clustered(10_000, 32, 50, Metric::Dot, Element::F32, 26);
    let graph = graph(&data, Metric::Dot);
    let matrix = data.matrix();
    let first = |row: u32| {
        let bytes = matrix.row(row).expect("a row");
        f32::from_le_bytes(bytes[..4].try_into().expect("four bytes"))
    };
    let mut order: Vec<u32> = (0..10_000).collect();
    order.sort_by(|&a, &b| first(a).total_cmp(&first(b)));
    for percent in [2, 10, 30, 60] {
        // The rows on one side: most queries lie on the other.
        let side = order.iter().copied().take(10_000 * percent / 100);
        let filter = Unlisted(RowBits::from_rows(10_000, side));
        for (ef, least) in [(16, 0.9), (SearchParams::DEFAULT_EF, 0.97)] {
            let params = SearchParams::new(10).ef(ef);
            let mean = mean_recall(&data, Metric::Dot, &graph, &params, Some(&filter));
            println!("{percent} %, beam {ef}: {mean}");
            assert!(mean >= least, "{percent} %, beam {ef}: {mean}");
        }
    }
}

#[test]
fn a_filter_without_an_estimate_serves_too() {
    struct Odd;
    impl RowFilter for Odd {
        fn contains(&self, row: u32) -> bool {
            row % 2 == 1
        }
    }
    let data = Data::clustered(3_000, 16, 10, Metric::L2, Element::F32, 16);
    let mean = mean_recall(
        &data,
        Metric::L2,
        &graph(&data, Metric::L2),
        &SearchParams::new(10),
        Some(&Odd),
    );
    assert!(mean >= 0.95, "{mean}");
}

#[test]
fn equal_vectors_are_all_found() {
    let mut rows = vec![vec![1.0, 2.0, 3.0, 4.0]; 2_000];
    rows.extend(vec![vec![-1.0, 0.5, 0.0, 2.0]; 30]);
    let mut data = Data::of(&rows, 4, Element::F32);
    data.queries = vec![data.encode(&rows[0]), data.encode(&rows[2_029])];
    let mean = mean_recall(
        &data,
        Metric::L2,
        &graph(&data, Metric::L2),
        &SearchParams::new(25).ef(64),
        None,
    );
    assert!(mean >= 0.9, "{mean}");
}

#[test]
fn zero_vectors_are_rows_like_others() {
    let mut rows = vec![vec![0.0; 8]; 300];
    let mut random = Random::new(17);
    rows.extend((0..300).map(|_| (0..8).map(|_| 200.0 * random.unit()).collect::<Vec<f32>>()));
    for (metric, element) in PAIRS {
        let mut data = Data::of(&rows, 8, element);
        data.queries = vec![data.encode(&rows[400]), data.encode(&[0.0; 8])];
        let mean = mean_recall(
            &data,
            metric,
            &graph(&data, metric),
            &SearchParams::new(10).ef(100),
            None,
        );
        assert!(mean >= 0.9, "{metric:?} over {element:?}: {mean}");
    }
}

/// Gaussian rows with one dimension in a unit that makes its numbers `times` as large.
fn skewed(rows: u32, dim: usize, times: f32, element: Element) -> Data {
    let mut random = Random::new(18);
    let mut draw = || -> Vec<f32> {
        let mut row: Vec<f32> = (0..dim).map(|_| random.normal()).collect();
        row[dim / 2] *= times;
        if element == Element::U8 {
            row.iter_mut().for_each(|x| *x = 128.0 + 42.0 / times * *x);
        }
        row
    };
    let numbers: Vec<Vec<f32>> = (0..rows).map(|_| draw()).collect();
    let mut data = Data::of(&numbers, dim, element);
    data.queries = (0..30).map(|_| draw()).map(|query| data.encode(&query)).collect();
    data
}

#[test]
fn a_wider_beam_finds_what_codes_of_skewed_data_hide() {
    for (metric, element) in PAIRS {
        for times in [1.0, 100.0, 1_000.0] {
            let data = skewed(3_000, 32, times, element);
            let graph = graph(&data, metric);
            let every = Unlisted(RowBits::from_rows(3_000, 0..3_000));
            let listed = RowBits::from_rows(3_000, 0..3_000);
            let filters: [Option<&dyn RowFilter>; 3] = [None, Some(&every), Some(&listed)];
            for filter in filters {
                let by_ef = [48, 400, 3_000]
                    .map(|ef| mean_recall(&data, metric, &graph, &SearchParams::new(10).ef(ef), filter));
                let what = format!("{metric:?} over {element:?}, one dimension x{times}: {by_ef:?}");
                println!("{what}");
                assert!(
                    by_ef[0] <= by_ef[1] + 0.01 && by_ef[1] <= by_ef[2] + 0.01,
                    "{what}"
                );
                assert!(by_ef[2] >= 0.99, "{what}");
            }
        }
    }
}

#[test]
fn good_codes_are_rescored_little_beyond_what_is_asked_for() {
    let data = Data::clustered(5_000, 96, 40, Metric::Dot, Element::F32, 19);
    let kernel = Kernel::new(Metric::Dot, Element::F32);
    let graph = coded_graph(&data, Metric::Dot, Quantization::Int8);
    let params = SearchParams::new(10);
    let mut scratch = Scratch::default();
    let rescored = data.queries.iter().map(|query| {
        let found = search(
            graph.view(),
            &data.matrix(),
            &kernel,
            query,
            &params,
            None::<&dyn RowFilter>,
            &mut scratch,
        );
        found.rescored
    });
    let mean = rescored.sum::<u64>() as f64 / data.queries.len() as f64;
    assert!((15.0..18.0).contains(&mean), "{mean}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn small_sets_are_searched_like_by_brute_force(
        pair in 0usize..PAIRS.len(), rows in 0u32..60, dim in 1usize..12, k in 0usize..80, ef in 0usize..80,
        share in 0u32..5, seed: u64,
    ) {
        let (metric, element) = PAIRS[pair];
        let data = Data::clustered(rows, dim, 2, metric, element, seed);
        let graph = graph(&data, metric);
        let params = SearchParams { oversample: 100.0, ..SearchParams::new(k).ef(ef.max(rows as usize)) };
        let filter = RowBits::from_rows(rows, (0..rows).filter(|row| row % 4 < share));
        let mut scratch = Scratch::default();
        for query in data.queries.iter().take(3) {
            let found = find(&graph, &data, query, &params, None, &mut scratch);
            prop_assert_eq!(found, data.brute(metric, query, k, None));
            let found = find(&graph, &data, query, &params, Some(&filter), &mut scratch);
            prop_assert_eq!(found, data.brute(metric, query, k, Some(&filter)));
        }
    }

    #[test]
    fn hits_are_sorted_matching_and_canonically_scored(
        pair in 0usize..PAIRS.len(), k in 1usize..40, ef in 0usize..40, share in 0u32..4, seed: u64, listed: bool,
    ) {
        let (metric, element) = PAIRS[pair];
        let data = Data::clustered(600, 10, 5, metric, element, seed);
        let graph = graph(&data, metric);
        let kernel = Kernel::new(metric, element);
        let filter = RowBits::from_rows(600, (0..600).filter(|row| row % 3 < share));
        let mut scratch = Scratch::default();
        for query in data.queries.iter().take(3) {
            let params = SearchParams { oversample: 1.0, ..SearchParams::new(k).ef(ef) };
            let unlisted = Unlisted(filter.clone());
            let given: &dyn RowFilter = if listed { &filter } else { &unlisted };
            let hits = find(&graph, &data, query, &params, Some(given), &mut scratch);
            prop_assert!(hits.len() <= k);
            if share > 0 && listed {
                prop_assert_eq!(hits.len(), k);
            }
            for pair in hits.windows(2) {
                prop_assert!(pair[0].0 > pair[1].0 || (pair[0].0 == pair[1].0 && pair[0].1 < pair[1].1));
            }
            for &(score, row) in &hits {
                prop_assert!(filter.contains(row));
                prop_assert_eq!(score, kernel.score(query, data.matrix().row(row).expect("a row")) + 0.0);
            }
        }
    }
}

/// Slow to ask, and matched by one row in a hundred.
struct Slow;

impl RowFilter for Slow {
    fn contains(&self, row: u32) -> bool {
        row.is_multiple_of(100)
    }

    fn is_slow(&self) -> bool {
        true
    }
}

#[test]
fn a_search_ends_soon_after_its_caller_wants_no_more_and_the_next_one_is_whole() {
    let data = Data::clustered(9_000, 16, 40, Metric::L2, Element::F32, 5);
    let graph = graph(&data, Metric::L2);
    let (matrix, kernel) = (data.matrix(), Kernel::new(Metric::L2, Element::F32));
    let bits = RowBits::from_rows(9_000, (0..9_000).filter(|row| row % 2 > 0));
    let unlisted = Unlisted(bits.clone());
    let filters: [Option<&dyn RowFilter>; 4] = [None, Some(&bits), Some(&Slow), Some(&unlisted)];
    let mut scratch = Scratch::default();
    for (at, filter) in filters.into_iter().enumerate() {
        let mut find = |ef: usize, control: &Control<'_>| {
            let params = SearchParams::new(10).ef(ef);
            let (query, among) = (&data.queries[0], (filter, control));
            search_watched(
                graph.view(),
                &matrix,
                &kernel,
                query,
                &params,
                among,
                &mut scratch,
            )
        };
        let whole = find(2_000, &Control::none());
        assert!(!whole.stopped && whole.hits.len() == 10, "filter {at}");
        let stopped = find(2_000, &Control::cancelled_by(&|| true));
        assert!(stopped.stopped && stopped.hits.is_empty(), "filter {at}");
        assert!(stopped.scored < whole.scored, "filter {at}: {}", stopped.scored);
        assert_eq!(find(2_000, &Control::none()), whole, "filter {at}");
    }
}

#[test]
fn a_large_search_leaves_no_more_than_a_few_megabytes() {
    let mut scratch = Scratch::default();
    scratch.rows.reserve(Scratch::KEPT / 4 + 1);
    scratch.scored.reserve(100);
    scratch.nominees.reserve(Scratch::KEPT / 8 + 1);
    scratch.walker.start(u32::MAX, 10, [7]);
    scratch.trim();
    assert_eq!((scratch.rows.capacity(), scratch.nominees.capacity()), (0, 0));
    assert!(scratch.scored.capacity() >= 100);
    // Marks that are gone are no longer cleared one by one.
    scratch.walker.start(100, 10, [7]);
    assert!(scratch.walker.visited.contains(7) && !scratch.walker.visited.contains(8));
}
