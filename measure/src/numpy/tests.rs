//! The expected numbers are NumPy's (2.4), printed by the calls that the tests name.

use super::*;

#[test]
fn a_seed_becomes_the_state_of_seed_sequence() {
    // numpy.random.SeedSequence(42).generate_state(4, numpy.uint64)
    let expected = [
        11465652750463011511,
        15382171918060459190,
        9018504550953525431,
        3703499796004394495,
    ];
    assert_eq!(seed_state(42), expected);
}

#[test]
fn the_generator_draws_what_pcg64_draws() {
    // numpy.random.PCG64(42).state, then .random_raw(3)
    let mut generator = Pcg64::seeded(42);
    assert_eq!(generator.state, 274674114334540486603088602300644985544);
    assert_eq!(generator.increment, 332724090758049132448979897138935081983);
    let drawn: Vec<u64> = (0..3).map(|_| generator.next_u64()).collect();
    assert_eq!(
        drawn,
        [14276969152011380360, 8095878257575067585, 15838336090824644132]
    );
}

#[test]
fn a_permutation_is_the_one_of_default_rng() {
    // numpy.random.default_rng(42).permutation(10)
    assert_eq!(permutation(42, 10), [5, 6, 0, 7, 3, 2, 4, 9, 1, 8]);
    // numpy.random.default_rng(42).permutation(1000)[:10]
    let thousand = permutation(42, 1000);
    assert_eq!(thousand[..10], [978, 933, 859, 916, 127, 608, 856, 260, 147, 810]);
}

#[test]
fn a_large_permutation_is_the_one_of_default_rng() {
    // p = numpy.random.default_rng(42).permutation(117659); p[:5], p[-1000:][:4], p[-4:]
    let rows = permutation(42, 117_659);
    assert_eq!(rows[..5], [107128, 64218, 42072, 40006, 76015]);
    assert_eq!(rows[116_659..116_663], [21406, 79238, 38856, 33030]);
    assert_eq!(rows[117_655..], [70338, 5668, 22113, 75400]);
}

#[test]
fn small_permutations_do_not_fail() {
    assert!(permutation(42, 0).is_empty());
    assert_eq!(permutation(42, 1), [0]);
}

#[test]
fn uniform_numbers_are_those_of_random() {
    // numpy.random.default_rng(1).random(4)
    let expected = [
        0.5118216247002567,
        0.9504636963259353,
        0.14415961271963373,
        0.9486494471372439,
    ];
    assert_eq!(uniform(1, 4), expected);
    // (numpy.random.default_rng(4).random(116659) < 0.001).sum()
    assert_eq!(uniform(4, 116_659).iter().filter(|x| **x < 0.001).count(), 120);
}
