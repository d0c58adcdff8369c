use super::*;

#[test]
fn what_the_system_says_is_read() {
    let mut process = Process::default();
    process
        .read_status("Name:\tvdb\nVmSize:\t  2048 kB\nVmRSS:\t    1024 kB\nRssAnon:\t 512 kB\nThreads:\t7\n");
    assert_eq!(
        (process.addresses, process.resident, process.anonymous),
        (2 << 20, 1 << 20, 512 << 10)
    );
    assert_eq!(process.threads, 7);
    // A program may be called anything.
    process.read_stat("12 (a) b) S 1 1 1 0 -1 4194560 31 0 5 0 150 50 0 0 20 0 4 0 99 1 2\n");
    assert_eq!((process.minor_faults, process.major_faults), (31, 5));
    assert!(
        (process.cpu_seconds - 2.0).abs() < 1e-9,
        "{}",
        process.cpu_seconds
    );
    assert_eq!(
        open_files("Limit x\nMax open files            1024                 4096                 files\n"),
        Some(1024)
    );
    assert_eq!(
        open_files("Max open files            unlimited            unlimited            files\n"),
        None
    );
}

#[test]
fn nonsense_is_nothing() {
    let mut process = Process::default();
    process.read_status("VmRSS: many kB\n:\nThreads");
    process.read_stat("no brackets");
    process.read_stat(")");
    assert_eq!(process, Process::default());
}

#[cfg(target_os = "linux")]
#[test]
fn this_process_has_memory_threads_and_files() {
    let process = read().unwrap();
    assert!(process.resident > 0 && process.threads > 0 && process.files > 0 && process.mappings > 0);
}
