//! What a script was told, and so what may be true after it was cut short.

use std::collections::BTreeMap;

use vdb::{Database, Durability};
use vdb_tests::oracle::{Dump, OracleDatabase, Step};
use vdb_vfs::sim::SimDisk;

use super::script::{Action, act, applies, commit, open};

/// What an action changes, in the order of the log or beside it.
#[derive(Clone, Debug)]
enum Event {
    /// In the log: of weak writes a power cut leaves a prefix. With the collections that it is about, by number: a
    /// name may stand for another one later.
    Logged(Vec<Step>, Vec<Option<usize>>),
    /// Committed by a swap of the catalog or a manifest: durable once acknowledged.
    Committed(Action),
}

/// What a script did and was told, and so what must be there afterwards.
#[derive(Debug, Default)]
pub(crate) struct Told {
    events: Vec<Event>,
    /// Events that failed in a way that leaves their outcome open.
    open: Vec<usize>,
    /// Logged events that must survive: all before this one.
    safe: usize,
    /// Greatest sequence number that was given, by collection.
    given: BTreeMap<usize, u64>,
    /// The log takes no more writes.
    poisoned: bool,
    /// What failed, for messages.
    failures: Vec<String>,
}

impl Told {
    /// The state if all that happened counts, but for `without`, and of what is logged only the first `logged`.
    /// `None` where later events cannot have followed.
    fn state(&self, logged: usize, without: &[usize]) -> Option<OracleDatabase> {
        let mut db = OracleDatabase::default();
        let mut place = 0;
        for (i, event) in self.events.iter().enumerate() {
            match event {
                Event::Logged(steps, _) => {
                    if place < logged && !without.contains(&i) {
                        db.apply(steps).ok()?;
                    }
                    place += 1;
                }
                Event::Committed(_) if without.contains(&i) => {}
                Event::Committed(action) if applies(&db, action) => {
                    let numbers: Vec<u64> = db.collections.iter().map(|c| c.next_seq).collect();
                    commit(&mut db, action);
                    if self.open.contains(&i) {
                        // The process that was told of a failure gave the sequence number to the next one.
                        let all = db.collections.iter_mut().zip(numbers);
                        all.for_each(|(collection, number)| collection.next_seq = number);
                    }
                }
                Event::Committed(_) => return None,
            }
        }
        Some(db)
    }

    fn logged(&self) -> usize {
        self.events
            .iter()
            .filter(|event| matches!(event, Event::Logged(..)))
            .count()
    }

    /// What the process that wrote it should see: all that was acknowledged.
    pub(crate) fn present(&self) -> OracleDatabase {
        self.state(usize::MAX, &self.open).unwrap()
    }

