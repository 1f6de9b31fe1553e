"""An independent client: stubs made from the .proto files, no code of ours; every value is compared with REST."""

import base64
import json
import struct
import sys
import tempfile
import urllib.request
from importlib import resources
from pathlib import Path

import grpc
from grpc_tools import protoc

DEADLINE_S = 60


def make_stubs(protos: Path, out: Path) -> None:
    files = sorted(str(path.relative_to(protos)) for path in protos.glob("vesicle/v1/*.proto"))
    well_known = str(resources.files("grpc_tools") / "_proto")
    code = protoc.main(["protoc", f"-I{protos}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}", *files])
    assert code == 0, f"protoc ended with {code}"
    sys.path.insert(0, str(out))


def rest(url: str, path: str):
    with urllib.request.urlopen(f"{url}/api/v1{path}", timeout=DEADLINE_S) as answer:
        return json.load(answer)


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def same_value(point, said, messages) -> None:
    """A value over gRPC and the same one over REST, bit for bit."""
    if point.WhichOneof("value") == "scalar":
        assert bits(point.scalar) == bits(said), (point.name, point.step)
        return
    array = point.array
    assert messages.Dtype.Name(array.dtype) == f"DTYPE_{said['dtype'].upper()}", point.name
    assert messages.MetricKind.Name(array.kind) == f"METRIC_KIND_{said['kind'].upper()}", point.name
    assert list(array.shape) == said["shape"], point.name
    assert array.data == base64.b64decode(said["data"], validate=True), (point.name, point.step)


def refused(call, code) -> None:
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, error
    else:
        raise AssertionError(f"it was not refused with {code}")


def main(protos: str, url: str) -> None:
    with tempfile.TemporaryDirectory() as out:
        make_stubs(Path(protos), Path(out))
        from vesicle.v1 import common_pb2, jobs_pb2, jobs_pb2_grpc

        channel = grpc.insecure_channel(url.removeprefix("http://"))
        jobs = jobs_pb2_grpc.JobServiceStub(channel)
        spec = {"experiment": "rbse", "name": "grpc", "params": {"epochs": 2, "hidden_units": 16}, "seeds": [3], "every": 10}
        request = jobs_pb2.SubmitJobRequest(spec_json=json.dumps(spec), idempotency_key="grpc-client")
        first = jobs.SubmitJob(request, timeout=DEADLINE_S)
        again = jobs.SubmitJob(request, timeout=DEADLINE_S)
        assert first.created and not again.created and first.job.id == again.job.id
        job = first.job.id

        # A stream that is old ends, and its client goes on where it was.
        events = []
        while not events or events[-1].kind != "job_ended":
            seen = events[-1].seq if events else 0
            events.extend(jobs.WatchJob(jobs_pb2.WatchJobRequest(id=job, after_seq=seen), timeout=DEADLINE_S))
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert (events[0].kind, events[-1].kind) == ("job_submitted", "job_ended")
        after = events[len(events) // 2].seq
        rest_of_it = list(jobs.WatchJob(jobs_pb2.WatchJobRequest(id=job, after_seq=after), timeout=DEADLINE_S))
        assert rest_of_it == events[after:]

        ended = jobs.GetJob(jobs_pb2.GetJobRequest(id=job)).job
        assert ended.state == "succeeded" == rest(url, f"/jobs/{job}")["state"]
        (run,) = jobs.ListRuns(jobs_pb2.ListRunsRequest(job_id=job)).runs
        said = rest(url, f"/runs/{run.id}")
        assert (run.digest, run.seed, run.steps) == (said["digest"], said["seed"], said["steps"])
        assert json.loads(run.params_json) == said["params"]

        values = 0
        series = jobs.ListMetrics(jobs_pb2.ListMetricsRequest(run_id=run.id)).series
        listed = rest(url, f"/runs/{run.id}/metrics")["metrics"]
        assert [(one.name, one.count) for one in series] == [(one["name"], one["count"]) for one in listed]
        for one in series:
            query = jobs_pb2.QueryMetricsRequest(run_id=run.id, name=one.name, points=5000)
            rows = jobs.QueryMetrics(query).rows
            said = rest(url, f"/runs/{run.id}/metrics/{one.name}?points=5000")["rows"]
            assert len(rows) == len(said) == one.count > 0, one.name
            for point, (step, value) in zip(rows, said):
                assert point.step == step, one.name
                same_value(point, value, common_pb2)
            values += len(rows)

        parts = list(jobs.GetRunCheckpoint(jobs_pb2.GetRunCheckpointRequest(run_id=run.id), timeout=DEADLINE_S))
        about, content = parts[0].about, b"".join(part.chunk.bytes for part in parts[1:])
        with urllib.request.urlopen(f"{url}/api/v1/runs/{run.id}/checkpoint?step={about.step}", timeout=DEADLINE_S) as answer:
            assert answer.read() == content and answer.headers["ETag"] == f'"{about.digest.hex()}"'
        assert (about.step, about.bytes) == (run.steps, len(content))
        kept = jobs.ListRunCheckpoints(jobs_pb2.ListRunCheckpointsRequest(run_id=run.id)).checkpoints
        said = rest(url, f"/runs/{run.id}/checkpoints")["checkpoints"]
        assert [(one.step, one.digest.hex(), one.bytes) for one in kept] == [(one["step"], one["digest"], one["bytes"]) for one in said]
        assert (kept[0].step, kept[0].digest, kept[0].bytes) == (about.step, about.digest, about.bytes)

        best = jobs.RankRuns(jobs_pb2.RankRunsRequest(metric=series[0].name, experiment="rbse", descending=True)).runs
        said = rest(url, f"/runs?metric={series[0].name}&experiment=rbse&descending=true")["runs"]
        assert [(one.id, bits(one.value), one.step) for one in best] == [(one["id"], bits(one["value"]), one["step"]) for one in said]

        # For what comes after this: ids of things that are there.
        Path("jobs.txt").write_text(f"\"{job}\"\n", encoding="ascii")
        Path("runs.txt").write_text(f"\"{run.id}\"\n", encoding="ascii")

        nobody = "00000000-0000-7000-8000-000000000000"
        refused(lambda: jobs.GetJob(jobs_pb2.GetJobRequest(id=nobody)), grpc.StatusCode.NOT_FOUND)
        refused(lambda: jobs.SubmitJob(jobs_pb2.SubmitJobRequest(spec_json="{")), grpc.StatusCode.INVALID_ARGUMENT)
        print(f"contract: gRPC client saw {len(events)} events and {values} values of {len(series)} metrics, as REST says them")


if __name__ == "__main__":
    main(*sys.argv[1:])
