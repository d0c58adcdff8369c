//! Does the engine do what a plain map of points would? Random operations on both, all distances and element types.
//!
//! `VDB_CASES` sets how many sequences are tried for each combination, `VDB_SEED` where the random numbers start. A
//! failure prints both and the shortest sequence that shows it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod action;
mod kinds;
mod machine;
mod query;

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use machine::Machine;
use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use vdb_tests::Numbers;
use vdb_tests::effort::{each, setting};

fn try_combination(combination: usize, cases: u32, seed: u64) -> Rc<query::Recall> {
    let numbers = &mut Numbers::new(seed.wrapping_mul(12) + combination as u64);
    let bytes: Vec<u8> = (0..4).flat_map(|_| numbers.bits().to_le_bytes()).collect();
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let recall = Rc::new(query::Recall::default());
    let outcome = runner.run(&vec(action::action(), 20..60), |actions| {
        let mut machine = Machine::new(combination, recall.clone());
        for (n, action) in (0u64..).zip(&actions) {
            machine.act(action);
            if n % 4 == 0 || n + 1 == actions.len() as u64 {
                machine.check_all(n);
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("VDB_SEED={seed}, combination {combination}: {failure}");
    }
    recall
}

#[test]
fn random_operations_do_to_the_engine_what_they_do_to_a_plain_map() {
    let (cases, seed) = (setting("VDB_CASES", 80) as u32, setting("VDB_SEED", 1));
    println!("VDB_SEED={seed} VDB_CASES={cases}");
    let combinations: Vec<usize> = (0..12).collect();
    let walked = AtomicU64::new(0);
    each(&combinations, |&combination| {
        let recall = try_combination(combination, cases, seed);
        walked.fetch_add(recall.walked(), Ordering::Relaxed);
        let (found, wanted) = recall.share();
        let missed = wanted - found.min(wanted);
        assert!(
            missed * 20 <= wanted,
            "combination {combination}: {found} of {wanted} nearest found"
        );
    });
    assert!(
        walked.into_inner() > 0 || cases < 80,
        "no graph of a payload value was walked"
    );
}
