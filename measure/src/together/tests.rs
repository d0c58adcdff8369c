use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const PLAN: Plan = Plan {
    warm_up: 0,
    passes: 2,
    time: Duration::ZERO,
};

#[test]
fn every_client_asks_every_question_in_every_pass() {
    let asked: Vec<AtomicUsize> = (0..7).map(|_| AtomicUsize::new(0)).collect();
    let ask = |question: usize| {
        asked[question].fetch_add(1, Ordering::Relaxed);
        Ok::<_, ()>(())
    };
    let told = in_turns(&[1, 3], 7, 0.9, &PLAN, ask).unwrap();
    let clients: Vec<usize> = told.iter().map(|one| one.clients).collect();
    assert_eq!(clients, [1, 3]);
    assert!(
        asked
            .iter()
            .all(|count| count.load(Ordering::Relaxed) == 2 * (1 + 3))
    );
    for one in told {
        assert_eq!((one.measured.recall, one.measured.passes), (0.9, 2));
        assert!(one.measured.qps > 0.0 && one.measured.p50_us <= one.measured.p99_us);
    }
}

#[test]
fn clients_ask_at_the_same_time() {
    // Each waits in its first question until the other is in one too.
    let meeting = Barrier::new(2);
    let first = [0, 2];
    let ask = |question: usize| {
        if first.contains(&question) {
            meeting.wait();
        }
        Ok::<_, ()>(())
    };
    assert_eq!(in_turns(&[2], 4, 1.0, &PLAN, ask).unwrap().len(), 1);
}

#[test]
fn a_question_that_fails_ends_the_pass() {
    let ask = |question: usize| if question == 2 { Err("no") } else { Ok(()) };
    assert_eq!(in_turns(&[1, 2], 3, 1.0, &PLAN, ask), Err("no"));
}
