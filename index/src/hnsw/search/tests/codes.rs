//! What codes nominate, and what is read of full vectors to rescore it.

use super::*;
use crate::hnsw::rescore::{ANNOUNCED, RESCORE_AHEAD};

/// Vectors that keep book of what was announced and what was read.
struct Announced<'a> {
    matrix: vdb_sys::element::MatrixView<'a>,
    said: std::cell::RefCell<Vec<u32>>,
    read: std::cell::Cell<u64>,
}

impl FullVectors for Announced<'_> {
    fn vector(&self, row: u32) -> Option<&[u8]> {
        assert!(
            self.said.borrow().contains(&row),
            "row {row} was read and not announced"
        );
        self.matrix.row(row)
    }

    fn will_read(&self, rows: impl Iterator<Item = u32>) {
        self.said.borrow_mut().extend(rows);
    }

    fn have_read(&self, rows: u64) {
        self.read.set(self.read.get() + rows);
    }
}

#[test]
fn vectors_are_announced_before_they_are_read_and_few_in_vain() {
    let data = Data::clustered(3_000, 24, 40, Metric::L2, Element::F32, 31);
    for quantization in [Quantization::Int4, Quantization::Binary] {
        let graph = coded_graph(&data, Metric::L2, quantization);
        let kernel = Kernel::new(Metric::L2, data.element);
        for query in &data.queries {
            let vectors = Announced {
                matrix: data.matrix(),
                said: Default::default(),
                read: Default::default(),
            };
            let params = SearchParams::new(10).ef(100);
            let found = search(
                graph.view(),
                &vectors,
                &kernel,
                query,
                &params,
                None::<&RowBits>,
                &mut Scratch::default(),
            );
            let said = vectors.said.borrow().len() as u64;
            assert_eq!(vectors.read.get(), found.rescored);
            assert!(said <= found.rescored + (ANNOUNCED + RESCORE_AHEAD) as u64);
        }
    }
}

#[test]
fn without_rescoring_scores_are_those_of_the_codes_and_near_the_true_ones() {
    for (metric, element) in PAIRS {
        let data = Data::clustered(2_000, 64, 20, metric, element, 5);
        let graph = coded_graph(&data, metric, Quantization::Int8);
        let kernel = Kernel::new(metric, element);
        let (mut scratch, mut off, mut spread) = (Scratch::default(), 0.0f32, 0.0f32);
        for query in &data.queries {
            let params = SearchParams {
                rescore: false,
                ..SearchParams::new(10).ef(64)
            };
            let found = search::<RowBits>(
                graph.view(),
                &data.matrix(),
                &kernel,
                query,
                &params,
                None,
                &mut scratch,
            );
            assert_eq!((found.hits.len(), found.rescored), (10, 0));
            assert!(found.hits.is_sorted_by(|a, b| a.0 >= b.0));
            for (score, row) in found.hits {
                let exact = kernel.score(query, data.matrix().row(row).expect("a row"));
                off = off.max((score - exact).abs());
                spread = spread.max(exact.abs());
            }
        }
        // Bytes in whole numbers are their own codes.
        assert!(
            off < 0.1 * spread && (off > 0.0 || element == Element::U8),
            "{metric:?} over {element:?}: {off} of {spread}"
        );
    }
}

#[test]
fn walks_that_ignore_codes_need_no_rescoring() {
    let data = Data::clustered(3_000, 64, 40, Metric::Dot, Element::F32, 11);
    let coded = coded_graph(&data, Metric::Dot, Quantization::Binary);
    let params = SearchParams {
        codes: false,
        rescore: false,
        ..SearchParams::new(10).ef(64)
    };
    let kernel = Kernel::new(Metric::Dot, Element::F32);
    for query in &data.queries {
        for (score, row) in find(&coded, &data, query, &params, None, &mut Scratch::default()) {
            assert_eq!(score, kernel.score(query, data.matrix().row(row).expect("a row")));
        }
    }
    assert!(mean_recall(&data, Metric::Dot, &coded, &params, None) > 0.9);
}

#[test]
fn nominees_are_what_a_search_rescores_and_there_are_none_without_codes() {
    let data = Data::clustered(2_000, 32, 40, Metric::L2, Element::F32, 11);
    let coded = graph(&data, Metric::L2);
    let bare = coded_graph(&data, Metric::L2, Quantization::Off);
    let half = RowBits::from_rows(2_000, (0..2_000).filter(|row| row % 2 == 0));
    let (mut scratch, control) = (Scratch::default(), Control::none());
    let params = SearchParams::new(20);
    for query in &data.queries {
        for filter in [None, Some(&half)] {
            let nominated = nominees(coded.view(), query, &params, (filter, &control), &mut scratch);
            assert!(!nominated.damaged && !nominated.stopped && nominated.scored > 0);
            assert_eq!((nominated.hits.len(), nominated.rescored), (20, 0));
            assert!(nominated.hits.is_sorted_by(|a, b| a.0 >= b.0));
            let rows = |hits: &[(f32, u32)]| hits.iter().map(|hit| hit.1).collect::<Vec<u32>>();
            let rows_nominated = rows(&nominated.hits);
            assert!(filter.is_none_or(|filter| rows_nominated.iter().all(|&row| filter.contains(row))));
            // The best few of a search are among those that codes rank best.
            let few = SearchParams { k: 3, ..params };
            let filter = filter.map(|filter| filter as &dyn RowFilter);
            let found = rows(&find(&coded, &data, query, &few, filter, &mut scratch));
            let shared = found.iter().filter(|row| rows_nominated.contains(row)).count();
            assert!(shared >= 2, "{found:?} of {rows_nominated:?}");
        }
        let none = nominees(
            bare.view(),
            query,
            &params,
            (None::<&RowBits>, &control),
            &mut scratch,
        );
        assert!(none.damaged && none.hits.is_empty());
    }
    let stop = || true;
    let stopped = Control::cancelled_by(&stop);
    let among = (None::<&RowBits>, &stopped);
    // Wide enough to be asked whether to go on.
    let wide = params.ef(1_000);
    let found = nominees(coded.view(), &data.queries[0], &wide, among, &mut scratch);
    assert!(found.stopped && found.hits.is_empty());
    // What was stopped leaves nothing behind.
    let found = nominees(
        coded.view(),
        &data.queries[0],
        &params,
        (None::<&RowBits>, &control),
        &mut scratch,
    );
    assert_eq!(found.hits.len(), 20);
}
