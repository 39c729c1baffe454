//! Which kernels a device's vectors go by: chosen, held to the CPU's products before the
//! first use, and measured on request.

use std::time::Duration;

use field_kernels::{Arithmetic, ElementId, PRIME_FIELDS};

use super::choice::{Choice, next};
use super::{VulkanRunner, lock};
use crate::calibration::{ChosenBy, Dated};
use crate::vectors::families::Call;
use crate::vectors::fields::with_field;
use crate::vectors::plan::{Stage, Work};
use crate::vectors::program::Program;
use crate::vectors::report::KernelChoice;
use crate::vectors::{VectorEngine, tune};
use crate::{Error, Inputs};

/// Which kernels are used, and what is known of them.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    choice: Choice,
    by: ChosenBy,
    /// Fields whose arithmetic was seen to be right on this device.
    right: Vec<ElementId>,
    passed_over: Vec<(ElementId, Arithmetic)>,
}

impl Chosen {
    /// As `by` chose, which nobody looked at yet.
    pub(crate) fn new(choice: Choice, by: ChosenBy) -> Self {
        Self {
            choice,
            by,
            right: Vec::new(),
            passed_over: Vec::new(),
        }
    }

    pub(crate) fn choice(&self) -> Choice {
        self.choice
    }

    pub(super) fn report(&self) -> KernelChoice {
        KernelChoice {
            arithmetic: PRIME_FIELDS.map(|field| self.choice.of_field(field).arithmetic),
            chosen_by: self.by.clone(),
            passed_over: self.passed_over.clone(),
        }
    }
}

impl VulkanRunner {
    /// What a program of `stages` goes by: each field that it multiplies in has an
    /// arithmetic that is right. Also says how long kernels took to compile for that.
    pub(super) fn settled(
        &self,
        program: &Program,
        stages: &[Stage],
    ) -> Result<(Choice, Option<KernelChoice>, Duration), Error> {
        let mut compile = Duration::ZERO;
        // Others that multiply wait here for the first one.
        let mut chosen = lock(&self.chosen);
        for stage in stages {
            if let Some(field) = multiplies_in(program, stage) {
                compile += self.settle(&mut chosen, field)?;
            }
        }
        let report = (!self.is_trial).then(|| chosen.report());
        Ok((chosen.choice, report, compile))
    }

    /// What is gone by in `field`, whose arithmetic is right.
    ///
    /// # Errors
    /// As [`Self::settle_now`].
    pub(super) fn settled_in(&self, field: ElementId) -> Result<Choice, Error> {
        let mut chosen = lock(&self.chosen);
        self.settle(&mut chosen, field)?;
        Ok(chosen.choice)
    }

    /// Looks at the arithmetic of each prime field now.
    ///
    /// # Errors
    /// [`vk_core::Error::Unsupported`] for one that was asked for and is wrong on the
    /// device, [`Error::WrongResults`] where all are, else what the device returned.
    pub(crate) fn settle_now(&self) -> Result<(), Error> {
        let mut fields = PRIME_FIELDS.into_iter();
        fields.try_for_each(|field| self.settled_in(field).map(drop))
    }

    /// Makes sure that the arithmetic chosen for `field` is right on this device, by the
    /// kernel of a single product. Where it is not, the next one is taken. Of a trial nothing.
    fn settle(&self, chosen: &mut Chosen, field: ElementId) -> Result<Duration, Error> {
        let mut compile = Duration::ZERO;
        while !self.is_trial && !chosen.right.contains(&field) {
            let engine = VectorEngine::on(self.trial(chosen.choice), Inputs::Any);
            let checked = with_field!(field, F => tune::multiplies_right::<F>(&engine));
            let (is_right, compiling) = checked?;
            compile += compiling;
            match is_right {
                true => chosen.right.push(field),
                false => self.pass_over(chosen, field)?,
            }
        }
        Ok(compile)
    }

    fn pass_over(&self, chosen: &mut Chosen, field: ElementId) -> Result<(), Error> {
        let caps = self.caps();
        let wrong = chosen.choice.field(field).arithmetic;
        if self.on.settings.asked.arithmetic.is_some() {
            return Err(Error::Vulkan(vk_core::Error::Unsupported {
                needed: format!("right products by arithmetic {wrong}, which was asked for"),
                found: format!("wrong ones in {} on {}", field.name(), caps.name),
            }));
        }
        let Some(other) = next(caps, wrong) else {
            return Err(Error::WrongResults {
                device: caps.name.clone(),
                operation: "mul",
            });
        };
        let (device, field_name) = (&caps.name, field.name());
        tracing::warn!(
            "{device} multiplies wrongly in {field_name} by arithmetic {wrong}; taking {other}"
        );
        chosen.passed_over.push((field, wrong));
        chosen.choice.field(field).arithmetic = other;
        // What shares it is looked at anew.
        chosen.right.retain(|right| right.base() != field.base());
        Ok(())
    }

    /// Measures which kernels are fastest, and uses them from now on.
    pub(super) fn measure(&self) -> Result<(), Error> {
        let settings = &self.on.settings;
        let tune = || tune::tune(&self.trial(Choice::of(self.caps())));
        let measured: Dated<Choice> = settings.keeper.measure(tune)?;
        let choice = settings.asked.over(measured.found, self.caps())?;
        *lock(&self.chosen) = Chosen::new(choice, measured.chosen_by());
        Ok(())
    }

    /// Changes which kernels a trial uses from here on.
    pub(crate) fn choose(&self, choice: Choice) {
        debug_assert!(self.is_trial);
        lock(&self.chosen).choice = choice;
    }
}

/// The field in which a stage multiplies, if it does.
fn multiplies_in(program: &Program, stage: &Stage) -> Option<ElementId> {
    match &stage.work {
        Work::Chain(work) => (work.chain.products() > 0).then_some(work.field),
        Work::Whole(node) => {
            let call = Call::of(program, *node)?;
            call.operation.multiplies.then_some(call.field)
        }
    }
}
