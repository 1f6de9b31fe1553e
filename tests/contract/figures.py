"""What schemathesis did, counted from its report: not what it was asked to do."""

import json
import sys
from collections import defaultdict

ANSWERED_WELL = 0.30


def operations(description: str) -> set[str]:
    with open(description, encoding="utf-8") as text:
        paths = json.load(text)["paths"]
    return {f"{method.upper()} {path}" for path, item in paths.items() for method in item}


def main(description: str, report: str, least: str) -> int:
    described = operations(description)
    cases = 0
    statuses: dict[str, set[int]] = defaultdict(set)
    with open(report, encoding="utf-8") as lines:
        for line in lines:
            scenario = json.loads(line).get("ScenarioFinished")
            if scenario is None:
                continue
            recorder = scenario["recorder"]
            for case, interaction in recorder.get("interactions", {}).items():
                cases += 1
                value = recorder["cases"][case]["value"]
                response = interaction.get("response")
                # No answer is worse than a wrong one.
                status = response["status_code"] if response else 599
                statuses[f"{value['method']} {value['path']}"].add(status)
    well = {operation for operation in described if any(200 <= status < 300 for status in statuses[operation])}
    broken = {operation: seen for operation, seen in statuses.items() if any(status >= 500 for status in seen)}
    created = 201 in statuses["POST /api/v1/jobs"]
    share = len(well) / len(described)
    print(
        f"contract: {cases} cases, {len(well)} of {len(described)} operations answered 2xx ({share:.0%}), "
        f"a job was created: {created}, operations that answered 5xx: {len(broken)}"
    )
    for operation in sorted(described - well):
        print(f"contract: never 2xx: {operation}, only {sorted(statuses[operation])}")
    for operation, seen in sorted(broken.items()):
        print(f"contract: 5xx: {operation}: {sorted(seen)}")
    return 0 if cases >= int(least) and share >= ANSWERED_WELL and created and not broken else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
