//! What a model was trained on.

/// The processor's name and the number of cores, as a training record says it.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let unit = if cores == 1 { "core" } else { "cores" };
    format!("{}, {cores} {unit}", processor())
}

/// The name that Linux gives to the processor or, as on a Jetson, to the board; elsewhere the
/// architecture.
fn processor() -> String {
    let model_name = |text: String| {
        let mut lines = text.lines();
        let line = lines.find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cpu = std::fs::read_to_string("/proc/cpuinfo").ok();
    let board = || {
        let text = std::fs::read_to_string("/proc/device-tree/model").ok()?;
        Some(text.trim_matches(['\0', '\n']).to_owned())
    };
    cpu.and_then(model_name)
        .or_else(board)
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}
