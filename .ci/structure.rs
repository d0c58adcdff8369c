//! Checks of the source tree that no lint knows. One file, no dependencies: `rustc .ci/structure.rs` builds it.
//!
//! Run from the root of the repository; prints one line a finding and fails when there is any.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Lines of one source file, tests included, at most.
const MOST_LINES: usize = 600;
/// The crate that may hold `unsafe`.
const UNSAFE_CRATE: &str = "sys";
/// Written in pieces, so that this file does not find itself.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("#[ig", "nore"),
    concat!("allow(dead", "_code"),
    concat!("dbg", "!("),
];
/// Paths of the machine that a file was written on; users do not have them.
const LOCAL_PATHS: [&str; 3] = [
    concat!("../sha", "red"),
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
];
/// What holds no sources; in a second work tree `.git` is a file.
const SKIPPED: [&str; 6] = [
    ".git",
    "target",
    "corpus",
    "artifacts",
    "coverage",
    "node_modules",
];

fn main() -> ExitCode {
    let files = files_under(Path::new("."));
    let crates = crate_folders(&files);
    let mut findings = Vec::new();
    check_texts(&files, &mut findings);
    for folder in &crates {
        check_unsafe(folder, &mut findings);
        check_cycles(folder, &files, &mut findings);
    }
    check_map(&crates, &mut findings);
    findings.sort();
    findings.iter().for_each(|finding| println!("{finding}"));
    println!(
        "structure: {} files, {} crates, {} findings",
        files.len(),
        crates.len(),
        findings.len()
    );
    if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn files_under(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if SKIPPED.iter().any(|skipped| name == *skipped) {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) if kind.is_file() => {
                    files.push(path.strip_prefix(".").unwrap_or(&path).to_path_buf())
                }
                _ => {}
            }
        }
    }
    files.sort();
    files
}

/// Top-level folders with a `Cargo.toml`.
fn crate_folders(files: &[PathBuf]) -> Vec<String> {
    let manifests = files
        .iter()
        .filter(|file| file.ends_with("Cargo.toml") && file.components().count() == 2);
    manifests
        .filter_map(|file| Some(file.parent()?.to_str()?.to_owned()))
        .collect()
}

fn is_test(path: &Path) -> bool {
    let folder = |name: &str| path.components().any(|part| part.as_os_str() == name);
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    folder("tests")
        || folder("benches")
        || folder("fuzz")
        || stem == "test"
        || stem == "tests"
        || stem.ends_with("_tests")
}

fn check_texts(files: &[PathBuf], findings: &mut Vec<String>) {
    for path in files {
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        let shown = path.display();
        let source = path.extension().is_some_and(|ending| ending == "rs");
        let lines = text.lines().count();
        if source && lines > MOST_LINES {
            findings.push(format!(
                "{shown}: {lines} lines, at most {MOST_LINES}: split it by meaning"
            ));
        }
        for (number, line) in text.lines().enumerate() {
            let mut found = |needles: &[&str], what: &str| {
                if let Some(needle) = needles.iter().find(|needle| line.contains(**needle)) {
                    findings.push(format!("{shown}:{}: {what} ({needle})", number + 1));
                }
            };
            if source {
                found(&UNFINISHED, "unfinished");
            }
            if !path.ends_with("Cargo.lock") {
                found(&LOCAL_PATHS, "a path of one machine");
            }
        }
    }
}

fn check_unsafe(folder: &str, findings: &mut Vec<String>) {
    let forbids = |root: &str| {
        fs::read_to_string(format!("{folder}/src/{root}"))
            .map(|text| text.contains("#![forbid(unsafe_code)]"))
    };
    for root in ["lib.rs", "main.rs"] {
        if folder != UNSAFE_CRATE && folder != "fuzz" && forbids(root).is_ok_and(|forbids| !forbids) {
            findings.push(format!("{folder}/src/{root}: lacks #![forbid(unsafe_code)]"));
        }
    }
}

/// Top-level modules of one crate that reach each other through `crate::` paths cannot be understood alone.
fn check_cycles(folder: &str, files: &[PathBuf], findings: &mut Vec<String>) {
    let root = Path::new(folder).join("src");
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut sources = Vec::new();
    let tests = test_modules(&root, files);
    for path in files
        .iter()
        .filter(|path| !is_test(path) && path.extension().is_some_and(|ending| ending == "rs"))
    {
        if tests.iter().any(|test| path.with_extension("").starts_with(test)) {
            continue;
        }
        let Ok(inside) = path.strip_prefix(&root) else {
            continue;
        };
        let Some(first) = inside.components().next() else {
            continue;
        };
        let module = Path::new(first.as_os_str())
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        uses.entry(module.to_owned()).or_default();
        sources.push((
            module.to_owned(),
            code_of(&fs::read_to_string(path).unwrap_or_default()),
        ));
    }
    let reexports = sources
        .iter()
        .filter(|(module, _)| module == "lib")
        .map(|(_, text)| reexports(text))
        .next()
        .unwrap_or_default();
    for (module, text) in sources
        .iter()
        .filter(|(module, _)| module != "lib" && module != "main")
    {
        for name in names_behind_crate(text) {
            let name = reexports.get(&name).unwrap_or(&name);
            if name != module && uses.contains_key(name) && name != "lib" && name != "main" {
                uses.entry(module.clone()).or_default().insert(name.clone());
            }
        }
    }
    let reach: BTreeMap<&String, BTreeSet<&String>> = uses
        .keys()
        .map(|module| (module, reachable(module, &uses)))
        .collect();
    let mut told = BTreeSet::new();
    for module in uses.keys() {
        let knot: Vec<&String> = reach[module]
            .iter()
            .filter(|other| reach[**other].contains(module))
            .copied()
            .collect();
        if !knot.is_empty() && told.insert(knot.clone()) {
            let edges = |module: &&String| {
                let inside: Vec<&str> = uses[*module]
                    .iter()
                    .filter(|used| knot.contains(used))
                    .map(String::as_str)
                    .collect();
                format!("{module} -> {}", inside.join(" "))
            };
            let edges: Vec<String> = knot.iter().map(edges).collect();
            findings.push(format!("{folder}: modules in a cycle: {}", edges.join("; ")));
        }
    }
}

