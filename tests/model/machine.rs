//! Engine and oracle side by side: does the same to both, and compares.

use std::rc::Rc;
use std::sync::Arc;

use vdb::{Collection, Control, Database, Error, NamedVectorParams, PointId, ScoredPoint, Select, Vector};
use vdb_tests::Numbers;
use vdb_tests::oracle::{
    CollectionDump, OracleCollection, OracleDatabase, OraclePoint, Refusal, Step, database, op, vector,
};
use vdb_vfs::sim::SimDisk;

use super::action::{self, Action, Question};
use super::query::{self, Recall};

/// Both, and what was asked since the last change.
pub(crate) struct Machine {
    disk: SimDisk,
    db: Database,
    oracle: OracleDatabase,
    combination: usize,
    asked: Vec<(Question, Vec<ScoredPoint>)>,
    recall: Rc<Recall>,
}

/// Payload values of so many rows get graphs.
const PARTITION_ROWS: u32 = 12;

fn open(disk: &SimDisk) -> Database {
    let builder = Database::builder()
        .write_buffer(0)
        .log_segment_bytes(0)
        .threads(1)
        .background(false)
        .partition_rows(PARTITION_ROWS);
    builder.open_disk(Arc::new(disk.clone())).unwrap()
}

impl Machine {
    pub(crate) fn new(combination: usize, recall: Rc<Recall>) -> Machine {
        let disk = SimDisk::new(combination as u64);
        let db = open(&disk);
        let mut machine = Machine {
            disk,
            db,
            oracle: OracleDatabase::default(),
            combination,
            asked: Vec::new(),
            recall,
        };
        machine.act(&Action::Create("a"));
        machine.act(&Action::Create("b"));
        machine.act(&Action::Alias("alias", "b"));
        machine
    }

    fn collection(&self, name: &str) -> Option<(Collection, &OracleCollection)> {
        match self.oracle.get(name) {
            Some(oracle) => Some((self.db.collection(name).unwrap(), oracle)),
            None => {
                let missing = self.db.collection(name);
                assert!(
                    matches!(missing, Err(Error::CollectionNotFound { .. })),
                    "{name}: {missing:?}"
                );
                None
            }
        }
    }

    fn changed(&mut self) {
        self.asked.clear();
    }

    /// Does one thing to both and compares what they say.
    pub(crate) fn act(&mut self, action: &Action) {
        match action {
            Action::Write(name, op) => self.write(&[Step::Write((*name).to_owned(), op.clone())]),
            Action::Batch(steps) => self.write(steps),
            Action::Bulk(name, start, count, seed) => {
                let points = action::bulk(*start, *count, *seed);
                self.write(&[Step::Write((*name).to_owned(), op::Op::upsert(points))]);
            }
            Action::CreateIndex(name, path, kind) => {
                let Some((collection, _)) = self.collection(name) else {
                    return;
                };
                collection.create_payload_index(path, *kind).unwrap();
                self.oracle.get_mut(name).unwrap().create_index(path, *kind);
            }
            Action::DropIndex(name, path) => {
                let Some((collection, _)) = self.collection(name) else {
                    return;
                };
                let dropped = collection.drop_payload_index(path).unwrap();
                assert_eq!(self.oracle.get_mut(name).unwrap().drop_index(path), dropped);
            }
            Action::CreateVector(name, vector) => {
                self.changed();
                let Some((collection, _)) = self.collection(name) else {
                    return;
                };
                let params = action::params(self.combination, vector);
                let created = collection.create_vector(vector, params.clone()).unwrap();
                assert_eq!(
                    self.oracle.get_mut(name).unwrap().create_vector(vector, params),
                    created
                );
            }
            Action::DropVector(name, vector) => {
                self.changed();
                let Some((collection, _)) = self.collection(name) else {
                    return;
                };
                let dropped = collection.delete_vector(vector).unwrap();
                assert_eq!(self.oracle.get_mut(name).unwrap().drop_vector(vector), dropped);
            }
            Action::Flush(name) => {
                if let Some((collection, _)) = self.collection(name) {
                    collection.flush().unwrap();
                }
            }
            Action::Optimize(name) => {
                if let Some((collection, _)) = self.collection(name) {
                    collection.optimize(&Control::none()).unwrap();
                    let info = collection.info().unwrap();
                    assert!(info.segments.len() <= 1 && info.memtable_bytes == 0, "{info:?}");
                    assert!(info.segments.iter().all(|s| s.dead_rows == 0), "{info:?}");
                }
            }
            Action::Reopen => {
                self.db.clone().close().unwrap();
                self.db = open(&self.disk);
            }
            Action::PowerCut(seed) => {
                let after = self.disk.crash(*seed);
                self.db = open(&after);
                self.disk = after;
            }
            Action::Ask(question) => {
                if let Some((collection, oracle)) = self.collection(question.name) {
                    let is_there = oracle.named(question.using).is_some();
                    let found = query::compare(question, &collection, oracle, &self.recall);
                    if is_there {
                        self.asked.push((question.clone(), found));
                    }
                }
            }
            Action::Create(_) | Action::Drop(_) | Action::Rename(..) | Action::Alias(..) => {
                self.rearrange(action)
            }
        }
        self.check_asked();
    }

