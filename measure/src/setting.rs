//! What a search is told: the setting that trades recall for speed.

use std::fmt;
use std::str::FromStr;

/// How much a search may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// What the system does when it is not told.
    Default,
    /// A beam of this width.
    Ef(usize),
    /// Every row is compared.
    Exact,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Default => f.write_str("default"),
            Setting::Ef(ef) => write!(f, "ef={ef}"),
            Setting::Exact => f.write_str("exact"),
        }
    }
}

impl FromStr for Setting {
    type Err = String;

    /// As command lines have it: a width without a name before it.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Setting::Default),
            "exact" => Ok(Setting::Exact),
            _ => text
                .parse()
                .ok()
                .filter(|ef| *ef > 0)
                .map(Setting::Ef)
                .ok_or_else(|| "expected a width of the beam from 1 up, default or exact".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
