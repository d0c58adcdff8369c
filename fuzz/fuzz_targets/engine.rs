//! The whole engine beside a plain model: operations, questions, one mishap, power cuts.
//!
//! The input says what goes wrong and when, then what is done (`src/operations.rs`). Whatever it is, the process sees
//! what it was told, questions get the answers of the model, and after a power cut everything acknowledged is there.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vdb::{
    Collection, Database, Filter, Modifier, NamedVectorParams, PointId, ScrollRequest, SearchRequest, SparseVector,
    Vector,
};
use vdb_fuzz::Input;
use vdb_fuzz::operations::{filter, script};
use vdb_tests::oracle::{OracleCollection, OracleDatabase, vector};
use vdb_tests::torture::{Faults, Scratch, Tally, crash, run, script as torture};
use vdb_vfs::sim::{Fault, SimDisk};

/// More calls than a script makes.
const CALLS: u64 = 1_600;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(Scratch::new);

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let (mishap, at, long) = (
        input.byte() % 6,
        u64::from(input.short()) % CALLS,
        u64::from(input.byte()),
    );
    let disk = SimDisk::new(at);
    let faults = match mishap {
        0 => Faults::None,
        1 | 2 => {
            disk.crash_at(at);
            Faults::None
        }
        3 => {
            disk.fail_call(at);
            Faults::One
        }
        4 => {
            disk.inject(Fault::full().at(at..at + long));
            Faults::Before(at + long)
        }
        _ => {
            disk.inject(Fault::error().on_reads().at(at..at + 1));
            Faults::One
        }
    };
    let questions: [u8; 16] = std::array::from_fn(|_| input.byte());
    let (told, db) = run(&disk, &script(&mut input), faults, &SCRATCH);
    disk.heal();
    if let Some(db) = db.filter(|_| !disk.is_dead()) {
        ask(&db, told.present(), &mut Input(&questions));
    }
    let context = || format!("mishap {mishap} at {at}");
    let tally = &mut Tally::default();
    crash::check_recovery(&disk, &told, at + long, &context, tally);
    crash::check_crash_in_recovery(&disk, &told, at + long, &context, tally);
    let found = torture::open(&disk.crash(long)).expect("a database that was cut off");
    let state = told.recognise(&found, &context);
    ask(&found, &state, &mut Input(&questions));
});

/// Asks every collection, and compares with the model.
fn ask(db: &Database, state: &OracleDatabase, input: &mut Input<'_>) {
    for name in state.names.keys() {
        let (collection, oracle) = (db.collection(name).unwrap(), state.get(name).unwrap());
        let json = filter(input);
        let filter = Filter::from_json(&json).expect("a valid filter");
        let wanted = oracle.matching(Some(&json));
        assert_eq!(
            collection.count(Some(&filter)).unwrap(),
            wanted.len() as u64,
            "{json}"
        );
        let page = collection.scroll(&ScrollRequest::new().filter(filter.clone()).limit(100));
        let found: Vec<PointId> = page.unwrap().points.iter().map(|point| point.id).collect();
        assert_eq!(found, wanted, "{json}");
        for vector in ["", "side", "tokens", "words", "late"] {
            // Perhaps it was dropped.
            if let Some(params) = oracle.named(vector) {
                let query = query_of(&params, input);
                search(&collection, oracle, (vector, &params), &query, &filter, &wanted);
            }
        }
    }
}

/// A query of the kind of a vector.
fn query_of(params: &NamedVectorParams, input: &mut Input<'_>) -> Vector {
    let mut number = || f32::from(input.byte() % 16) - 4.0;
    match params {
        NamedVectorParams::Sparse(_) => SparseVector::new([0, 1_000, 4_000], [number(), number(), number()]).into(),
        NamedVectorParams::Dense(params) => {
            let mut row = || (0..params.size).map(|_| number()).collect::<Vec<f32>>();
            match params.multivector {
                Some(_) => vec![row(), row()].into(),
                None => row().into(),
            }
        }
    }
}

/// The nearest of the points that match, by exact search.
fn search(
    collection: &Collection,
    oracle: &OracleCollection,
    (name, params): (&str, &NamedVectorParams),
    query: &Vector,
    filter: &Filter,
    matching: &[PointId],
) {
    let request = SearchRequest::new(query.clone()).using(name).exact(true).limit(5);
    let found = collection.search(&request.filter(filter.clone())).unwrap();
    let mut stored = vector::stored_as(params, query);
    if let (NamedVectorParams::Sparse(sparse), Vector::Sparse(words)) = (params, &stored)
        && sparse.modifier == Modifier::Idf
    {
        let corpus = oracle.points.values().filter_map(|point| point.vectors.get(name));
        stored = vector::weighed(words, corpus).into();
    }
    let mut scores: Vec<(f64, f64)> = matching
        .iter()
        .filter_map(|id| oracle.points[id].vectors.get(name))
        .filter_map(|row| vector::score_of(params, &stored, row))
        .collect();
    let distance = vector::distance_of(params);
    scores.sort_by(|a, b| vector::lead(distance, b.0, a.0).total_cmp(&0.0));
    assert_eq!(found.len(), scores.len().min(5), "{name:?}: {found:?}");
    for (hit, (score, tolerance)) in found.iter().zip(scores) {
        assert!(matching.contains(&hit.id), "{} does not match", hit.id);
        let off = (f64::from(hit.score) - score).abs();
        assert!(off <= tolerance, "{name:?}: {hit:?} in the place of {score}");
    }
}
