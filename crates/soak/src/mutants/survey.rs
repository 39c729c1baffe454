//! The counts of one kernel.

use gpu_executor_soak::finding;

/// What became of a mutant with a driver that takes it unchecked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The driver refused it or ran it.
    Survived,
    /// The process ended.
    Killed,
    /// The process did not come back.
    Hung,
}

/// A mutant's number, its fate, and whether the interface and spirv-val stop it.
pub(crate) type Judged = (u64, Fate, [bool; 2]);

#[derive(Default)]
pub(crate) struct Survey {
    mutants: usize,
    killers: usize,
    hung: usize,
    /// By what stops them, as [`LAYERS`] names it: all mutants, and those that kill or hang a
    /// driver.
    stopped: [(usize, usize); 4],
    /// Which killers get past both.
    past: Vec<u64>,
}

const LAYERS: [&str; 4] = ["nothing", "interface alone", "spirv-val alone", "both"];

impl Survey {
    pub(crate) fn count(&mut self, (index, fate, [interface, validator]): Judged) {
        let killer = fate != Fate::Survived;
        let stops = [false, interface, validator, interface || validator];
        self.mutants += 1;
        self.killers += usize::from(killer);
        self.hung += usize::from(fate == Fate::Hung);
        for ((all, killers), stops) in self.stopped.iter_mut().zip(stops) {
            *all += usize::from(stops);
            *killers += usize::from(stops && killer);
        }
        self.past.extend((killer && !stops[3]).then_some(index));
    }

    /// Prints all of it; whether the promise was kept.
    pub(crate) fn print(&self, kernel: &str) -> bool {
        let (mutants, killers, past) = (self.mutants, self.killers, self.past.len());
        println!(
            "{kernel}: {mutants} mutants; of the driver's deaths {} were hangs",
            self.hung
        );
        for (name, (all, stopped)) in LAYERS.iter().zip(self.stopped) {
            println!(
                "  {name:<16} stops {all:>5}, {:>5} reach the driver, {:>4} of them kill or hang it",
                mutants - all,
                killers - stopped,
            );
        }
        if past > 0 {
            println!("  killers past both: {:?}", self.past);
        }
        let promise = format!("{kernel}: past both layers 1 killer in 1,000 at most");
        let found = format!("{past} in {mutants}");
        finding(past * 1000 <= mutants, &promise, &found)
    }
}
