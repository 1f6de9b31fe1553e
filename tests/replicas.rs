//! Two servers on one Postgres: workers and streams go from one to the other, and nobody can tell from the results.

use std::time::Duration;

use store::conformance::Cluster;

use crate::{
    checker::{self, History, Records, kinds},
    streams::follow,
    support::{Client, LEASE, PROMPT, Proxy, Service, digits_job, undisturbed, until},
};

const RUNS: u32 = 6;

/// A server, and a way to it that can be turned to another one.
async fn server(address: &str) -> Service {
    Service::start_with(&[("VESICLE_DATABASE", address)]).await
}

/// Sends everybody to `to`.
fn turn(proxies: &[&Proxy], to: &Service) {
    for proxy in proxies {
        proxy.redirect(to.port());
        proxy.sever();
    }
}

/// Waits until `count` runs have a checkpoint and are on their way.
async fn until_under_way(client: &Client, job: &str, count: usize) {
    until("runs are on their way", LEASE + PROMPT, async || {
        let runs = client.runs(job).await;
        let under_way = |run: &&serde_json::Value| {
            run["state"] == "running" && run["step"].as_u64().is_some_and(|step| (10..100).contains(&step))
        };
        (runs.iter().filter(under_way).count() >= count).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_share_a_database_take_over_from_each_other() {
    let Some(cluster) = Cluster::shared() else { return };
    let address = cluster.database().await;
    let (mut first, mut second) = (server(&address).await, server(&address).await);
    let spec = digits_job(RUNS, 2, 600);
    let key = "replicas";
    let job = first.client.submit(&spec, key).await;
    let (status, again) = second.client.try_submit(&spec, key).await.expect("the server answers");
    assert_eq!(
        (status.as_u16(), again["id"].as_str()),
        (200, Some(job.as_str())),
        "the key is known there too"
    );
    let runs = second.client.runs(&job).await;
    let undisturbed = undisturbed(&spec, &runs, first.folder()).await;
    let history = History { answered: vec![(key.to_owned(), job.clone())], undisturbed };

    let ways = [first.proxy().await, second.proxy().await, first.proxy().await];
    let [one, other, stream] = &ways;
    let workers = [first.worker_at(&one.url), second.worker_at(&other.url)];
    let watching = tokio::spawn(follow(Client::new(&stream.url), job.clone()));

    until_under_way(&second.client, &job, 2).await;
    first.kill_server().await;
    turn(&[one, stream], &second);
    first.start_server().await;
    until_under_way(&first.client, &job, 2).await;
    second.kill_server().await;
    turn(&[one, other, stream], &first);
    second.start_server().await;
    until_under_way(&second.client, &job, 1).await;
    turn(&[one, stream], &second);
    second.client.until_job_is(&job, "succeeded", Duration::from_secs(120)).await;
    let seen = watching.await.expect("a watcher does not panic");
    for worker in workers {
        assert!(worker.terminate(PROMPT).await.success());
    }

    let file = first.database().await; // while both servers run
    first.stop_server().await;
    second.stop_server().await;
    checker::assert_sound(&file, &history).await;
    let records = Records::read(&file).await;
    let stored = &records.jobs[&job].events;
    assert!(records.runs.values().all(|run| run.state == "succeeded"), "{:?}", kinds(stored));
    let stored: Vec<_> = stored.iter().map(|event| (event.seq, event.kind.as_str())).collect();
    let seen: Vec<_> = seen.iter().map(|event| (event.seq, event.kind.as_str())).collect();
    assert_eq!(seen, stored, "a stream that went from server to server has no gap");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_crashes_costs_nobody_anything_that_was_answered() {
    let Some(cluster) = Cluster::own() else { return };
    let address = cluster.database().await;
    let mut service = server(&address).await;
    let spec = digits_job(2, 2, 600);
    let job = service.client.submit(&spec, "crash").await;
    let undisturbed = undisturbed(&spec, &service.client.runs(&job).await, service.folder()).await;
    let history = History { answered: vec![("crash".to_owned(), job.clone())], undisturbed };
    let worker = service.worker();
    until_under_way(&service.client, &job, 1).await;
    cluster.crash();
    let refused = service.client.try_submit(&spec, "while-it-is-away").await.expect("the server answers");
    assert_eq!(refused.0.as_u16(), 503, "{}", refused.1);
    cluster.recover();
    until("the server finds the database again", PROMPT, async || {
        let ready = service.client.request(reqwest::Method::GET, "/readyz").send().await.ok()?;
        ready.status().is_success().then_some(())
    })
    .await;
    service.client.until_job_is(&job, "succeeded", Duration::from_secs(120)).await;
    assert!(worker.terminate(PROMPT).await.success());
    let file = service.database().await;
    service.stop_server().await;
    checker::assert_sound(&file, &history).await;
}
