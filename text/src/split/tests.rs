use proptest::prelude::*;

use super::*;

type Cut = for<'a> fn(&'a str, &mut dyn FnMut(Piece<'a>));

fn pieces<'a>(cut: Cut, text: &'a str) -> Vec<Piece<'a>> {
    let mut all = Vec::new();
    cut(text, &mut |piece| all.push(piece));
    all
}

fn only_words(cut: Cut, text: &str) -> Vec<&str> {
    let word = |piece| match piece {
        Piece::Word(word) => word,
        Piece::Run(run) => panic!("{run} is a run"),
    };
    pieces(cut, text).into_iter().map(word).collect()
}

#[test]
fn words_end_at_spaces_punctuation_and_symbols() {
    for (text, expected) in [
        ("", &[][..]),
        (" ... \n", &[]),
        ("Hello, world!", &["Hello", "world"]),
        (
            "snake_case-kebab.dot/slash",
            &["snake", "case", "kebab", "dot", "slash"],
        ),
        ("don't pay $3.14 (2×)", &["don", "t", "pay", "3", "14", "2"]),
        ("C++ & C#", &["C", "C"]),
        ("naïve nai\u{308}ve", &["naïve", "nai\u{308}ve"]),
        ("\u{301}lone", &["lone"]),
        ("हिन्दी भाषा", &["हिन्दी", "भाषा"]),
        ("東京タワーへ行く", &["東京タワーへ行く"]),
        ("a😀b", &["a", "b"]),
    ] {
        assert_eq!(only_words(words, text), expected, "{text}");
    }
}

#[test]
fn fields_keep_their_punctuation() {
    assert_eq!(
        only_words(fields, " C++,\tdon't\u{3000}x.y\n"),
        ["C++,", "don't", "x.y"]
    );
    assert_eq!(only_words(fields, "\u{a0} "), [""; 0]);
}

#[test]
fn boundaries_of_the_annex_keep_apostrophes_and_decimals() {
    assert_eq!(
        only_words(words_and_runs, "I don't pay $3.14, e.g. to foo_bar!"),
        ["I", "don't", "pay", "3.14", "e.g", "to", "foo_bar"]
    );
    assert_eq!(only_words(words_and_runs, "한국어 검색"), ["한국어", "검색"]);
}

#[test]
fn scripts_without_spaces_come_in_runs() {
    use Piece::{Run, Word};
    for (text, expected) in [
        ("東京タワーへ行く。", &[Run("東京タワーへ行く")][..]),
        (
            "GPU加速計算2024年",
            &[Word("GPU"), Run("加速計算"), Word("2024"), Run("年")],
        ),
        ("中文，分词", &[Run("中文"), Run("分词")]),
        ("中 文", &[Run("中"), Run("文")]),
        ("ภาษาไทย ๕", &[Run("ภาษาไทย"), Word("๕")]),
        ("ជំរាបសួរ", &[Run("ជំរាបសួរ")]),
        ("ハロー・ワールド", &[Run("ハロー"), Run("ワールド")]),
        ("カ_a_カナ", &[Run("カ"), Word("a"), Run("カナ")]),
        ("𠮷野家", &[Run("𠮷野家")]),
    ] {
        assert_eq!(pieces(words_and_runs, text), expected, "{text}");
    }
}

#[test]
fn characters_keep_their_vowels() {
    let of = |run| {
        characters(run)
            .map(|(_, character)| character)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("東京"), ["東", "京"]);
    assert_eq!(of("か\u{3099}き"), ["か\u{3099}", "き"]);
    assert_eq!(of("ที่นี่"), ["ที่", "นี่"]);
}

proptest! {
    #[test]
    fn pieces_are_parts_of_the_text_in_order(text in "(\\PC|\\p{M}|[a-z' _.]|[가-힣一-龯ぁ-ヶก-๛])*") {
        for cut in [words, fields, words_and_runs] as [Cut; 3] {
            let mut end = 0;
            for piece in pieces(cut, &text) {
                let (Piece::Word(part) | Piece::Run(part)) = piece;
                prop_assert!(!part.is_empty());
                let start = part.as_ptr().addr() - text.as_ptr().addr();
                prop_assert!(start >= end);
                prop_assert_eq!(&text[start..start + part.len()], part);
                end = start + part.len();
            }
        }
    }
}
