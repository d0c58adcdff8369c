use super::*;

fn wrong(text: &str) -> String {
    let (field, problem) = vector(text, "v").unwrap_err();
    format!("{field}: {problem}")
}

#[test]
fn vectors_are_read_however_they_are_spelled() {
    for text in [
        "[1, 2.5, -3e-1]",
        "[1,2.5,-0.3]",
        "[ 1.   2.5 -0.3]",
        "[ 1.\n  2.5\n -0.3 ]",
        "{1,2.5,-.3}",
        "(1, 2.5, -0.3)",
        "1 2.5 -0.3",
        "1, 2.5, -0.3",
        "1\t+2.5\t-0.3",
        "  [1, 2.5, -0.3] ",
    ] {
        assert_eq!(vector(text, "v").unwrap(), [1.0, 2.5, -0.3], "{text}");
    }
    assert_eq!(vector("[7]", "v").unwrap(), [7.0]);
    assert_eq!(vector("[ 7. ]", "v").unwrap(), [7.0]);
    assert_eq!(vector("[7.]", "v").unwrap(), [7.0]);
    assert_eq!(vector("[-7.]", "v").unwrap(), [-7.0]);
    assert!(vector("[]", "v").unwrap().is_empty());
}

#[test]
fn what_is_no_vector_is_told_with_its_place() {
    for (text, expected) in [
        (
            "[0.1 0.2 ... 0.9]",
            "v[2]: \"...\", which NumPy prints for numbers",
        ),
        ("[...]", "v[0]: \"...\", which NumPy prints for numbers"),
        ("[0.1 x]", "v[1]: \"x\" is not a number"),
        ("1,,2", "v[1]: \"\" is not a number"),
        ("1 nan", "v[1]: nan is not a finite"),
        ("1, 1e39", "v[1]: 1e39 is not a finite"),
        ("[1, null]", "v[1]: invalid type: null"),
        ("[[1 2] [3 4]]", "v[0]: \"[1\" is not a number"),
        ("[1 2", "v[0]: \"[1\" is not a number"),
        ("7", "v: invalid type: integer"),
        ("an owl", "v[0]: \"an\" is not a number, and a vector in text is"),
    ] {
        let message = wrong(text);
        assert!(message.starts_with(expected), "{text}: {message}");
    }
    assert!(wrong(&"1 ".repeat(MAX_DIM + 1)).contains("at most 65536"));
}
