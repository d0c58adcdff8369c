use std::hash::Hasher;

use proptest::prelude::*;

use super::{SipKernel, keyed, sip_hash};
use crate::kernel::Isa;

#[test]
fn the_hash_is_that_of_the_paper() {
    let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
    let [low, high] = key;
    assert_eq!(keyed(key, &[[]]), [0x726f_db47_dd0e_0e31]);
    assert_eq!(keyed(key, &[[low]]), [0x93f5_f579_9a93_2462]);
    assert_eq!(keyed(key, &[[low, high]]), [0x3f2a_cc7f_57c2_9bdb]);
}

proptest! {
    #[test]
    fn the_hash_is_the_one_that_the_standard_library_once_had(words in any::<[u64; 4]>(), key in any::<[u64; 2]>()) {
        #[expect(deprecated, reason = "an implementation by others to compare with")]
        let mut hasher = std::hash::SipHasher::new_with_keys(key[0], key[1]);
        words.iter().for_each(|word| hasher.write(&word.to_le_bytes()));
        prop_assert_eq!(keyed(key, &[words; 3]), [hasher.finish(); 3]);
    }

    #[test]
    fn every_isa_hashes_the_same(
        numbers in prop::collection::vec(any::<[u64; 1]>(), 0..40),
        uuids in prop::collection::vec(any::<[u64; 2]>(), 0..40),
        places in 0_usize..40,
    ) {
        for kernel in Isa::ALL.into_iter().filter_map(SipKernel::with_isa) {
            is_hashed(kernel, &numbers, places)?;
            is_hashed(kernel, &uuids, places)?;
        }
    }
}

/// That as many are hashed as there are of both, one by one.
fn is_hashed<const W: usize>(
    kernel: SipKernel,
    ids: &[[u64; W]],
    places: usize,
) -> Result<(), TestCaseError> {
    let mut hashes = vec![7; places];
    kernel.hash(ids, &mut hashes);
    let mut expected: Vec<u64> = ids.iter().map(|id| sip_hash(*id)).collect();
    expected.resize(places, 7);
    prop_assert_eq!(hashes, expected, "{:?}", kernel);
    Ok(())
}
