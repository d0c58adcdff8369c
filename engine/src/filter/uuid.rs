//! UUIDs as an index of them holds their text.

use uuid::Uuid;

/// Bytes of the hyphenated form.
const LEN: usize = 36;

/// The UUID that `text` spells in its canonical form: hyphenated, in lower case. Two texts of that form are equal when the
/// UUIDs are, so that an index of UUIDs tells what comparing the strings would; any other spelling it leaves out.
pub(crate) fn canonical_uuid(text: &str) -> Option<Uuid> {
    if text.len() != LEN || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    Uuid::try_parse(text).ok()
}
