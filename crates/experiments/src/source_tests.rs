use super::*;
use crate::{Advance, Setup, digits8x8, find, rbse::Rbse};

const NETWORK: SourceNeed = SourceNeed { name: "network", experiments: &["rbm", "rbse"], required: true };
const OTHER: SourceNeed = SourceNeed { name: "other", experiments: &["rbm"], required: false };

fn offer<'a>(name: &'a str, experiment: &'a str) -> Offer<'a> {
    let version = find(experiment).map_or(1, |kind| kind.version());
    Offer { name, experiment, version }
}

fn refused(needs: &[SourceNeed], offers: &[Offer<'_>]) -> Vec<(Option<usize>, &'static str, String)> {
    let errors = check_sources(needs, offers).expect_err("they do not serve");
    errors.into_iter().map(|error| (error.at, error.field, error.detail)).collect()
}

#[test]
fn sources_that_serve_are_taken_in_any_order_and_optional_ones_may_be_absent() {
    assert_eq!(check_sources(&[], &[]), Ok(()));
    assert_eq!(check_sources(&[NETWORK, OTHER], &[offer("network", "rbse")]), Ok(()));
    assert_eq!(check_sources(&[NETWORK, OTHER], &[offer("other", "rbm"), offer("network", "rbm")]), Ok(()));
}

#[test]
fn every_source_that_does_not_serve_is_named_with_the_rule() {
    let errors =
        refused(&[NETWORK, OTHER], &[offer("other", "rbse"), offer("net", "rbm"), offer("net", "rbm")]);
    let expected = [
        (
            Some(0),
            "run",
            format!("source `other` is of rbse v{}; it must be of rbm", offer("", "rbse").version),
        ),
        (Some(1), "as", "source `net` is not known; it must be called network or other".to_owned()),
        (Some(2), "as", "source `net` comes twice; it must come once".to_owned()),
        (None, "as", "source `network` is absent; it must be a finished run of rbm or rbse".to_owned()),
    ];
    assert_eq!(errors, expected);
    let none = refused(&[], &[offer("network", "rbm")]);
    assert!(none[0].2.ends_with("the experiment builds on no run"), "{none:?}");
    let old = Offer { version: 0, ..offer("network", "rbm") };
    assert!(refused(&[NETWORK], &[old])[0].2.contains("is of rbm v0; it must be of v"));
}

/// The final checkpoint of a run of `rbse` so small that it takes no time.
fn trained(seed: u64, every: u64) -> Vec<u8> {
    let overrides = serde_json::json!({"hidden_units": 3, "batch": 20, "epochs": 1, "train_images": 60, "test_images": 20});
    let kind = find("rbse").expect("it is in the catalogue");
    let params = kind.resolve(None, overrides.as_object().expect("an object")).expect("valid params");
    let setup = Setup { params, seed, data: digits8x8(), sources: Vec::new(), every: Some(every) };
    let mut run = kind.start(setup).expect("it starts");
    while !matches!(run.advance(), Advance::Done(_)) {}
    run.checkpoint()
}

#[test]
fn a_checkpoint_is_read_as_a_source_with_its_params_and_its_state() {
    let source = Source::read("network", &trained(4, 1)).expect("a good checkpoint");
    assert_eq!((source.experiment.as_str(), source.seed, source.step), ("rbse", 4, 3));
    assert_eq!(source.data_hash, digits8x8().hash());
    let params = source.params_of::<Rbse>().expect("its own params");
    assert_eq!(serde_json::to_value(params).expect("plain data")["hidden_units"], 3);
    let state = source.state_of::<Rbse>().expect("its own state");
    assert_eq!(checkpoint::encode_state(&state), source.body);
    assert!(source.params_of::<crate::rbm::Rbm>().is_err() && source.state_of::<crate::rbm::Rbm>().is_err());
    let longer = Source { body: [&source.body[..], &[0]].concat(), ..source.clone() };
    assert!(longer.state_of::<Rbse>().is_err(), "a byte is left over");
    let cut = Source { body: source.body[..source.body.len() / 2].to_vec(), ..source };
    assert!(cut.state_of::<Rbse>().is_err(), "half of it is missing");
}

#[test]
fn the_identity_of_a_source_changes_with_all_that_it_is_and_with_nothing_else() {
    let source = Source::read("network", &trained(4, 1)).expect("a good checkpoint");
    let rarely = Source::read("net", &trained(4, 2)).expect("a good checkpoint");
    assert_eq!(source.identity(), rarely.identity(), "neither name nor cadence enters");
    let others = [
        Source { experiment: "rbm".into(), ..source.clone() },
        Source { version: source.version + 1, ..source.clone() },
        Source { params: "{}".into(), ..source.clone() },
        Source { seed: 5, ..source.clone() },
        Source { data_hash: [1; 32], ..source.clone() },
        Source { step: 2, ..source.clone() },
        Source { body: vec![0], ..source.clone() },
    ];
    assert!(others.iter().all(|other| other.identity() != source.identity()));
}

/// Counts from where a run of `rbse` ended.
struct Follower(u64);

#[derive(Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct FollowerParams {}

impl Experiment for Follower {
    const NAME: &'static str = "follower";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "Counts from where another run ended";
    const README: &'static str = "";
    const FINDINGS: &'static str = "";
    const METRICS: &'static [crate::MetricSpec] = &[];
    const PRESETS: &'static [(&'static str, &'static str)] = &[];
    type Params = FollowerParams;
    type State = u64;
    type Scratch = ();

    fn data(_: &FollowerParams) -> crate::DataNeed {
        crate::DataNeed::None
    }
    fn check(_: &FollowerParams) -> Result<(), crate::ParamError> {
        Ok(())
    }
    fn plan(_: &FollowerParams, _: &crate::DataShape) -> Result<crate::Plan, crate::ParamError> {
        Ok(crate::Plan { steps: 3, memory_bytes: 1 << 10 })
    }
    fn new(_: FollowerParams, _: crate::Data, _: u64) -> Result<Self, DataError> {
        unreachable!("its source is required")
    }
    fn sources(_: &FollowerParams) -> &'static [SourceNeed] {
        &[NETWORK]
    }
    fn new_from(_: FollowerParams, _: crate::Data, sources: Vec<Source>, _: u64) -> Result<Self, DataError> {
        Ok(Self(sources[0].step))
    }
    fn init(&self, _: numerics::Draws) -> u64 {
        self.0
    }
    fn step(&self, state: &mut u64, (): &mut (), _: numerics::Draws) {
        *state += 1;
    }
    fn observe(&self, _: &u64, _: numerics::Draws, _: &mut crate::Metrics) {}
}

