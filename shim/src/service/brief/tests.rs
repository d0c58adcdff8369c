use super::*;
use crate::service::ErrorKind;

const LONG: Duration = Duration::from_secs(3_600);

/// Works until it is told to stop.
fn endless(control: &Control<'_>) -> Result<u32> {
    while !control.is_cancelled() {
        std::thread::yield_now();
    }
    Err(ServiceError::new(ErrorKind::Timeout, "stopped"))
}

#[test]
fn what_is_soon_done_is_done() {
    let brief = Brief::new(LONG);
    assert!(brief.is_due());
    assert_eq!(brief.attempt(LONG, |_| Ok(7)), Some(Ok(7)));
    let failed = brief.attempt::<u32>(LONG, |_| Err(ServiceError::bad_input("no")));
    assert_eq!(failed, Some(Err(ServiceError::bad_input("no"))));
    assert!(brief.is_due());
}

#[test]
fn what_takes_longer_is_given_up_and_the_next_are_not_attempted() {
    let brief = Brief::new(Duration::from_nanos(1));
    assert_eq!(brief.attempt(LONG, endless), None);
    for _ in 0..PASSES {
        assert!(!brief.is_due());
    }
    assert!(brief.is_due());
}

#[test]
fn what_its_caller_gives_no_time_is_late() {
    let brief = Brief::new(LONG);
    let late = brief.attempt(Duration::ZERO, endless);
    assert_eq!(late.unwrap().unwrap_err().kind, ErrorKind::Timeout);
}

#[test]
fn without_time_nothing_is_attempted() {
    assert!(!Brief::new(Duration::ZERO).is_due());
}

#[test]
fn a_panic_is_an_error() {
    let brief = Brief::new(LONG);
    let failed = brief.attempt(LONG, |_| -> Result<u32> { panic!("as it may") });
    assert!(failed.unwrap().unwrap_err().message.contains("unexpectedly"));
}
