use super::*;
use crate::codes::{DotScore, SadScore, Score, factors};
use crate::fixture::{Data, PAIRS, pool};
use proptest::prelude::*;
use vdb_sys::kernel::Kernel;
use vdb_sys::kernel::packed::PackedKernel;

fn trained(data: &Data, metric: Metric, bits: Bits, threads: usize) -> (Quantizer, Codes) {
    let (pool, control) = (pool(threads), Control::none());
    let quantizer = Quantizer::train(&data.matrix(), metric, bits, &pool, &control).expect("not cancelled");
    let (codes, _) = quantizer
        .encode(&data.matrix(), &pool, &control)
        .expect("not cancelled");
    (quantizer, codes)
}

/// What a graph walk would score every row.
fn coded(data: &Data, metric: Metric, bits: Bits, query: &[u8]) -> Vec<f32> {
    let (quantizer, codes) = trained(data, metric, bits, 1);
    let mut code = QueryCode::default();
    quantizer.encode_query(query, &mut code);
    let rows = 0..data.matrix().len();
    match Scheme::of(metric) {
        Scheme::Dot => {
            let score = DotScore::new(codes.view(), &code);
            rows.map(|row| score.score(row)).collect()
        }
        Scheme::Sad => {
            let score = SadScore::new(codes.view(), &code);
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
            let (coded, exact) = (coded(&data, metric, Bits::Eight, query), exact(&data, metric, query));
            let spread = exact.iter().fold(f32::MIN, |a, &b| a.max(b)) - exact.iter().fold(f32::MAX, |a, &b| a.min(b));
            for (c, e) in coded.iter().zip(&exact) {
                // What depends on the query alone cancels in a difference.
                let error = ((c - coded[0]) - (e - exact[0])).abs();
                prop_assert!(error <= 0.03 * spread + 1e-3 * exact[0].abs() + 1e-4, "{error} of {spread}");
            }
        }
    }

    #[test]
    fn fewer_bits_err_more_and_never_far(
        dim in 60usize..200,
        seed: u64,
        metric in prop::sample::select(vec![Metric::Dot, Metric::L2]),
    ) {
        let data = Data::clustered(400, dim, 4, metric, Element::F32, seed);
        let query = &data.queries[0];
        let exact = exact(&data, metric, query);
        let spread = exact.iter().fold(f32::MIN, |a, &b| a.max(b)) - exact.iter().fold(f32::MAX, |a, &b| a.min(b));
        for (bits, most) in [(Bits::Four, 0.05), (Bits::Two, 0.15), (Bits::One, 0.3)] {
            let coded = coded(&data, metric, bits, query);
            let shift = coded.iter().zip(&exact).map(|(c, e)| f64::from(c - e)).sum::<f64>() / 400.0;
            let squares = coded.iter().zip(&exact).map(|(c, e)| (f64::from(c - e) - shift).powi(2));
            let error = (squares.sum::<f64>() / 400.0).sqrt();
            prop_assert!(error <= most * f64::from(spread) + 1e-4, "{bits:?}: {error} of {spread}");
        }
    }

    #[test]
    fn four_rows_at_once_score_like_one(
        dim in 1usize..150,
        seed: u64,
        bits in prop::sample::select(Bits::ALL.to_vec()),
        metric in prop::sample::select(vec![Metric::L2, Metric::L1]),
    ) {
        let data = Data::clustered(8, dim, 2, metric, Element::F32, seed);
        let (quantizer, codes) = trained(&data, metric, bits, 1);
        let mut code = QueryCode::default();
        quantizer.encode_query(&data.queries[0], &mut code);
        let rows = [3, 0, 7, 3];
        if Scheme::of(metric) == Scheme::Dot {
            let score = DotScore::new(codes.view(), &code);
            prop_assert_eq!(score.score4(rows), rows.map(|row| score.score(row)));
        } else {
            let score = SadScore::new(codes.view(), &code);
            prop_assert_eq!(score.score4(rows), rows.map(|row| score.score(row)));
        }
    }

    #[test]
    fn any_numbers_give_finite_factors(
        rows in prop::collection::vec(prop::collection::vec(any::<f32>(), 5), 1..20),
        bits in prop::sample::select(Bits::ALL.to_vec()),
        metric in prop::sample::select(vec![Metric::Dot, Metric::L2, Metric::L1]),
    ) {
        let data = Data::of(&rows, 5, Element::F32);
        let (quantizer, codes) = trained(&data, metric, bits, 1);
        prop_assert!(quantizer.step() > 0.0 && quantizer.step().is_finite());
        if Scheme::of(metric) == Scheme::Dot {
            for row in 0..codes.view().len() {
                let [scale, bias] = factors(codes.view().row(row));
                prop_assert!(scale.is_finite() && bias.is_finite() && scale >= 0.0);
            }
        }
        let mut code = QueryCode::default();
        quantizer.encode_query(data.matrix().row(0).expect("a row"), &mut code);
        prop_assert!(code.scale.is_finite());
    }

    #[test]
    fn a_row_as_the_query_scores_as_its_values_say(
        dim in 1usize..300,
        seed: u64,
        bits in prop::sample::select(Bits::ALL.to_vec()),
    ) {
        let data = Data::clustered(5, dim, 2, Metric::L2, Element::F32, seed);
        let (quantizer, codes) = trained(&data, Metric::L2, bits, 1);
        let (view, layout) = (codes.view(), quantizer.layout());
        let (step, zero) = layout.values();
        let values = |row: u32| -> Vec<i32> {
            (0..layout.codes())
                .map(|at| {
                    let byte = view.row(row)[at % layout.payload()];
                    let shift = (at / layout.payload()) as u32 * bits.get();
                    step * i32::from(byte >> shift & (u8::MAX >> (8 - bits.get()))) - zero
                })
                .collect()
        };
        let (own, mut code) = (values(3), QueryCode::default());
        code.set_row(view.row(3), layout);
        let kernel = PackedKernel::new(bits);
        for row in 0..view.len() {
            let expected: i32 = values(row).iter().zip(&own).map(|(a, b)| a * b).sum();
            prop_assert_eq!(code.products(kernel.dot(view.row(row), code.signed())), expected as f32);
        }
    }
}

#[test]
fn manhattan_distances_of_bytes_lose_nothing() {
    let data = Data::clustered(100, 70, 5, Metric::L1, Element::U8, 1);
    for query in &data.queries {
        assert_eq!(
            coded(&data, Metric::L1, Bits::Eight, query),
            exact(&data, Metric::L1, query)
        );
    }
}

#[test]
fn codes_do_not_depend_on_the_number_of_threads() {
    let data = Data::clustered(2_000, 33, 5, Metric::L2, Element::F16, 2);
    for bits in Bits::ALL {
        let (one, four) = (
            trained(&data, Metric::L2, bits, 1),
            trained(&data, Metric::L2, bits, 4),
        );
        assert_eq!(one.0, four.0);
        assert_eq!(one.1.view().bytes(), four.1.view().bytes());
    }
}

#[test]
fn encoding_stops_when_cancelled() {
    let data = Data::clustered(1_000, 4, 2, Metric::L2, Element::F32, 3);
    let (quantizer, _) = trained(&data, Metric::L2, Bits::Eight, 1);
    let control = Control::new(&|| true, &|_, _| ());
    assert!(matches!(
        quantizer.encode(&data.matrix(), &pool(2), &control),
        Err(Error::Cancelled)
    ));
}
