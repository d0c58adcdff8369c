//! Every kind of condition, on payloads that have something for each.

use serde_json::{Map, Value, json};

use crate::dataset::Dataset;

/// A filter that points are counted with.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The kind of condition, and what it asks for.
    pub(crate) name: &'static str,
    /// In Qdrant's JSON.
    pub(crate) filter: Value,
    /// Systems that need a setting for it that another index of the field has leave it out: phrases without positions.
    pub(crate) ours_only: bool,
}

/// The payload indexes that all cases use, as Qdrant's JSON has them.
pub fn indexes() -> Vec<(&'static str, Value)> {
    vec![
        ("pos", json!("keyword")),
        ("words", json!({"type": "keyword", "prefix": true})),
        ("lexfile", json!("integer")),
        ("lemmas", json!("integer")),
        ("price", json!("float")),
        ("seen", json!("bool")),
        ("when", json!("datetime")),
        ("owner", json!("uuid")),
        ("place", json!("geo")),
        (
            "gloss",
            json!({"type": "text", "tokenizer": "word", "lowercase": true}),
        ),
        (
            "definition",
            json!({"type": "text", "tokenizer": "word", "lowercase": true, "phrase_matching": true}),
        ),
        ("offers[].size", json!("integer")),
        ("offers[].colour", json!("keyword")),
        ("maybe", json!("integer")),
    ]
}

const COLOURS: [&str; 5] = ["red", "green", "blue", "white", "black"];

