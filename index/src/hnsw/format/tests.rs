use super::*;
use proptest::prelude::*;

fn meta() -> impl Strategy<Value = Meta> {
    let sizes = prop::collection::vec(1u32..1000, 0..6);
    let kinds = prop::sample::select(vec![
        (Metric::Dot, Element::F32),
        (Metric::CosineU8, Element::U8),
        (Metric::L2, Element::F16),
        (Metric::L1, Element::U8),
    ]);
    (
        1000..=MAX_ROWS,
        1u32..70_000,
        2u16..=256,
        kinds,
        0.001f32..10.0,
        (any::<u64>(), 0f32..2.0, 0f32..100.0),
        sizes,
    )
        .prop_map(
            |(rows, dim, m, (metric, element), step, (seed, exponent, longest), mut sizes)| {
                sizes.sort_unstable();
                Meta {
                    rows,
                    dim,
                    params: HnswParams {
                        m,
                        seed,
                        ..HnswParams::default()
                    },
                    metric,
                    element,
                    bits: Some(if metric == Metric::L2 {
                        Bits::Four
                    } else {
                        Bits::Eight
                    }),
                    step,
                    mapped: if metric == Metric::L2 { dim.div_ceil(2) } else { 0 },
                    growth: Growth { exponent, longest },
                    encoding: dim as u8 % 2,
                    sizes,
                }
            },
        )
}

proptest! {
    #[test]
    fn meta_comes_back(meta in meta()) {
        prop_assert_eq!(Meta::decode(&meta.encode()), Ok(meta.clone()));
        prop_assert!(meta.section_lens().is_some());
    }

    #[test]
    fn any_bytes_decode_to_bounded_numbers_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Err((at, what)) = Meta::decode(&bytes) {
            prop_assert!(at <= bytes.len() && !what.is_empty());
        }
    }

    #[test]
    fn changed_bytes_are_refused_or_mean_something_sound(meta in meta(), at: prop::sample::Index, value: u8) {
        let mut bytes = meta.encode();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(changed) = Meta::decode(&bytes) {
            prop_assert_eq!(changed.encode(), bytes);
            prop_assert!(changed.rows <= MAX_ROWS && changed.params.degree() <= usize::from(MAX_DEGREE) && changed.dim > 0);
            prop_assert!(changed.sizes.last().is_none_or(|&size| size <= changed.rows));
        }
    }
}
