//! Files and the environment, put over one another.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{ConfigError, yaml};

/// What variables of the environment begin with.
const PREFIX: &str = "QDRANT__";

/// What names of files end with. One that cannot be read is looked for, too: nobody is to think that it is in force.
const ENDS: [&str; 5] = [".yaml", ".yml", ".json", ".toml", ".ini"];

/// Parts of the deepest key.
const MAX_DEPTH: usize = 8;

/// Everything that files and variables say.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) value: Value,
    /// The files that were read.
    pub(super) files: Vec<PathBuf>,
    /// Variables that begin as those of settings do, and name no key.
    pub(super) nameless: Vec<String>,
}

/// Reads files and variables. Usual files are looked for from `base`.
pub(super) fn gather(
    base: &Path,
    mode: &str,
    named: Option<&Path>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Gathered, ConfigError> {
    let usual = [
        "config/config",
        &format!("config/{mode}"),
        "config/local",
        "/etc/qdrant/config",
    ];
    let usual = usual
        .iter()
        .flat_map(|stem| ENDS.map(|end| base.join(format!("{stem}{end}"))))
        .filter(|path| path.is_file());
    let files: Vec<PathBuf> = usual.chain(named.map(Path::to_owned)).collect();
    let mut value = Value::Object(Map::new());
    let mut nameless = Vec::new();
    for path in &files {
        merge(&mut value, read(path)?);
    }
    for (name, text) in variables {
        // A name that is no text is none of ours.
        let Some(name) = name.to_str() else { continue };
        let Some(text) = text.to_str() else {
            if name.to_ascii_uppercase().starts_with(PREFIX) {
                return Err(ConfigError::Value(format!(
                    "{name} in the environment is no UTF-8"
                )));
            }
            continue;
        };
        if !merge_variable(&mut value, name, text) {
            nameless.push(name.to_owned());
        }
    }
    Ok(Gathered {
        value,
        files,
        nameless,
    })
}

fn read(path: &Path) -> Result<Value, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
    let parsed = match end.to_ascii_lowercase().as_str() {
        "toml" => toml::from_str(&text).map_err(|error| told(&text, &error)),
        "ini" => Err("files of INI are not read: write it in YAML, TOML or JSON".to_owned()),
        // JSON is YAML, too.
        _ => yaml::parse(&text),
    };
    parsed.map_err(|problem| ConfigError::Syntax {
        path: path.to_owned(),
        problem,
    })
}

/// What is wrong with a file of TOML, and where. Its lines are not told: a key may be in them.
fn told(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let Some(before) = before else {
        return error.message().to_owned();
    };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: {}", error.message())
}

/// Puts `newer` over `older`: objects are merged, everything else is replaced.
fn merge(older: &mut Value, newer: Value) {
    match (older, newer) {
        (Value::Object(older), Value::Object(newer)) => {
            for (key, value) in newer {
                merge(older.entry(key).or_insert(Value::Null), value);
            }
        }
        // A section that is there and empty says nothing.
        (Value::Object(_), Value::Null) => {}
        (older, newer) => *older = newer,
    }
}

/// Puts a variable over the rest, if it is one of settings. False where it begins as one and can be the name of no key.
pub(super) fn merge_variable(value: &mut Value, name: &str, text: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let Some(path) = upper.strip_prefix(PREFIX) else {
        return true;
    };
    let parts: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
    if parts.len() > MAX_DEPTH || parts.iter().any(String::is_empty) {
        return false;
    }
    let nested = parts.into_iter().rev().fold(Value::from(text), |inner, part| {
        Value::Object(Map::from_iter([(part, inner)]))
    });
    merge(value, nested);
    true
}

/// Sections, outer ones first.
const SECTIONS: [&str; 6] = [
    "/logger",
    "/service",
    "/storage",
    "/storage/performance",
    "/storage/quotas",
    "/tls",
];

/// The same with nothing instead of null for sections that are there and empty.
pub(super) fn without_empty_sections(mut value: Value) -> Value {
    for section in SECTIONS {
        if let Some(section) = value.pointer_mut(section).filter(|section| section.is_null()) {
            *section = Value::Object(Map::new());
        }
    }
    value
}

#[cfg(test)]
mod tests;
