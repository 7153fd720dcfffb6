"""Times OR-tools' SimpleMinCostFlow on the large instances of `allocation_instances --large N` and compares the optimum.

Needs the Python package `ortools`; run by hand, for the figures of the README:
`cargo run --profile bench --example allocation_instances -- --large 10 | python3 tests/solver/large.py`
"""

import json
import sys
import time

import numpy as np
from ortools.graph.python import min_cost_flow

ratios = {"one level": [], "all levels": []}
checks, explains, differ, count = [], [], 0, 0
for line in sys.stdin:
    instance = json.loads(line)
    arcs = np.array(instance["arcs"], dtype=np.int64)
    flow = min_cost_flow.SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(arcs[:, 0], arcs[:, 1], arcs[:, 2], arcs[:, 3])
    start = time.perf_counter()
    status = flow.solve()
    seconds = time.perf_counter() - start
    count += 1
    differ += status != flow.OPTIMAL or flow.optimal_cost() != instance["best"]
    ratios["one level"].append(instance["one_level_seconds"] / seconds)
    ratios["all levels"].append(instance["all_levels_seconds"] / seconds)
    checks.append(instance["check_seconds"] * 1000)
    explains.append(instance["explain_seconds"] * 1000 / max(instance["unserved"], 1))
print(f"{count} instances, optimum differs in {differ}")
for name, values in ratios.items():
    print(f"{name}: {np.median(values):.2f} times OR-tools (median), {min(values):.2f} to {max(values):.2f}")
print(f"bound recomputed in {np.median(checks):.2f} ms; an unserved request explained in {np.mean(explains):.2f} ms")
