//! Payload encoding and path lookup, points files and id lookup.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use vdb_storage::PointId;
use vdb_storage::payload::{ObjectRef, decode_payload, encode_payload};
use vdb_storage::points::{PointsReader, PointsWriter, SegmentIdentity};
use vdb_storage::schema::SchemaRecord;
use vdb_vfs::MemDisk;

const ROWS: u64 = 100_000;

fn payload(c: &mut Criterion) {
    let text = r#"{"synset":1740,"pos":"noun","lexfile":3,"words":["entity","thing"],"lemmas":1,"examples":0,
        "gloss":"that which is perceived or known or inferred to have its own distinct existence"}"#;
    let Ok(serde_json::Value::Object(map)) = serde_json::from_str(text) else {
        return;
    };
    let Ok(bytes) = encode_payload(&map) else { return };
    let mut group = c.benchmark_group("payload");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("encode", |b| b.iter(|| black_box(encode_payload(&map))));
    group.bench_function("decode", |b| b.iter(|| black_box(decode_payload(&bytes))));
    group.bench_function("one key", |b| {
        b.iter(|| ObjectRef::from_payload(&bytes).and_then(|o| o.get("lemmas").map(|v| v.is_some())))
    });
    group.finish();
}

fn points(c: &mut Criterion) {
    let disk = MemDisk::new();
    let identity = SegmentIdentity {
        collection_id: 1,
        segment_id: 1,
        min_seq: 1,
        max_seq: 1,
        schema: SchemaRecord::default(),
    };
    let rows = || (0..ROWS).map(|i| (PointId::Num(i * 3), 1));
    let mut group = c.benchmark_group("points");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("write", |b| {
        b.iter(|| PointsWriter::write(&disk, "points", identity.clone(), rows()).is_ok())
    });
    let Ok(reader) = PointsReader::open(&disk, "points") else {
        return;
    };
    group.throughput(Throughput::Elements(1));
    let mut at = 0u64;
    for (name, offset) in [("hit", 0), ("miss", 1)] {
        group.bench_function(format!("find {name}"), |b| {
            b.iter(|| {
                at = (at + 7_919) % ROWS;
                black_box(reader.find(PointId::Num(at * 3 + offset)))
            })
        });
    }
    group.finish();
}

criterion_group!(benches, payload, points);
criterion_main!(benches);
