//! The path that the library chooses by itself against each that it could
//! have chosen, over the size and the number of jobs.

use gpu_executor::Batch;
use gpu_executor_benches::Jobs;

use crate::backends;
use crate::batch::name;
use crate::measure::Suite;

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let mut choices = vec![("auto".to_owned(), backends::automatic()?)];
    for path in backends::paths(&suite.caps) {
        choices.push((path.to_string(), backends::fixed(path)?));
    }
    let (mut group, plan) = suite.group("auto");
    for (count, elements) in plan.auto_batches() {
        let jobs = Jobs::random(count, elements);
        let slices = jobs.as_slices();
        let batch = Batch::new(&slices, elements);
        for (choice, backend) in &mut choices {
            group.calls_into(&name(choice, count), &jobs, backend, &batch)?;
        }
    }
    Ok(())
}
