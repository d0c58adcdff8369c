//! Texts.

/// In every byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = ONES << 7;

/// How many bytes stand for themselves: up to a quotation mark, a backslash, a control character or the end.
pub(super) fn plain(bytes: &[u8]) -> usize {
    let mut len = 0;
    for chunk in bytes.as_chunks().0 {
        let found = others(u64::from_le_bytes(*chunk));
        if found != 0 {
            return len + (found.trailing_zeros() / 8) as usize;
        }
        len += size_of::<u64>();
    }
    let is_other = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    let left = bytes.get(len..).unwrap_or_default();
    len + left.iter().position(is_other).unwrap_or(left.len())
}

/// The top bits of the bytes that do not stand for themselves. Those above the lowest may be wrong.
fn others(word: u64) -> u64 {
    // A byte below `than`, which is at most 0x80, is one that borrows from its top bit and had none.
    let below = |word: u64, than: u64| word.wrapping_sub(ONES * than) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (is(b'"') | is(b'\\') | below(word, 0x20)) & TOPS
}

/// The text up to the quotation mark that ends it, and what is left behind it.
pub(super) fn escaped(mut bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut text = String::new();
    loop {
        let (run, rest) = bytes.split_at_checked(plain(bytes))?;
        text.push_str(str::from_utf8(run).ok()?);
        let character = match *rest {
            [b'"', ref rest @ ..] => return Some((text, rest)),
            [b'\\', b'u', ref rest @ ..] => {
                let (character, rest) = by_number(rest)?;
                bytes = rest;
                character
            }
            [b'\\', escape, ref rest @ ..] => {
                bytes = rest;
                by_letter(escape)?
            }
            _ => return None,
        };
        text.push(character);
    }
}

fn by_letter(escape: u8) -> Option<char> {
    Some(match escape {
        b'"' | b'\\' | b'/' => char::from(escape),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}

/// The character that is written in UTF-16, as one unit or two.
fn by_number(bytes: &[u8]) -> Option<(char, &[u8])> {
    let (first, rest) = unit(bytes)?;
    if let Some(Ok(character)) = char::decode_utf16([first]).next() {
        return Some((character, rest));
    }
    let (second, rest) = unit(rest.strip_prefix(b"\\u")?)?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, rest))
}

fn unit(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (four, rest) = bytes.split_first_chunk::<4>()?;
    let mut unit = 0;
    for digit in four {
        unit = unit << 4 | char::from(*digit).to_digit(16)?;
    }
    Some((u16::try_from(unit).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_itself_ends_where_something_else_stands() {
        let all = "0123456789abcdef\u{7f}ä€𝄞";
        assert_eq!(plain(all.as_bytes()), all.len());
        for at in 0..20 {
            for other in [b'"', b'\\', 0, 0x1f, b'\n'] {
                let mut bytes = vec![b'x'; 20];
                bytes.splice(at.., [other, other, 0xff, b'"']);
                assert_eq!(plain(&bytes), at, "{other}");
            }
        }
        assert_eq!(plain(&[0x20, b'!', b'#', b'[', b']', 0x80, 0xff, 0xa2, 0xdc]), 9);
    }
}
