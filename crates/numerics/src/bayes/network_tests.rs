use super::*;
use crate::bayes::{asia, ising, knill_kersten, parity, survey};

fn variable(name: &str, parents: &[usize], table: &[f64]) -> Variable {
    let values = vec!["0".to_owned(), "1".to_owned()];
    Variable { name: name.to_owned(), values, parents: parents.to_vec(), table: table.to_vec() }
}

fn refused(variables: Vec<Variable>) -> String {
    Network::new(variables).expect_err("it is refused").to_string()
}

#[test]
fn what_is_wrong_is_named_with_its_value_and_the_rule() {
    let half = [0.5, 0.5];
    assert!(refused(vec![]).contains("0 variables; it must have 1 to"));
    assert!(refused(vec![variable("a", &[], &half), variable("a", &[], &half)]).contains("`a` comes twice"));
    assert!(refused(vec![variable("a", &[3], &[0.5; 4])]).contains("parent 3"));
    assert!(refused(vec![variable("a", &[0], &[0.5; 4])]).contains("another variable"));
    assert!(
        refused(vec![variable("a", &[], &[0.5; 3])]).contains("has 3 numbers; its values and parents make 2")
    );
    assert!(refused(vec![variable("a", &[], &[0.5, 0.4])]).contains("sums to 0.9; it must sum to 1"));
    assert!(refused(vec![variable("a", &[], &[1.5, -0.5])]).contains("-0.5"));
    assert!(refused(vec![variable("a", &[], &[f64::NAN, 0.5])]).contains("NaN"));
    let many = vec![variable("a", &[], &half); 1];
    let wide: Vec<usize> = (1..22).collect();
    let parents: Vec<Variable> = (1..22).map(|i| variable(&format!("p{i}"), &[], &half)).collect();
    let huge = many.into_iter().map(|v| Variable { parents: wide.clone(), ..v }).chain(parents).collect();
    assert!(refused(huge).contains("4194304 numbers; it must have at most 1048576"));
}

#[test]
fn a_cycle_is_named_in_its_order() {
    let variables = vec![
        variable("root", &[], &[0.5; 2]),
        variable("a", &[0, 3], &[0.5; 8]),
        variable("b", &[1], &[0.5; 4]),
        variable("c", &[2], &[0.5; 4]),
        variable("below", &[3], &[0.5; 4]),
    ];
    let error = refused(variables);
    assert!(error.contains("a → b → c → a"), "{error}");
}

#[test]
fn rows_off_by_rounding_are_scaled() {
    let network = Network::new(vec![variable("a", &[], &[0.333_333, 0.666_666])]).expect("within 1e-5");
    assert!((network.variables()[0].table.iter().sum::<f64>() - 1.0).abs() < 1e-15);
}

#[test]
fn blankets_are_parents_children_and_their_other_parents() {
    let names = |network: &Network, name: &str| -> Vec<String> {
        let at = network.find(name).expect("it is there");
        network.blanket(at).iter().map(|&other| network.variables()[other].name.clone()).collect()
    };
    assert_eq!(names(&knill_kersten(), "y2"), ["y1", "y3", "y4"]);
    assert_eq!(names(&knill_kersten(), "y1"), ["y2", "y3"]);
    assert_eq!(names(&asia(), "either"), ["tub", "lung", "bronc", "xray", "dysp"]);
    assert_eq!(names(&asia(), "smoke"), ["lung", "bronc"]);
    assert_eq!(names(&survey(), "E"), ["A", "S", "O", "R"]);
    // Undirected laws: neighbours alone.
    assert_eq!(names(&ising(0.5), "x5"), ["x2", "x4", "x6", "x8"]);
    assert_eq!(names(&ising(0.2), "x1"), ["x2", "x4"]);
    assert_eq!(names(&parity(0.1), "x1"), ["x2", "x3", "x4"]);
}

#[test]
fn conditionals_are_those_of_the_joint() {
    for network in [knill_kersten(), survey(), asia(), ising(0.3)] {
        let (states, joint) = (network.states().expect("small"), network.joint().expect("small"));
        let mut state = vec![0; network.len()];
        for at in 0..network.len() {
            let (stride, values) = (states.stride(at), states.values(at));
            for first in (0..states.count()).filter(|index| index / stride % values == 0) {
                let total: f64 = (0..values).map(|v| joint[first + v * stride]).sum();
                if total == 0.0 {
                    continue;
                }
                states.write(first, &mut state);
                let mut p = vec![0.0; values];
                network.conditional(at, &mut state, &mut p);
                for (v, p) in p.iter().enumerate() {
                    assert!((p - joint[first + v * stride] / total).abs() < 1e-12);
                }
            }
        }
    }
}

#[test]
fn a_variable_that_is_summed_out_leaves_the_law_of_the_others() {
    let (whole, rest) = (asia(), asia().without("either").expect("asia is small"));
    let (states, joint) = (whole.states().expect("small"), whole.joint().expect("small"));
    let kept: Vec<usize> = (0..whole.len()).filter(|&at| whole.variables()[at].name != "either").collect();
    let mut expected = vec![0.0; joint.len() / 2];
    let (mut state, small) = (vec![0; whole.len()], rest.states().expect("small"));
    for (index, p) in joint.iter().enumerate() {
        states.write(index, &mut state);
        let part: Vec<u8> = kept.iter().map(|&at| state[at]).collect();
        expected[small.index(&part)] += p;
    }
    for (a, b) in rest.joint().expect("small").iter().zip(&expected) {
        assert!((a - b).abs() < 1e-15);
    }
    let blanket: Vec<&str> = rest
        .blanket(rest.find("xray").expect("it is there"))
        .iter()
        .map(|&at| rest.variables()[at].name.as_str())
        .collect();
    // An OR without noise: its parents tell all of it, so dysp and bronc add nothing.
    assert_eq!(blanket, ["tub", "lung"]);
    assert!(whole.without("none").is_err());
}

#[test]
fn a_network_survives_storage_and_a_broken_one_is_refused() {
    let network = ising(0.4);
    let bytes = postcard::to_stdvec(&network).expect("plain data");
    assert_eq!(postcard::from_bytes::<Network>(&bytes).expect("its own bytes"), network);
    let broken = Parts { variables: vec![variable("a", &[], &[0.7, 0.7])], blankets: vec![vec![]] };
    let bytes = postcard::to_stdvec(&broken).expect("plain data");
    assert!(postcard::from_bytes::<Network>(&bytes).is_err());
    let parts = Parts { variables: vec![variable("a", &[], &[0.5, 0.5])], blankets: vec![vec![0]] };
    let bytes = postcard::to_stdvec(&parts).expect("plain data");
    assert!(postcard::from_bytes::<Network>(&bytes).is_err(), "a blanket with the variable itself");
}
