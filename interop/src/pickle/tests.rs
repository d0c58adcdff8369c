use std::io::Cursor;
use std::sync::Arc;

use super::*;

static CLASSES: [Class; 2] = [
    Class {
        module: "a",
        name: "Thing",
        kind: Kind::Model,
    },
    Class {
        module: "a",
        name: "Colour",
        kind: Kind::Enumeration,
    },
];

fn run(
    bytes: &[u8],
    stream: Option<&'static str>,
    limits: Limits,
) -> Result<(Vec<Value>, Value), PickleError> {
    let classes = Classes {
        format: "tests",
        classes: &CLASSES,
    };
    let (references, reader) = References::scan(Cursor::new(bytes), &limits)?;
    let mut machine = Machine::new(reader, classes, Arc::new(references), stream, limits)?;
    let mut items = Vec::new();
    loop {
        match machine.advance()? {
            Event::Item(item) => items.push(item),
            Event::Entry(key, value) => items.extend([key, value]),
            Event::End(value) => return Ok((items, value)),
        }
    }
}

fn value(bytes: &[u8]) -> Result<String, String> {
    let read = run(bytes, None, Limits::default());
    read.map(|(_, value)| shown(&value))
        .map_err(|error| error.to_string())
}

/// A value in a few characters.
fn shown(value: &Value) -> String {
    let all = |items: &Items| items.items().iter().map(shown).collect::<Vec<_>>().join(" ");
    match value {
        Value::None => "None".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::UInt(value) => format!("{value}u"),
        Value::BigInt(value) | Value::Float(value) => format!("{value:?}"),
        Value::Text(text) => format!("{text:?}"),
        Value::Surrogates(text) => format!("~{text:?}"),
        Value::Bytes(bytes) => format!("b{bytes:?}"),
        Value::Span(seconds) => format!("{seconds} s"),
        Value::Offset(seconds) => format!("UTC+{seconds} s"),
        Value::List(items) => format!("[{}]", all(items)),
        Value::Tuple(items) => format!("({})", all(items)),
        Value::Set(items) => format!("<{}>", all(items)),
        Value::Dict(dict) => {
            let entries = dict
                .entries()
                .iter()
                .map(|(key, value)| format!("{}: {}", shown(key), shown(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Object(object) => {
            let fields = object
                .fields()
                .iter()
                .map(|(key, value)| format!("{}={}", shown(key), shown(value)));
            format!(
                "{}({})",
                object.class().name,
                fields.collect::<Vec<_>>().join(", ")
            )
        }
        Value::Member(class, member) => format!("{}.{member}", class.name),
        Value::Class(class) => class.name.to_owned(),
        Value::Taken => "taken".to_owned(),
    }
}

#[test]
fn integers_of_every_size_are_exact_or_the_nearest_float() {
    for (bytes, expected) in [
        (&b"K\xff."[..], "255"),
        (b"M\xff\xff.", "65535"),
        (b"J\xff\xff\xff\xff.", "-1"),
        (b"\x8a\x00.", "0"),
        (b"\x8a\x01\xff.", "-1"),
        (
            b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.",
            "9223372036854775807",
        ),
        (
            b"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.",
            "-9223372036854775808",
        ),
        (
            b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00.",
            "18446744073709551615u",
        ),
        (
            b"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.",
            "1.8446744073709552e19",
        ),
        (
            b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\x7f\xff.",
            "-9.223372036854775e18",
        ),
        (b"I-12\n.", "-12"),
        (b"I01\n.", "true"),
        (b"L18446744073709551615L\n.", "18446744073709551615u"),
        (
            b"L-340282366920938463463374607431768211457L\n.",
            "-3.402823669209385e38",
        ),
        (b"G\x3f\xf8\x00\x00\x00\x00\x00\x00.", "1.5"),
        (b"F-2.5\n.", "-2.5"),
    ] {
        let found = value(bytes).unwrap();
        if expected == "-9.223372036854775e18" {
            // One below the least i64.
            assert_eq!(found.parse::<f64>().unwrap(), -(2_f64.powi(63)), "{bytes:?}");
        } else {
            assert_eq!(found, expected, "{bytes:?}");
        }
    }
    // 2^2000 + 1 is beyond floats; 2^200 + 1 rounds down, and 2^200 + 3 * 2^147 is a tie that goes to even.
    let mut wide = vec![0_u8; 252];
    wide[0] = 1;
    wide[250] = 1;
    let long = |bytes: &[u8]| [&[0x8a, bytes.len() as u8][..], bytes, b"."].concat();
    assert_eq!(value(&long(&wide)).unwrap(), "inf");
    let mut odd = vec![0_u8; 27];
    odd[0] = 1;
    odd[25] = 1;
    assert_eq!(
        value(&long(&odd)).unwrap().parse::<f64>().unwrap(),
        2_f64.powi(200)
    );
    let mut tie = vec![0_u8; 27];
    tie[18] = 0x18;
    tie[25] = 1;
    let expected = 2_f64.powi(200) + 2_f64.powi(149);
    assert_eq!(value(&long(&tie)).unwrap().parse::<f64>().unwrap(), expected);
}

#[test]
fn strings_of_all_protocols() {
    for (bytes, expected) in [
        (&b"\x8c\x02\xc3\xa5."[..], "\"å\""),
        (b"X\x01\x00\x00\x00a.", "\"a\""),
        (b"\x8d\x01\x00\x00\x00\x00\x00\x00\x00a.", "\"a\""),
        (b"\x8c\x05a\xed\xa0\x80b.", "~\"a\u{fffd}b\""),
        (b"V\xe5 \\u0041\\U0001f600\\u005c\n.", "\"å A😀\\\\\""),
        (b"V\\\\u0041\n.", "\"\\\\\\\\u0041\""),
        (b"V\\ud83d\n.", "~\"\u{fffd}\""),
    ] {
        assert_eq!(value(bytes).unwrap(), expected, "{bytes:?}");
    }
    for bytes in [
        &b"\x8c\x01\xff."[..],
        b"\x8c\x02\xed\xa0.",
        b"V\\u00g0\n.",
        b"V\\U00110000\n.",
    ] {
        assert!(value(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn objects_members_and_sets_are_made_and_nothing_else_is_called() {
    let thing = b"\x8c\x01a\x8c\x05Thing\x93)\x81}\x8c\x08__dict__}\x8c\x01xK\x07ssb.";
    assert_eq!(value(thing).unwrap(), "Thing(\"x\"=7)");
    assert_eq!(
        value(b"ca\nColour\nX\x03\x00\x00\x00red\x85R.").unwrap(),
        "Colour.red"
    );
    assert_eq!(value(b"c__builtin__\nset\n](K\x01K\x02e\x85R.").unwrap(), "<1 2>");
    let old = b"ccopy_reg\n_reconstructor\n(ca\nThing\nc__builtin__\nobject\nNtR(dV__dict__\n(dsb.";
    assert_eq!(value(old).unwrap(), "Thing()");
    for (bytes, part) in [
        (&b"cos\nsystem\n\x8c\x02ls\x85R."[..], "byte 0: names os.system"),
        (b"ca.Thing\nx\n.", "names a.Thing.x"),
        (b"\x8c\x01a\x8c\x07Thing.x\x93.", "names a.Thing.x"),
        (b"ca\nThing\n.", "a class stands where a value should"),
        (b"](ca\nThing\ne.", "a class stands"),
        (b"ca\nThing\nK\x01\x85\x81.", "gives arguments"),
        (b"ca\nThing\n)\x81K\x01b.", "is no dict"),
        (
            b"ca\nThing\n)\x81}\x8c\x08__dict__}sb}\x8c\x08__dict__}sb.",
            "object that has one",
        ),
        (b"ca\nColour\nK\x01\x85R.", "does not take"),
        (b"K\x010K\x02.", "POP"),
        (b"K\x012.", "DUP"),
        (b"(K\x01ca\nThing\no.", "OBJ"),
        (b"\xff.", "0xff is no opcode"),
    ] {
        let error = value(bytes).unwrap_err();
        assert!(error.contains(part), "{part:?} is not in {error}");
    }
}

#[test]
fn the_memo_keeps_what_is_fetched_again() {
    // Shared before it is consumed, after, and by explicit numbers.
    assert_eq!(value(b"](]\x94h\x00K\x01e.").unwrap(), "[[] [] 1]");
    assert_eq!(value(b"]\x94(\x8c\x01x\x94h\x01e.").unwrap(), "[\"x\" \"x\"]");
    assert_eq!(value(b"](]q\x00K\x05aq\x01h\x01e.").unwrap(), "[[5] [5]]");
    assert_eq!(value(b"](Vx\np0\ng0\ne.").unwrap(), "[\"x\" \"x\"]");
    for bytes in [
        // Holds itself; grows after it was shared; is not there; is numbered out of order.
        &b"]\x94h\x00a."[..],
        b"](]\x94h\x00K\x01ae.",
        b"](h\x00e.",
        b"](K\x01q\x05h\x05e.",
        b"](]q\x00K\x05aq\x01h\x00h\x01e.",
    ] {
        assert!(value(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn the_stack_is_not_read_beyond_its_marks_and_ends_empty() {
    for bytes in [
        &b"."[..],
        b"K\x01K\x02.",
        b"(K\x01.",
        b"e.",
        b"K\x01(a.",
        b"](a.",
        b"}(K\x01u.",
        b"}]K\x01s.",
        b"K\x01K\x02a.",
        b"\x80\x06N.",
        b"\x95\xff\x00\x00\x00\x00\x00\x00\x00N.",
    ] {
        assert!(value(bytes).is_err(), "{bytes:?}");
    }
    // A frame that is too short is only a hint, and what follows the end is not looked at.
    assert_eq!(
        value(b"\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00K\x01.junk").unwrap(),
        "1"
    );
}

#[test]
fn items_of_the_list_are_handed_out_and_not_kept() {
    let thing = |n: u8| {
        let mut bytes = b"ca\nThing\n)\x81}\x8c\x08__dict__}\x8c\x01xK".to_vec();
        bytes.push(n);
        bytes.extend(b"ssb");
        bytes
    };
    let grouped = [
        b"}(\x8c\x06points](",
        &thing(1)[..],
        &thing(2),
        b"e(",
        &thing(3),
        b"e\x8c\x01zK\x09u.",
    ]
    .concat();
    let single = [b"(dVpoints\n(l", &thing(1)[..], b"a", &thing(2), b"as."].concat();
    let late = [b"}(\x8c\x01zK\x09\x8c\x06points](", &thing(1)[..], b"eu."].concat();
    for (bytes, items, end) in [
        (
            grouped,
            "Thing(\"x\"=1) Thing(\"x\"=2) Thing(\"x\"=3)",
            "{\"points\": [], \"z\": 9}",
        ),
        (single, "Thing(\"x\"=1) Thing(\"x\"=2)", "{\"points\": []}"),
        (late, "Thing(\"x\"=1)", "{\"z\": 9, \"points\": []}"),
    ] {
        let (found, value) = run(&bytes, Some("points"), Limits::default()).unwrap();
        assert_eq!(found.iter().map(shown).collect::<Vec<_>>().join(" "), items);
        assert_eq!(shown(&value), end);
    }
    for bytes in [
        [b"}(\x8c\x06points](", &thing(1)[..], b"\x94h\x00eu."].concat(),
        [b"}(\x8c\x06points](", &thing(1)[..], b"\x85eu."].concat(),
        [
            b"}(\x8c\x06points](",
            &thing(1)[..],
            b"e\x8c\x06points](",
            &thing(2),
            b"eu.",
        ]
        .concat(),
        b"}(\x8c\x06points](K\x01eu.".to_vec(),
        [b"}(\x8c\x06points]\x94(", &thing(1)[..], b"e\x8c\x01zh\x00u."].concat(),
    ] {
        assert!(
            run(&bytes, Some("points"), Limits::default()).is_err(),
            "{bytes:?}"
        );
    }
}

#[test]
fn everything_has_a_bound() {
    let small = |limits: Limits, bytes: &[u8]| run(bytes, None, limits).unwrap_err().to_string();
    let tight = Limits {
        value_bytes: 1000,
        text_bytes: 4,
        integer_bytes: 4,
        depth: 3,
        references: 1,
    };
    assert!(small(tight, b"\x8c\x05aaaaa.").contains("more than 4 bytes"));
    assert!(small(tight, b"\x8a\x05aaaaa.").contains("more than 4 bytes"));
    assert!(small(tight, b"I12345\n.").contains("more than 4 bytes"));
    assert!(small(tight, b"]]]]]aaaa.").contains("within each other"));
    assert!(small(tight, &[b"](" as &[u8], &[b'N'; 100], b"e."].concat()).contains("1000 bytes"));
    assert!(small(tight, &[&[b'('; 200] as &[u8], b"."].concat()).contains("1000 bytes"));
    assert!(small(tight, b"](]\x94]\x94h\x00h\x01e.").contains("shared values"));
    assert!(
        small(Limits::default(), b"X\xff\xff\xff\xffa.")
            .contains("4294967295 bytes where the file has 2 left")
    );
    assert!(small(Limits::default(), b"\x8b\xff\xff\xff\xff.").contains("negative length"));
}

#[test]
fn moments_and_numbers_of_numpy_are_what_their_bytes_say_or_errors() {
    /// `class(arguments..)`, called with what the opcodes of `arguments` put on the stack.
    fn call(class: &str, arguments: &[u8]) -> Vec<u8> {
        [b"c", class.as_bytes(), b"\n(", arguments, b"tR."].concat()
    }
    let moment = |bytes: [u8; 10]| [b"C\x0a".as_slice(), &bytes].concat();
    let noon = [0x07, 0xe8, 2, 29, 12, 0, 0, 0x03, 0xd0, 0x90];
    let dtype = |of: &str, order: &str, bytes: &[u8]| {
        let state = format!("(I3\nV{order}\ntb");
        let length = u8::try_from(bytes.len()).unwrap();
        let of = format!("cnumpy\ndtype\n(V{of}\nI00\nI01\ntR{state}");
        [of.as_bytes(), b"C", &[length], bytes].concat()
    };
    let scalar = |of, order, bytes: &[u8]| call("numpy._core.multiarray\nscalar", &dtype(of, order, bytes));
    for (bytes, expected) in [
        (
            call("datetime\ndatetime", &moment(noon)),
            Ok("\"2024-02-29T12:00:00.25\""),
        ),
        (
            call("datetime\ndate", b"C\x04\x07\xe8\x02\x1d"),
            Ok("\"2024-02-29\""),
        ),
        (call("datetime\ntimedelta", b"I1\nI2\nI0\n"), Ok("86402 s")),
        (
            call(
                "datetime\ntimezone",
                b"cdatetime\ntimedelta\n(I0\nI3600\nI0\ntRVCET\n",
            ),
            Ok("UTC+3600 s"),
        ),
        (
            call(
                "datetime\ndatetime",
                &moment([7, 0xe8, 0x82, 29, 2, 30, 0, 0, 0, 0]),
            ),
            Ok("\"2024-02-29T02:30:00\""),
        ),
        (
            call("datetime\ndate", b"C\x04\x07\xd0\x02\x1d"),
            Ok("\"2000-02-29\""),
        ),
        (call("datetime\ndate", b"C\x04\x07\x6c\x02\x1d"), Err("date")),
        (call("datetime\ndate", b"C\x04\x07\xe7\x02\x1d"), Err("date")),
        (call("datetime\ndate", b"C\x04\x07\xe8\x04\x1f"), Err("date")),
        (call("datetime\ndate", b"C\x04\x07\xe8\x01\x00"), Err("date")),
        (
            call("datetime\ndatetime", &moment([7, 0xe8, 2, 31, 0, 0, 0, 0, 0, 0])),
            Err("date"),
        ),
        (
            call("datetime\ntimezone", b"I3600\nVCET\n"),
            Err("arguments that it does not take"),
        ),
        (scalar("f4", "<", &1.5f32.to_le_bytes()), Ok("1.5")),
        (
            scalar("u8", "<", &u64::MAX.to_le_bytes()),
            Ok("18446744073709551615u"),
        ),
        (scalar("i2", "=", &(-2i16).to_le_bytes()), Ok("-2")),
        (scalar("b1", "|", &[1]), Ok("true")),
        (
            call("datetime\ndatetime", &moment([0, 0, 1, 1, 0, 0, 0, 0, 0, 0])),
            Err("date"),
        ),
        (
            call("datetime\ndatetime", &moment([7, 0xe8, 13, 1, 0, 0, 0, 0, 0, 0])),
            Err("date"),
        ),
        (
            call("datetime\ndatetime", &moment([7, 0xe8, 1, 1, 24, 0, 0, 0, 0, 0])),
            Err("date"),
        ),
        (call("datetime\ndatetime", b"C\x00"), Err("date")),
        (
            call("datetime\ndatetime", &[moment(noon), b"I60\n".to_vec()].concat()),
            Err("date"),
        ),
        (call("datetime\ntimezone", b"I86400\n"), Err("offset")),
        (
            call("datetime\ntimedelta", b"L9223372036854775807L\nI0\nI0\n"),
            Err("offset"),
        ),
        (scalar("f4", "<", &[0; 3]), Err("type")),
        (scalar("b1", "|", &[2]), Err("type")),
        (scalar("f4", ">", &[0; 4]), Err("little endian")),
        (scalar("U1", "<", &[0; 4]), Err("no boolean")),
        (
            call("datetime\ntime", b"C\x06\x00\x00\x00\x00\x00\x00"),
            Err("datetime.time"),
        ),
        (b"C\x05ab.".to_vec(), Err("bytes")),
    ] {
        let found = value(&bytes);
        match expected {
            Ok(expected) => assert_eq!(found.as_deref(), Ok(expected), "{bytes:?}"),
            Err(part) => assert!(
                found.as_ref().is_err_and(|error| error.contains(part)),
                "{bytes:?}: {found:?}"
            ),
        }
    }
}
