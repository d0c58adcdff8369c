//! What a search is told: the setting that trades recall for speed.

use vdb::SearchRequest;

/// Neighbours asked for.
const LIMIT: usize = 10;

/// How much a search may spend.
#[derive(Debug, Clone, Copy)]
pub(super) enum Setting {
    Default,
    /// A beam of this width.
    Ef(usize),
    /// Every row is compared.
    Exact,
}

/// Reads a setting of the command line.
pub(super) fn setting(text: &str) -> Result<Setting, String> {
    match text {
        "default" => Ok(Setting::Default),
        "exact" => Ok(Setting::Exact),
        _ => text
            .parse()
            .ok()
            .filter(|ef| (1..=vdb::MAX_EF).contains(ef))
            .map(Setting::Ef)
            .ok_or_else(|| format!("expected 1 to {}, default or exact", vdb::MAX_EF)),
    }
}

impl Setting {
    pub(super) fn name(self) -> String {
        match self {
            Setting::Default => "default".to_owned(),
            Setting::Ef(ef) => format!("ef={ef}"),
            Setting::Exact => "exact".to_owned(),
        }
    }

    pub(super) fn request(self, vector: &[f32]) -> SearchRequest {
        let request = SearchRequest::new(vector).limit(LIMIT);
        match self {
            Setting::Default => request,
            Setting::Ef(ef) => request.ef(ef),
            Setting::Exact => request.exact(true),
        }
    }
}
