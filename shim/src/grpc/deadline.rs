//! How long a caller waits for an answer, as clients of gRPC say it with a call.
//!
//! As gRPC over HTTP/2 has it (`PROTOCOL-HTTP2.md` of gRPC): up to eight digits and a unit. It ends the waiting, not the work: a
//! read that nobody waits for stops, a write goes on to its end. What is no such time is passed over, as with other servers.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use tonic::Status;

const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Most digits.
const DIGITS: usize = 8;

/// How long the caller waits; for ever, where he does not say, or what he says is no time.
pub(super) fn patience(headers: &HeaderMap) -> Option<Duration> {
    read(headers.get(TIMEOUT)?.to_str().ok()?)
}

fn read(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = (1..=DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = digits.parse().ok().filter(|_| is_number)?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3_600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

/// What a caller is told whose time is over.
pub(super) fn over() -> Status {
    Status::deadline_exceeded("the time that the caller gave this call (grpc-timeout) is over")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(text: &'static str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(TIMEOUT, HeaderValue::from_static(text))]);
        patience(&headers)
    }

    #[test]
    fn times_have_digits_and_a_unit() {
        for (text, time) in [
            ("2H", Duration::from_secs(7_200)),
            ("3M", Duration::from_secs(180)),
            ("99999999S", Duration::from_secs(99_999_999)),
            ("0m", Duration::ZERO),
            ("150m", Duration::from_millis(150)),
            ("7u", Duration::from_micros(7)),
            ("7n", Duration::from_nanos(7)),
        ] {
            assert_eq!(of(text), Some(time), "{text}");
        }
        assert_eq!(patience(&HeaderMap::new()), None);
        for text in ["", "1", "S", "1s", "-1S", "+1S", "1.5S", "123456789n", "1 S"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
