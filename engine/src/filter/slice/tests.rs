use proptest::prelude::*;
use vdb_storage::PointId;

use super::{Parts, Slice};

proptest! {
    #[test]
    fn rows_of_a_slice_are_those_of_its_points(
        numbers in proptest::collection::vec(any::<u64>(), 0..200),
        uuids in proptest::collection::vec(any::<[u8; 16]>(), 0..200),
        total in prop_oneof![1_u32..9, any::<u32>().prop_map(|total| total.max(1))], index in any::<u32>(),
    ) {
        let slice = Slice { total, index: index % total };
        let ids = numbers.iter().map(|number| PointId::Num(*number));
        let ids = ids.chain(uuids.iter().map(|uuid| PointId::Uuid(uuid::Uuid::from_bytes(*uuid))));
        let expected: Vec<u32> = (0..).zip(ids).filter(|(_, id)| slice.contains(*id)).map(|(row, _)| row).collect();
        prop_assert_eq!(slice.rows_among(&numbers, &uuids).iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_slice_is_what_is_left_by_a_division(
        hash in any::<u64>(), near in 0_u64..40, total in prop_oneof![1_u32..9, any::<u32>(), (0..32_u32).prop_map(|bits| 1 << bits)],
        index in any::<u32>(),
    ) {
        let total = total.max(1);
        let index = index % total;
        let parts = Parts::of(Slice { total, index });
        let (total, index) = (u64::from(total), u64::from(index));
        let multiple = (hash / total * total).wrapping_add(index);
        for hash in [hash, near, u64::MAX - near, multiple, multiple.wrapping_add(near), multiple.wrapping_sub(near)] {
            prop_assert_eq!(parts.holds(hash), hash % total == index, "{} in {} of {}", hash, index, total);
        }
    }

    #[test]
    fn every_point_is_in_one_slice_and_finer_slices_lie_within_coarser(
        number in any::<u64>(), uuid in any::<u128>(), total in 1_u32..50, times in 1_u32..5,
    ) {
        for id in [PointId::Num(number), PointId::Uuid(uuid::Uuid::from_u128(uuid))] {
            let of = |total: u32| {
                let slices = (0..total).filter(|&index| Slice { total, index }.contains(id));
                slices.collect::<Vec<_>>()
            };
            let (coarse, fine) = (of(total), of(total * times));
            prop_assert_eq!((coarse.len(), fine.len()), (1, 1));
            prop_assert_eq!(fine[0] % total, coarse[0]);
        }
    }
}
