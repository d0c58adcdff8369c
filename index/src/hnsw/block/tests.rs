use super::*;
use crate::fixture::{Data, pool};
use crate::hnsw::pairs::SadPairs;
use crate::quant::Quantizer;
use proptest::prelude::*;
use vdb_sys::element::Element;
use vdb_sys::kernel::Metric;
use vdb_sys::kernel::packed::Bits;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn links_stay_sorted_different_and_uncovered(
        sources in prop::collection::vec(1u32..60, 0..120), degree in 2usize..12, dim in 1usize..6, seed: u64,
    ) {
        // Bytes under the Manhattan metric: distances are exact, and equal ones are common.
        let data = Data::clustered(60, dim, 3, Metric::L1, Element::U8, seed);
        let (pool, control) = (pool(1), crate::Control::none());
        let quantizer = Quantizer::train(&data.matrix(), Metric::L1, Bits::Eight, &pool, &control).expect("not cancelled");
        let (codes, _) = quantizer.encode(&data.matrix(), &pool, &control).expect("not cancelled");
        let pairs = SadPairs { codes: codes.view() };
        let (mut code, mut distances) = (QueryCode::default(), Vec::new());
        let (mut links, mut lengths) = (vec![FREE; degree], vec![0.0; degree]);
        for source in sources {
            let mut distance = |a: u32, b: u32| -pairs.near(a, &mut code).score(b);
            let back = Back { target: 0, source, length: distance(0, source) };
            let before: Vec<u32> = links.iter().copied().take_while(|&link| link != FREE).collect();
            let covered = before.iter().any(|&link| {
                let nearer = prune::order(0, &(distance(0, link), link), &(back.length, source)) == Ordering::Less;
                nearer && distance(source, link) < back.length / 1.1
            });
            let mut block = Block { links: &mut links, lengths: &mut lengths };
            block.link_back(&back, 1.1, &pairs, &mut QueryCode::default(), &mut distances);

            let after: Vec<u32> = links.iter().copied().take_while(|&link| link != FREE).collect();
            prop_assert!(links[after.len()..].iter().all(|&link| link == FREE));
            for (&link, &length) in after.iter().zip(&lengths) {
                prop_assert_eq!(length, distance(0, link));
            }
            let near: Vec<prune::Near> = lengths.iter().copied().zip(after.iter().copied()).collect();
            prop_assert!(near.is_sorted_by(|a, b| prune::order(0, a, b) == Ordering::Less));
            prop_assert!(after.iter().all(|link| *link == source || before.contains(link)));
            if before.contains(&source) || covered {
                prop_assert_eq!(&after, &before);
            } else if before.len() < degree {
                prop_assert!(after.contains(&source));
            }
            // What is kept is what choosing anew would keep: no link covers a farther one.
            for (at, &link) in after.iter().enumerate() {
                prop_assert!(after[..at].iter().all(|&nearer| distance(nearer, link) >= lengths[at] / 1.1));
            }
        }
    }
}
