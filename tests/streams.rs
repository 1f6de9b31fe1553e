//! Streams that are cut anywhere: a client that resumes sees every event once.

use std::time::Duration;

use futures::StreamExt;
use proto::v1::{WatchJobRequest, job_service_client::JobServiceClient};

use crate::{
    checker::Records,
    support::{Client, PROMPT, Proxy, Random, Seen, Service, digits_job, times},
};

const SEED: u64 = 5;
const CUTS: usize = 20;
/// Heads and one or two events: cuts fall into all of them.
const CUT_WITHIN: u64 = 1_200;

/// Follows a job to its end, resuming after every break; answers all that came, in order.
pub(crate) async fn follow(client: Client, job: String) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    while seen.last().is_none_or(|last| last.kind != "job_ended") {
        let after = seen.last().map(|last| last.seq);
        let mut events = std::pin::pin!(client.events(&job, after).await);
        while let Some(event) = events.next().await {
            seen.push(event);
        }
        // A server that is away refuses at once.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    seen
}

/// The same over gRPC.
async fn follow_grpc(server: &str, job: &str) -> Vec<(u64, String)> {
    let mut seen: Vec<(u64, String)> = Vec::new();
    while seen.last().is_none_or(|(_, kind)| kind != "job_ended") {
        let after_seq = seen.last().map_or(0, |(seq, _)| *seq);
        let request = WatchJobRequest { id: job.to_owned(), after_seq };
        let Ok(mut service) = JobServiceClient::connect(server.to_owned()).await else { continue };
        let Ok(response) = service.watch_job(request).await else { continue };
        let mut events = response.into_inner();
        while let Ok(Some(event)) = events.message().await {
            seen.push((event.seq, event.kind));
        }
    }
    seen
}

/// A client that forgets where it was: how many events it sees more than once.
async fn duplicates_without_cursor(client: &Client, job: &str) -> usize {
    let mut seen: Vec<u64> = Vec::new();
    loop {
        let events: Vec<_> = client.events(job, None).await.collect().await;
        seen.extend(events.iter().map(|event| event.seq));
        if events.last().is_some_and(|last| last.kind == "job_ended") {
            let all = seen.len();
            seen.sort_unstable();
            seen.dedup();
            return all - seen.len();
        }
    }
}

fn cut(proxy: &Proxy, random: &mut Random) {
    proxy.cut_after((0..CUTS).map(|_| 1 + random.below(CUT_WITHIN)));
}

fn assert_all_cut(proxy: &Proxy) {
    assert_eq!(proxy.cuts_left(), 0, "the stream was too short for all cuts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_at_any_byte_resumes_without_gap_or_duplicate() {
    let mut random = Random::seeded(SEED);
    let mut service = Service::start().await;
    let worker = service.worker();
    let proxy = service.proxy().await;
    let job = service.client.submit(&digits_job(12, 2, 200), "streams").await;

    cut(&proxy, &mut random);
    let seen = follow(Client::new(&proxy.url), job.clone()).await; // while the job runs
    assert_all_cut(&proxy);
    cut(&proxy, &mut random);
    let seen_grpc = follow_grpc(&proxy.url, &job).await;
    assert_all_cut(&proxy);
    // Behind the first event; a new client opens a new connection.
    proxy.cut_after([2_000, 4_000]);
    let duplicates = duplicates_without_cursor(&Client::new(&proxy.url), &job).await;

    assert!(worker.terminate(PROMPT).await.success());
    service.stop_server().await;
    let records = Records::read(&service.database().await).await;
    let stored: Vec<_> =
        records.jobs[&job].events.iter().map(|event| (event.seq, event.kind.clone())).collect();
    let seen: Vec<_> = seen.into_iter().map(|event| (event.seq, event.kind)).collect();
    assert!(stored.iter().map(|(seq, _)| *seq).eq(1..=stored.len() as u64));
    assert_eq!(seen, stored, "SSE, seed {SEED}");
    assert_eq!(seen_grpc, stored, "gRPC, seed {SEED}");
    assert!(duplicates > 0, "negative control: without Last-Event-ID the log begins again");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_are_each_cut_again_and_again_see_every_event_once() {
    let mut service = Service::start().await;
    let worker = service.worker();
    let job = service.client.submit(&digits_job(12, times(1, 2), 100), "clients").await;
    let (count, cuts_each) = (times(10, 50), times(10, 20));
    let mut clients = Vec::new();
    for n in 0..count {
        let mut random = Random::seeded(100 * SEED + n);
        let proxy = service.proxy().await;
        proxy.cut_after((0..cuts_each).map(|_| 1 + random.below(CUT_WITHIN)));
        let job = job.clone();
        clients.push(tokio::spawn(async move {
            // Half of them over gRPC.
            let seen = if n % 2 == 0 {
                let seen = follow(Client::new(&proxy.url), job).await;
                seen.into_iter().map(|event| (event.seq, event.kind)).collect()
            } else {
                follow_grpc(&proxy.url, &job).await
            };
            assert_all_cut(&proxy);
            seen
        }));
    }
    let mut seen = Vec::new();
    for client in clients {
        seen.push(client.await.expect("every client gets to the end"));
    }
    assert!(worker.terminate(PROMPT).await.success());
    service.stop_server().await;
    let records = Records::read(&service.database().await).await;
    let stored: Vec<_> =
        records.jobs[&job].events.iter().map(|event| (event.seq, event.kind.clone())).collect();
    for (n, seen) in seen.into_iter().enumerate() {
        assert_eq!(seen, stored, "client {n}, seed {SEED}");
    }
    eprintln!("{count} clients, {cuts_each} cuts each: all saw 1 … {} once", stored.len());
}
