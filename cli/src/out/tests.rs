use super::*;

#[test]
fn what_a_terminal_would_obey_becomes_blanks() {
    assert_eq!(
        harmless("a\x1b]0;title\x07b\u{202e}c\u{9b}31m\r"),
        "a ]0;title b c 31m "
    );
    assert_eq!(
        harmless("two\nlines, h\u{e9}\u{301} \u{5d0}"),
        "two\nlines, h\u{e9}\u{301} \u{5d0}"
    );
    assert_eq!(
        harmless("\x1b[1mid\x1b[0m \x1b[31mred"),
        "\x1b[1mid\x1b[0m  [31mred"
    );
}
