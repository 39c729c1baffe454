//! Domains against ark-poly's: the same points, and the properties that its own tests hold
//! them to.

use ark_bls12_381::Fr as ArkFr;
use ark_ff::{AdditiveGroup as _, FftField as _, Field as _};
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};
use field_kernels::{FR_MODULUS, Field as _, Fr, arithmetic};
use gpu_executor::vectors::Domain;
use gpu_executor::{Error, Refused};

use crate::engines::{error, products, refused, sum};
use crate::oracle::{Oracle as _, random};

pub(crate) type ArkDomain = Radix2EvaluationDomain<ArkFr>;

/// Both domains of a size: the group, the coset of the generator, and one of a random shift.
pub(crate) fn domains(log2: u32) -> Vec<(Domain, ArkDomain)> {
    let (domain, ark) = (
        Domain::new(1 << log2).unwrap(),
        ArkDomain::new(1 << log2).unwrap(),
    );
    let shift = *random::<Fr>(100, u64::from(log2)).last().unwrap();
    let on = |shift: ArkFr| ark.get_coset(shift).unwrap();
    vec![
        (domain, ark),
        (domain.coset_of_generator(), on(ArkFr::GENERATOR)),
        (domain.coset(shift).unwrap(), on(Fr::ark_of(&shift))),
    ]
}

fn limbs(elements: impl IntoIterator<Item = ArkFr>) -> Vec<[u64; 4]> {
    elements.into_iter().map(|it| Fr::limbs_of(&it)).collect()
}

/// Points at which a polynomial is evaluated: edge elements, and points of the domain.
fn places(ark: &ArkDomain) -> Vec<[u64; 4]> {
    let mut places = random::<Fr>(70, 7);
    places.extend(limbs(
        [0, 1, ark.size() / 2, ark.size() - 1].map(|i| ark.element(i)),
    ));
    places
}

#[test]
fn the_points_are_those_of_ark_poly() {
    for log2 in 0..=32 {
        for (domain, ark) in domains(log2) {
            assert_eq!(domain.size(), ark.size());
            assert_eq!(domain.generator(), Fr::limbs_of(&ark.group_gen()));
            assert_eq!(domain.shift(), Fr::limbs_of(&ark.coset_offset()));
            for i in [0, 1, 2, domain.size() - 1, domain.size(), usize::MAX] {
                assert_eq!(domain.element(i), Fr::limbs_of(&ark.element(i)), "{i}");
            }
            if log2 <= 10 {
                assert_eq!(domain.elements().collect::<Vec<_>>(), limbs(ark.elements()));
            }
            let mut first = domain.elements().take(3);
            assert!(first.all(|it| domain.vanishing_at(it) == [0; 4]));
        }
    }
}

#[test]
fn the_polynomial_that_vanishes_on_the_points_is_that_of_ark_poly() {
    for log2 in [0, 1, 5, 20, 32] {
        for (domain, ark) in domains(log2) {
            for place in places(&ark) {
                let expected = ark.evaluate_vanishing_polynomial(Fr::ark_of(&place));
                assert_eq!(domain.vanishing_at(place), Fr::limbs_of(&expected));
            }
        }
    }
}

#[test]
fn its_inverse_is_the_same_at_every_point_of_another_coset() {
    for log2 in 0..8 {
        let cosets = domains(log2).into_iter().map(|(domain, _)| domain);
        let cosets: Vec<_> = cosets.collect();
        for (number, domain) in cosets.iter().enumerate() {
            for (other, coset) in cosets.iter().enumerate() {
                if number == other {
                    continue;
                }
                let inverse = domain.vanishing_inverse_on(coset).unwrap();
                for point in coset.elements() {
                    let value = domain.vanishing_at(point);
                    assert_eq!(arithmetic::mul::<Fr>(&value, &inverse), Fr::ONE);
                }
            }
        }
    }
    // Also on a coset that is shorter; not on a longer one.
    let [long, short] = [16, 4].map(|size| Domain::new(size).unwrap().coset_of_generator());
    let domain = Domain::new(16).unwrap();
    assert_eq!(
        domain.vanishing_inverse_on(&short),
        domain.vanishing_inverse_on(&long)
    );
    refused!(Domain::new(4).unwrap().vanishing_inverse_on(&long)
        => "vanishing_inverse_on: expected a coset no longer than the domain, found 16 elements");
    let same = domain.coset(domain.element(3)).unwrap();
    for coset in [domain, same] {
        let error = error(domain.vanishing_inverse_on(&coset)).to_string();
        let start = "the coset of a quotient: expected one without points of the domain, found";
        assert!(error.starts_with(start), "{error}");
    }
}

