//! Measures which path runs over shared buffers take.

use std::sync::Arc;
use std::time::Duration;

use vk_core::Kernel;

use super::{PinnedBuffer, PinnedTransfer};
use crate::{Error, Packing, Path, PathChoice, Request, fastest_of};

/// Elements of a measured run: enough for chunks to overlap.
const ELEMENTS: usize = 1 << 18;
/// The staged path is taken if it is faster by more than this share of the
/// direct one's time: less is noise.
const MARGIN: u32 = 32;

impl PinnedTransfer {
    /// Measures which path is faster for runs of `kernel` over elements of
    /// `element_bytes` bytes, takes it from now on where none is asked for,
    /// and returns it.
    ///
    /// # Errors
    /// As [`Self::buffer`] and [`Self::run`]; what was taken before is kept.
    pub fn calibrate(&mut self, kernel: &Arc<Kernel>, element_bytes: usize) -> Result<Path, Error> {
        let path = match self.caps().unified_memory() {
            // There is no other memory that copies could win anything in.
            true => Path::HostVisible,
            false => self.faster_path(kernel, element_bytes)?,
        };
        self.set_fastest(Some(path));
        Ok(path)
    }

    /// The path that is faster, as measured now. A calibration is no run of
    /// the caller's: it waits as long as waiting makes sense, not as long as
    /// the caller wants to wait for a run, and leaves nothing behind.
    pub(super) fn faster_path(
        &mut self,
        kernel: &Arc<Kernel>,
        element_bytes: usize,
    ) -> Result<Path, Error> {
        let patience = std::mem::take(&mut self.options.wait);
        let times = self.time_both(kernel, element_bytes);
        self.options.wait = patience;
        // What the runs of callers need may be another size.
        self.forget();
        times.map(|[direct, staged]| faster(direct, staged))
    }

    /// How long direct and staged runs take.
    fn time_both(
        &mut self,
        kernel: &Arc<Kernel>,
        element_bytes: usize,
    ) -> Result<[Duration; 2], Error> {
        let words = (ELEMENTS * element_bytes).div_ceil(size_of::<u64>());
        let (a, b) = (self.buffer(words)?, self.buffer(words)?);
        let mut out = self.buffer(words)?;
        let mut time = |path| self.time(kernel, element_bytes, path, [&a, &b], &mut out);
        Ok([time(Path::HostVisible)?, time(Path::DeviceLocal)?])
    }

    fn time(
        &mut self,
        kernel: &Arc<Kernel>,
        element_bytes: usize,
        path: Path,
        [a, b]: [&PinnedBuffer; 2],
        out: &mut PinnedBuffer,
    ) -> Result<Duration, Error> {
        let request = Request {
            path: PathChoice::Fixed(path),
            chunk: None,
            depth: None,
            packing: Packing::AcrossJobs,
        };
        fastest_of(|| {
            self.run(kernel, &request, element_bytes, a, b, out)
                .map(drop)
        })
    }
}

fn faster(direct: Duration, staged: Duration) -> Path {
    match staged < direct - direct / MARGIN {
        true => Path::DeviceLocal,
        false => Path::HostVisible,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_must_win_more_than_the_noise() {
        let of_direct =
            |staged| faster(Duration::from_micros(1_000), Duration::from_micros(staged));
        assert_eq!(of_direct(900), Path::DeviceLocal);
        for staged in [980, 1_000, 2_000] {
            assert_eq!(of_direct(staged), Path::HostVisible);
        }
    }
}
