//! What the system tells of this process.

/// What this process takes of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Process {
    /// Bytes in memory, those of mapped files included.
    pub(crate) resident: u64,
    /// Bytes in memory that are of no file.
    pub(crate) anonymous: u64,
    /// Bytes of mapped files in memory.
    pub(crate) mapped: u64,
    /// Bytes of addresses.
    pub(crate) addresses: u64,
    /// Bytes of tables that lead to them.
    pub(crate) page_tables: u64,
    pub(crate) threads: u64,
    pub(crate) files: u64,
    pub(crate) most_files: Option<u64>,
    pub(crate) mappings: u64,
    pub(crate) most_mappings: Option<u64>,
    /// Pages that were missing and had not to be read from a disk.
    pub(crate) minor_faults: u64,
    /// Pages that had to be read.
    pub(crate) major_faults: u64,
    /// Seconds of processors.
    pub(crate) cpu_seconds: f64,
}

/// Clock ticks of a second, which Linux tells times of processes in whatever its own clock does.
const TICKS: f64 = 100.0;

/// What the system tells now; nothing on systems without `/proc`.
pub(crate) fn read() -> Option<Process> {
    let text = |path: &str| std::fs::read_to_string(path).ok();
    let mut process = Process::default();
    process.read_status(&text("/proc/self/status")?);
    process.read_stat(&text("/proc/self/stat")?);
    process.files = std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64);
    process.most_files = text("/proc/self/limits").as_deref().and_then(open_files);
    process.mappings = text("/proc/self/maps").map_or(0, |maps| maps.lines().count() as u64);
    process.most_mappings = text("/proc/sys/vm/max_map_count").and_then(|text| text.trim().parse().ok());
    Some(process)
}

/// Lets this process have as many files and connections open as it may have, and tells how many those are, where the system
/// tells and there is a limit.
pub(crate) fn allow_most_files() -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let now = getrlimit(Resource::Nofile);
        let most = Rlimit {
            current: now.maximum,
            maximum: now.maximum,
        };
        // Where it may not, it goes on with what it has.
        let _ = setrlimit(Resource::Nofile, most);
        getrlimit(Resource::Nofile).current
    }
    #[cfg(not(unix))]
    None
}

impl Process {
    /// Lines like `VmRSS:    1234 kB`.
    fn read_status(&mut self, text: &str) {
        for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let mut words = value.split_ascii_whitespace();
            let number: u64 = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
            let number = match words.next() {
                Some("kB") => number.saturating_mul(1024),
                Some(_) | None => number,
            };
            match name {
                "VmRSS" => self.resident = number,
                "RssAnon" => self.anonymous = number,
                "RssFile" => self.mapped = number,
                "VmSize" => self.addresses = number,
                "VmPTE" => self.page_tables = number,
                "Threads" => self.threads = number,
                _ => {}
            }
        }
    }

    /// One line of fields. The second is the name of the program in brackets, which may have anything in it.
    fn read_stat(&mut self, text: &str) {
        let Some((_, fields)) = text.rsplit_once(')') else {
            return;
        };
        // Counted as the manual of proc does, from 1; the name was the second.
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        let field = |number: usize| -> u64 {
            let field = fields.get(number - 3);
            field.and_then(|field| field.parse().ok()).unwrap_or(0)
        };
        (self.minor_faults, self.major_faults) = (field(10), field(12));
        self.cpu_seconds = field(14).saturating_add(field(15)) as f64 / TICKS;
    }
}

/// The line `Max open files   1024   4096   files`: the first number is in force.
fn open_files(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests;
