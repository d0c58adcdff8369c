use super::*;

#[test]
fn a_setting_is_typed_as_a_width_and_told_with_its_name() {
    for (typed, told) in [("default", "default"), ("64", "ef=64"), ("exact", "exact")] {
        assert_eq!(typed.parse::<Setting>().unwrap().to_string(), told);
    }
    for wrong in ["", "0", "-1", "ef=64", "1.5"] {
        assert!(wrong.parse::<Setting>().is_err(), "{wrong}");
    }
}