    /// Everything that may be found after a power cut.
    fn possible(&self) -> Vec<OracleDatabase> {
        let mut out = Vec::new();
        for logged in (self.safe..=self.logged()).rev() {
            for subset in 0..1usize << self.open.len() {
                let without: Vec<usize> = self
                    .open
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| subset & (1 << bit) != 0)
                    .map(|(_, i)| *i)
                    .collect();
                let state = self.state(logged, &without);
                if let Some(state) = state.filter(|state| !out.contains(state)) {
                    out.push(state);
                }
            }
        }
        out
    }

    /// Finds which of the possible states a database is in.
    ///
    /// # Panics
    /// When it is in none of them.
    pub(crate) fn recognise(&self, db: &Database, context: &dyn Fn() -> String) -> OracleDatabase {
        let found = Dump::read(db).unwrap_or_else(|e| panic!("{}: {e}", context()));
        let possible = self.possible();
        match possible.iter().find(|state| Dump::expect(state) == found) {
            Some(state) => state.clone(),
            None => {
                let expected = Dump::expect(&possible[0]);
                let difference = expected.difference(&found);
                panic!(
                    "{}: in none of {} possible states ({} of {} logged are safe). Expected at best and found: \
                     {difference:?}. Failed: {:?}",
                    context(),
                    possible.len(),
                    self.safe,
                    self.logged(),
                    self.failures,
                );
            }
        }
    }

    /// Checks that no sequence number is given again.
    pub(crate) fn check_sequences(
        &self,
        db: &Database,
        state: &OracleDatabase,
        context: &dyn Fn() -> String,
    ) {
        for (name, number) in &state.names {
            let last = db.collection(name).unwrap().info().unwrap().last_sequence;
            let given = self.given.get(number).copied().unwrap_or(0);
            assert!(
                last >= given,
                "{}: {name} would give {} again",
                context(),
                last + 1
            );
        }
    }

    /// Notes what a success promises.
    fn acknowledge(&mut self, state: &OracleDatabase, action: &Action, sequences: &[u64]) {
        if let Action::Write(Durability::Sync, _) | Action::Sync = action {
            self.safe = self.logged();
        }
        if let Action::Write(_, steps) = action {
            self.note(state, steps, sequences);
        }
        if let Action::Flush(name) | Action::Optimize(name) = action {
            // What a collection has in segments is safe, and with it all that was logged before.
            let number = state.number(name);
            let logged = self
                .events
                .iter()
                .enumerate()
                .filter_map(|(i, event)| match event {
                    Event::Logged(_, numbers) => Some((i, numbers)),
                    Event::Committed(_) => None,
                });
            let mine = (1..)
                .zip(logged)
                .filter(|(_, (i, numbers))| !self.open.contains(i) && numbers.contains(&number));
            self.safe = self.safe.max(mine.map(|(place, _)| place).last().unwrap_or(0));
        }
    }

    /// Notes the sequence numbers that were given; they only grow.
    fn note(&mut self, state: &OracleDatabase, steps: &[Step], sequences: &[u64]) {
        let names = steps.iter().filter_map(|step| match step {
            Step::Write(name, _) => Some(name),
            Step::Require(..) => None,
        });
        for (name, &sequence) in names.zip(sequences) {
            let given = self.given.entry(state.number(name).unwrap()).or_insert(0);
            assert!(sequence > *given, "{name}: sequence {sequence} after {given}");
            *given = sequence;
        }
    }

    /// Notes that the outcome of an action is open. But whoever is told that the log takes no more writes has
    /// written nothing; only the first to find out may have.
    fn fail(&mut self, state: &OracleDatabase, action: &Action, error: &vdb::Error) {
        let poisoned = matches!(error, vdb::Error::Poisoned(_));
        if let Some(event) = event_of(state, action).filter(|_| !(poisoned && self.poisoned)) {
            self.open.push(self.events.len());
            self.events.push(event);
        }
        self.poisoned |= poisoned;
        self.failures.push(format!("{action:?}: {error}"));
    }

    /// Nothing of what failed is seen by the process that it failed in.
    fn check_after_failure(&mut self, db: &Database, action: &Action, error: &vdb::Error) {
        let seen = Dump::read(db).unwrap();
        let changed = Dump::expect(&self.present()) != seen;
        if changed && matches!(action, Action::Index(..) | Action::DropIndex(..)) {
            // The schema has changed and building has failed: the index is there, to be built later.
            self.open.pop();
        }
        let difference = Dump::expect(&self.present()).difference(&seen);
        assert_eq!(difference, None, "after {action:?} failed: {error}");
    }
}

/// Runs a script until the disk dies; after other failures it goes on. With `faults`, failures are expected.
pub(crate) fn run(disk: &SimDisk, script: &[Action], faults: bool) -> Told {
    let mut told = Told::default();
    let db = match open(disk) {
        Ok(db) => db,
        Err(error) => {
            assert!(faults || disk.is_dead(), "{error}");
            return told;
        }
    };
    for action in script {
        let state = told.present();
        if !applies(&state, action) {
            continue;
        }
        if let Action::Write(_, steps) = action
            && let Err(refusal) = state.clone().apply(steps)
        {
            let error = act(&db, action).expect_err(&format!("{action:?}: {refusal:?}"));
            assert!(
                disk.is_dead() || faults || is_refusal(&error),
                "{action:?}: {error}"
            );
            continue;
        }
        match act(&db, action) {
            Ok(sequences) => {
                told.events.extend(event_of(&state, action));
                told.acknowledge(&state, action, &sequences);
            }
            Err(error) => {
                assert!(faults || disk.is_dead(), "{action:?}: {error}");
                told.fail(&state, action, &error);
                if disk.is_dead() {
                    break;
                }
                told.check_after_failure(&db, action, &error);
            }
        }
    }
    told
}

fn event_of(state: &OracleDatabase, action: &Action) -> Option<Event> {
    let number = |step: &Step| {
        let (Step::Write(name, _) | Step::Require(name, ..)) = step;
        state.number(name)
    };
    match action {
        Action::Write(_, steps) => Some(Event::Logged(steps.clone(), steps.iter().map(number).collect())),
        Action::Flush(_) | Action::Optimize(_) | Action::Sync => None,
        Action::Index(..)
        | Action::DropIndex(..)
        | Action::Create(_)
        | Action::Drop(_)
        | Action::Rename(..)
        | Action::Alias(..) => Some(Event::Committed(action.clone())),
    }
}

fn is_refusal(error: &vdb::Error) -> bool {
    matches!(
        error,
        vdb::Error::PointNotFound { .. }
            | vdb::Error::Conflict { .. }
            | vdb::Error::CollectionNotFound { .. }
    )
}
