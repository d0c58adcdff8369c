//! Folding: letters of the Latin script that carry accents, are ligatures or come in another width become ASCII.
//!
//! Rules, a character at a time:
//!
//! 1. ASCII stays.
//! 2. A character whose compatibility decomposition (NFKD, Unicode Standard Annex 15) is ASCII once its combining marks are
//!    left out becomes that: é -> e, ﬁ -> fi, Ａ -> A, ² -> 2.
//! 3. Latin letters that Unicode does not decompose are spelled as in a table: ß -> ss, æ -> ae, ø -> o.
//! 4. A combining mark after ASCII is left out, so that é and e + ◌́ fold to the same.
//! 5. All else stays: other scripts have no ASCII form that their readers would search for, and their marks are often letters.
//!
//! Folding what is folded changes nothing.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Appends what `character` folds to.
pub(crate) fn fold_into(character: char, out: &mut String) {
    if character.is_ascii() {
        out.push(character);
    } else if is_combining_mark(character) {
        if !out.as_bytes().last().is_some_and(u8::is_ascii) {
            out.push(character);
        }
    } else if let Some(spelled) = spell(character) {
        out.push_str(spelled);
    } else {
        let start = out.len();
        let mut ascii = true;
        decompose_compatible(character, |part| {
            if part.is_ascii_graphic() {
                out.push(part);
            } else if !is_combining_mark(part) {
                ascii = false;
            }
        });
        if !ascii || out.len() == start {
            out.truncate(start);
            out.push(character);
        }
    }
}

/// Latin letters without a decomposition, as they are usually spelled in ASCII.
fn spell(character: char) -> Option<&'static str> {
    Some(match character {
        'Æ' | 'Ǽ' | 'Ǣ' => "AE",
        'æ' | 'ǽ' | 'ǣ' => "ae",
        'Œ' => "OE",
        'œ' => "oe",
        'ẞ' => "SS",
        'ß' => "ss",
        'Þ' => "TH",
        'þ' => "th",
        'Ð' | 'Đ' | 'Ɖ' | 'Ɗ' => "D",
        'ð' | 'đ' | 'ɖ' | 'ɗ' => "d",
        'Ø' | 'Ǿ' | 'Ɵ' | 'Ɔ' => "O",
        'ø' | 'ǿ' | 'ɵ' | 'ɔ' => "o",
        'Ł' | 'Ƚ' => "L",
        'ł' | 'ƚ' => "l",
        'Ħ' => "H",
        'ħ' => "h",
        'Ŧ' => "T",
        'ŧ' => "t",
        'Ŋ' => "N",
        'ŋ' | 'ŉ' => "n",
        'ĸ' => "q",
        'ı' => "i",
        'ȷ' => "j",
        'Ə' | 'Ǝ' | 'Ɛ' => "E",
        'ə' | 'ǝ' | 'ɛ' => "e",
        'Ƀ' | 'Ɓ' => "B",
        'ƀ' | 'ɓ' => "b",
        'Ɨ' => "I",
        'ɨ' => "i",
        'Ƶ' => "Z",
        'ƶ' => "z",
        'Ɠ' | 'Ǥ' => "G",
        'ɠ' | 'ǥ' => "g",
        'Ƙ' => "K",
        'ƙ' => "k",
        'Ʉ' => "U",
        'ʉ' => "u",
        'Ɏ' | 'Ƴ' => "Y",
        'ɏ' | 'ƴ' => "y",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
