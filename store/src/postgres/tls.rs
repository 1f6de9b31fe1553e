//! Connections that are encrypted, to a server whose certificate is checked.

use sqlx::Connection as _;
use tempfile::TempDir;

use super::{Db, Postgres, PostgresOptions};
use crate::conformance::Cluster;
use crate::{Store as _, StoreError};

/// A database of a server with a certificate for 127.0.0.1, and the files of that and of somebody else's certificate.
struct Encrypted {
    cluster: Cluster,
    folder: TempDir,
}

impl Encrypted {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let [ours, theirs] = [(); 2].map(|()| {
            rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate can be made")
        });
        for (name, made) in [("ours.crt", &ours), ("theirs.crt", &theirs)] {
            std::fs::write(folder.path().join(name), made.cert.pem()).expect("the folder is ours");
        }
        let cluster = Cluster::encrypted(&ours.cert.pem(), &ours.signing_key.serialize_pem())?;
        Some(Self { cluster, folder })
    }

    /// The options for a new database with what the address says of encryption.
    async fn options(&self, said: &str) -> PostgresOptions {
        let said = said.replace("FOLDER", &self.folder.path().display().to_string());
        PostgresOptions::new(format!("{}?{said}", self.cluster.database().await))
    }
}

/// How many of the connections of a store are encrypted, and how many are not.
async fn encrypted(options: &PostgresOptions) -> (i64, i64) {
    let mut db = Db::connect(&options.url).await.expect("it is there");
    let count = "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl)
        FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'vesicle' AND datname = current_database()";
    sqlx::query_as(count).fetch_one(&mut db).await.expect("counted")
}

#[tokio::test]
async fn all_connections_are_encrypted_if_the_address_says_so() {
    let Some(server) = Encrypted::new() else { return };
    for said in ["sslmode=require", "sslmode=verify-full&sslrootcert=FOLDER/ours.crt", "sslmode=prefer"] {
        let options = server.options(said).await;
        let store = Postgres::open(options.clone()).await.expect(said);
        let (yes, no) = encrypted(&options).await;
        assert!(yes > 0 && no == 0, "{said}: {yes} encrypted, {no} not");
        store.close().await.expect("closed");
    }
    let options = server.options("sslmode=disable").await;
    let _store = Postgres::open(options.clone()).await.expect("opens");
    let (yes, no) = encrypted(&options).await;
    assert!(yes == 0 && no > 0, "not asked for: {yes} encrypted, {no} not");
}

#[tokio::test]
async fn a_server_that_does_not_prove_who_it_is_is_refused() {
    let Some(server) = Encrypted::new() else { return };
    let unknown = server.options("sslmode=verify-full").await;
    let other = server.options("sslmode=verify-ca&sslrootcert=FOLDER/theirs.crt").await;
    let plain = Cluster::shared().expect("Postgres is installed").database().await;
    let plain = PostgresOptions::new(format!("{plain}&sslmode=require"));
    for (options, why) in [(unknown, "certificate"), (other, "certificate"), (plain, "TLS")] {
        let refused = Postgres::open(options).await.err();
        let told = match &refused {
            Some(StoreError::Unusable(told)) => told.clone(),
            other => format!("{other:?}"),
        };
        assert!(told.contains("cannot connect") && told.contains(why), "{told}");
    }
}
