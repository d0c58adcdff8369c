use proptest::prelude::*;

use super::*;

fn fold(text: &str) -> String {
    let mut out = String::new();
    text.chars().for_each(|character| fold_into(character, &mut out));
    out
}

#[test]
fn latin_letters_become_ascii() {
    for (text, folded) in [
        ("ação", "acao"),
        ("éèêë ÉÈ", "eeee EE"),
        ("Straße", "Strasse"),
        ("Æther œuvre ǽ", "AEther oeuvre ae"),
        ("Łódź", "Lodz"),
        ("smørrebrød", "smorrebrod"),
        ("Þingvellir Đà", "THingvellir Da"),
        ("ﬁne ﬂow", "fine flow"),
        ("Ｆｕｌｌ", "Full"),
        ("x²", "x2"),
        ("Việt Nam", "Viet Nam"),
        ("ŉ", "n"),
        ("plain ASCII, 1-2", "plain ASCII, 1-2"),
    ] {
        assert_eq!(fold(text), folded);
    }
}

#[test]
fn composed_and_decomposed_fold_alike() {
    assert_eq!(fold("cafe\u{301}"), "cafe");
    assert_eq!(fold("caf\u{e9}"), "cafe");
    assert_eq!(fold("a\u{323}\u{302}"), fold("\u{1ead}"));
}

#[test]
fn other_scripts_keep_their_letters_and_marks() {
    // Dakuten, vowel signs and viramas are combining marks that change the word.
    for text in [
        "がぎ",
        "\u{304b}\u{3099}",
        "हिन्दी",
        "ไทย",
        "тёмный",
        "άλφα",
        "שָׁלוֹם",
        "½",
        "¨",
        "\u{344}",
    ] {
        assert_eq!(fold(text), text);
    }
}

proptest! {
    #[test]
    fn folding_twice_is_folding_once(text in "(\\PC|\\p{M}|\\p{Latin}|[a-z])*") {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }
}
