use proptest::prelude::*;
use vdb_sys::element::Element;
use vdb_sys::kernel::{Kernel, Metric};

use super::*;
use crate::fixture::{Data, PAIRS, Random, pool, recall};
use crate::hnsw::{Graph, Scratch, SearchParams, build, extend, search};
use crate::quant::Quantization;

/// The rows of `data` that `wanted` answers true for, as a matrix of their own, and which they are.
fn part(data: &Data, wanted: impl Fn(u32) -> bool) -> (Data, Vec<u32>) {
    let matrix = data.matrix();
    let rows: Vec<u32> = (0..matrix.len()).filter(|&row| wanted(row)).collect();
    let bytes: Vec<u8> = rows
        .iter()
        .flat_map(|&row| matrix.row(row).expect("in range").to_vec())
        .collect();
    let part = Data {
        element: data.element,
        dim: data.dim,
        rows: vdb_sys::aligned::AlignedBuf::from_slice(&bytes),
        queries: Vec::new(),
    };
    (part, rows)
}

/// The rows that an extended graph is over, and the graph.
struct Case {
    after: Data,
    graph: Graph,
}

/// Builds a graph over the rows of `all` that are not new, and extends it to those that are not gone.
fn grown(all: &Data, metric: Metric, params: &HnswParams, kind: impl Fn(u32) -> u32, threads: usize) -> Case {
    let (before, old_rows) = part(all, |row| kind(row) != NEW);
    let (after, new_rows) = part(all, |row| kind(row) != GONE);
    let old = build(&before.matrix(), metric, params, &pool(2), &Control::none()).expect("not cancelled");
    let rows: Vec<u32> = old_rows
        .iter()
        .map(|row| new_rows.binary_search(row).map_or(DROPPED, |row| row as u32))
        .collect();
    let base = Base {
        graph: old.view(),
        rows: &rows,
    };
    let graph = extend(
        &base,
        &after.matrix(),
        metric,
        params,
        &pool(threads),
        &Control::none(),
    );
    Case {
        after,
        graph: graph.expect("not cancelled"),
    }
}

/// A row that only the new graph has, one that only the old one has, and one that both have.
const NEW: u32 = 0;
const GONE: u32 = 1;

/// Of each hundred rows, `new` are new and `gone` are gone.
fn shares(seed: u64, new: u64, gone: u64) -> impl Fn(u32) -> u32 {
    move |row| match crate::mix(seed ^ u64::from(row)) % 100 {
        place if place < new => NEW,
        place if place < new + gone => GONE,
        _ => 2,
    }
}

fn bytes(graph: &Graph) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    (
        graph.base.clone(),
        graph.upper.rows.clone(),
        graph.upper.links.clone(),
    )
}

#[test]
fn any_number_of_threads_extends_to_the_same_graph() {
    for (metric, element) in [(Metric::Dot, Element::F32), (Metric::L1, Element::U8)] {
        let data = Data::clustered(3_000, 24, 12, metric, element, 5);
        let params = HnswParams {
            m: 8,
            ef_construct: 40,
            ef_refine: 40,
            ..HnswParams::default()
        };
        let with = |threads| bytes(&grown(&data, metric, &params, shares(1, 30, 10), threads).graph);
        let one = with(1);
        assert!(one == with(2) && one == with(4), "{metric:?}");
    }
}