/// Files and folders, without their ending, of the modules that a crate declares for its tests only.
fn test_modules(root: &Path, files: &[PathBuf]) -> Vec<PathBuf> {
    let mut modules = Vec::new();
    for path in files.iter().filter(|path| path.starts_with(root)) {
        let text = fs::read_to_string(path).unwrap_or_default();
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        let folder = match stem {
            "lib" | "main" | "mod" => path.with_file_name(""),
            _ => path.with_extension(""),
        };
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
            let declared = pair[1].trim_start_matches("pub(crate) ").strip_prefix("mod ");
            modules.extend(
                declared
                    .and_then(|name| name.strip_suffix(';'))
                    .map(|name| folder.join(name)),
            );
        }
    }
    modules
}

/// Every module that `start` uses, directly or through others; itself too when it is in a cycle.
fn reachable<'a>(start: &'a String, uses: &'a BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&'a String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(module) = open.pop() {
        open.extend(
            uses.get(module)
                .into_iter()
                .flatten()
                .filter(|used| seen.insert(*used)),
        );
    }
    seen
}

/// The text without comments and without what stands behind `#[cfg(test)]` for one item declared in line.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut skip_to_brace = false;
    for line in text.lines() {
        let bare = line.split("//").next().unwrap_or_default();
        // Inline test modules end with a brace in the first column.
        if skip_to_brace {
            skip_to_brace = bare.trim_end() != "}";
            continue;
        }
        if code.trim_end().ends_with("#[cfg(test)]")
            && bare.starts_with("mod ")
            && bare.trim_end().ends_with('{')
        {
            skip_to_brace = true;
            continue;
        }
        code.push_str(bare);
        code.push('\n');
    }
    code
}

/// First path segments behind `crate::`, groups included.
fn names_behind_crate(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|before: char| before == '_' || before.is_alphanumeric() || before == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group_heads(group)),
            None => names.extend(identifier(rest)),
        }
    }
    names
}

/// The first segment of each member of a group, whose opening brace has been read.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut member_starts) = (1, true);
    for (at, symbol) in group.char_indices() {
        match symbol {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => member_starts = true,
            _ if member_starts && !symbol.is_whitespace() => {
                heads.extend(identifier(&group[at..]));
                member_starts = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

fn identifier(text: &str) -> Option<String> {
    let end = text
        .find(|symbol: char| symbol != '_' && !symbol.is_alphanumeric())
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// Item -> module, of every `pub use module::{Item, ...}` of a `lib.rs`.
fn reexports(code: &str) -> BTreeMap<String, String> {
    let mut modules = BTreeMap::new();
    for statement in code.split(';') {
        let Some((_, path)) = statement.split_once("use ") else {
            continue;
        };
        let Some((module, items)) = path.trim().trim_start_matches("crate::").split_once("::") else {
            continue;
        };
        let items = items
            .trim_start_matches(|symbol| symbol != '{')
            .strip_prefix('{')
            .map(group_heads);
        let items = items.or_else(|| Some(vec![path.rsplit("::").next()?.trim().to_owned()]));
        modules.extend(items.into_iter().flatten().map(|item| (item, module.to_owned())));
    }
    modules
}

/// `ARCHITECTURE.md` has a section for each crate, and every path it names is there.
fn check_map(crates: &[String], findings: &mut Vec<String>) {
    let Ok(map) = fs::read_to_string("ARCHITECTURE.md") else {
        findings.push("ARCHITECTURE.md is missing".to_owned());
        return;
    };
    for folder in crates {
        let heading = |line: &str| line.starts_with('#') && line.contains(&format!("`{folder}/`"));
        if !map.lines().any(heading) {
            findings.push(format!("ARCHITECTURE.md: no section for `{folder}/`"));
        }
    }
    for path in map.split('`').skip(1).step_by(2) {
        let like_a_path = path.contains('/')
            && path
                .chars()
                .all(|symbol| symbol.is_ascii_alphanumeric() || "_-./".contains(symbol));
        if like_a_path && !Path::new(path).exists() {
            findings.push(format!("ARCHITECTURE.md names {path}, which does not exist"));
        }
    }
}
