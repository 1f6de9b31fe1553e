//! Golden digests: numbers change only with `VERSION`.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use super::{drive, setup, variants};

#[test]
fn golden_digests_change_only_with_the_version() {
    for kind in experiments::CATALOGUE {
        let digests: BTreeMap<String, String> = variants(*kind)
            .iter()
            .map(|variant| {
                let setup = setup(*kind, variant, 1);
                let name = setup.params.as_str().to_owned();
                let digest = drive(kind.start(setup).expect("it starts"), |_| {}).1;
                (name, digest.to_string())
            })
            .collect();
        let golden = serde_json::json!({"version": kind.version(), "digests": digests});
        let folder: PathBuf =
            [env!("CARGO_MANIFEST_DIR"), "src", &kind.name().replace('-', "_")].iter().collect();
        let file = folder.join("golden.json");
        #[expect(clippy::disallowed_methods, reason = "a switch of the test, not of the crate")]
        let update = env::var_os("UPDATE_GOLDEN").is_some();
        if update {
            let text = serde_json::to_string_pretty(&golden).expect("plain JSON");
            fs::write(&file, text + "\n").expect("the folder of the experiment can be written");
        }
        let text =
            fs::read_to_string(&file).expect("every experiment has golden.json; `make golden` writes it");
        let stored: serde_json::Value = serde_json::from_str(&text).expect("golden.json is JSON");
        assert_eq!(stored, golden, "{}: bits changed; raise VERSION and run `make golden`", kind.name());
    }
}
