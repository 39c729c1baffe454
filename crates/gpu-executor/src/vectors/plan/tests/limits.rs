use super::*;

#[test]
fn the_limits_of_a_kernel_end_a_chain() {
    // Operations.
    let mut it = Recording::default();
    let mut sum = input(0);
    for _ in 0..13 {
        sum = it.op(&ADD, &[sum, input(1)]);
    }
    it.hold(sum);
    let lens = |it: &Recording| -> Vec<usize> {
        let chains = it.chains().into_iter();
        chains.map(|work| work.chain.links.len()).collect()
    };
    assert_eq!(lens(&it), [6, 6, 1]);
    // Products.
    let mut it = Recording::default();
    let mut power = input(0);
    for _ in 0..5 {
        power = it.op(&SQUARE, &[power]);
        power = it.op(&DOUBLE, &[power]);
    }
    it.hold(power);
    assert_eq!(lens(&it), [6, 4]);
    // Inputs and outputs together: 8 buffers.
    let mut it = Recording::default();
    let mut sum = input(0);
    for number in 1..12 {
        sum = it.op(&ADD, &[sum, input(number)]);
        it.hold(sum);
    }
    for chain in it.chains().iter().map(|work| &work.chain) {
        assert!(chain.bindings() <= FUSION.buffers && chain.outputs.len() <= 4);
    }
    assert_eq!(lens(&it).iter().sum::<usize>(), 11);
    // One operation that is beyond a limit stands alone.
    let mut it = Recording::default();
    let first = it.op(&INVERSE, &[input(0)]);
    let second = it.op(&INVERSE, &[first]);
    it.hold(second);
    assert_eq!(lens(&it), [1, 1]);
}

#[test]
fn without_fusion_each_operation_is_a_kernel() {
    let mut it = Recording::default();
    let sum = it.op(&ADD, &[input(0), input(1)]);
    let product = it.op(&MUL, &[sum, sum]);
    it.hold(product);
    let stages = plan(&it.program, Fusion::NONE);
    assert_eq!(stages.len(), 2);
}

#[test]
fn a_kernel_takes_half_as_many_elements_of_two_coordinates() {
    let largest = |field: ElementId| {
        let mut it = Recording::default();
        let mut sum = input(0);
        for number in 1..12 {
            sum = it.op(&ADD, &[sum, input(number)]);
            it.hold(sum);
        }
        let results = it.program.results.iter_mut();
        results.for_each(|result| result.of = field);
        let most = |size: fn(&Chain) -> usize| {
            let chains = it.chains().into_iter();
            chains.map(|work| size(&work.chain)).max().unwrap()
        };
        (
            most(|chain| chain.inputs.len()),
            most(|chain| chain.outputs.len()),
            most(|chain| chain.links.len()),
        )
    };
    // By the buffers of this device, and by what a kernel writes.
    assert_eq!(largest(Fp::ID), (4, 3, 3));
    assert_eq!(largest(Fp2::ID), (3, 2, 2));
}