/// A number that looks drawn at random, of a row and of what it is for (SplitMix64: Steele et al., OOPSLA 2014).
fn drawn(row: usize, what: u64) -> u64 {
    let mut x =
        (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ what.wrapping_mul(0xd1b5_4a32_d192_ed03);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn owner(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// The payload of a row: what WordNet says (`words`, `pos`, `lexfile`, `lemmas`, `gloss`), its gloss again as `definition`, and
/// of [`drawn`] numbers `price` (0 to 1,000 with two digits), `seen` (true for a quarter), `when` (a second of the years 2000
/// to 2024), `owner` (one of 1,000 UUIDs), `place` (anywhere on a grid of 1/100 degree), `offers` (1 to 3, each with a `size`
/// below 20 and one of five colours) and `maybe` (of ten rows one lacks it, one has null, one an empty list, the others a
/// number below 100).
fn payload(row: usize, own: &Map<String, Value>) -> Map<String, Value> {
    let mut payload = Map::new();
    for key in ["words", "pos", "lexfile", "lemmas", "gloss"] {
        if let Some(value) = own.get(key) {
            payload.insert(key.to_owned(), value.clone());
        }
    }
    let mut put = |key: &str, value: Value| payload.insert(key.to_owned(), value);
    if let Some(gloss) = own.get("gloss") {
        put("definition", gloss.clone());
    }
    let below = |what: u64, end: u64| drawn(row, what) % end;
    put("price", json!(below(1, 100_000) as f64 / 100.0));
    put("seen", json!(below(2, 4) == 0));
    let [year, month, day] = [2000 + below(3, 25), 1 + below(4, 12), 1 + below(5, 28)];
    let [hour, minute, second] = [below(6, 24), below(7, 60), below(8, 60)];
    put(
        "when",
        json!(format!(
            "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )),
    );
    put("owner", json!(owner(below(9, 1000))));
    let lon = below(10, 36_000) as f64 / 100.0 - 180.0;
    let lat = below(11, 18_000) as f64 / 100.0 - 90.0;
    put("place", json!({"lon": lon, "lat": lat}));
    let offer = |number: u64| {
        let colour = COLOURS[(below(30 + number, 5)) as usize];
        json!({"size": below(20 + number, 20), "colour": colour})
    };
    put("offers", (0..1 + below(12, 3)).map(offer).collect());
    match below(13, 10) {
        0 => None,
        1 => put("maybe", Value::Null),
        2 => put("maybe", json!([])),
        _ => put("maybe", json!(below(14, 100))),
    };
    payload
}

/// The payload of every row of a data set.
pub(crate) fn payloads(set: &Dataset) -> Vec<Map<String, Value>> {
    let rows = set.payloads.iter().enumerate();
    rows.map(|(row, own)| payload(row, own)).collect()
}

fn field(key: &str, test: &str, value: Value) -> Value {
    json!({"key": key, test: value})
}

fn matches(key: &str, how: &str, what: impl Into<Value>) -> Value {
    json!({"key": key, "match": {how: what.into()}})
}

/// The cases, each with the condition that must hold: kinds in turn, each with what many rows match and what few do.
fn conditions(rows: usize) -> Vec<(&'static str, Value)> {
    let owners: Vec<String> = (0..50).map(|number| owner(number * 7)).collect();
    let ids: Vec<usize> = (0..1000).map(|number| number * rows.max(1000) / 1000).collect();
    let corner = |lon: i32, lat: i32| json!({"lon": lon, "lat": lat});
    let ring = |around: [(i32, i32); 5]| json!({"points": around.map(|(lon, lat)| corner(lon, lat))});
    let outer = ring([(-60, -30), (70, -40), (90, 50), (-50, 60), (-60, -30)]);
    let hole = ring([(0, 0), (20, 0), (20, 20), (0, 20), (0, 0)]);
    let circle = |metres: u32| json!({"center": corner(10, 45), "radius": metres});
    let boxed =
        |east: i32, south: i32| json!({"top_left": corner(-20, 60), "bottom_right": corner(east, south)});
    vec![
        ("match keyword, many", matches("pos", "value", "noun")),
        ("match keyword, few", matches("words", "value", "head")),
        ("match keyword any", matches("pos", "any", json!(["verb", "adv"]))),
        (
            "match keyword any, few",
            matches("words", "any", json!(["head", "owl", "run", "good", "slowly"])),
        ),
        (
            "match keyword except, few",
            matches("pos", "except", json!(["noun"])),
        ),
        (
            "match keyword except, nearly all",
            matches("words", "except", json!(["head", "owl"])),
        ),
        ("match prefix, many", matches("words", "prefix", "s")),
        ("match prefix, few", matches("words", "prefix", "anti")),
        ("match integer", matches("lexfile", "value", 5)),
        (
            "match integer any",
            matches("lexfile", "any", json!([3, 5, 18, 30])),
        ),
        (
            "match integer except",
            matches("lexfile", "except", json!([5, 18])),
        ),
        (
            "range of integers, many",
            field("lexfile", "range", json!({"gte": 3, "lt": 30})),
        ),
        (
            "range of integers, few",
            field("lemmas", "range", json!({"gte": 6})),
        ),
        (
            "range of floats, many",
            field("price", "range", json!({"gt": 250.0, "lte": 750.0})),
        ),
        (
            "range of floats, few",
            field("price", "range", json!({"gte": 500.0, "lt": 501.0})),
        ),
        ("match bool", matches("seen", "value", true)),
        (
            "range of datetimes, many",
            field(
                "when",
                "range",
                json!({"gte": "2005-06-01T00:00:00Z", "lt": "2020-01-01T00:00:00Z"}),
            ),
        ),
        (
            "range of datetimes, few",
            field(
                "when",
                "range",
                json!({"gte": "2010-03-01T00:00:00Z", "lt": "2010-04-01T00:00:00Z"}),
            ),
        ),
        ("match uuid", matches("owner", "value", owner(7))),
        ("match uuid any", matches("owner", "any", json!(owners))),
        ("match uuid except", matches("owner", "except", json!([owner(7)]))),
        (
            "geo box, many",
            field("place", "geo_bounding_box", boxed(120, -50)),
        ),
        ("geo box, few", field("place", "geo_bounding_box", boxed(-10, 50))),
        (
            "geo radius, many",
            field("place", "geo_radius", circle(4_000_000)),
        ),
        ("geo radius, few", field("place", "geo_radius", circle(300_000))),
        (
            "geo polygon with a hole",
            field(
                "place",
                "geo_polygon",
                json!({"exterior": outer, "interiors": [hole]}),
            ),
        ),
        ("match text, many", matches("gloss", "text", "of the")),
        ("match text, few", matches("gloss", "text", "bird of prey")),
        (
            "match text any",
            matches("gloss", "text_any", "animal plant mineral"),
        ),
        (
            "match phrase with positions, many",
            matches("definition", "phrase", "of the"),
        ),
        (
            "match phrase with positions, few",
            matches("definition", "phrase", "birds of prey"),
        ),
        (
            "values count of a list",
            field("words", "values_count", json!({"gte": 3})),
        ),
        (
            "values count of objects, which no index holds",
            field("offers", "values_count", json!({"gt": 2})),
        ),
        ("is empty", json!({"is_empty": {"key": "maybe"}})),
        ("is null", json!({"is_null": {"key": "maybe"}})),
        ("has id, 1,000", json!({"has_id": ids})),
        ("has vector", json!({"has_vector": "dense"})),
        ("has vector, sparse", json!({"has_vector": "words"})),
        ("slice", json!({"slice": {"total": 10, "index": 3}})),
    ]
}

/// Filters of several conditions.
fn combined() -> Vec<(&'static str, Value)> {
    let nested = |must: Value| json!({"must": [{"nested": {"key": "offers", "filter": {"must": must}}}]});
    let dear = field("price", "range", json!({"gte": 600.0}));
    let large = field("size", "range", json!({"gte": 15}));
    let [noun, seen] = [matches("pos", "value", "noun"), matches("seen", "value", true)];
    let some = json!([noun, seen, dear, field("lexfile", "range", json!({"lt": 10}))]);
    vec![
        ("nested, one condition", nested(json!([large]))),
        (
            "nested, two conditions",
            nested(json!([large, matches("colour", "value", "red")])),
        ),
        ("must of three", json!({"must": [noun, seen, dear]})),
        (
            "should of three",
            json!({"should": [matches("pos", "value", "adv"), seen, dear]}),
        ),
        ("must not", json!({"must_not": [noun, seen]})),
        (
            "min_should 2 of 4",
            json!({"min_should": {"conditions": some, "min_count": 2}}),
        ),
        (
            "must, should and must not",
            json!({"must": [noun], "should": [seen, dear], "must_not": [matches("lexfile", "value", 5)]}),
        ),
        ("not empty", json!({"must_not": [{"is_empty": {"key": "maybe"}}]})),
        (
            "filters in filters",
            json!({"should": [{"must": [noun, dear]}, {"must": [seen], "must_not": [dear]}]}),
        ),
    ]
}

/// All cases for so many rows.
pub(crate) fn cases(rows: usize) -> Vec<Case> {
    let case = |name, filter, ours_only| Case {
        name,
        filter,
        ours_only,
    };
    let alone = conditions(rows).into_iter();
    let alone = alone.map(|(name, condition)| case(name, json!({"must": [condition]}), false));
    let phrases = [
        ("match phrase without positions, many", "of the"),
        ("match phrase without positions, few", "birds of prey"),
    ];
    let phrases =
        phrases.map(|(name, words)| case(name, json!({"must": [matches("gloss", "phrase", words)]}), true));
    let combined = combined()
        .into_iter()
        .map(|(name, filter)| case(name, filter, false));
    alone.chain(phrases).chain(combined).collect()
}

#[cfg(test)]
mod tests;
