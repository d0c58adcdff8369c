//! Scripts, and what may be true after one was cut short.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use vdb::{
    CollectionConfig, Control, Database, DatabaseBuilder, Distance, Durability, Element, Expected,
    PayloadIndexKind, Point, PointId, Result, UpsertMode, VectorParams, Vectors,
};
use vdb_tests::Numbers;
use vdb_tests::oracle::{Aim, Dump, Op, OracleDatabase, Step, database};
use vdb_vfs::sim::SimDisk;

/// Something that a script does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Write(Durability, Vec<Step>),
    Flush(&'static str),
    Optimize(&'static str),
    Index(&'static str, &'static str, PayloadIndexKind),
    DropIndex(&'static str, &'static str),
    Create(&'static str),
    Drop(&'static str),
    Rename(&'static str, &'static str),
    Alias(&'static str, &'static str),
    Sync,
}

/// Settings under which calls come in the same order every time, as far as threads allow.
pub(crate) fn builder() -> DatabaseBuilder {
    Database::builder()
        .write_buffer(0)
        .log_segment_bytes(0)
        .threads(1)
        .background(false)
        .sync_interval(Duration::from_secs(3_600))
}

pub(crate) fn open(disk: &SimDisk) -> Result<Database> {
    builder().open_disk(Arc::new(disk.clone()))
}

/// Two vectors; tiny graphs, so that they are built too.
pub(crate) fn config() -> CollectionConfig {
    let mut config = CollectionConfig::new(VectorParams::new(3, Distance::Dot)).vector(
        "side",
        VectorParams::new(2, Distance::Euclid).element(Element::U8),
    );
    config.optimizer.index_min_rows = 4;
    config
}

/// What an action changes, in the order of the log or beside it.
#[derive(Clone, Debug)]
enum Event {
    /// In the log: of weak writes a power cut leaves a prefix.
    Logged(Vec<Step>),
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
                Event::Logged(steps) => {
                    if place < logged && !without.contains(&i) {
                        db.apply(steps).ok()?;
                    }
                    place += 1;
                }
                Event::Committed(_) if without.contains(&i) => {}
                Event::Committed(action) if applies(&db, action) => commit(&mut db, action),
                Event::Committed(_) => return None,
            }
        }
        Some(db)
    }

    fn logged(&self) -> usize {
        self.events
            .iter()
            .filter(|event| matches!(event, Event::Logged(_)))
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
}

fn commit(db: &mut OracleDatabase, action: &Action) {
    match action {
        Action::Create(name) => db.create(name, config()),
        Action::Drop(name) => assert!(db.drop_collection(name)),
        Action::Rename(from, to) => db.rename(from, to),
        Action::Alias(alias, name) => db.alias(alias, name),
        Action::Index(name, path, kind) => db.get_mut(name).unwrap().create_index(path, *kind),
        Action::DropIndex(name, path) => assert!(db.get_mut(name).unwrap().drop_index(path)),
        Action::Write(..) | Action::Flush(_) | Action::Optimize(_) | Action::Sync => {}
    }
}

fn act(db: &Database, action: &Action) -> Result<Vec<u64>> {
    match action {
        Action::Write(durability, steps) => {
            let ticket = db.submit(database::batch(steps), *durability)?;
            ticket.wait_visible()?;
            return Ok(ticket.result().sequences.clone());
        }
        Action::Flush(name) => db.collection(name)?.flush()?,
        Action::Optimize(name) => db.collection(name)?.optimize(&Control::none())?,
        Action::Index(name, path, kind) => db.collection(name)?.create_payload_index(path, *kind)?,
        Action::DropIndex(name, path) => assert!(db.collection(name)?.drop_payload_index(path)?),
        Action::Create(name) => drop(db.create_collection(name, config())?),
        Action::Drop(name) => assert!(db.drop_collection(name)?),
        Action::Rename(from, to) => db.rename_collection(from, to)?,
        Action::Alias(alias, name) => db.create_alias(alias, name)?,
        Action::Sync => db.sync()?,
    }
    Ok(Vec::new())
}

/// The number of a sequence as the engine and the oracle must agree on.
fn note(told: &mut Told, state: &OracleDatabase, steps: &[Step], sequences: &[u64]) {
    let names = steps.iter().filter_map(|step| match step {
        Step::Write(name, _) => Some(name),
        Step::Require(..) => None,
    });
    for (name, &sequence) in names.zip(sequences) {
        let number = state
            .names
            .get(name)
            .or_else(|| state.aliases.get(name))
            .copied()
            .unwrap();
        let given = told.given.entry(number).or_insert(0);
        assert!(sequence > *given, "{name}: sequence {sequence} after {given}");
        *given = sequence;
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
        let event = match action {
            Action::Write(_, steps) => match state.clone().apply(steps) {
                Ok(()) => Some(Event::Logged(steps.clone())),
                Err(refusal) => {
                    let error = act(&db, action).expect_err(&format!("{action:?}: {refusal:?}"));
                    assert!(
                        disk.is_dead() || faults || is_refusal(&error),
                        "{action:?}: {error}"
                    );
                    continue;
                }
            },
            Action::Flush(_) | Action::Optimize(_) | Action::Sync => None,
            _ => {
                let mut next = state.clone();
                if applies(&state, action) {
                    commit(&mut next, action);
                    Some(Event::Committed(action.clone()))
                } else {
                    continue;
                }
            }
        };
        if let Action::Flush(name) | Action::Optimize(name) = action
            && state.get(name).is_none()
        {
            continue;
        }
        let outcome = act(&db, action);
        // Whoever is told that the log takes no more writes has written nothing.
        let poisoned = matches!(outcome, Err(vdb::Error::Poisoned(_)));
        if let Err(error) = &outcome {
            told.failures.push(format!("{action:?}: {error}"));
        }
        if let Some(event) = event.filter(|_| !(poisoned && told.poisoned)) {
            told.events.push(event);
        } else if outcome.is_err() {
            assert!(faults || disk.is_dead(), "{action:?}: {outcome:?}");
            told.poisoned |= poisoned;
            if disk.is_dead() {
                break;
            }
            let seen = Dump::read(&db).unwrap();
            assert_eq!(
                Dump::expect(&told.present()).difference(&seen),
                None,
                "after {action:?}: {outcome:?}"
            );
            continue;
        }
        told.poisoned |= poisoned;
        match outcome {
            Ok(sequences) => acknowledge(&mut told, &state, action, &sequences),
            Err(error) => {
                assert!(faults || disk.is_dead(), "{action:?}: {error}");
                told.open.push(told.events.len() - 1);
                if disk.is_dead() {
                    break;
                }
                if faults {
                    let seen = Dump::read(&db).unwrap();
                    let expected = Dump::expect(&told.present());
                    if !matches!(action, Action::Index(..) | Action::DropIndex(..)) {
                        assert_eq!(
                            expected.difference(&seen),
                            None,
                            "after {action:?} failed: {error}"
                        );
                    } else if expected != seen {
                        // The schema changed and building failed: the index is there, to be built later.
                        told.open.pop();
                        assert_eq!(
                            Dump::expect(&told.present()).difference(&seen),
                            None,
                            "{action:?}: {error}"
                        );
                    }
                }
            }
        }
    }
    told
}

/// Whether an action can be carried out as things are; scripts at random hold some that cannot.
fn applies(state: &OracleDatabase, action: &Action) -> bool {
    let taken = |name: &str| state.names.contains_key(name) || state.aliases.contains_key(name);
    match action {
        Action::Create(name) => !taken(name),
        Action::Drop(name) => state.names.contains_key(*name),
        Action::Rename(from, to) => state.names.contains_key(*from) && !taken(to),
        Action::Alias(alias, name) => !state.names.contains_key(*alias) && taken(name),
        Action::Index(name, ..) => taken(name),
        Action::DropIndex(name, path) => state.get(name).is_some_and(|c| c.indexes.contains_key(*path)),
        Action::Write(..) | Action::Flush(_) | Action::Optimize(_) | Action::Sync => true,
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

fn acknowledge(told: &mut Told, state: &OracleDatabase, action: &Action, sequences: &[u64]) {
    match action {
        Action::Write(durability, steps) => {
            note(told, state, steps, sequences);
            if *durability == Durability::Sync {
                told.safe = told.logged();
            }
        }
        Action::Sync => told.safe = told.logged(),
        Action::Flush(name) | Action::Optimize(name) => {
            // What a collection has in segments is safe, and with it all that was logged before.
            let Some(number) = state.names.get(*name).or_else(|| state.aliases.get(*name)) else {
                return;
            };
            let mut place = 0;
            let mut last = 0;
            for (i, event) in told.events.iter().enumerate() {
                let Event::Logged(steps) = event else { continue };
                place += 1;
                if told.open.contains(&i) {
                    continue;
                }
                let touches = |step: &Step| {
                    let (Step::Write(name, _) | Step::Require(name, ..)) = step;
                    state.names.get(name).or_else(|| state.aliases.get(name)) == Some(number)
                };
                if steps.iter().any(touches) {
                    last = place;
                }
            }
            told.safe = told.safe.max(last);
        }
        _ => {}
    }
}

/// A point whose numbers and payload follow from `mark`.
pub(crate) fn point(id: u64, mark: u64) -> Point {
    let numbers = |n: u64| ((mark * 31 + id * 7 + n * 13) % 17) as f32 - 8.0;
    let mut vectors = Vectors::from([numbers(0), numbers(1), numbers(2)]);
    if !mark.is_multiple_of(3) {
        vectors = vectors.with("side", vec![numbers(3) + 8.0, numbers(4) + 8.0]);
    }
    let payload = json!({"mark": mark, "k": format!("k{}", mark % 3), "n": [id, mark]});
    Point::new(id, vectors).payload(payload).unwrap()
}

pub(crate) fn ids(ids: &[u64]) -> Aim {
    Aim::Ids(ids.iter().map(|&id| PointId::Num(id)).collect())
}

fn keyword(k: &str) -> Aim {
    Aim::Filter(json!({"must": [{"key": "k", "match": {"value": k}}]}))
}

fn payload(value: serde_json::Value) -> vdb::Payload {
    value.as_object().unwrap().clone()
}

fn write(name: &str, op: Op) -> Step {
    Step::Write(name.to_owned(), op)
}

pub(crate) fn points(ids: std::ops::Range<u64>, mark: u64) -> Op {
    Op::upsert(ids.map(|id| point(id, mark)).collect())
}

/// Every kind of action once or more, with every durability.
pub(crate) fn scripted() -> Vec<Action> {
    use Durability::{Buffered, None, Sync};
    let sync = |steps| Action::Write(Sync, steps);
    vec![
        Action::Create("a"),
        sync(vec![write("a", points(0..8, 1))]),
        Action::Index("a", "k", PayloadIndexKind::Keyword),
        Action::Flush("a"),
        Action::Create("b"),
        Action::Alias("alias", "b"),
        sync(vec![
            write("a", Op::Delete(ids(&[1, 2]))),
            write("alias", points(0..3, 2)),
            Step::Require("a".to_owned(), 3.into(), Expected::Present),
            write(
                "a",
                Op::SetPayload(payload(json!({"set": 1})), ids(&[3]), Option::None),
            ),
        ]),
        Action::Write(None, vec![write("a", points(6..10, 4))]),
        Action::Write(Buffered, vec![write("b", points(2..5, 5))]),
        Action::Write(
            None,
            vec![
                write("b", Op::Delete(keyword("k2"))),
                write("a", Op::ClearPayload(ids(&[4]))),
            ],
        ),
        Action::Flush("a"),
        Action::Write(None, vec![write("b", points(20..22, 7))]),
        sync(vec![
            Step::Require("b".to_owned(), 0.into(), Expected::Absent),
            write("b", points(30..31, 1)),
        ]),
        Action::Write(
            None,
            vec![write(
                "a",
                Op::DeleteVectors(vec!["side".to_owned()], keyword("k1")),
            )],
        ),
        Action::Sync,
        Action::Rename("b", "c"),
        Action::Index("c", "n", PayloadIndexKind::Integer),
        Action::Write(None, vec![write("c", points(40..44, 8))]),
        Action::Optimize("a"),
        Action::Write(
            Buffered,
            vec![write(
                "a",
                Op::UpdateVectors {
                    points: vec![(5.into(), [1.0, 1.0, 1.0].into())],
                    filter: Option::None,
                },
            )],
        ),
        Action::Drop("c"),
        Action::Create("b"),
        Action::Write(None, vec![write("b", points(0..2, 9))]),
        sync(vec![write("a", points(50..51, 10))]),
        Action::DropIndex("a", "k"),
        Action::Flush("b"),
        sync(vec![write("a", Op::Delete(keyword("k0")))]),
        Action::Optimize("a"),
        sync(vec![write("a", points(60..62, 11))]),
    ]
}

/// Records large enough that log files and memtables fill up and change.
pub(crate) fn bulky() -> Vec<Action> {
    let mut script = vec![Action::Create("a"), Action::Create("b")];
    for round in 0..10u64 {
        let mut big = point(round % 4, round);
        big.payload.insert(
            "text".to_owned(),
            "x".repeat(14_000 + 700 * round as usize).into(),
        );
        let name = if round % 3 == 0 { "b" } else { "a" };
        let durability = if round % 4 == 3 {
            Durability::None
        } else {
            Durability::Sync
        };
        script.push(Action::Write(
            durability,
            vec![write(name, Op::upsert(vec![big]))],
        ));
        if round == 5 {
            script.push(Action::Flush("a"));
        }
    }
    script.push(Action::Flush("b"));
    script.push(Action::Write(
        Durability::Sync,
        vec![write(
            "a",
            Op::SetPayload(payload(json!({"z": 1})), ids(&[1]), None),
        )],
    ));
    script
}

/// A script at random.
pub(crate) fn random(seed: u64, len: usize) -> Vec<Action> {
    let numbers = &mut Numbers::new(seed);
    let mut script = vec![Action::Create("a"), Action::Create("b")];
    for mark in 0..len as u64 {
        let names = ["a", "a", "b", "c"];
        let name = *numbers.pick(&names);
        let durability = *numbers.pick(&[
            Durability::Sync,
            Durability::Sync,
            Durability::Buffered,
            Durability::None,
        ]);
        let at = numbers.below(12);
        script.push(match numbers.below(24) {
            0..=8 => Action::Write(durability, vec![write(name, operation(numbers, at, mark))]),
            9..=11 => {
                let both = (0..3).map(|i| write(names[i], operation(numbers, at + i as u64, mark)));
                Action::Write(durability, both.collect())
            }
            12..=14 => Action::Flush(name),
            15 | 16 => Action::Optimize(name),
            17 => Action::Index(
                name,
                "k",
                *numbers.pick(&[PayloadIndexKind::Keyword, PayloadIndexKind::Integer]),
            ),
            18 => Action::DropIndex(name, "k"),
            19 => Action::Create("c"),
            20 => Action::Drop(*numbers.pick(&["b", "c"])),
            21 => Action::Rename(name, *numbers.pick(&names)),
            22 => Action::Alias("alias", name),
            _ => Action::Sync,
        });
    }
    script
}

fn operation(numbers: &mut Numbers, at: u64, mark: u64) -> Op {
    match numbers.below(9) {
        0..=3 => points(at..at + 1 + numbers.below(4), mark),
        4 => Op::Upsert {
            points: vec![point(at, mark), point(at + 1, mark)],
            mode: *numbers.pick(&[UpsertMode::InsertOnly, UpsertMode::UpdateOnly]),
            filter: None,
        },
        5 => Op::Delete(ids(&[at, at + 1, at + 2])),
        6 => Op::Delete(keyword("k1")),
        7 => Op::SetPayload(payload(json!({"set": mark, "k": "k0"})), keyword("k2"), None),
        _ => Op::DeleteVectors(vec!["side".to_owned()], keyword("k0")),
    }
}