static FOLLOWER: crate::kind::Of<Follower> = crate::kind::Of::new();

fn follow(sources: Vec<Source>) -> Setup {
    use crate::kind::Kind;
    let params = FOLLOWER.resolve(None, &serde_json::Map::new()).expect("it has no params");
    Setup { params, seed: 1, data: crate::Data::None, sources, every: None }
}

#[test]
fn a_run_that_builds_on_another_has_the_other_in_its_digest_and_in_its_checkpoints() {
    use crate::kind::{Kind, StartError};
    let source = |seed| Source::read("network", &trained(seed, 1)).expect("a good checkpoint");
    let run = |seed| FOLLOWER.start(follow(vec![source(seed)])).expect("it starts");
    let digest = |mut run: Box<dyn crate::Simulation>| loop {
        if let Advance::Done(digest) = run.advance() {
            return digest;
        }
    };
    assert_eq!(digest(run(4)), digest(run(4)));
    assert_ne!(digest(run(4)), digest(run(5)), "the state of both ends alike");
    let checkpoint = run(4).checkpoint();
    let resumed = FOLLOWER.resume(follow(vec![source(4)]), &checkpoint).expect("its own checkpoint");
    assert_eq!(digest(resumed), digest(run(4)));
    let foreign = FOLLOWER.resume(follow(vec![source(5)]), &checkpoint).err();
    assert!(matches!(foreign, Some(StartError::Checkpoint(CheckpointError::Foreign { .. }))), "{foreign:?}");
    let missing = FOLLOWER.start(follow(Vec::new())).err();
    assert!(matches!(missing, Some(StartError::Source(SourceError { at: None, .. }))), "{missing:?}");
}

#[test]
fn a_run_of_an_experiment_that_builds_on_none_refuses_a_source() {
    let kind = find("rbse").expect("it is in the catalogue");
    let params = kind.resolve(None, &serde_json::Map::new()).expect("defaults are valid");
    let sources = vec![Source::read("network", &trained(4, 1)).expect("a good checkpoint")];
    let refused = kind.start(Setup { params, seed: 1, data: digits8x8(), sources, every: None }).err();
    assert!(matches!(refused, Some(crate::StartError::Source(_))), "{refused:?}");
}
