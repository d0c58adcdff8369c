use super::*;

fn parse(options: &[&str]) -> Result<Args, clap::Error> {
    let command = [
        "server-bench",
        "--rest",
        "http://localhost:6333",
        "--data",
        "v.npy",
    ];
    Args::try_parse_from(command.iter().chain(options))
}

#[test]
fn options_that_would_do_nothing_are_refused() {
    let error = parse(&["--filtered-queries", "10"]).unwrap_err().to_string();
    assert!(error.contains("--filters"), "{error}");
    for (options, told) in [
        (["--payload", "p.jsonl"], "add --filters"),
        (["--pid", "4294967295"], "such a process"),
    ] {
        let error = check(&parse(&options).unwrap()).unwrap_err().to_string();
        assert!(error.contains(options[0]) && error.contains(told), "{error}");
    }
    let sound = parse(&["--payload", "p.jsonl", "--filters", "--filtered-queries", "10"]);
    assert!(check(&sound.unwrap()).is_ok());
}
