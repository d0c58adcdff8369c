use super::*;
use crate::codes::{DotScore, SadScore, Score};
use crate::fixture::{Data, PAIRS, pool};
use proptest::prelude::*;
use vdb_sys::kernel::Kernel;
use vdb_sys::kernel::codes::CodeKernel;

/// What a graph walk would score every row.
fn coded(data: &Data, metric: Metric, query: &[u8]) -> Vec<f32> {
    let quantizer = Quantizer::train(&data.matrix(), metric);
    let codes = quantizer
        .encode(&data.matrix(), &pool(1), &Control::none())
        .expect("not cancelled");
    let mut code = QueryCode::default();
    quantizer.encode_query(query, &mut code);
    let kernel = CodeKernel::new();
    let rows = 0..data.matrix().len();
    match Scheme::of(metric) {
        Scheme::Dot => {
            let score = DotScore {
                kernel,
                codes: codes.view(),
                query: &code,
            };
            rows.map(|row| score.score(row)).collect()
        }
        Scheme::Sad => {
            let score = SadScore {
                kernel,
                codes: codes.view(),
                query: &code,
            };
            rows.map(|row| score.score(row) * quantizer.step()).collect()
        }
    }
}

fn exact(data: &Data, metric: Metric, query: &[u8]) -> Vec<f32> {
    let kernel = Kernel::new(metric, data.element);
    let half = if metric == Metric::L2 { 0.5 } else { 1.0 };
    (0..data.matrix().len())
        .map(|row| half * kernel.score(query, data.matrix().row(row).expect("a row")))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn differences_of_coded_scores_are_those_of_scores(pair in 0usize..PAIRS.len(), dim in 1usize..150, seed: u64) {
        let (metric, element) = PAIRS[pair];
        let data = Data::clustered(40, dim, 4, metric, element, seed);
        for query in data.queries.iter().take(4) {
            let (coded, exact) = (coded(&data, metric, query), exact(&data, metric, query));
            let spread = exact.iter().fold(f32::MIN, |a, &b| a.max(b)) - exact.iter().fold(f32::MAX, |a, &b| a.min(b));
            for (c, e) in coded.iter().zip(&exact) {
                // What depends on the query alone cancels in a difference.
                let error = ((c - coded[0]) - (e - exact[0])).abs();
                prop_assert!(error <= 0.03 * spread + 1e-3 * exact[0].abs() + 1e-4, "{error} of {spread}");
            }
        }
    }

    #[test]
    fn four_rows_at_once_score_like_one(dim in 1usize..150, seed: u64, metric in prop::sample::select(vec![Metric::L2, Metric::L1])) {
        let data = Data::clustered(8, dim, 2, metric, Element::F32, seed);
        let quantizer = Quantizer::train(&data.matrix(), metric);
        let codes = quantizer.encode(&data.matrix(), &pool(1), &Control::none()).expect("not cancelled");
        let mut code = QueryCode::default();
        quantizer.encode_query(&data.queries[0], &mut code);
        let (kernel, view, query) = (CodeKernel::new(), codes.view(), &code);
        let rows = [3, 0, 7, 3];
        if Scheme::of(metric) == Scheme::Dot {
            let score = DotScore { kernel, codes: view, query };
            prop_assert_eq!(score.score4(rows), rows.map(|row| score.score(row)));
        } else {
            let score = SadScore { kernel, codes: view, query };
            prop_assert_eq!(score.score4(rows), rows.map(|row| score.score(row)));
        }
    }

    #[test]
    fn any_numbers_give_finite_factors(
        rows in prop::collection::vec(prop::collection::vec(any::<f32>(), 5), 1..20),
        metric in prop::sample::select(vec![Metric::Dot, Metric::L2, Metric::L1]),
    ) {
        let data = Data::of(&rows, 5, Element::F32);
        let quantizer = Quantizer::train(&data.matrix(), metric);
        prop_assert!(quantizer.step() > 0.0 && quantizer.step().is_finite());
        let codes = quantizer.encode(&data.matrix(), &pool(1), &Control::none()).expect("not cancelled");
        for [scale, bias] in codes.view().factors() {
            prop_assert!(scale.is_finite() && bias.is_finite() && *scale >= 0.0);
        }
        let mut code = QueryCode::default();
        quantizer.encode_query(data.matrix().row(0).expect("a row"), &mut code);
        prop_assert!(code.scale.is_finite());
    }

    #[test]
    fn a_row_as_the_query_is_coded_like_the_row(dim in 1usize..100, seed: u64) {
        let data = Data::clustered(5, dim, 2, Metric::L2, Element::F32, seed);
        let quantizer = Quantizer::train(&data.matrix(), Metric::L2);
        let codes = quantizer.encode(&data.matrix(), &pool(1), &Control::none()).expect("not cancelled");
        let (mut of_query, mut of_row) = (QueryCode::default(), QueryCode::default());
        quantizer.encode_query(data.matrix().row(3).expect("a row"), &mut of_query);
        let excess = QueryCode::excess_of(codes.view().row(3));
        of_row.set_row(codes.view().row(3), excess, Scheme::Dot);
        prop_assert_eq!(of_query.signed(), of_row.signed());
        prop_assert_eq!(of_query.excess, of_row.excess);
        prop_assert_eq!(of_query.scale, codes.view().factors()[3][0]);
    }
}

#[test]
fn manhattan_distances_of_bytes_lose_nothing() {
    let data = Data::clustered(100, 70, 5, Metric::L1, Element::U8, 1);
    for query in &data.queries {
        assert_eq!(coded(&data, Metric::L1, query), exact(&data, Metric::L1, query));
    }
}

#[test]
fn codes_do_not_depend_on_the_number_of_threads() {
    let data = Data::clustered(2_000, 33, 5, Metric::L2, Element::F16, 2);
    let quantizer = Quantizer::train(&data.matrix(), Metric::L2);
    let one = quantizer
        .encode(&data.matrix(), &pool(1), &Control::none())
        .expect("not cancelled");
    let four = quantizer
        .encode(&data.matrix(), &pool(4), &Control::none())
        .expect("not cancelled");
    assert_eq!(one.view().bytes(), four.view().bytes());
    assert_eq!(one.view().factors(), four.view().factors());
}

#[test]
fn encoding_stops_when_cancelled() {
    let data = Data::clustered(1_000, 4, 2, Metric::L2, Element::F32, 3);
    let quantizer = Quantizer::train(&data.matrix(), Metric::L2);
    let control = Control::new(&|| true, &|_, _| ());
    assert!(matches!(
        quantizer.encode(&data.matrix(), &pool(2), &control),
        Err(Error::Cancelled)
    ));
}