    fn rearrange(&mut self, action: &Action) {
        self.changed();
        let taken =
            |db: &OracleDatabase, name: &str| db.names.contains_key(name) || db.aliases.contains_key(name);
        let db = &self.db;
        let oracle = &mut self.oracle;
        match action {
            Action::Create(name) => {
                let config = action::config(self.combination);
                let created = db.create_collection(name, config.clone());
                if taken(oracle, name) {
                    assert!(matches!(created, Err(Error::NameTaken { .. })), "{created:?}");
                } else {
                    created.unwrap();
                    oracle.create(name, config);
                }
            }
            Action::Drop(name) => assert_eq!(db.drop_collection(name).unwrap(), oracle.drop_collection(name)),
            Action::Rename(from, to) => {
                let renamed = db.rename_collection(from, to);
                if !oracle.names.contains_key(*from) {
                    assert!(
                        matches!(renamed, Err(Error::CollectionNotFound { .. })),
                        "{renamed:?}"
                    );
                } else if from != to && taken(oracle, to) {
                    assert!(matches!(renamed, Err(Error::NameTaken { .. })), "{renamed:?}");
                } else {
                    renamed.unwrap();
                    oracle.rename(from, to);
                }
            }
            Action::Alias(alias, name) => {
                let made = db.create_alias(alias, name);
                if taken(oracle, name) {
                    made.unwrap();
                    oracle.alias(alias, name);
                } else {
                    assert!(matches!(made, Err(Error::CollectionNotFound { .. })), "{made:?}");
                }
            }
            Action::Write(..)
            | Action::Batch(_)
            | Action::Bulk(..)
            | Action::CreateIndex(..)
            | Action::DropIndex(..)
            | Action::CreateVector(..)
            | Action::DropVector(..)
            | Action::Flush(_)
            | Action::Optimize(_)
            | Action::Reopen
            | Action::PowerCut(_)
            | Action::Ask(_) => unreachable!("{action:?}"),
        }
        assert_eq!(
            db.collections(),
            self.oracle.names.keys().cloned().collect::<Vec<_>>()
        );
        let aliases: Vec<_> = db.aliases().into_iter().map(|(alias, _)| alias).collect();
        assert_eq!(aliases, self.oracle.aliases.keys().cloned().collect::<Vec<_>>());
    }

    fn write(&mut self, steps: &[Step]) {
        self.changed();
        let before: Vec<u64> = self.oracle.collections.iter().map(|c| c.next_seq).collect();
        let written = match steps {
            // Through the handle, as most writes are.
            [Step::Write(name, op)] => self.db.collection(name).and_then(|c| c.apply(op.operation())),
            _ => self.db.write(database::batch(steps)),
        };
        match (self.oracle.apply(steps), written) {
            (Ok(()), Ok(result)) => {
                let mut next = before;
                let mut expected = Vec::new();
                for step in steps {
                    if let Step::Write(name, _) = step {
                        let number = self
                            .oracle
                            .names
                            .get(name)
                            .or_else(|| self.oracle.aliases.get(name))
                            .unwrap();
                        expected.push(next[*number]);
                        next[*number] += 1;
                    }
                }
                assert_eq!(result.sequences, expected);
            }
            (Err(refusal), Err(error)) if steps.len() == 1 => {
                assert!(agrees(&refusal, &error), "{refusal:?}: {error}")
            }
            // Of several reasons each may come first.
            (Err(_), Err(error)) => assert!(is_refusal(&error), "{error}"),
            (expected, found) => panic!("expected {expected:?}, found {found:?}"),
        }
    }

