use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser};

use super::*;

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    args: Args,
}

/// Vectors that are there.
pub(crate) const DEMO: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/data/wordnet/wordnet-5k.f16.npy"
);

/// These options with the demo set.
pub(crate) fn args(options: &[&str]) -> Args {
    let command = ["program", "--data", DEMO, "--queries", "50"];
    Program::parse_from(command.iter().chain(options)).args
}

/// What is said to these options; nothing if they are taken.
fn said(options: &[&str]) -> String {
    let command = ["program", "--data", "v.npy"].iter().chain(options);
    let matches = match Program::command().try_get_matches_from(command) {
        Ok(matches) => matches,
        Err(error) => return error.to_string(),
    };
    let given = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
    let args = Program::from_arg_matches(&matches).unwrap().args;
    args.check(given)
        .err()
        .map_or_else(String::new, |error| error.to_string())
}

#[test]
fn parts_that_have_nothing_to_measure_are_refused_with_what_to_add() {
    for (parts, told) in [
        ("cold", "add --vdb"),
        ("plain,clients", "--parts clients: add --vdb"),
        ("builds", "add --vdb"),
        ("peers", "add --peers"),
        ("sizes", "add --sizes"),
        ("counts", "add --payload"),
        ("sparse,hybrid", "add --payload"),
    ] {
        let error = said(&["--parts", parts]);
        assert!(error.contains(told), "{parts}: {error}");
    }
    assert_eq!(said(&["--parts", "plain,filters,ingest"]), "");
    assert_eq!(
        said(&["--parts", "cold,sizes", "--vdb", "vdb", "--sizes", "10"]),
        ""
    );
    // Unless parts are named, those are measured that there is something for.
    assert_eq!(said(&[]), "");
}

#[test]
fn options_that_shape_no_part_that_is_measured_are_refused() {
    for (option, value, parts, told) in [
        ("--cells", "t50", "plain", "shapes filters"),
        ("--filtered-ef", "64", "plain,ingest", "shapes filters"),
        ("--ef", "64", "filters", "shapes plain and sizes and builds"),
        ("--ingest-rows", "10", "plain", "shapes ingest"),
    ] {
        let error = said(&[option, value, "--parts", parts]);
        assert!(error.contains(option) && error.contains(told), "{error}");
    }
    assert!(said(&["--clients", "2", "--vdb", "v", "--parts", "cold"]).contains("shapes clients"));
    assert!(said(&["--peers-arg", "x", "--peers", "p.py", "--parts", "plain"]).contains("shapes peers"));
    let scripts = [
        "--peers-arg",
        "x",
        "--peers",
        "p.py",
        "--sizes",
        "9",
        "--parts",
        "sizes",
    ];
    assert!(said(&scripts).contains("shapes peers, which"));
    assert_eq!(said(&[&scripts[..], &["--sizes-peers", "hnswlib"]].concat()), "");
    assert_eq!(said(&["--ef", "64", "--cells", "t50", "--ingest-rows", "10"]), "");
    // What they came to before is reported.
    assert_eq!(
        said(&[
            "--parts", "plain", "--vdb", "v", "--peers", "p.py", "--sizes", "9"
        ]),
        ""
    );
}

#[test]
fn options_of_a_program_are_refused_without_it() {
    for (options, told) in [
        (["--cached", "50"], "--vdb"),
        (["--clients", "2"], "--vdb"),
        (["--keep", "kept"], "--edge"),
        (["--python", "python3"], "--peers"),
        (["--peers-arg", "x"], "--peers"),
        (["--ingest-rows", "0"], "from 1 up"),
        (["--sizes-peers", "hnswlib"], "--peers"),
        (["--sizes-peers", "hnswlib"], "--sizes"),
        (["--sizes-peers", "hnswlib,"], "value is required"),
    ] {
        let error = said(&options);
        assert!(error.contains(told), "{options:?}: {error}");
    }
    for (given, missing) in [
        (["--peers", "p.py"], "--sizes <LIST>"),
        (["--sizes", "9"], "--peers <SCRIPT>"),
    ] {
        let error = said(&[&given[..], &["--sizes-peers", "hnswlib"]].concat());
        assert!(error.contains(missing), "{given:?}: {error}");
    }
}
