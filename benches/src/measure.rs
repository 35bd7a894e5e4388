//! Wall time, processor time, peak resident memory.

use std::{fmt::Write as _, fs, time::Instant};

use anyhow::Context as _;

/// Kernel ticks per second in `/proc/self/stat` (a constant of the interface on Linux).
const TICKS: f64 = 100.0;

/// A running measure.
pub(crate) struct Meter {
    start: Instant,
    processor: f64,
}

impl Meter {
    /// Begins here; the peak of memory is counted from here too, where the system allows it.
    pub(crate) fn start() -> anyhow::Result<Self> {
        // "5" resets the peak to what is resident now.
        let _ = fs::write("/proc/self/clear_refs", "5");
        Self::within()
    }

    /// Begins a stage of another measure: the peak goes on.
    #[expect(clippy::disallowed_methods, reason = "this crate measures time")]
    pub(crate) fn within() -> anyhow::Result<Self> {
        Ok(Self { processor: processor()?, start: Instant::now() })
    }

    /// Prints what was done since the start: amounts with their units.
    pub(crate) fn report(self, what: &str, amounts: &[(f64, &str)]) -> anyhow::Result<()> {
        let wall = self.start.elapsed().as_secs_f64();
        let used = processor()? - self.processor;
        let mut line =
            format!("{what:<34} wall {wall:7.2} s  cpu {used:7.2} s  peak {:6.0} MB", peak()?);
        for (amount, unit) in amounts {
            let (per_core, per_wall) = (amount / used.max(1.0 / TICKS), amount / wall);
            let (amount, per_core, per_wall) = (short(*amount), short(per_core), short(per_wall));
            write!(line, "  | {amount} {unit}: {per_core}/s per core, {per_wall}/s of wall time")?;
        }
        say(&line);
        Ok(())
    }
}

/// One line of output.
#[expect(clippy::print_stdout, reason = "this program's product is what it prints")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

fn short(number: f64) -> String {
    match number {
        n if n >= 1e6 => format!("{:.2} M", n / 1e6),
        n if n >= 1e4 => format!("{:.1} k", n / 1e3),
        n if n >= 100.0 => format!("{n:.0}"),
        n => format!("{n:.1}"),
    }
}

/// User and system seconds of this process, all threads.
fn processor() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("needs Linux's /proc")?;
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS)
}

/// Peak resident memory in MB.
fn peak() -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|l| l.starts_with("VmHWM")).context("no VmHWM")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no VmHWM")?.parse()?;
    Ok(kib * 1024.0 / 1e6)
}

/// Prints the machine.
pub(crate) fn machine(seed: u64) -> anyhow::Result<()> {
    let info = fs::read_to_string("/proc/cpuinfo").context("needs Linux's /proc")?;
    let value = |name: &str| {
        let line = info.lines().find(|l| l.starts_with(name));
        line.and_then(|l| l.split(':').nth(1)).unwrap_or("?").trim().to_owned()
    };
    let cores = info.lines().filter(|l| l.starts_with("processor")).count();
    say(&format!("{cores} cores, {}, {} MHz, seed {seed}", value("model name"), value("cpu MHz")));
    Ok(())
}
