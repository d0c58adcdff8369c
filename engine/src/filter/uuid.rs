//! UUIDs as texts: how an index of them holds one, and what conditions on strings mean where there is such an index.
//!
//! There a UUID is one value in whatever spelling: with hyphens or without, in capitals, as a URN, in braces.

use uuid::Uuid;

/// Bytes of the hyphenated form.
const LEN: usize = 36;

/// The UUID that `text` spells in its canonical form: hyphenated, in lower case. Two texts of that form are equal when the
/// UUIDs are; an index holds these, and leaves out what is spelled otherwise.
pub(crate) fn canonical_uuid(text: &str) -> Option<Uuid> {
    if text.len() != LEN || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    Uuid::try_parse(text).ok()
}

/// The UUIDs that some texts spell, sorted, without repeats; `None` where there are no texts, or one that spells none.
pub(super) fn uuids_of(texts: &[String]) -> Option<Vec<Uuid>> {
    let uuids = texts.iter().map(|text| Uuid::try_parse(text).ok());
    let mut uuids: Vec<Uuid> = uuids.collect::<Option<_>>()?;
    uuids.sort_unstable();
    uuids.dedup();
    (!uuids.is_empty()).then_some(uuids)
}

/// Whether a text spells one of these UUIDs, which are sorted.
pub(super) fn spells_one_of(uuids: &[Uuid], text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|uuid| uuids.binary_search(&uuid).is_ok())
}
