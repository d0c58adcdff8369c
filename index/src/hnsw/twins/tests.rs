use super::*;
use crate::Control;
use crate::fixture::{Data, Random, pool};
use crate::hnsw::links::Links;
use crate::quant::Quantizer;
use proptest::prelude::*;
use vdb_sys::element::Element;
use vdb_sys::kernel::Metric;
use vdb_sys::kernel::packed::Bits;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn each_row_is_a_first_one_or_the_twin_of_an_earlier_equal(kinds in 1u32..40, rows in 0usize..120, seed: u64) {
        let mut random = Random::new(seed);
        let of: Vec<u32> = (0..rows).map(|_| random.below(kinds)).collect();
        let vectors: Vec<Vec<f32>> = of.iter().map(|&kind| vec![kind as f32, 1.0, (kind % 3) as f32]).collect();
        let data = Data::of(&vectors, 3, Element::U8);
        let (pool, control) = (pool(2), Control::none());
        let quantizer = Quantizer::train(&data.matrix(), Metric::L1, Bits::Eight, &pool, &control).expect("not cancelled");
        let (codes, _) = quantizer.encode(&data.matrix(), &pool, &control).expect("not cancelled");
        let original: Vec<u32> = (0..rows as u32).rev().collect();
        let mut order = original.clone();
        let twins = split(codes.view(), &mut order, &pool);

        let firsts = order.len() - twins.len();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..rows as u32).collect::<Vec<_>>());
        prop_assert!(order[..firsts].is_sorted_by(|a, b| a > b), "the order of the first ones changed");
        for (at, twin) in twins.iter().enumerate() {
            prop_assert_eq!(order[firsts + at], twin.row);
            prop_assert_eq!(of[twin.first as usize], of[twin.row as usize]);
            prop_assert!(order[..firsts].contains(&twin.first) && twin.first > twin.row);
        }
        let distinct: std::collections::HashSet<u32> = of.iter().copied().collect();
        prop_assert_eq!(distinct.len(), firsts);
    }

    #[test]
    fn every_twin_hangs_below_its_first_row(twins in 1u32..200, degree in 4usize..32, others in 0usize..32) {
        // Row 0 with links to rows that follow its twins.
        let others = others.min(degree);
        let mut links = vec![FREE; (twins as usize + 1 + others) * degree];
        (0..others).for_each(|at| links[at] = twins + 1 + at as u32);
        let list: Vec<Twin> = (1..=twins).map(|row| Twin { first: 0, row }).collect();
        attach(&list, &mut links, degree);

        let view = Links { blocks: &links, degree };
        let mut reached = std::collections::HashSet::from([0]);
        let mut stack = vec![0];
        while let Some(node) = stack.pop() {
            let own: Vec<u32> = view.of(node).collect();
            let distinct: std::collections::HashSet<u32> = own.iter().copied().collect();
            prop_assert!(distinct.len() == own.len() && !distinct.contains(&node));
            stack.extend(own.into_iter().filter(|&link| reached.insert(link)));
        }
        prop_assert!((0..=twins).all(|row| reached.contains(&row)));
        for row in (1..=twins).take(3) {
            prop_assert!(view.of(row).any(|link| link == 0), "no way up");
        }
    }
}