#[test]
fn lagrange_polynomials_are_those_of_ark_poly() {
    for log2 in 0..9 {
        for (domain, ark) in domains(log2) {
            for place in places(&ark) {
                let found = domain.lagrange_at(place).unwrap();
                let expected = ark.evaluate_all_lagrange_coefficients(Fr::ark_of(&place));
                assert_eq!(found, limbs(expected), "2^{log2}");
            }
        }
    }
}

/// At each point of the domain one of them is 1, and the others 0.
#[test]
fn lagrange_polynomials_pick_one_point_each() {
    for log2 in 0..5 {
        for (domain, _) in domains(log2) {
            for (i, point) in domain.elements().enumerate() {
                let values = domain.lagrange_at(point).unwrap();
                for (j, value) in values.into_iter().enumerate() {
                    let expected = if i == j { Fr::ONE } else { [0; 4] };
                    assert_eq!(value, expected, "2^{log2}, {i}, {j}");
                }
            }
        }
    }
}

#[test]
fn lagrange_polynomials_interpolate() {
    for log2 in 1..10 {
        for (domain, ark) in domains(log2) {
            let coefficients = random::<Fr>(domain.size() - 1, 1);
            let coefficients: Vec<_> = coefficients.iter().map(Fr::ark_of).collect();
            let values = limbs(ark.fft(&coefficients));
            let place = *random::<Fr>(90, 3).last().unwrap();
            let lagrange = domain.lagrange_at(place).unwrap();
            let found = sum::<Fr>(&products::<Fr>(&values, &lagrange));
            let at = |sum, coefficient: &ArkFr| sum * Fr::ark_of(&place) + coefficient;
            let expected = coefficients.iter().rev().fold(ArkFr::ZERO, at);
            assert_eq!(found, Fr::limbs_of(&expected));
        }
    }
}

/// w has the order n, and no smaller one.
#[test]
fn the_generator_has_the_order_of_the_domain() {
    for log2 in 0..=32 {
        let domain = Domain::new(1 << log2).unwrap();
        let generator = Fr::ark_of(&domain.generator());
        assert_eq!(generator.pow([1 << log2]), ArkFr::ONE);
        if log2 > 0 {
            assert_eq!(generator.pow([1 << (log2 - 1)]), -ArkFr::ONE);
        }
    }
}

#[test]
fn sizes_and_shifts_that_no_domain_has() {
    for (size, found) in [(0, "0"), (3, "3"), (12, "12"), (1 << 33, "8589934592")] {
        assert_eq!(
            error(Domain::new(size)).to_string(),
            format!("domain: expected a power of two up to 2^32, found {found} elements")
        );
    }
    let domain = Domain::new(8).unwrap();
    refused!(domain.coset([0; 4])
        => "the shift of a coset: expected an element other than zero, found \"0\"");
    refused!(domain.coset(FR_MODULUS) => Error::NotCanonical(Refused { element: 0, .. }));
    // The shift of a coset is that of the coset, not added to the one before.
    let (shift, other) = ([5, 0, 0, 0], domain.coset_of_generator());
    assert_eq!(other.coset(shift).unwrap(), domain.coset(shift).unwrap());
    assert_eq!(other.coset(Fr::ONE).unwrap(), domain);
}
