use super::*;
use crate::options::tests::args;

/// Names of the steps of the part `sizes`, and whether ours is asked here.
fn names(options: &[&str]) -> Vec<(String, bool)> {
    let args = args(options);
    let mut steps = steps(&args, &args.data).unwrap();
    steps.retain(|step| step.part == Part::Sizes);
    let here = |work: &Work| matches!(work, Work::Here { .. });
    steps
        .into_iter()
        .map(|step| (step.name, here(&step.work)))
        .collect()
}

#[test]
fn ours_is_asked_by_itself_at_every_size_where_others_have_some_of_them_only() {
    let named = |name: &str, here| (name.to_owned(), here);
    assert_eq!(
        names(&["--sizes", "10,9000"]),
        [named("rows-10", true), named("rows-9000", true)]
    );
    assert_eq!(
        names(&["--sizes", "4950,4951", "--edge", "edge-bench"]),
        [
            named("rows-4950", false),
            named("rows-4950-alone", true),
            named("rows-4951-alone", true)
        ]
    );
}

#[test]
fn ours_is_called_alone_only_where_it_is_measured_in_turns_too() {
    for (options, ending) in [(&[][..], false), (&["--edge", "edge-bench"][..], true)] {
        let args = args(&[&["--smoke", "--ef", "64"][..], options].concat());
        let found = here(&args, Some(200), false).unwrap();
        assert_eq!(found.lines.len(), 1);
        let line = &found.lines[0];
        assert_eq!(line.system.ends_with(" alone"), ending, "{}", line.system);
        assert_eq!(line.rows, Some(200));
        assert!(line.recall > 0.9, "{}", line.recall);
    }
}
