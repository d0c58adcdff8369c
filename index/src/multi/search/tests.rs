use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use vdb_sys::element::Element;
use vdb_sys::kernel::Metric;
use vdb_vfs::MemDisk;

use super::*;
use crate::fixture::{Unlisted, pool, recall};
use crate::hnsw::{Base, Graph, GraphFile, HnswParams};
use crate::multi::fixture::Multis;
use crate::multi::{FdeParams, build, encode_all, extend, graph_params, open};
use crate::{Error, Quantization, RowBits};

const PARAMS: FdeParams = FdeParams {
    repetitions: 8,
    bits: 3,
    projected: 8,
    seed: 0,
};

fn fde(set: &Multis, params: FdeParams) -> Fde {
    Fde::new(set.dim, set.kernel.element(), set.kernel.metric(), params).unwrap()
}

fn graph(set: &Multis, fde: &Fde, threads: usize) -> Graph {
    let rows = set.rows.len() as u32;
    build(
        fde,
        set,
        rows,
        &HnswParams::default(),
        &pool(threads),
        &Control::none(),
    )
    .unwrap()
}

fn ask(
    set: &Multis,
    (fde, graph): (&Fde, &Graph),
    query: &[u8],
    params: &MultiParams,
    filter: Option<&dyn RowFilter>,
) -> MultiFound {
    let query = MaxSim::new(set.kernel, query, set.vector_bytes());
    let mut scratch = MultiScratch::default();
    let control = Control::none();
    search(
        graph.view(),
        (fde, set),
        &query,
        params,
        filter,
        &control,
        &mut scratch,
    )
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_found_is_there_allowed_ordered_and_has_its_canonical_score(
        rows in 1u32..150, most in 1u32..9, dim in 1usize..12, gaps in 0u32..4, k in 0usize..20, share in 1u32..5,
        kind in 0usize..4, seed: u64,
    ) {
        let kind = [
            (Metric::Dot, Element::F32), (Metric::Dot, Element::F16),
            (Metric::Dot, Element::U8), (Metric::CosineU8, Element::U8),
        ][kind];
        let set = Multis::draw((rows, most), dim, 6, gaps, kind, seed);
        let fde = fde(&set, PARAMS);
        let graph = graph(&set, &fde, 1);
        let bits = RowBits::from_rows(rows, (0..rows).filter(|row| row % 4 < share));
        let unlisted = Unlisted(bits.clone());
        for query in set.queries.iter().take(3) {
            for filter in [None, Some(&bits as &dyn RowFilter), Some(&unlisted)] {
                let all = set.brute(query, usize::MAX, filter);
                let found = ask(&set, (&fde, &graph), query, &MultiParams::new(k), filter);
                prop_assert!(!found.damaged);
                prop_assert!(found.hits.iter().all(|hit| all.contains(hit)));
                prop_assert!(found.hits.is_sorted_by(|a, b| a.0 > b.0 || (a.0 == b.0 && a.1 < b.1)));
                // As many candidates as rows: nothing is left out.
                let whole = MultiParams { candidates: rows as usize, ef: rows as usize, ..MultiParams::new(k) };
                let found = ask(&set, (&fde, &graph), query, &whole, filter);
                prop_assert_eq!(found.hits, set.brute(query, k, filter));
            }
        }
    }
}

#[test]
fn most_of_the_nearest_are_among_the_candidates() {
    // Bytes are all near one direction, so that products differ little from each other.
    for (kind, least) in [
        ((Metric::Dot, Element::F32), 0.9),
        ((Metric::Dot, Element::F16), 0.9),
        ((Metric::CosineU8, Element::U8), 0.6),
    ] {
        let set = Multis::draw((3000, 12), 24, 300, 10, kind, 7);
        let fde = fde(&set, FdeParams::default());
        let graph = graph(&set, &fde, 2);
        let half = RowBits::from_rows(3000, (0..3000).filter(|row| row % 2 == 0));
        for filter in [None, Some(&half as &dyn RowFilter)] {
            let mut sum = 0.0;
            for query in &set.queries {
                let truth = set.brute(query, 10, filter);
                let found = ask(&set, (&fde, &graph), query, &MultiParams::new(10), filter);
                assert!(found.compared <= 300 && found.compared >= 150 && found.scored > 0);
                sum += recall(&found.hits, &truth);
            }
            let recall = sum / set.queries.len() as f64;
            assert!(recall > least, "{kind:?}, {}: {recall}", filter.is_some());
        }
    }
}

