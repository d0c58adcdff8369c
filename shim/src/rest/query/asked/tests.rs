use serde_json::json;

use super::*;

fn read(text: &str) -> Asked {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_list_of_numbers_is_a_vector() {
    let Asked::Numbers(numbers) = read("[1, -2, 0.1, 1e-3, 16777217]") else {
        panic!("a vector");
    };
    // As each would be read alone.
    assert_eq!(numbers, [1.0, -2.0, 0.1, 1e-3, 16_777_216.0]);
}

#[test]
fn anything_else_is_kept_as_it_is() {
    for value in [
        json!([]),
        json!([[1.0, 2.0], [3.0, 4.0]]),
        json!([1.0, "x", 2.0]),
        json!({"nearest": [1, 2], "mmr": {}}),
        json!("c56a4180-65aa-42ec-a945-5fd21dec0538"),
        json!(7),
        json!(-7),
        json!(0.5),
        json!(true),
        json!(null),
    ] {
        let Asked::Other(kept) = read(&value.to_string()) else {
            panic!("{value}");
        };
        assert_eq!(kept, value);
    }
}
