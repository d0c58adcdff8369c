//! What a script was told, and so what may be true after it was cut short.

use std::collections::BTreeMap;
use std::sync::Arc;

use vdb::{Database, Durability};

use super::script::{Action, config, links, named};
use crate::oracle::{Dump, OracleCollection, OracleDatabase, Step};

/// What an action changes, in the order of the log or beside it.
#[derive(Clone, Debug)]
enum Event {
    /// In the log: of weak writes a power cut leaves a prefix. With the collections that it is about, by number: a
    /// name may stand for another one later.
    Logged(Vec<Step>, Vec<Option<usize>>),
    /// Committed by a swap of the catalog or a manifest: durable once acknowledged.
    Committed(Action),
    /// As `Committed`: a collection comes from a snapshot of this content.
    Restored(String, Arc<OracleCollection>),
}

/// What a script did and was told, and so what must be there afterwards.
#[derive(Debug, Default)]
pub struct Told {
    events: Vec<Event>,
    /// What the process that wrote it should see.
    present: OracleDatabase,
    /// What is certain: the state after the first so many events, and how many of those are in the log.
    certain: (OracleDatabase, usize, usize),
    /// The last snapshot.
    snapshot: Option<Arc<OracleCollection>>,
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
        let (mut db, first, mut place) = self.certain.clone();
        for (i, event) in self.events.iter().enumerate().skip(first) {
            match event {
                Event::Logged(steps, _) => {
                    if place < logged && !without.contains(&i) {
                        db.apply(steps).ok()?;
                    }
                    place += 1;
                }
                Event::Committed(_) | Event::Restored(..) if without.contains(&i) => {
                    skip_number(&mut db, event)
                }
                Event::Committed(action) if applies(&db, action) => {
                    let numbers: Vec<u64> = db.collections.iter().map(|c| c.next_seq).collect();
                    commit(&mut db, action);
                    if self.open.contains(&i) {
                        // The process that was told of a failure gave the sequence number to the next one.
                        for (collection, number) in db.collections.iter_mut().zip(numbers) {
                            if collection.next_seq != number {
                                Arc::make_mut(collection).next_seq = number;
                            }
                        }
                    }
                }
                Event::Restored(name, content) if !db.aliases.contains_key(name) => {
                    db.restore(name, (**content).clone());
                }
                Event::Committed(_) | Event::Restored(..) => return None,
            }
        }
        Some(db)
    }

    fn logged(&self) -> usize {
        let after = self.events[self.certain.1..].iter();
        self.certain.2 + after.filter(|event| matches!(event, Event::Logged(..))).count()
    }

    /// What the process that wrote it should see: all that was acknowledged.
    pub fn present(&self) -> &OracleDatabase {
        &self.present
    }

    /// Everything that may be found after a power cut, the best first.
    fn possible(&self) -> impl Iterator<Item = OracleDatabase> {
        (self.safe..=self.logged()).rev().flat_map(move |logged| {
            (0..1usize << self.open.len()).filter_map(move |subset| {
                let without: Vec<usize> = (0..)
                    .zip(&self.open)
                    .filter_map(|(bit, &i)| (subset & (1 << bit) != 0).then_some(i))
                    .collect();
                self.state(logged, &without)
            })
        })
    }

    /// Finds which of the possible states a database is in.
    ///
    /// # Panics
    /// When it is in none of them.
    pub fn recognise(&self, db: &Database, context: &dyn Fn() -> String) -> OracleDatabase {
        let found = Dump::read(db).unwrap_or_else(|e| panic!("{}: {e}", context()));
        match self.possible().find(|state| Dump::expect(state) == found) {
            Some(state) => state,
            None => {
                let best = self.possible().next();
                let difference = best.and_then(|best| Dump::expect(&best).difference(&found));
                panic!(
                    "{}: in none of {} possible states ({} of {} logged are safe). Expected at best and found: \
                     {difference:?}. Failed: {:?}",
                    context(),
                    self.possible().count(),
                    self.safe,
                    self.logged(),
                    self.failures,
                );
            }
        }
    }

    /// Checks that no sequence number is given again.
    pub fn check_sequences(&self, db: &Database, state: &OracleDatabase, context: &dyn Fn() -> String) {
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

    /// Notes that an action succeeded, and what that promises.
    pub(super) fn succeed(&mut self, action: &Action, sequences: &[u64]) {
        let state = self.present.clone();
        if let Some(event) = self.event_of(action) {
            self.take(&event);
            self.events.push(event);
        }
        match action {
            Action::Write(durability, steps) => {
                self.note(&state, steps, sequences);
                if *durability == Durability::Sync {
                    self.secure();
                }
            }
            Action::Sync => self.secure(),
            Action::Flush(name) | Action::Optimize(name) | Action::Snapshot(name) => {
                self.secure_until(state.number(name));
            }
            Action::Restore(name) => {
                // Nobody who has seen a number of the collection that made way shall see it again.
                let given = state
                    .names
                    .get(*name)
                    .and_then(|old| self.given.get(old))
                    .copied();
                if let (Some(given), Some(new)) = (given, self.present.names.get(*name)) {
                    self.given.insert(*new, given);
                }
            }
            Action::Index(..)
            | Action::DropIndex(..)
            | Action::CreateVector(..)
            | Action::DropVector(..)
            | Action::Configure(..)
            | Action::Create(_)
            | Action::Drop(_)
            | Action::Rename(..)
            | Action::Alias(..)
            | Action::Unalias(_) => {}
        }
        if let Action::Snapshot(name) = action {
            let number = state.number(name);
            self.snapshot = number.and_then(|number| state.collections.get(number).cloned());
        }
    }

    /// Carries out an event that is certain to have happened in the process that wrote it.
    fn take(&mut self, event: &Event) {
        match event {
            // An acknowledged batch has passed its conditions.
            Event::Logged(steps, _) => self.present.apply(steps).unwrap(),
            Event::Committed(action) => commit(&mut self.present, action),
            Event::Restored(name, content) => self.present.restore(name, (**content).clone()),
        }
    }

    /// All that is logged is safe.
    fn secure(&mut self) {
        self.safe = self.logged();
        if self.open.is_empty() {
            self.certain = (self.present.clone(), self.events.len(), self.safe);
        }
    }

    /// What a collection has in segments is safe, and with it all that was logged before.
    fn secure_until(&mut self, number: Option<usize>) {
        let logged = self
            .events
            .iter()
            .enumerate()
            .filter_map(|(i, event)| match event {
                Event::Logged(_, numbers) => Some((i, numbers)),
                Event::Committed(_) | Event::Restored(..) => None,
            });
        let mine = (1..)
            .zip(logged)
            .filter(|(_, (i, numbers))| !self.open.contains(i) && numbers.contains(&number));
        self.safe = self.safe.max(mine.map(|(place, _)| place).last().unwrap_or(0));
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
    pub(super) fn fail(&mut self, action: &Action, error: &vdb::Error) {
        let poisoned = matches!(error, vdb::Error::Poisoned(_));
        if let Some(event) = self.event_of(action).filter(|_| !(poisoned && self.poisoned)) {
            self.open.push(self.events.len());
            skip_number(&mut self.present, &event);
            self.events.push(event);
        }
        self.poisoned |= poisoned;
        self.failures.push(format!("{action:?}: {error}"));
    }

    /// Nothing of what failed is seen by the process that it failed in.
    pub(super) fn check_after_failure(&mut self, db: &Database, action: &Action, error: &vdb::Error) {
        let seen = Dump::read(db).unwrap();
        let changed = Dump::expect(&self.present) != seen;
        if changed && matches!(action, Action::Index(..) | Action::DropIndex(..)) {
            // The schema has changed and building has failed: the index is there, to be built later.
            self.open.pop();
            commit(&mut self.present, action);
        }
        let difference = Dump::expect(&self.present).difference(&seen);
        assert_eq!(difference, None, "after {action:?} failed: {error}");
    }

    /// What failed.
    pub(super) fn failures(&self) -> &[String] {
        &self.failures
    }

    pub(super) fn has_failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Whether the log takes no more writes.
    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// What an action changes.
    fn event_of(&self, action: &Action) -> Option<Event> {
        let number = |step: &Step| {
            let (Step::Write(name, _) | Step::Require(name, ..)) = step;
            self.present.number(name)
        };
        match action {
            Action::Write(_, steps) => Some(Event::Logged(steps.clone(), steps.iter().map(number).collect())),
            Action::Flush(_) | Action::Optimize(_) | Action::Snapshot(_) | Action::Sync => None,
            Action::Restore(name) => Some(Event::Restored((*name).to_owned(), self.snapshot.clone()?)),
            Action::Index(..)
            | Action::DropIndex(..)
            | Action::CreateVector(..)
            | Action::DropVector(..)
            | Action::Configure(..)
            | Action::Create(_)
            | Action::Drop(_)
            | Action::Rename(..)
            | Action::Alias(..)
            | Action::Unalias(_) => Some(Event::Committed(action.clone())),
        }
    }

    /// Whether an action can be carried out as things are; scripts at random hold some that cannot.
    pub(super) fn applies(&self, action: &Action) -> bool {
        if let Action::Restore(name) = action {
            return self.snapshot.is_some() && !self.present.aliases.contains_key(*name);
        }
        applies(&self.present, action)
    }
}

/// Whether an event happened or not, collections that are made later have the same numbers.
fn skip_number(db: &mut OracleDatabase, event: &Event) {
    if let Event::Committed(Action::Create(_)) | Event::Restored(..) = event {
        db.skip_number();
    }
}

/// What an action changes beside the log.
///
/// # Panics
/// When what is to be changed is not there.
pub fn commit(db: &mut OracleDatabase, action: &Action) {
    match action {
        Action::Create(name) => db.create(name, config()),
        Action::Drop(name) => assert!(db.drop_collection(name)),
        Action::Rename(from, to) => db.rename(from, to),
        Action::Alias(alias, name) => db.alias(alias, name),
        Action::Unalias(alias) => drop(db.aliases.remove(*alias)),
        Action::Index(name, path, kind) => db.get_mut(name).unwrap().create_index(path, *kind),
        Action::DropIndex(name, path) => assert!(db.get_mut(name).unwrap().drop_index(path)),
        Action::CreateVector(name, vector) => {
            assert!(db.get_mut(name).unwrap().create_vector(vector, named(vector)));
        }
        Action::DropVector(name, vector) => assert!(db.get_mut(name).unwrap().drop_vector(vector)),
        Action::Configure(name, m) => db.get_mut(name).unwrap().configure(&links(*m)),
        Action::Write(..)
        | Action::Flush(_)
        | Action::Optimize(_)
        | Action::Snapshot(_)
        | Action::Restore(_)
        | Action::Sync => {}
    }
}

/// Whether an action can be carried out as things are; scripts at random hold some that cannot.
pub fn applies(state: &OracleDatabase, action: &Action) -> bool {
    let taken = |name: &str| state.names.contains_key(name) || state.aliases.contains_key(name);
    match action {
        Action::Create(name) => !taken(name),
        Action::Drop(name) => state.names.contains_key(*name),
        Action::Rename(from, to) => state.names.contains_key(*from) && !taken(to),
        Action::Alias(alias, name) => !state.names.contains_key(*alias) && state.names.contains_key(*name),
        Action::Unalias(alias) => state.aliases.contains_key(*alias),
        Action::Index(name, ..) => taken(name),
        Action::DropIndex(name, path) => state.get(name).is_some_and(|c| c.indexes.contains_key(*path)),
        Action::CreateVector(name, vector) => state.get(name).is_some_and(|c| c.named(vector).is_none()),
        Action::DropVector(name, vector) => state.get(name).is_some_and(|c| c.named(vector).is_some()),
        Action::Flush(name)
        | Action::Optimize(name)
        | Action::Snapshot(name)
        | Action::Configure(name, _) => taken(name),
        Action::Write(..) | Action::Sync | Action::Restore(_) => true,
    }
}
