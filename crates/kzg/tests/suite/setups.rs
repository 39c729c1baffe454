//! Trusted setups from text and JSON, and what is none.

use gpu_executor_kzg::{Error, Kzg, TrustedSetup};
use sha2::Digest as _;

use crate::cases::hex;
use crate::{on_cpu, random_blob};

const MAINNET: &[u8] = include_bytes!("../../src/mainnet.bin");
const G1: usize = 4096 * 48;
const G2: usize = 65 * 96;

/// G1 in Lagrange form, G2, G1 in monomial form.
fn parts() -> [Vec<u8>; 3] {
    let (lagrange, rest) = MAINNET.split_at(G1);
    let (g2, monomial) = rest.split_at(G2);
    [lagrange, g2, monomial].map(<[u8]>::to_vec)
}

fn digits(points: &[u8], each: usize) -> Vec<String> {
    let points = points
        .chunks(each)
        .map(|it| hex(it).as_str().unwrap()[2..].to_owned());
    points.collect()
}

fn text() -> String {
    let [lagrange, g2, monomial] = parts();
    let parts = [
        digits(&lagrange, 48),
        digits(&g2, 96),
        digits(&monomial, 48),
    ]
    .concat();
    format!("4096\n65\n{}\n", parts.join("\n"))
}

#[test]
fn what_is_built_in_is_the_published_file() {
    let digest = sha2::Sha256::digest(text());
    // Of `trusted_setup.txt` in ethereum/c-kzg-4844.
    let published = "0xd39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7";
    assert_eq!(hex(digest), published);
}

#[test]
fn text_and_json_are_read_and_sound() {
    let [lagrange, g2, monomial] = parts();
    let json = serde_json::json!({
        "g1_lagrange": digits(&lagrange, 48).iter().map(|it| format!("0x{it}")).collect::<Vec<_>>(),
        "g2_monomial": digits(&g2, 96),
        "g1_monomial": digits(&monomial, 48),
    });
    let blob = random_blob(3);
    on_cpu(|kzg| {
        let expected = kzg.blob_to_kzg_commitment(&blob).unwrap();
        for text in [text(), json.to_string()] {
            let setup = TrustedSetup::parse(&text).unwrap();
            let engine = gpu_executor::vectors::VectorEngine::cpu().unwrap();
            let kzg = Kzg::new(&engine, &setup).unwrap(); // No tables are made.
            assert_eq!(kzg.blob_to_kzg_commitment(&blob).unwrap(), expected);
        }
    });
}

#[test]
fn points_that_do_not_belong_together_are_refused() {
    let [lagrange, g2, monomial] = parts();
    let swapped = |points: &[u8], each: usize| {
        let mut points = points.to_vec();
        let (first, rest) = points.split_at_mut(8 * each);
        first[7 * each..].swap_with_slice(&mut rest[..each]);
        points
    };
    for (monomial, lagrange, g2) in [
        (&lagrange, &monomial, &g2),
        (&swapped(&monomial, 48), &lagrange, &g2),
        (&monomial, &swapped(&lagrange, 48), &g2),
        (&monomial, &lagrange, &swapped(&g2, 96)),
    ] {
        let error = TrustedSetup::load_trusted_setup(monomial, lagrange, g2).unwrap_err();
        assert!(matches!(error, Error::TrustedSetup { .. }), "{error}");
    }
}

#[test]
fn what_is_no_setup_is_refused() {
    let [mut lagrange, g2, monomial] = parts();
    let short = TrustedSetup::load_trusted_setup(&monomial[48..], &lagrange, &g2);
    assert_eq!(
        short.unwrap_err().to_string(),
        "the trusted setup's points of G1 in monomial form: expected 196608 bytes, found 196560"
    );
    // A point of the curve, whose x is 4, outside of the subgroup.
    let at = 9 * 48;
    lagrange[at..at + 48].fill(0);
    (lagrange[at], lagrange[at + 47]) = (0x80, 4);
    let outside = TrustedSetup::load_trusted_setup(&monomial, &lagrange, &g2).unwrap_err();
    assert!(
        outside
            .to_string()
            .contains("point 9 of G1 in Lagrange form"),
        "{outside}"
    );
    for text in [
        "",
        "4096",
        "65\n4096\n",
        "4096\n65\nabc\n",
        "{\"g1_lagrange\": []}",
    ] {
        let error = TrustedSetup::parse(text).unwrap_err();
        assert!(
            matches!(error, Error::TrustedSetup { .. }),
            "{text}: {error}"
        );
    }
    let spoilt = text().replacen("\na0413c", "\nx0413c", 1);
    let error = TrustedSetup::parse(&spoilt).unwrap_err();
    assert!(error.to_string().contains("found x0413c"), "{error}");
    let error = TrustedSetup::load_trusted_setup_file("/nowhere/at/all").unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}
