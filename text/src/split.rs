//! Where the tokens of a text begin and end, before anything is done to them.

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// A part of a text with tokens in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// One word.
    Word(&'a str),
    /// Words without spaces between them: nobody knows where one ends without a dictionary.
    Run(&'a str),
}

/// Letters and digits, each run of them with the marks on them: what stands between spaces, punctuation and symbols.
///
/// A mark belongs to the letter before it, so that a word is one whether its accents are composed or not, and so that the
/// vowel signs of Indic scripts do not end it.
pub(crate) fn words<'a>(text: &'a str, each: &mut dyn FnMut(Piece<'a>)) {
    parts(text, &mut |part| each(Piece::Word(part)));
}

/// What stands between white space.
pub(crate) fn fields<'a>(text: &'a str, each: &mut dyn FnMut(Piece<'a>)) {
    text.split_whitespace().for_each(|field| each(Piece::Word(field)));
}

/// Words by the boundaries of Unicode Standard Annex 29, which keep "don't" and "3.14" whole; of the scripts that write
/// no spaces, whole runs.
pub(crate) fn words_and_runs<'a>(text: &'a str, each: &mut dyn FnMut(Piece<'a>)) {
    let mut run = 0..0;
    for (start, piece) in text.split_word_bound_indices() {
        if !piece.contains(unspaced) {
            if piece.contains(char::is_alphanumeric) {
                take_run(text, &mut run, each);
                // A joiner before a letter that is a pictograph as well (ℹ) keeps even a space with it.
                each(Piece::Word(
                    piece.trim_start_matches(|first: char| !first.is_alphanumeric()),
                ));
            }
            continue;
        }
        // A boundary is missing where an underscore joins Katakana to Latin letters.
        parts(piece, &mut |part| {
            let at = start + (part.as_ptr().addr() - piece.as_ptr().addr());
            let goes_on = part.starts_with(unspaced);
            if !goes_on || run.end != at {
                take_run(text, &mut run, each);
            }
            if goes_on {
                run.start = if run.is_empty() { at } else { run.start };
                run.end = at + part.len();
            } else {
                each(Piece::Word(part));
            }
        });
    }
    take_run(text, &mut run, each);
}

fn take_run<'a>(text: &'a str, run: &mut std::ops::Range<usize>, each: &mut dyn FnMut(Piece<'a>)) {
    let run = std::mem::take(run);
    if !run.is_empty() {
        each(Piece::Run(&text[run]));
    }
}

fn parts<'a>(text: &'a str, each: &mut dyn FnMut(&'a str)) {
    let mut start = None;
    for (at, character) in text.char_indices() {
        match start {
            None if character.is_alphanumeric() => start = Some(at),
            Some(from) if !character.is_alphanumeric() && !is_combining_mark(character) => {
                each(&text[from..at]);
                start = None;
            }
            None | Some(_) => {}
        }
    }
    if let Some(from) = start {
        each(&text[from..]);
    }
}

/// The characters of a run as a reader sees them, with the vowels and marks that belong to each.
pub(crate) fn characters(run: &str) -> impl Iterator<Item = (usize, &str)> {
    run.grapheme_indices(true)
}

/// Letters of scripts that are written without spaces between words; their digits and punctuation are not among them.
fn unspaced(character: char) -> bool {
    matches!(
        u32::from(character),
        // Thai, Lao, Burmese, Khmer.
        0x0E01..=0x0E3A | 0x0E40..=0x0E4E | 0x0E81..=0x0ECE | 0x0EDC..=0x0EDF
        | 0x1000..=0x103F | 0x1050..=0x108F | 0x1780..=0x17D3 | 0x17DC..=0x17DD
        | 0xA9E0..=0xA9EF | 0xA9FA..=0xA9FE | 0xAA60..=0xAA7F
        // Han: the iteration mark, zero and numerals, the blocks of ideographs, compatibility forms.
        | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFD
        // Hiragana, Katakana, Bopomofo, and their extensions and half-width forms.
        | 0x3041..=0x309F | 0x30A1..=0x30FA | 0x30FC..=0x30FF | 0x3105..=0x312F | 0x31A0..=0x31BF | 0x31F0..=0x31FF
        | 0xFF66..=0xFF9F | 0x1AFF0..=0x1B16F
    )
}

#[cfg(test)]
mod tests;