    /// Exact answers are the same, bit by bit, wherever the rows are by now.
    fn check_asked(&self) {
        for (question, before) in &self.asked {
            let Some((collection, _)) = self.collection(question.name) else {
                continue;
            };
            let request = query::request(question).exact(true);
            assert_eq!(
                &collection.search(&request).unwrap(),
                before,
                "{question:?} asked again"
            );
        }
    }

    /// Compares everything there is.
    pub(crate) fn check_all(&self, seed: u64) {
        for name in self.oracle.names.keys() {
            let (collection, oracle) = self.collection(name).unwrap();
            let found = CollectionDump::read(&collection).unwrap();
            assert_eq!(found.indexes, oracle.indexes, "{name}");
            assert_eq!(
                collection.info().unwrap().last_sequence,
                oracle.next_seq - 1,
                "{name}"
            );
            assert!(
                found.points.keys().eq(oracle.points.keys()),
                "{name}: ids {:?}",
                found.points.keys()
            );
            for ((id, found), expected) in found.points.iter().zip(oracle.points.values()) {
                check_point(oracle, *id, found, expected);
            }
            check_get(&collection, oracle, seed);
        }
    }
}

fn check_point(oracle: &OracleCollection, id: PointId, found: &OraclePoint, expected: &OraclePoint) {
    assert_eq!(
        (found.version, &found.payload),
        (expected.version, &expected.payload),
        "point {id}"
    );
    assert!(
        found.vectors.keys().eq(expected.vectors.keys()),
        "point {id}: {found:?}, expected {expected:?}"
    );
    for (name, found) in &found.vectors {
        let (params, expected) = (oracle.named(name).unwrap(), &expected.vectors[name]);
        assert!(
            is_near(&params, found, expected),
            "point {id}: {name:?}: {found:?}, expected {expected:?}"
        );
    }
}

fn is_near(params: &NamedVectorParams, found: &Vector, expected: &Vector) -> bool {
    let NamedVectorParams::Dense(params) = params else {
        return found == expected;
    };
    let near = |a: &[f32], b: &[f32]| {
        let near = |(a, b): (&f32, &f32)| {
            (f64::from(*a) - f64::from(*b)).abs() <= vector::tolerance(params, f64::from(*b)) / 10.0
        };
        a.len() == b.len() && a.iter().zip(b).all(near)
    };
    match (found, expected) {
        (Vector::Dense(a), Vector::Dense(b)) => near(a, b),
        (Vector::Multi(a), Vector::Multi(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b))
        }
        _ => false,
    }
}

/// Asks for some points by id: some twice, some that are not there.
fn check_get(collection: &Collection, oracle: &OracleCollection, seed: u64) {
    let numbers = &mut Numbers::new(seed);
    let mut wanted: Vec<PointId> = (0..6).map(|_| numbers.below(25).into()).collect();
    wanted.extend(oracle.points.keys().skip(numbers.below(20) as usize).step_by(7));
    wanted.push(wanted[0]);
    let found: Vec<PointId> = collection
        .get(&wanted, &Select::default())
        .unwrap()
        .iter()
        .map(|r| r.id)
        .collect();
    let mut expected: Vec<PointId> = Vec::new();
    for id in wanted {
        if oracle.points.contains_key(&id) && !expected.contains(&id) {
            expected.push(id);
        }
    }
    assert_eq!(found, expected);
}

fn agrees(refusal: &Refusal, error: &Error) -> bool {
    match (refusal, error) {
        (Refusal::Missing(_), Error::PointNotFound { .. }) => true,
        (Refusal::Conflict(a), Error::Conflict { id, .. }) => a == id,
        (Refusal::UnknownVector(a), Error::UnknownVector { name, .. }) => a == name,
        (Refusal::NoVectors, Error::InvalidRequest(_)) => true,
        (Refusal::NoCollection(a), Error::CollectionNotFound { name }) => a == name,
        _ => false,
    }
}

fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::PointNotFound { .. }
            | Error::Conflict { .. }
            | Error::UnknownVector { .. }
            | Error::InvalidRequest(_)
            | Error::CollectionNotFound { .. }
    )
}
