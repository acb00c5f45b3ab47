//! The most memory this process had in use, as the operating system counts it.
//!
//! Linux only: elsewhere there is no number, which reads better than a wrong one.

use std::fs;

/// Begins a new count, where the system allows it; otherwise the old one goes on.
pub fn reset_peak() {
    // 5: see proc_pid_clear_refs(5). May be forbidden, which costs nothing but precision.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The most resident memory since the count began, MiB.
pub fn peak_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
