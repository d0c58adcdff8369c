use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::*;

/// What both readers make of a text: the same, or it is refused here.
fn agree<T: DeserializeOwned + PartialEq + fmt::Debug>(text: &[u8]) -> bool {
    let here = read_here::<T>(text);
    if let Ok(here) = &here {
        let there = serde_json::from_slice::<T>(text);
        let there = there.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)));
        assert_eq!(*here, there, "{}", String::from_utf8_lossy(text));
    }
    here.is_ok()
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    One,
    Two(u8),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Wrapped(f32);

#[derive(Debug, PartialEq, Deserialize)]
struct Flat {
    flat: Option<bool>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(u64),
    Texts(Vec<String>),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Body {
    vector: Vec<f32>,
    pair: Option<(i32, f64)>,
    kind: Option<Kind>,
    wrapped: Option<Wrapped>,
    either: Option<Either>,
    #[serde(default)]
    payload: Map<String, Value>,
    #[serde(flatten)]
    flat: Flat,
}

#[test]
fn bodies_are_read() {
    for text in [
        r#"{"vector": [1, -2.5, 3e-1, 0.1], "pair": [-7, 7], "kind": "one", "wrapped": 0.25, "flat": true}"#,
        "{ \"vector\" : [ ] ,\r\n\t\"payload\" : { \"a\\n\\u00e4\\ud834\\udd1e\" : [ null , true , \"\\\"\\\\\\/\\b\\f\\r\\t\" ] } }",
        r#"{"vector": [0.1], "either": ["x", "y"], "other": {"deep": [[{}]]}, "flat": null}"#,
        r#"{"vector": [0.1], "either": 18446744073709551615, "payload": {"": -0, "b": -0.0, "c": 1e300}}"#,
    ] {
        assert!(agree::<Body>(text.as_bytes()), "{text}");
        assert!(agree::<Value>(text.as_bytes()), "{text}");
    }
}

#[test]
fn what_is_left_to_the_other_reader_is_read_by_it() {
    let body = br#"{"vector": [1.5], "kind": {"two": 2}}"#;
    assert!(!agree::<Body>(body));
    assert_eq!(read::<Body>(body).unwrap().kind, Some(Kind::Two(2)));
    let keys = br#"{"1": true}"#;
    let read = read::<std::collections::BTreeMap<u64, bool>>(keys).unwrap();
    assert_eq!(read.get(&1), Some(&true));
}

#[test]
fn what_is_wrong_is_refused_in_the_words_of_the_other_reader() {
    for text in [
        "",
        " ",
        "nul",
        "nulls",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "[}",
        "{]",
        "1 2",
        "01",
        "-",
        "-01",
        ".5",
        "5.",
        "1e",
        "1e+",
        "+1",
        "1.e1",
        "0x1",
        "1e999",
        "\"",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\u{feff}1",
        "NaN",
        "Infinity",
        "tru",
        "[true false]",
    ] {
        assert!(!agree::<Value>(text.as_bytes()), "{text}");
        let there = serde_json::from_slice::<Value>(text.as_bytes()).unwrap_err();
        assert_eq!(
            read::<Value>(text.as_bytes()).unwrap_err().to_string(),
            there.to_string()
        );
    }
    assert!(!agree::<Value>(b"\"\xff\""));
    assert!(!agree::<Vec<f32>>(b"[1e39]"));
    assert!(!agree::<Vec<f32>>(br#"["1"]"#));
    assert!(!agree::<u8>(b"256") && !agree::<u8>(b"-1") && !agree::<u8>(b"1.0"));
}

#[test]
fn lists_in_lists_end_somewhere() {
    for depth in [126, 127, 128, 129, 100_000] {
        let text = [vec![b'['; depth], vec![b']'; depth]].concat();
        assert_eq!(agree::<Value>(&text), depth < DEPTH.into(), "{depth}");
        assert_eq!(read::<Value>(&text).is_ok(), depth < DEPTH.into());
    }
    // How deep it was before does not matter.
    let wide = format!("[{}]", vec!["[[[]]]"; 200].join(","));
    assert!(agree::<Value>(wide.as_bytes()));
}

#[test]
fn numbers_are_those_that_are_written() {
    for text in [
        "0",
        "-0",
        "0.0",
        "-0.0",
        "0e0",
        "9007199254740992",
        "9007199254740993",
        "9007199254740993.0",
        "9223372036854775807",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999",
        "-99999999999999999999999",
        "0.1",
        "0.30000000000000004",
        "1e22",
        "1e23",
        "123456789e-30",
        "1.7976931348623157e308",
        "2.2250738585072014e-308",
        "4.9e-324",
        "2e-324",
        "1e-400",
        "0.000000000000000000000000000001",
        "1e00001",
        "1e-00001",
        "3.4028235e38",
        "3.4028236e38",
        "1.17549435e-38",
        "1.4e-45",
        "7e-46",
        "16777217.0",
        "16777217.00000001",
        "0.000061035156",
        "1.00000005960464477539062",
        "1.00000005960464477539063",
        "1.000000059604644775390625",
    ] {
        assert!(agree::<Value>(text.as_bytes()), "{text}");
        assert!(agree::<f64>(text.as_bytes()), "{text}");
        // Those that no `f32` is near are refused.
        let short: f32 = text.parse().unwrap();
        assert_eq!(agree::<f32>(text.as_bytes()), short.is_finite(), "{text}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<f32>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((".{0,12}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn all_json_is_read(value in value(), pretty: bool) {
        let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) };
        prop_assert!(agree::<Value>(&text.unwrap()));
    }

    #[test]
    fn nothing_else_is_read(value in value(), changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..4)) {
        let mut text = serde_json::to_vec(&value).unwrap();
        let marks = br#"[]{}",:\0123456789.-+eEu tfn"#;
        for (at, mark) in changes {
            let at = at % text.len();
            text[at] = marks[usize::from(mark) % marks.len()];
        }
        agree::<Value>(&text);
    }

    #[test]
    fn numbers_are_the_nearest(bits: u32, wide: u64, digits in "-?[0-9]{1,12}\\.[0-9]{1,24}(e-?[0-9]{1,2})?") {
        let (short, long) = (f32::from_bits(bits), f64::from_bits(wide));
        if short.is_finite() {
            let text = json!([short, f64::from(short)]).to_string();
            prop_assert!(agree::<Vec<f32>>(text.as_bytes()));
        }
        if long.is_finite() {
            prop_assert!(agree::<f64>(long.to_string().as_bytes()));
            let scientific = format!("{long:e}");
            prop_assert!(agree::<f64>(scientific.as_bytes()));
        }
        agree::<f32>(digits.as_bytes());
        agree::<f64>(digits.as_bytes());
    }
}
