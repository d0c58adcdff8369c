//! The states that a script goes through, and how far it is.

use std::sync::atomic::{AtomicUsize, Ordering};

use vdb::Database;
use vdb_tests::oracle::{Dump, OracleDatabase};

use vdb_tests::torture::perform::act;
use vdb_tests::torture::script::Action;
use vdb_tests::torture::told::{applies, commit};

/// A script and what there is to be seen after each of its actions.
#[derive(Debug)]
pub(crate) struct Chronicle {
    actions: Vec<Action>,
    /// The first is that of an empty database; one more than there are actions.
    states: Vec<Dump>,
    started: AtomicUsize,
    done: AtomicUsize,
}

impl Chronicle {
    /// The actions of a script that can be carried out.
    pub(crate) fn of(script: Vec<Action>) -> Chronicle {
        let mut db = OracleDatabase::default();
        let mut states = vec![Dump::expect(&db)];
        let mut actions = Vec::new();
        for action in script {
            let has_snapshot = matches!(action, Action::Snapshot(_) | Action::Restore(_));
            if has_snapshot || !applies(&db, &action) {
                continue;
            }
            let action = action.fitted(&db);
            if let Action::Write(_, steps) = &action {
                if db.apply(steps).is_err() {
                    continue;
                }
            } else {
                commit(&mut db, &action);
            }
            states.push(Dump::expect(&db));
            actions.push(action);
        }
        Chronicle {
            actions,
            states,
            started: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
        }
    }

    /// Actions that have been carried out.
    pub(crate) fn done(&self) -> usize {
        self.done.load(Ordering::Acquire)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.done() == self.actions.len()
    }

    /// Carries out the next action; false when there is none, or when it failed.
    pub(crate) fn step(&self, db: &Database) -> bool {
        let Some(action) = self.actions.get(self.done()) else {
            return false;
        };
        self.started.fetch_add(1, Ordering::AcqRel);
        let carried_out = act(db, action).is_ok();
        if carried_out {
            self.done.fetch_add(1, Ordering::AcqRel);
        }
        carried_out
    }

    /// Which state is to be seen in a database that was read after `from` actions were done.
    ///
    /// # Panics
    /// When it is none of those from there on.
    pub(crate) fn recognise(&self, db: &Database, from: usize) -> usize {
        let seen = Dump::read(db).unwrap();
        let upto = self.started.load(Ordering::Acquire);
        let found = (from..=upto).find(|&at| self.states[at] == seen);
        found.unwrap_or_else(|| {
            let differences: Vec<_> = (from..=upto)
                .map(|at| (at, self.states[at].difference(&seen)))
                .collect();
            panic!(
                "none of the states {from} to {upto}: {differences:#?}, before {:?}",
                self.actions.get(from)
            )
        })
    }
}
