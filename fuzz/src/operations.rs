//! Operations and filters from the fuzzer's bytes.

use serde_json::{Value, json};
use vdb::{Durability, Expected, Payload, PayloadIndexKind, PointId, SparseVector, UpsertMode, Vectors};
use vdb_tests::oracle::{Aim, Op, Step};
use vdb_tests::torture::script::{self, Action};

use crate::Input;

/// Longer scripts find nothing that several short ones do not.
const MOST_ACTIONS: usize = 40;
const NAMES: [&str; 4] = ["a", "a", "b", "c"];
const VECTORS: [&str; 5] = ["", "side", "tokens", "words", "late"];

fn pick<T: Copy>(input: &mut Input<'_>, items: &[T]) -> T {
    items[usize::from(input.byte()) % items.len()]
}

/// A script: what the bytes say until they end, on two collections to begin with.
pub fn script(input: &mut Input<'_>) -> Vec<Action> {
    let mut script = vec![Action::Create("a"), Action::Create("b")];
    while !input.is_empty() && script.len() < MOST_ACTIONS {
        script.push(action(input));
    }
    script
}

fn action(input: &mut Input<'_>) -> Action {
    let kind = input.byte() % 32;
    let name = pick(input, &NAMES);
    let path = || ["k", "n", "mark", "set"];
    match kind {
        0..=13 => {
            let durability = pick(
                input,
                &[
                    Durability::Sync,
                    Durability::Sync,
                    Durability::Buffered,
                    Durability::None,
                ],
            );
            let steps = 1 + usize::from(input.byte() % 3);
            Action::Write(durability, (0..steps).map(|_| step(input)).collect())
        }
        14 | 15 => Action::Flush(name),
        16 => Action::CreateVector(name, pick(input, &script::NAMED)),
        17 | 18 => Action::Optimize(name),
        19 | 20 => Action::Index(name, pick(input, &path()), pick(input, &PayloadIndexKind::ALL)),
        21 => Action::DropIndex(name, pick(input, &path())),
        22 => Action::Create("c"),
        23 => Action::Drop(pick(input, &["b", "c"])),
        24 => Action::Rename(name, pick(input, &NAMES)),
        25 => Action::Alias("alias", name),
        26 => Action::Unalias("alias"),
        27 | 28 => Action::Snapshot(name),
        29 => Action::Restore(name),
        30 => Action::DropVector(name, pick(input, &script::NAMED)),
        _ => Action::Sync,
    }
}

fn step(input: &mut Input<'_>) -> Step {
    let name = pick(input, &["a", "a", "b", "c", "alias"]).to_owned();
    if input.byte() % 12 == 0 {
        let expected = match input.byte() % 3 {
            0 => Expected::Absent,
            1 => Expected::Present,
            _ => Expected::Version(u64::from(input.byte())),
        };
        return Step::Require(name, id(input), expected);
    }
    Step::Write(name, operation(input))
}

fn id(input: &mut Input<'_>) -> PointId {
    PointId::Num(u64::from(input.byte() % 24))
}

fn aim(input: &mut Input<'_>) -> Aim {
    match input.byte() % 3 {
        0 => Aim::Filter(filter(input)),
        _ => Aim::Ids((0..1 + input.byte() % 4).map(|_| id(input)).collect()),
    }
}

fn payload(input: &mut Input<'_>) -> Payload {
    let value = match input.byte() % 4 {
        0 => json!({"k": format!("k{}", input.byte() % 3)}),
        1 => json!({"n": [input.byte() % 8, {"deep": input.byte()}], "set": null}),
        2 => json!({"set": input.byte() % 4, "new": {"a": [1, 2.5, true]}}),
        _ => json!({}),
    };
    value.as_object().cloned().unwrap_or_default()
}

fn operation(input: &mut Input<'_>) -> Op {
    let first = u64::from(input.byte() % 24);
    let mark = u64::from(input.byte());
    let upsert = script::late_points(first..first + 1 + u64::from(input.byte() % 6), mark);
    match input.byte() % 16 {
        0..=6 => upsert,
        7 => match upsert {
            Op::Upsert { points, .. } => Op::Upsert {
                points,
                mode: pick(
                    input,
                    &[UpsertMode::InsertOnly, UpsertMode::UpdateOnly, UpsertMode::Upsert],
                ),
                filter: Some(filter(input)),
            },
            other => other,
        },
        8 | 9 => Op::Delete(aim(input)),
        10 => {
            let key = pick(input, &[None, Some("new"), Some("n[0]"), Some("new.a[]")]);
            Op::SetPayload(payload(input), aim(input), key.map(str::to_owned))
        }
        11 => Op::OverwritePayload(payload(input), aim(input)),
        12 => Op::DeletePayload(
            vec![pick(input, &["k", "n[]", "new.a", "set"]).to_owned()],
            aim(input),
        ),
        13 => Op::ClearPayload(aim(input)),
        14 => {
            let [a, b, c] = [mark as f32, f32::from(input.byte()), -1.0];
            let vectors = match input.byte() % 4 {
                0 => Vectors::default().with("tokens", vec![vec![a, c], vec![b, a]]),
                1 => Vectors::default().with("words", SparseVector::new([3, 1_000 + mark as u32], [a, b])),
                2 => Vectors::default().with("late", vec![vec![a, b, c]]),
                _ => Vectors::from([a, b, c]),
            };
            Op::UpdateVectors {
                points: vec![(id(input), vectors)],
                filter: (input.byte() % 2 == 0).then(|| filter(input)),
            }
        }
        _ => Op::DeleteVectors(vec![pick(input, &VECTORS).to_owned()], aim(input)),
    }
}

/// A filter that is valid, on the payloads that operations make.
pub fn filter(input: &mut Input<'_>) -> Value {
    let mut list = || {
        let count = 1 + input.byte() % 2;
        (0..count).map(|_| condition(input)).collect::<Vec<_>>()
    };
    let (first, second) = (list(), list());
    match input.byte() % 6 {
        0 => json!({"must": first}),
        1 => json!({"should": first}),
        2 => json!({"must_not": first}),
        3 => json!({"must": first, "must_not": second}),
        4 => json!({"should": first, "must": second}),
        _ => json!({"must": [{"should": first}, {"must_not": second}]}),
    }
}

fn condition(input: &mut Input<'_>) -> Value {
    let number = i64::from(input.byte() % 16);
    let key = pick(input, &["k", "n", "mark", "set", "n[0]", "new.a[]", "none"]);
    match input.byte() % 9 {
        0 | 1 => json!({"key": key, "match": {"value": format!("k{}", number % 3)}}),
        2 => json!({"key": key, "match": {"value": number}}),
        3 => json!({"key": key, "match": {"any": [number, number + 1, number + 7]}}),
        4 => json!({"key": key, "range": {"gte": number, "lt": number * 8}}),
        5 => json!({"key": key, "is_empty": number % 2 == 0}),
        6 => json!({"key": key, "values_count": {"gt": number % 4}}),
        7 => json!({"has_id": [number, number + 1, number + 2]}),
        _ => json!({"has_vector": pick(input, &VECTORS)}),
    }
}
