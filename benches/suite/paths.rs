//! One job on each data path, over its size: into new memory, into slices
//! that the caller keeps, and over buffers that host and device share.

use gpu_executor::{Batch, TransferPath};
use gpu_executor_benches::Jobs;

use crate::measure::Suite;
use crate::{backends, host_buffers};

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let mut pipelined = backends::automatic()?;
    let fixed = backends::paths(&suite.caps).map(|path| anyhow::Ok((path, backends::fixed(path)?)));
    let mut fixed = fixed.collect::<Result<Vec<_>, _>>()?;
    let mut shared = backends::fixed(TransferPath::HostVisible)?;

    let (mut group, plan) = suite.group("paths");
    for &elements in &plan.sizes {
        let jobs = Jobs::random(1, elements);
        let slices = jobs.as_slices();
        let batch = Batch::new(&slices, elements);
        for (path, backend) in &mut fixed {
            let name = path.to_string().replace('-', "_");
            group.calls(&name, &jobs, backend, &batch.sequential(false))?;
        }
        group.calls("pipelined", &jobs, &mut pipelined, &batch)?;
        host_buffers::measure(&mut group, &jobs, &mut shared)?;
    }
    Ok(())
}
