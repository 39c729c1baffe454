//! The machine of a record.

/// The CPU's name and how many threads it runs, as the kernel knows them.
#[must_use]
pub fn cpu() -> String {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = model_name(&info).unwrap_or("unknown CPU");
    format!("{name}, {threads} threads")
}

/// Bytes of memory that the system can still give to programs; `None` where
/// it does not say so in the way of Linux.
#[must_use]
pub fn available_memory() -> Option<usize> {
    available(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn available(meminfo: &str) -> Option<usize> {
    let mut lines = meminfo.lines();
    let amount = lines.find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: usize = amount.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn model_name(cpuinfo: &str) -> Option<&str> {
    cpuinfo
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == "model name")
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpus_name_is_read() {
        let info = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n";
        assert_eq!(model_name(info), Some("Some CPU @ 2 GHz"));
        assert_eq!(model_name("processor : 0\n"), None);
    }

    #[test]
    fn the_available_memory_is_read() {
        let info = "MemTotal:       24576 kB\nMemAvailable:      16 kB\n";
        assert_eq!(available(info), Some(16_384));
        assert_eq!(available("MemTotal:       24576 kB\n"), None);
    }
}
