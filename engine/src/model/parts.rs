//! One protocol at a time, under many schedules. Atomics of `std` stand for what the checker need not switch threads at.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vdb_sys::sync::{Condvar, Mutex, explore, thread};
use vdb_wal::Lsn;

use super::join;
use crate::append_list::AppendList;
use crate::budget::Budget;
use crate::deletions::Deletions;
use crate::error::Error;
use crate::signal::{Signal, Syncer};
use crate::visibility::Visibility;

/// Writers, a log reduced to its numbers, and the horizon.
#[derive(Debug)]
struct Writes {
    last: Mutex<Lsn>,
    appended: AtomicU64,
    durable: AtomicU64,
    /// Of each record, whether it waits for a sync.
    waits: std::sync::Mutex<Vec<bool>>,
    visibility: Visibility,
}

impl Writes {
    fn new() -> Arc<Self> {
        Arc::new(Writes {
            last: Mutex::new(0),
            appended: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            waits: std::sync::Mutex::default(),
            visibility: Visibility::new(0),
        })
    }

    fn append(&self, waits: bool) -> Lsn {
        let mut last = self.last.lock();
        *last += 1;
        self.waits.lock().unwrap().push(waits);
        self.appended.store(*last, Ordering::Relaxed);
        self.visibility.applied(*last, waits);
        *last
    }

    fn sync(&self) {
        let covered = self.appended.load(Ordering::Relaxed);
        thread::yield_now();
        self.durable.fetch_max(covered, Ordering::Relaxed);
        self.visibility.synced(self.durable.load(Ordering::Relaxed));
    }

    /// What readers see now; nothing of it can a crash take back that was to be durable.
    fn look(&self) -> Lsn {
        let seen = self.visibility.get();
        let durable = self.durable.load(Ordering::Relaxed);
        let waits = self.waits.lock().unwrap();
        let exposed = (durable + 1..=seen).find(|&lsn| waits[lsn as usize - 1]);
        assert_eq!(exposed, None, "seen up to {seen}, durable up to {durable}");
        seen
    }
}

#[test]
fn the_horizon_moves_forward_and_never_past_what_waits_for_a_sync() {
    explore(40_000, || {
        let writes = Writes::new();
        let mut threads: Vec<_> = [[true, true], [false, true], [true, false]]
            .into_iter()
            .map(|kinds| {
                let writes = writes.clone();
                thread::spawn(move || {
                    for waits in kinds {
                        let lsn = writes.append(waits);
                        if waits {
                            writes.sync();
                            writes.visibility.wait(lsn).unwrap();
                            assert!(writes.look() >= lsn);
                        }
                    }
                })
            })
            .collect();
        let reading = writes.clone();
        threads.push(thread::spawn(move || {
            let mut seen = 0;
            for _ in 0..6 {
                let now = reading.look();
                assert!(now >= seen, "{seen}, then {now}");
                seen = now;
            }
        }));
        join(threads);
        writes.sync();
        assert_eq!(writes.look(), 6);
    });
}

#[test]
fn who_waits_for_the_horizon_is_woken_by_another_ones_sync_or_by_its_failure() {
    explore(40_000, || {
        let writes = Writes::new();
        let last = writes.append(true).max(writes.append(false));
        let waiters: Vec<_> = (1..=last)
            .map(|lsn| {
                let writes = writes.clone();
                thread::spawn(move || writes.visibility.wait(lsn))
            })
            .collect();
        let syncing = writes.clone();
        let synced = thread::spawn(move || syncing.sync());
        writes.visibility.poison("no medium");
        synced.join().unwrap();
        for outcome in join(waiters) {
            assert!(matches!(outcome, Ok(()) | Err(Error::Poisoned(_))));
        }
    });
}

#[test]
fn a_reader_finds_every_row_that_died_below_its_horizon() {
    explore(10_000, || {
        let deaths: [(u32, Lsn); 3] = [(0, 1), (2, 2), (1, 3)];
        let deletions = Arc::new(Deletions::new(3));
        let visibility = Arc::new(Visibility::new(0));
        let reader = {
            let (deletions, visibility) = (deletions.clone(), visibility.clone());
            thread::spawn(move || {
                for _ in 0..3 {
                    let snapshot = visibility.get();
                    // As scans do: who sees that none has died does not look at the rows.
                    let clean = deletions.is_empty();
                    for (row, died) in deaths {
                        let live = clean || deletions.is_live(row, snapshot);
                        assert_eq!(live, died > snapshot, "row {row} at {snapshot}");
                    }
                    let dead = deaths.iter().filter(|(_, died)| *died <= snapshot).count();
                    assert_eq!(deletions.dead_at(snapshot), dead as u64);
                }
            })
        };
        for (row, lsn) in deaths {
            assert!(deletions.mark(row, lsn));
            assert!(!deletions.mark(row, lsn + 10), "a row dies once");
            visibility.applied(lsn, false);
        }
        reader.join().unwrap();
    });
}

