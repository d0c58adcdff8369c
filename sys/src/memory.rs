//! How much memory is there, and how much of it does this process have?

/// The part of the machine's memory, or of what its control group may have, that is resident in this process, in percent. Pages of
/// mapped files do not count. `None` where the system does not tell.
pub fn resident_percent() -> Option<f64> {
    let resident = resident()? as f64;
    let all = total_bytes()?.max(1) as f64;
    Some(100.0 * resident / all)
}

/// Without the pages of mapped files: the system takes these back when it needs them.
#[cfg(target_os = "linux")]
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    let own = kilobytes("RssAnon:")?.checked_add(kilobytes("RssShmem:")?)?;
    own.checked_mul(1024)
}

/// Bytes of the machine's memory, or of what its control group may have. `None` where the system does not tell.
#[cfg(target_os = "linux")]
pub fn total_bytes() -> Option<u64> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    let machine = kilobytes.checked_mul(1024)?;
    // Without a limit the file says `max`, or is not there.
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group: Option<u64> = group.and_then(|text| text.trim().parse().ok());
    Some(group.map_or(machine, |group| group.min(machine)))
}

#[cfg(not(target_os = "linux"))]
fn resident() -> Option<u64> {
    None
}

/// Bytes of the machine's memory, or of what its control group may have. `None` where the system does not tell.
#[cfg(not(target_os = "linux"))]
pub fn total_bytes() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_has_some_of_the_memory_and_not_all() {
        let percent = super::resident_percent().expect("Linux tells");
        assert!(percent > 0.0 && percent < 100.0, "{percent} %");
    }
}
