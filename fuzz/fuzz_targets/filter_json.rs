//! Filters in JSON: any text is a filter or an error, a filter survives being written and read again, and an indexed
//! collection counts what a collection without indexes counts.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use vdb::{
    Collection, CollectionConfig, Control, Database, Distance, Filter, PayloadIndexKind, PayloadIndexOptions,
    PayloadIndexParams, Point, VectorParams,
};

/// The same points twice: plain in the log's table, and in a segment with an index on each field. The indexes of texts and of UUIDs
/// are on both, since they say what conditions on strings mean.
static COLLECTIONS: LazyLock<[Collection; 2]> = LazyLock::new(|| {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let [plain, indexed] = ["plain", "indexed"].map(|name| {
        let params = VectorParams::new(2, Distance::Dot);
        let collection = db.create_collection(name, CollectionConfig::new(params)).unwrap();
        collection
            .upsert((0..payloads().len()).map(point).collect())
            .unwrap();
        let positions = PayloadIndexOptions {
            phrase_matching: Some(true),
            ..PayloadIndexOptions::default()
        };
        let texts = PayloadIndexParams::from(PayloadIndexKind::Text).options(positions);
        collection.create_payload_index("t", texts).unwrap();
        collection.create_payload_index("u", PayloadIndexKind::Uuid).unwrap();
        collection
    });
    let kinds = [
        ("k", PayloadIndexKind::Keyword),
        ("i", PayloadIndexKind::Integer),
        ("f", PayloadIndexKind::Float),
        ("b", PayloadIndexKind::Bool),
        ("d", PayloadIndexKind::Datetime),
        ("g", PayloadIndexKind::Geo),
    ];
    for (path, kind) in kinds {
        indexed.create_payload_index(path, kind).unwrap();
    }
    indexed.flush().unwrap();
    indexed.optimize(&Control::none()).unwrap();
    [plain, indexed]
});

fn payloads() -> Vec<Value> {
    vec![
        json!({"t": "a b a", "k": "a", "i": 1, "f": 0.5, "b": true, "d": "2024-01-02T03:04:05Z", "g": {"lon": 13.4, "lat": 52.5}, "u": "67e55044-10b1-426f-9247-bb680e5fe0c8"}),
        json!({"t": ["b a", "B, c"], "k": ["a", "b"], "i": [1, 2], "f": 1, "b": false, "d": "2024-01-02", "g": [{"lon": 180, "lat": 0}, {"lon": -180.0, "lat": -0.0}]}),
        json!({"t": null, "k": null, "i": null, "f": null, "b": null, "d": null, "g": null}),
        json!({"k": [], "i": 2.0, "f": -0.0, "b": [true, false], "d": ["1969-12-31T23:59:59Z"], "g": [{"lon": 0, "lat": 90}, {"lon": 0, "lat": 91}]}),
        json!({"t": ["...", 7], "k": 7, "i": "1", "f": "0.5", "b": 1, "d": "yesterday", "g": [13.4, 52.5], "u": ["67E55044-10B1-426F-9247-BB680E5FE0C8", "x"]}),
        json!({"n": [{"k": "a", "i": 1}, {"k": "b", "i": 2}], "i": -9_007_199_254_740_993_i64}),
        json!({}),
    ]
}

fn point(number: usize) -> Point {
    let point = Point::new(number as u64, [1.0, number as f32]);
    point.payload(payloads()[number].clone()).unwrap()
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(json) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let Ok(filter) = Filter::from_json(&json) else {
        return;
    };
    let written = filter.to_json();
    let again = Filter::from_json(&written).expect("a filter that was written");
    assert_eq!(again.to_json(), written);
    let [plain, indexed] = COLLECTIONS
        .each_ref()
        .map(|collection| collection.count(Some(&filter)));
    match (plain, indexed) {
        (Ok(plain), Ok(indexed)) => assert_eq!(plain, indexed, "{written}"),
        (plain, indexed) => assert_eq!(plain.is_err(), indexed.is_err(), "{written}"),
    }
});
