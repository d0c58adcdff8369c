use std::cell::Cell;

use serde_json::json;

use super::*;

thread_local! {
    static READ: Cell<usize> = const { Cell::new(0) };
}

/// Something with more of itself in it, that counts how often it is read.
#[derive(Debug, Deserialize)]
struct Nested {
    #[expect(dead_code, reason = "only read")]
    #[serde(deserialize_with = "counted")]
    mark: u8,
    inner: Option<Box<OneOrMany<Nested>>>,
}

fn counted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    READ.with(|read| read.set(read.get() + 1));
    u8::deserialize(deserializer)
}

#[test]
fn every_level_is_read_once() {
    let levels = 50;
    for bottom in [json!({"mark": 0}), json!({"mark": "no number"}), json!(7)] {
        let mut value = bottom;
        for level in 0..levels {
            let list = if level % 2 == 0 { json!([value]) } else { value };
            value = json!({"mark": 1, "inner": list});
        }
        READ.with(|read| read.set(0));
        let text = value.to_string();
        let _ = serde_json::from_str::<Nested>(&text);
        READ.with(|read| assert!(read.get() <= levels + 1, "{}", read.get()));
    }
}

#[test]
fn one_and_many() {
    let one: OneOrMany<Nested> = serde_json::from_value(json!({"mark": 1})).unwrap();
    assert_eq!(one.into_vec().len(), 1);
    let many: OneOrMany<Nested> =
        serde_json::from_value(json!([{"mark": 1}, {"mark": 2, "inner": {"mark": 3}}])).unwrap();
    let many = many.into_vec();
    assert_eq!(many.len(), 2);
    assert!(many.iter().any(|item| item.inner.is_some()));
    for value in [json!(null), json!(1), json!("x")] {
        assert!(serde_json::from_value::<OneOrMany<Nested>>(value).is_err());
    }
}
