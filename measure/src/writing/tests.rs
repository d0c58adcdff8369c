use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[test]
fn every_batch_is_written_once_by_writers_that_write_at_the_same_time() {
    let sum = AtomicUsize::new(0);
    // Each of the first two waits in its write until the other is in one too.
    let meeting = Barrier::new(2);
    let write = |batch: usize| {
        if batch < 2 {
            meeting.wait();
        }
        sum.fetch_add(batch, Ordering::Relaxed);
        Ok::<_, ()>(())
    };
    let written = hand_in((0..10).collect(), 2, || true, write).unwrap();
    assert_eq!((written.micros.len(), sum.into_inner()), (10, 45));
    assert!(written.time > Duration::ZERO);
}

#[test]
fn writers_stop_when_they_are_told_and_what_was_written_counts() {
    let count = AtomicUsize::new(0);
    let go_on = || count.load(Ordering::Relaxed) < 3;
    let write = |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok::<_, ()>(())
    };
    let written = hand_in(vec![(); 10], 1, go_on, write).unwrap();
    let load = Load { batch: 4, writers: 1 };
    let line = IngestLine::default().written(load, 38, &written);
    assert_eq!((line.rows, line.batch, line.writers), (12, 4, 1));
    let all = Written {
        time: Duration::from_millis(500),
        micros: vec![1.0; 10],
    };
    let line = IngestLine::default().written(load, 38, &all);
    assert_eq!(
        (line.rows, line.seconds, line.vectors_per_s, line.p99_us),
        (38, 0.5, 76.0, 1.0)
    );
}

#[test]
fn a_write_that_fails_ends_the_measurement() {
    let write = |batch: usize| if batch == 2 { Err("full") } else { Ok(()) };
    assert_eq!(hand_in(vec![1, 2, 3], 2, || true, write), Err("full"));
}