#[test]
fn an_extended_graph_finds_what_a_built_one_finds() {
    let metric = Metric::L2;
    let data = Data::clustered(6_000, 24, 40, metric, Element::F32, 11);
    let params = HnswParams::default();
    for (name, new, gone) in [("new rows", 40, 0), ("new and gone", 25, 25)] {
        let case = grown(&data, metric, &params, shares(2, new, gone), 2);
        let built = build(&case.after.matrix(), metric, &params, &pool(2), &Control::none());
        let built = built.expect("not cancelled");
        let kernel = Kernel::new(metric, Element::F32);
        let mut scratch = Scratch::default();
        let mut found = |graph: &Graph| {
            let (mut share, mut scored) = (0.0, 0);
            for query in &data.queries {
                let matrix = case.after.matrix();
                let params = SearchParams::new(10).ef(24);
                let answer = search(
                    graph.view(),
                    &matrix,
                    &kernel,
                    query,
                    &params,
                    None::<&RowBits>,
                    &mut scratch,
                );
                share += recall(&answer.hits, &case.after.brute(metric, query, 10, None));
                scored += answer.scored;
            }
            (share / data.queries.len() as f64, scored as f64)
        };
        let ((extended, effort), (anew, usual)) = (found(&case.graph), found(&built));
        assert!(
            extended > anew - 0.02,
            "{name}: recall {extended}, built anew {anew}"
        );
        assert!(
            effort < usual * 1.05,
            "{name}: {effort} rows scored, built anew {usual}"
        );
        // Levels are those of the rows, whatever the graph grew from.
        assert!(case.graph.upper.links == built.upper.links, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_extended_graph_keeps_the_invariants(
        pair in 0usize..PAIRS.len(), rows in 0u32..700, dim in 1usize..20, clusters in 1u32..8, seed: u64,
        m in 2u16..12, ef in 1u16..40, refine: bool, new in 0u64..100, gone in 0u64..100,
    ) {
        let (metric, element) = PAIRS[pair];
        let data = Data::clustered(rows, dim, clusters, metric, element, seed);
        let ef_refine = if refine { ef } else { 0 };
        let params = HnswParams { m, ef_construct: ef, ef_refine, seed, ..HnswParams::default() };
        let case = grown(&data, metric, &params, shares(seed, new, gone), 2);
        let report = case.graph.view().check();
        prop_assert!(report.is_sound(), "{report:?}");
        prop_assert!(report.most_links <= u32::from(m) * 2);
        prop_assert_eq!(report.rows, case.after.matrix().len());
    }

    #[test]
    fn equal_vectors_old_and_new_do_not_fall_apart(
        rows in 1usize..1500, different in 1u32..4, zero: bool, pair in 0usize..PAIRS.len(), seed: u64,
        new in 0u64..100, gone in 0u64..100,
    ) {
        let (metric, element) = PAIRS[pair];
        let mut random = Random::new(seed);
        let kinds: Vec<Vec<f32>> = (0..different)
            .map(|kind| (0..6).map(|_| if zero && kind == 0 { 0.0 } else { 100.0 * random.unit() }).collect())
            .collect();
        let rows: Vec<Vec<f32>> = (0..rows).map(|_| kinds[random.below(different) as usize].clone()).collect();
        let data = Data::of(&rows, 6, element);
        let params = HnswParams { m: 4, ef_construct: 20, ef_refine: 20, ..HnswParams::default() };
        let report = grown(&data, metric, &params, shares(seed, new, gone), 2).graph.view().check();
        prop_assert!(report.is_sound(), "{report:?}");
    }
}

#[test]
fn links_of_a_damaged_graph_are_left_out() {
    let data = Data::clustered(500, 8, 4, Metric::L2, Element::F32, 3);
    let params = HnswParams::default();
    let mut old =
        build(&data.matrix(), Metric::L2, &params, &pool(2), &Control::none()).expect("not cancelled");
    let mut random = Random::new(4);
    old.base.iter_mut().for_each(|link| {
        if random.below(3) == 0 {
            *link = random.below(2_000);
        }
    });
    let rows: Vec<u32> = (0..500)
        .map(|row| if row % 7 == 0 { DROPPED } else { row })
        .collect();
    let base = Base {
        graph: old.view(),
        rows: &rows,
    };
    let graph = extend(
        &base,
        &data.matrix(),
        Metric::L2,
        &params,
        &pool(2),
        &Control::none(),
    );
    let report = graph.expect("not cancelled").view().check();
    assert!(report.is_sound(), "{report:?}");
}

#[test]
fn an_extension_stops_soon_after_it_is_cancelled() {
    let data = Data::clustered(2_000, 16, 4, Metric::L2, Element::F32, 7);
    let params = HnswParams::default();
    let old = build(&data.matrix(), Metric::L2, &params, &pool(2), &Control::none()).expect("not cancelled");
    let rows: Vec<u32> = (0..2_000)
        .map(|row| if row % 3 == 0 { DROPPED } else { row })
        .collect();
    let base = Base {
        graph: old.view(),
        rows: &rows,
    };
    let looks = std::sync::atomic::AtomicU64::new(0);
    for limit in [0, 20, 140, 400] {
        looks.store(0, std::sync::atomic::Ordering::Relaxed);
        let cancel = || looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= limit;
        let control = Control::new(&cancel, &|_, _| ());
        let result = extend(&base, &data.matrix(), Metric::L2, &params, &pool(2), &control);
        assert!(matches!(result, Err(Error::Cancelled)));
        let looks = looks.load(std::sync::atomic::Ordering::Relaxed);
        assert!(looks <= limit + 8, "work goes on after {limit} looks");
    }
}

#[test]
fn a_graph_of_other_parameters_is_refused() {
    let data = Data::clustered(50, 4, 1, Metric::L2, Element::F32, 9);
    let params = HnswParams::default();
    let old = build(&data.matrix(), Metric::L2, &params, &pool(1), &Control::none()).expect("not cancelled");
    let rows: Vec<u32> = (0..50).collect();
    let base = Base {
        graph: old.view(),
        rows: &rows,
    };
    for other in [
        HnswParams { m: 8, ..params },
        HnswParams {
            ef_construct: 100,
            ..params
        },
        HnswParams {
            quantization: Quantization::Int8,
            ..params
        },
    ] {
        let refused = extend(
            &base,
            &data.matrix(),
            Metric::L2,
            &other,
            &pool(1),
            &Control::none(),
        );
        assert!(matches!(refused, Err(Error::BadParameter { value: 16, .. })));
    }
}