#[test]
fn a_reader_of_a_list_finds_all_below_its_length() {
    explore(10_000, || {
        let list = Arc::new(AppendList::new());
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let list = list.clone();
                thread::spawn(move || {
                    let mut longest = 0;
                    for _ in 0..4 {
                        let len = list.len();
                        assert!(len >= longest);
                        assert!((0..len).all(|i| list.get(i) == Some(&(i * 3))));
                        longest = len;
                    }
                })
            })
            .collect();
        // Past the end of the first chunk.
        for i in 0..34 {
            assert_eq!(list.push(i * 3), i);
        }
        join(readers);
    });
}

#[test]
fn no_wake_is_lost() {
    explore(40_000, || {
        let syncer = Arc::new(Syncer::default());
        let done = Arc::new((Mutex::new(0), Condvar::new()));
        let worker = {
            let (syncer, done) = (syncer.clone(), done.clone());
            thread::spawn(move || {
                while syncer.signal.sleep(None) {
                    // Wakes that come meanwhile count too.
                    syncer.signal.pause(Duration::from_millis(1));
                    *done.0.lock() = syncer.wanted.load(Ordering::Acquire);
                    done.1.notify_all();
                }
            })
        };
        let wakers: Vec<_> = (1..=3)
            .map(|lsn| {
                let syncer = syncer.clone();
                thread::spawn(move || syncer.note(lsn))
            })
            .collect();
        let mut reached = done.0.lock();
        while *reached < 3 {
            done.1.wait(&mut reached);
        }
        drop(reached);
        join(wakers);
        syncer.signal.stop();
        worker.join().unwrap();
    });
}

#[test]
fn a_thread_that_sleeps_or_pauses_hears_that_it_should_end() {
    explore(20_000, || {
        let signal = Arc::new(Signal::default());
        let sleepers: Vec<_> = [None, Some(Duration::from_millis(1))]
            .into_iter()
            .map(|limit| {
                let signal = signal.clone();
                thread::spawn(move || {
                    while signal.sleep(limit) {
                        signal.pause(Duration::MAX);
                    }
                    assert!(signal.is_stopped());
                })
            })
            .collect();
        signal.wake();
        signal.stop();
        join(sleepers);
    });
}

/// Bytes of a budget.
const LIMIT: usize = 2;

#[test]
fn writers_wait_for_room_and_get_it() {
    explore(40_000, || {
        let budget = Arc::new(Budget::new(LIMIT));
        let flusher = Arc::new(Signal::default());
        let flushing = {
            let (budget, flusher) = (budget.clone(), flusher.clone());
            thread::spawn(move || {
                while flusher.sleep(None) {
                    while budget.used() > 0 {
                        budget.free(1);
                    }
                }
            })
        };
        let writers: Vec<_> = (0..3)
            .map(|_| {
                let (budget, flusher) = (budget.clone(), flusher.clone());
                thread::spawn(move || {
                    for _ in 0..2 {
                        budget.wait(&flusher).unwrap();
                        budget.add(1);
                        // As the sequencer does: whoever was woken may find the room taken again.
                        if budget.used() >= LIMIT {
                            flusher.wake();
                        }
                    }
                })
            })
            .collect();
        join(writers);
        flusher.stop();
        flushing.join().unwrap();
    });
}

#[test]
fn writers_that_wait_for_room_are_told_when_there_will_be_none() {
    explore(20_000, || {
        let budget = Arc::new(Budget::new(1));
        let flusher = Arc::new(Signal::default());
        budget.add(1);
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let (budget, flusher) = (budget.clone(), flusher.clone());
                thread::spawn(move || budget.wait(&flusher))
            })
            .collect();
        let stuck = budget.clone();
        let failing = thread::spawn(move || {
            stuck.set_stuck(Some("the disk is full".into()));
            stuck.set_stuck(None);
        });
        budget.close();
        failing.join().unwrap();
        for outcome in join(writers) {
            assert!(matches!(
                outcome,
                Err(Error::Closed | Error::WriteBufferFull { .. })
            ));
        }
    });
}
