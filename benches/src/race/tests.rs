use std::cell::Cell;
use std::time::Duration;

use super::*;

/// Knows the answers to all but the last question, and counts how often it is asked.
struct Oracle {
    asked: Cell<usize>,
}

impl System for Oracle {
    type Request = u64;

    fn name(&self) -> &str {
        "oracle"
    }

    fn request(&self, question: &Question<'_>) -> Result<u64> {
        assert_eq!((question.limit, question.setting), (1, Setting::Ef(7)));
        Ok(question.vector[0] as u64)
    }

    fn ask(&self, request: u64) -> Result<Vec<u64>> {
        self.asked.set(self.asked.get() + 1);
        Ok(vec![request])
    }
}

#[test]
fn every_system_is_asked_everything_in_every_pass() {
    let oracles = [(); 2].map(|()| Oracle { asked: Cell::new(0) });
    let vectors: Vec<Vec<f32>> = (0..4).map(|x| vec![x as f32]).collect();
    let truth = [vec![0], vec![1], vec![2], vec![9]];
    let questions = Questions {
        vectors: &vectors,
        truth: &truth,
        limit: 1,
        filter: None,
    };
    let plan = Plan {
        warm_up: 2,
        passes: 3,
        time: Duration::ZERO,
    };
    let runners = oracles
        .iter()
        .map(|oracle| Runner::new(oracle, Setting::Ef(7), questions, &plan));
    let measured = race(runners.collect::<Result<_>>().unwrap(), &plan).unwrap();
    assert!(measured.iter().all(|m| m.recall == 0.75 && m.passes == 3));
    assert!(oracles.iter().all(|oracle| oracle.asked.get() == 2 + 3 * 4));
}