#[test]
fn the_graph_is_the_same_however_many_threads_build_it_and_its_file_answers_alike() {
    let set = Multis::draw((400, 6), 8, 40, 5, (Metric::Dot, Element::F32), 3);
    let fde = fde(&set, PARAMS);
    let (one, three) = (graph(&set, &fde, 1), graph(&set, &fde, 3));
    let disk = MemDisk::new();
    let infos = [(&one, "one"), (&three, "three")].map(|(graph, path)| graph.write(&disk, path).unwrap());
    assert_eq!(infos[0], infos[1]);
    let file = open(&disk, "one", 400, fde.coordinates()).unwrap();
    let mut scratch = MultiScratch::default();
    for query in &set.queries {
        let params = MultiParams::new(5);
        let expected = ask(&set, (&fde, &one), query, &params, None);
        let query = MaxSim::new(set.kernel, query, set.vector_bytes());
        let (of, control) = ((&fde, &set), Control::none());
        let found = search(file.view(), of, &query, &params, None, &control, &mut scratch).unwrap();
        assert_eq!(found, expected);
    }
    // Another dimension is another file.
    let other = open(&disk, "one", 400, fde.coordinates() + 1);
    assert!(other.is_err());
    // So is one over rows that are as they were written.
    let plain = GraphFile::open(&disk, "one", 400, fde.coordinates(), &Fde::graph_kernel());
    assert!(plain.is_err());
}

#[test]
fn without_codes_is_with_those_of_eight_bits() {
    let set = Multis::draw((50, 6), 8, 10, 0, (Metric::Dot, Element::F32), 3);
    let fde = fde(&set, PARAMS);
    let built = |quantization| {
        let params = HnswParams {
            quantization,
            ..HnswParams::default()
        };
        let graph = build(&fde, &set, 50, &params, &pool(1), &Control::none()).unwrap();
        let disk = MemDisk::new();
        graph.write(&disk, "graph").unwrap()
    };
    assert_eq!(built(Quantization::Off), built(Quantization::Int8));
}

#[test]
fn long_work_ends_when_it_is_told_to() {
    let set = Multis::draw((300, 6), 8, 10, 0, (Metric::Dot, Element::F32), 3);
    let fde = fde(&set, PARAMS);
    let stop = || true;
    let control = Control::cancelled_by(&stop);
    let encoded = encode_all(&fde, &set, 300, &pool(2), &control);
    assert!(matches!(encoded, Err(Error::Cancelled)));
    let graph = graph(&set, &fde, 1);
    let query = MaxSim::new(set.kernel, &set.queries[0], set.vector_bytes());
    let params = MultiParams::new(10);
    let mut scratch = MultiScratch::default();
    // At every look of a search.
    for last in 0..40 {
        let looks = AtomicU32::new(0);
        let stop = || looks.fetch_add(1, Ordering::Relaxed) >= last;
        let control = Control::cancelled_by(&stop);
        let found = search(
            graph.view(),
            (&fde, &set),
            &query,
            &params,
            None,
            &control,
            &mut scratch,
        );
        assert!(matches!(found, Err(Error::Cancelled)), "{last}");
    }
}

#[test]
fn rows_that_cannot_be_read_are_an_error() {
    let mut set = Multis::draw((20, 6), 8, 10, 0, (Metric::Dot, Element::F32), 3);
    let fde = fde(&set, PARAMS);
    let graph = graph(&set, &fde, 1);
    set.rows.iter_mut().for_each(|row| *row = Some(vec![1; 5]));
    let query = MaxSim::new(set.kernel, &set.queries[0], set.vector_bytes());
    let found = search(
        graph.view(),
        (&fde, &set),
        &query,
        &MultiParams::new(3),
        None,
        &Control::none(),
        &mut MultiScratch::default(),
    );
    assert!(matches!(found, Err(Error::MultiVector { bytes: 5, .. })));
}

#[test]
fn a_graph_that_was_grown_answers_for_all_rows() {
    let set = Multis::draw((600, 6), 12, 60, 0, (Metric::Dot, Element::F32), 5);
    let fde = fde(&set, PARAMS);
    // Over the first 400, of which every fifth is dropped: the others move up.
    let first = build(
        &fde,
        &set,
        400,
        &HnswParams::default(),
        &pool(1),
        &Control::none(),
    )
    .unwrap();
    let mut kept = Multis::draw((0, 1), 12, 1, 0, (Metric::Dot, Element::F32), 0);
    let mut places = Vec::new();
    for (row, document) in set.rows.iter().enumerate() {
        let dropped = row < 400 && row % 5 == 0;
        if row < 400 {
            places.push(if dropped { u32::MAX } else { kept.rows.len() as u32 });
        }
        if !dropped {
            kept.rows.push(document.clone());
        }
    }
    let rows = kept.rows.len() as u32;
    let base = Base {
        graph: first.view(),
        rows: &places,
    };
    let params = HnswParams::default();
    let grown = extend(&base, (&fde, &kept), rows, &params, &pool(2), &Control::none()).unwrap();
    assert_eq!(grown.view().params(), graph_params(&params));
    let mut sum = 0.0;
    for query in &set.queries {
        let found = ask(&kept, (&fde, &grown), query, &MultiParams::new(10), None);
        sum += recall(&found.hits, &kept.brute(query, 10, None));
    }
    assert!(sum / set.queries.len() as f64 > 0.9, "{sum}");
    let other = HnswParams { m: 8, ..params };
    let refused = extend(&base, (&fde, &kept), rows, &other, &pool(1), &Control::none());
    assert!(matches!(refused, Err(Error::BadParameter { .. })));
}
